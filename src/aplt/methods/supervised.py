"""Supervised-only: what the labeled clips give without the unlabeled ones."""

from torch import nn

from aplt.methods.equations import labeled_losses
from aplt.tensors import Guidance, Recognize, SemiBatch, StepLoss, Student, Task


class Supervised(nn.Module):
    """L = H(y, weak) + strong_weight * H(y, strong)."""

    uses_unlabeled = False

    def __init__(self, task: Task, *, strong_weight: float = 1.0) -> None:
        super().__init__()
        del task
        self.strong_weight = strong_weight

    def loss(
        self, student: Student, teacher: Recognize, batch: SemiBatch, *, guidance: Guidance | None, progress: float
    ) -> StepLoss:
        """Returns the step's loss; unlabeled clips, the teacher and guidance are not used."""
        del teacher, guidance, progress
        weak_x, strong_x = student(batch.weak_labeled, batch.strong_labeled)
        return StepLoss.of(labeled_losses(weak_x, strong_x, batch.y, self.strong_weight))
