"""Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method (Lee, ICML workshop 2013; no arXiv id).

    q = p(weak u)
    L_u = ramp(t) * mean over U of [max q >= tau] H(argmax q, p(weak u))

The target and the prediction are of one view, so that here it is the weak view that carries a gradient.
ramp rises linearly from 0 to 1 over the first `ramp` of training; tau is `confidence`, and `u_weight` multiplies L_u.

Differs from the paper, as USB's code does: the paper has no threshold tau, its ramp has two corner points, and its
final weight is 3.
"""

from torch import nn

from aplt.methods.equations import confident_labels, labeled_losses, masked_cross_entropy, ramp
from aplt.tensors import Guidance, Recognize, SemiBatch, StepLoss, Student, Task


class PseudoLabel(nn.Module):
    """The network's own confident predictions as labels."""

    uses_unlabeled = True

    def __init__(
        self,
        task: Task,
        *,
        strong_weight: float = 1.0,
        u_weight: float = 1.0,
        confidence: float = 0.95,
        ramp: float = 0.4,
    ) -> None:
        super().__init__()
        del task
        self.strong_weight, self.u_weight = strong_weight, u_weight
        self.confidence, self.ramp = confidence, ramp

    def loss(
        self, student: Student, teacher: Recognize, batch: SemiBatch, *, guidance: Guidance | None, progress: float
    ) -> StepLoss:
        """Returns the step's loss; the teacher and guidance are not used."""
        del teacher, guidance
        weak_x, strong_x, weak_u = student(batch.weak_labeled, batch.strong_labeled, batch.weak)
        parts = labeled_losses(weak_x, strong_x, batch.y, self.strong_weight)
        online = None
        if len(batch.weak):
            online = confident_labels(weak_u.logits.detach().float().softmax(dim=1), self.confidence)
            weight = self.u_weight * ramp(progress, self.ramp)
            parts["u_logits"] = weight * masked_cross_entropy(weak_u.logits, *online)
        return StepLoss.of(parts, online)
