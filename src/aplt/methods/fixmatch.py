"""FixMatch: Simplifying Semi-Supervised Learning (Sohn et al., NeurIPS 2020, arXiv 2001.07685), equations 3 and 4.

    q = p(weak u)
    L_u = mean over U of [max q >= tau] H(argmax q, p(strong u))

tau is `confidence`, and `u_weight` multiplies L_u.

Each off by default: targets of the EMA teacher (`target`), and distribution alignment of q to the labeled classes'
shares (`alignment`; the paper tries it on CIFAR-100). The recipe fixmatch_teacher has both on.
"""

from torch import nn
from torch.nn import functional

from aplt.methods.equations import (
    DistributionAlignment,
    TargetSource,
    confident_labels,
    labeled_losses,
    masked_cross_entropy,
    probabilities,
    target_source,
)
from aplt.tensors import Guidance, Recognize, SemiBatch, StepLoss, Student, Task


class FixMatch(nn.Module):
    """The confident prediction of the weak view as the label of the strong one."""

    uses_unlabeled = True

    def __init__(
        self,
        task: Task,
        *,
        strong_weight: float = 1.0,
        u_weight: float = 1.0,
        confidence: float = 0.95,
        target: TargetSource = "student",
        alignment: bool = False,
        alignment_momentum: float = 0.98,
    ) -> None:
        super().__init__()
        self.strong_weight, self.u_weight = strong_weight, u_weight
        self.confidence, self.target = confidence, target
        self.align = DistributionAlignment(task.num_classes, alignment_momentum) if alignment else None

    def loss(
        self, student: Student, teacher: Recognize, batch: SemiBatch, *, guidance: Guidance | None, progress: float
    ) -> StepLoss:
        """Returns the step's loss; guidance is not used."""
        del guidance, progress
        weak_x, strong_x, strong_u = student(batch.weak_labeled, batch.strong_labeled, batch.strong)
        parts = labeled_losses(weak_x, strong_x, batch.y, self.strong_weight)
        online = None
        if len(batch.weak):
            q = probabilities(target_source(self.target, student, teacher), batch.weak)
            if self.align is not None:
                q = self.align(q, functional.one_hot(batch.y, q.shape[1]).to(q.dtype))
            online = confident_labels(q, self.confidence)
            parts["u_logits"] = self.u_weight * masked_cross_entropy(strong_u.logits, *online)
        return StepLoss.of(parts, online)
