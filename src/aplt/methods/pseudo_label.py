"""Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method (Lee, ICML workshop 2013; no arXiv id).

    q = p(weak u)
    L_u = ramp(t) * mean over U of [max q >= tau] H(argmax q, p(weak u))

The target and the prediction are of one view, so that here it is the weak view that carries a gradient.
ramp rises linearly from 0 to 1 over the first `ramp` of the steps with unlabeled clips; tau is `confidence`, and
`u_weight` multiplies L_u.

Differs from the paper, as USB's code does: the paper has no threshold tau, its ramp has two corner points, and its
final weight is 3.
"""

from torch import nn

from aplt.methods.equations import confident_labels, masked_cross_entropy, ramp
from aplt.methods.method import Method
from aplt.tensors import Step, StepLoss, Task


class PseudoLabel(nn.Module):
    """The network's own confident predictions as labels."""

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        confidence: float = 0.95,
        ramp: float = 0.4,
    ) -> None:
        super().__init__()
        del task
        self.u_weight = u_weight
        self.confidence, self.ramp = confidence, ramp

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        online = confident_labels(step.unlabeled.logits.detach().float().softmax(dim=1), self.confidence)
        weight = self.u_weight * ramp(step.progress, self.ramp)
        loss = masked_cross_entropy(step.unlabeled.logits, *online)
        return StepLoss({"u_logits": weight * loss}, online)


PSEUDO_LABEL = Method(
    "the network's own confident predictions as labels", "ICML workshop 2013", PseudoLabel, view="weak"
)
