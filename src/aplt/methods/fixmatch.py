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
    masked_cross_entropy,
    weak_probabilities,
)
from aplt.methods.method import Method
from aplt.tensors import Step, StepLoss, Task


class FixMatch(nn.Module):
    """The confident prediction of the weak view as the label of the strong one."""

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        confidence: float = 0.95,
        target: TargetSource = "student",
        alignment: bool = False,
        alignment_momentum: float = 0.98,
    ) -> None:
        super().__init__()
        self.u_weight = u_weight
        self.confidence, self.target = confidence, target
        self.align = DistributionAlignment(task.num_classes, alignment_momentum, task.share) if alignment else None

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = weak_probabilities(step, self.target)
        if self.align is not None:
            q = self.align(q, functional.one_hot(step.batch.y, q.shape[1]).to(q.dtype), step.batch.y)
        online = confident_labels(q, self.confidence)
        loss = masked_cross_entropy(step.unlabeled.logits, *online)
        return StepLoss({"u_logits": self.u_weight * loss}, online)


FIXMATCH = Method("the weak view's confident prediction as the strong view's label", "arXiv 2001.07685", FixMatch)
FIXMATCH_TEACHER = Method(
    "FixMatch well equipped: the EMA teacher's targets, aligned to the labeled classes' shares",
    "arXiv 2001.07685",
    FixMatch,
    settings={"method_settings": {"target": "teacher", "alignment": True}},
)
