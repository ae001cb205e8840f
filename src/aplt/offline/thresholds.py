"""Self-adaptive thresholds: how far from its center a class's clip may lie in round t and still be believed."""

import torch
from torch import Tensor


def self_adaptive_thresholds(
    distance: Tensor, assignment: Tensor, num_classes: int, *, previous: Tensor | None, momentum: float
) -> Tensor:
    """Returns tau_t(c) [K]: momentum * tau_{t-1}(c) + (1 - momentum) * mean distance of class c's members.

    `distance` and `assignment` [M] are the members'. The paper's figure shows tau_t(c) near the mean distance (0.89
    to 1.02 of it), differently for each class; its formula was not at hand. A class without members keeps its previous
    threshold, or takes the mean distance of all. `previous` is None in the first round.
    """
    total = torch.zeros(num_classes, dtype=torch.float64, device=distance.device)
    total.index_add_(0, assignment, distance.double())
    count = torch.bincount(assignment, minlength=num_classes)
    overall = distance.double().mean()
    fallback = overall.expand(num_classes) if previous is None else previous.double()
    mean = torch.where(count > 0, total / count.clamp(min=1), fallback)
    if previous is not None:
        mean = momentum * previous.double() + (1 - momentum) * mean
    return mean.to(distance.dtype)
