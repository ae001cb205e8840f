"""Equations that several methods share. Targets carry no gradient; unlabeled means are over all U clips of a step."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.processes import gather
from aplt.tensors import OnlineLabels, Recognize, Step, Task

TargetSource = Literal["student", "teacher"]


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


def ramp(progress: float, over: float) -> float:
    """Returns a weight that rises linearly from 0 to 1 over the first `over` of the steps with unlabeled clips."""
    return min(1.0, progress / max(over, 1e-9))


def usual_momentum(momentum: float | None, task: Task) -> float:
    """Returns the momentum of a running mean: as given, or what suits the budget, 1 - 8/steps, 0.999 at most.

    Published values, 0.999 mostly, are for runs of 100,000 steps and more. In one of a few hundred a mean that begins
    anywhere would stay there.
    """
    return min(0.999, max(0.0, 1 - 8 / task.steps)) if momentum is None else momentum


@torch.no_grad()
def probabilities(source: Recognize, clip: Tensor) -> Tensor:
    """Returns class probabilities [U, K] to make targets of: without gradient, in float32."""
    return source(clip).logits.float().softmax(dim=1)


def target_source(name: TargetSource, step: Step) -> Recognize:
    """Returns what predicts the targets: the student's pass without gradient, or the EMA teacher."""
    return step.teacher if name == "teacher" else step.student.target


def weak_probabilities(step: Step, target: TargetSource) -> Tensor:
    """Returns the `probabilities` [U, K] of the unlabeled clips' weak views by the network that predicts targets."""
    return probabilities(target_source(target, step), step.batch.weak)


def confident_labels(q: Tensor, threshold: float | Tensor) -> OnlineLabels:
    """Returns argmax q of q [U, K], and 1 where max q reaches the threshold, else 0.

    `threshold` is one number, or [K]: one for each class.
    """
    confidence, label = q.max(dim=1)
    own = threshold[label] if isinstance(threshold, Tensor) and threshold.ndim else threshold
    return OnlineLabels(label, (confidence >= own).float())


class DistributionAlignment(nn.Module):
    """ReMixMatch's alignment (arXiv 1911.09785, section 3.1): q * p(y) / p_model(y), made to sum to one.

    p_model(y) is the running mean of q; p(y) that of a reference, or uniform. Where batches are drawn class by class,
    `share` [K] says how often each is among the labeled clips, and a row of the reference counts accordingly. Both are
    those of the batches seen and of nothing before: at momentum m, batch i of t counts m^(t-i) parts. So the first
    batch stands for itself, as in USB's code, and a mean of momentum 0.999 holds in runs of a few hundred steps, too.
    """

    reference: Tensor
    predicted: Tensor
    weight: Tensor

    def __init__(self, num_classes: int, momentum: float, share: Sequence[float] = ()) -> None:
        super().__init__()
        if not 0 <= momentum < 1:
            raise ValueError(f"the alignment's momentum is {momentum}, expected at least 0 and less than 1")
        self.momentum = momentum
        # Running means from zero on, whose sum is short of one by the same factor: it is divided out.
        self.register_buffer("reference", torch.zeros(num_classes))
        self.register_buffer("predicted", torch.zeros(num_classes))
        # Of the rows of each class; empty: all count alike.
        self.register_buffer("weight", torch.tensor(share) * len(share), persistent=False)

    @torch.no_grad()
    def forward(self, q: Tensor, reference: Tensor | None, y: Tensor | None = None) -> Tensor:
        """Returns q [U, K] aligned, after the running means have seen q and the rows of reference [B, K], if any.

        `y` [B] are the labels of these rows' clips.
        """
        self.predicted.lerp_(gather(q).mean(dim=0), 1 - self.momentum)
        if reference is None:
            wanted = torch.full_like(self.predicted, 1 / len(self.predicted))
        else:
            if len(self.weight) and y is not None:
                reference = reference * self.weight[y, None]
            wanted = gather(reference).mean(dim=0)
        self.reference.lerp_(wanted, 1 - self.momentum)
        return align(q, self.reference / self.reference.sum(), self.predicted / self.predicted.sum())


def align(q: Tensor, reference: Tensor, predicted: Tensor) -> Tensor:
    """Returns q [U, K] times reference / predicted [K], rows made to sum to one."""
    return functional.normalize(q * (reference / predicted.clamp(min=1e-6)), p=1, dim=1)
