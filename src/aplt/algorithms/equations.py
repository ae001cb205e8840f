"""Equations that several methods share. Targets carry no gradient; unlabeled means are over all U clips of a step."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.values import Prediction, Recognize


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Returns the mean cross-entropy of logits [B, K] with labels [B]."""
    return functional.cross_entropy(logits.float(), y)


def mean_over_all(value: Tensor, weight: Tensor) -> Tensor:
    """Returns sum(weight * value) / U for value and weight [U]: over all clips, not over the accepted ones.

    Exactly zero, with a gradient of zero, where nothing is accepted or U = 0.
    """
    return (value * weight).sum() / max(len(value), 1)


def masked_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Returns the mean over all U of weight * cross-entropy, target being labels [U] or probabilities [U, K]."""
    return mean_over_all(functional.cross_entropy(logits.float(), target, reduction="none"), weight)


def margin_logits(feature: Tensor, prototype: Tensor, y: Tensor, *, margin: float, scale: float) -> Tensor:
    """Returns CosFace's logits [B, K] (arXiv 1801.09414, eq. 4): s * (cos(f, P_k) - m * [k = y]).

    `prototype` [K, D] are unit rows and stand still. In float32 also under mixed precision, whose matrix products would
    round the cosines to a hundredth.
    """
    with torch.autocast(feature.device.type, enabled=False):
        cosine = functional.normalize(feature.float(), dim=1) @ prototype.T
    own = functional.one_hot(y, len(prototype)).to(cosine.dtype)
    return scale * (cosine - margin * own)


def predict_views(student: Recognize, *views: Tensor) -> list[Prediction]:
    """Returns the student's prediction of each batch of views, all in one pass.

    One pass means one set of batch-norm statistics for all of these views: the policy of every method for the views
    that carry a gradient.
    """
    together = student(torch.cat(views))
    sizes = [len(view) for view in views]
    features, logits = together.feature.split(sizes), together.logits.split(sizes)
    return [Prediction(feature, logit) for feature, logit in zip(features, logits, strict=True)]


class DistributionAlignment(nn.Module):
    """ReMixMatch's alignment (arXiv 1911.09785, section 3.1): q * p(y) / p_model(y), made to sum to one.

    p(y) is the running share of each class among labeled clips, p_model(y) the running mean of q.
    """

    labeled: Tensor
    predicted: Tensor

    def __init__(self, num_classes: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("labeled", torch.full((num_classes,), 1 / num_classes))
        self.register_buffer("predicted", torch.full((num_classes,), 1 / num_classes))

    @torch.no_grad()
    def forward(self, q: Tensor, y: Tensor) -> Tensor:
        """Returns q [U, K] aligned, after both running means have seen q and the labels y [B]."""
        share = functional.one_hot(y, len(self.labeled)).to(self.labeled.dtype).mean(dim=0)
        self.labeled.lerp_(share, 1 - self.momentum)
        self.predicted.lerp_(q.mean(dim=0), 1 - self.momentum)
        aligned = q * (self.labeled / self.predicted.clamp(min=1e-6))
        return aligned / aligned.sum(dim=1, keepdim=True)
