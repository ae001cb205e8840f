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
    labeled_losses,
    masked_cross_entropy,
    probabilities,
    target_source,
)
from aplt.methods.processes import gather
from aplt.tensors import Guidance, Recognize, SemiBatch, StepLoss, Student, Task


class AdaMatch(nn.Module):
    """FixMatch with aligned predictions and a threshold relative to the confidence on labeled clips."""

    uses_unlabeled = True

    def __init__(
        self,
        task: Task,
        *,
        strong_weight: float = 1.0,
        u_weight: float = 1.0,
        confidence: float = 0.9,
        alignment_momentum: float = 0.999,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        self.strong_weight, self.u_weight = strong_weight, u_weight
        self.confidence, self.target = confidence, target
        self.align = DistributionAlignment(task.num_classes, alignment_momentum)

    def loss(
        self, student: Student, teacher: Recognize, batch: SemiBatch, *, guidance: Guidance | None, progress: float
    ) -> StepLoss:
        """Returns the step's loss; guidance is not used."""
        del guidance, progress
        weak_x, strong_x, strong_u = student(batch.weak_labeled, batch.strong_labeled, batch.strong)
        parts = labeled_losses(weak_x, strong_x, batch.y, self.strong_weight)
        online = None
        if len(batch.weak):
            labeled = weak_x.logits.detach().float().softmax(dim=1)
            q = self.align(probabilities(target_source(self.target, student, teacher), batch.weak), labeled)
            online = confident_labels(q, self.confidence * gather(labeled.amax(dim=1)).mean())
            parts["u_logits"] = self.u_weight * masked_cross_entropy(strong_u.logits, *online)
        return StepLoss.of(parts, online)
