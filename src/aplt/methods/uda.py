"""Unsupervised Data Augmentation for Consistency Training (Xie et al., NeurIPS 2020, arXiv 1904.12848).

    q = p(weak u), sharpened: q_T = softmax(logits(weak u) / T)
    L_u = mean over U of [max q >= tau] H(q_T, p(strong u))

tau is `confidence`, T `temperature`, and `u_weight` multiplies L_u.

Differs from the paper: no training-signal annealing of the labeled loss, which its own later runs switch off.
"""

from torch import nn

from aplt.methods.equations import TargetSource, labeled_losses, masked_cross_entropy, probabilities, target_source
from aplt.tensors import Guidance, OnlineLabels, Recognize, SemiBatch, StepLoss, Student, Task


class UDA(nn.Module):
    """Sharpened soft targets, screened by confidence."""

    uses_unlabeled = True

    def __init__(
        self,
        task: Task,
        *,
        strong_weight: float = 1.0,
        u_weight: float = 1.0,
        confidence: float = 0.8,
        temperature: float = 0.4,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        del task
        self.strong_weight, self.u_weight = strong_weight, u_weight
        self.confidence, self.temperature, self.target = confidence, temperature, target

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
            sharpened = (q.log() / self.temperature).softmax(dim=1)
            accepted = (q.amax(dim=1) >= self.confidence).float()
            parts["u_logits"] = self.u_weight * masked_cross_entropy(strong_u.logits, sharpened, accepted)
            online = OnlineLabels(q.argmax(dim=1), accepted)
        return StepLoss.of(parts, online)
