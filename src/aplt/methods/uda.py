"""Unsupervised Data Augmentation for Consistency Training (Xie et al., NeurIPS 2020, arXiv 1904.12848).

    q = p(weak u), sharpened: q_T = softmax(logits(weak u) / T)
    L_u = mean over U of [max q >= tau] H(q_T, p(strong u))

tau is `confidence`, T `temperature`, and `u_weight` multiplies L_u.

Differs from the paper: no training-signal annealing of the labeled loss, which its own later runs switch off.
"""

from torch import nn

from aplt.methods.equations import TargetSource, masked_cross_entropy, weak_probabilities
from aplt.methods.method import Method
from aplt.tensors import OnlineLabels, Step, StepLoss, Task


class UDA(nn.Module):
    """Sharpened soft targets, screened by confidence."""

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        confidence: float = 0.8,
        temperature: float = 0.4,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        del task
        self.u_weight = u_weight
        self.confidence, self.temperature, self.target = confidence, temperature, target

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = weak_probabilities(step, self.target)
        sharpened = (q.log() / self.temperature).softmax(dim=1)
        accepted = (q.amax(dim=1) >= self.confidence).float()
        loss = masked_cross_entropy(step.unlabeled.logits, sharpened, accepted)
        return StepLoss({"u_logits": self.u_weight * loss}, OnlineLabels(q.argmax(dim=1), accepted))


UDA_METHOD = Method("sharpened soft targets for the strong view", "arXiv 1904.12848", UDA)
