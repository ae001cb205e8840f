"""AdaMatch: A Unified Approach to SSL and Domain Adaptation (Berthelot et al., ICLR 2022, arXiv 2106.04732).

    q'  = SumNorm(q * E[p(weak x)] / E[q])               distribution alignment, by running means of momentum 0.999
    tau_t = tau * mean over B of max p(weak x)           relative threshold
    L_u = mean over U of [max q' >= tau_t] H(argmax q', p(strong u))

tau is `confidence`, and `u_weight` multiplies L_u.

Differs from the paper, as USB's code does: running means instead of the batch's, a hard target, no ramp of the weight;
USB's tau is 0.95, the paper's 0.9 was taken. Differs from USB's code: the labeled clips' mean, too, is one over the
batches seen, where USB begins it uniform (equations.DistributionAlignment). Random logit interpolation is left out: how
batch-norm statistics are shared between labeled and unlabeled clips is one setting for every method here.
"""

from torch import nn

from aplt.methods.equations import (
    DistributionAlignment,
    TargetSource,
    confident_labels,
    masked_cross_entropy,
    weak_probabilities,
)
from aplt.methods.method import Method
from aplt.processes import gather
from aplt.tensors import Step, StepLoss, Task


class AdaMatch(nn.Module):
    """FixMatch with aligned predictions and a threshold relative to the confidence on labeled clips."""

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        confidence: float = 0.9,
        alignment_momentum: float = 0.999,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        self.u_weight = u_weight
        self.confidence, self.target = confidence, target
        self.align = DistributionAlignment(task.num_classes, alignment_momentum, task.share)

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        labeled = step.weak_labeled.logits.detach().float().softmax(dim=1)
        q = self.align(weak_probabilities(step, self.target), labeled, step.batch.y)
        online = confident_labels(q, self.confidence * gather(labeled.amax(dim=1)).mean())
        loss = masked_cross_entropy(step.unlabeled.logits, *online)
        return StepLoss({"u_logits": self.u_weight * loss}, online)


ADAMATCH = Method("FixMatch, aligned, the threshold relative to labeled clips", "arXiv 2106.04732", AdaMatch)
