"""Supervised-only: what the labeled clips give without the unlabeled ones."""

from torch import nn

from aplt.algorithms.equations import cross_entropy, predict_views
from aplt.values import Guidance, Recognize, SemiBatch, StepLoss


class Supervised(nn.Module):
    """L = H(y, weak) + H(y, strong).

    The strong labeled view is there for every method of a comparison: on skeletons it is worth more than the method.
    """

    uses_unlabeled = False

    def __init__(self, num_classes: int, *, strong_weight: float = 1.0) -> None:
        super().__init__()
        del num_classes
        self.strong_weight = strong_weight

    def loss(
        self,
        student: Recognize,
        teacher: Recognize,
        batch: SemiBatch,
        *,
        guidance: Guidance | None,
        progress: float,
    ) -> StepLoss:
        """Returns the step's loss; unlabeled clips, the teacher and guidance are not used."""
        del teacher, guidance, progress
        weak, strong = predict_views(student, batch.weak_labeled, batch.strong_labeled)
        parts = {
            "sup_logits": cross_entropy(weak.logits, batch.y),
            "sup_strong": self.strong_weight * cross_entropy(strong.logits, batch.y),
        }
        return StepLoss.of(parts)
