"""One step of the online phase: the labeled clips' losses, the same for every method, and the method's own."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from aplt.errors import InputError
from aplt.methods.method import Method
from aplt.tensors import Algorithm, Guidance, OnlineLabels, Recognize, SemiBatch, Step, StepLoss, Student


@dataclass(frozen=True)
class Descent:
    """What a step descends, and for the log its parts by name (detached) and the labels that it made."""

    total: Tensor
    parts: dict[str, Tensor]
    online: OnlineLabels | None


def take_step(
    method: Method,
    algorithm: Algorithm | None,
    student: Student,
    teacher: Recognize,
    batch: SemiBatch,
    *,
    guidance: Guidance | None,
    progress: float,
    weak_weight: float = 1.0,
    strong_weight: float = 1.0,
    label_smoothing: float = 0.0,
) -> Descent:
    """Returns weak_weight H(y, p(weak x)) + strong_weight H(y, p(strong x)) + the method's parts.

    The papers have the weak view alone. On skeletons the strong one is worth more than the method, so that a comparison
    must give it to all methods or to none. `progress` is the share done of the steps after the warm-up; `guidance` is
    None in warm-up rounds and without an offline half. `label_smoothing` is the share of y that is spread over all
    classes.
    """
    view = batch.weak if method.view == "weak" else batch.strong
    weak, strong, unlabeled = student(batch.weak_labeled, batch.strong_labeled, view)
    labeled = {"sup_logits": (weak_weight, weak), "sup_strong": (strong_weight, strong)}
    parts = {
        name: weight * functional.cross_entropy(found.logits.float(), batch.y, label_smoothing=label_smoothing)
        for name, (weight, found) in labeled.items()
    }
    online = None
    if algorithm is not None and (method.every_step or len(view)):
        found: object = algorithm.loss(Step(batch, weak, strong, unlabeled, student, teacher, guidance, progress))
        if not isinstance(found, StepLoss):
            name = type(algorithm).__name__
            raise InputError(f"{name}.loss: expected an aplt.StepLoss, found {type(found).__name__}")
        parts |= found.parts
        online = found.online
    total = torch.stack(list(parts.values())).sum()
    return Descent(total, {name: part.detach() for name, part in parts.items()}, online)
