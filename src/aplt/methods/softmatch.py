"""SoftMatch: Addressing the Quantity-Quality Tradeoff in SSL (Chen et al., ICLR 2023, arXiv 2301.10921), eq. 5 to 10.

    q'   = SumNorm(q * (1/K) / E[q])                                 uniform alignment
    mu_t = m mu_{t-1} + (1 - m) mean over U of max q'                mu_0 = 1/K
    s2_t = m s2_{t-1} + (1 - m) variance over U of max q'            s2_0 = 1, the unbiased variance
    w    = exp(-min(max q' - mu_t, 0)^2 / (2 s2_t / n^2))
    L_u  = mean over U of w H(argmax q, p(strong u))                 the target is that of the unaligned q

m is `momentum`, n `deviations`, and `u_weight` multiplies L_u. Updated before the weights, from all processes (which
public code crashes on). One clip alone has no variance: s2 then stays as it was. The paper's m is 0.999; by default
it is lower in shorter runs (equations.usual_momentum), where moments would stay near where they began and nearly every
clip would count in full. E[q] is a mean over the batches seen (equations.DistributionAlignment).
"""

import torch
from torch import Tensor, nn

from aplt.methods.equations import (
    DistributionAlignment,
    TargetSource,
    masked_cross_entropy,
    usual_momentum,
    weak_probabilities,
)
from aplt.methods.method import Method
from aplt.processes import gather
from aplt.tensors import OnlineLabels, Step, StepLoss, Task


class SoftMatch(nn.Module):
    """Every clip counts, the less the further its confidence lies below the mean."""

    mean: Tensor
    variance: Tensor

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        momentum: float | None = None,
        deviations: float = 2.0,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        self.u_weight = u_weight
        self.momentum = usual_momentum(momentum, task)
        self.deviations, self.target = deviations, target
        self.align = DistributionAlignment(task.num_classes, self.momentum)
        self.register_buffer("mean", torch.tensor(1 / task.num_classes))
        self.register_buffer("variance", torch.tensor(1.0))

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = weak_probabilities(step, self.target)
        online = OnlineLabels(q.argmax(dim=1), self.weights(self.align(q, None).amax(dim=1)))
        loss = masked_cross_entropy(step.unlabeled.logits, *online)
        return StepLoss({"u_logits": self.u_weight * loss}, online)

    def weights(self, confidence: Tensor) -> Tensor:
        """Returns w [U] after the running moments have seen the confidence of all processes' clips."""
        everyone, step = gather(confidence), 1 - self.momentum
        self.mean.lerp_(everyone.mean(), step)
        if len(everyone) > 1:
            self.variance.lerp_(everyone.var(), step)
        below = (confidence - self.mean).clamp(max=0)
        return (-below.square() * self.deviations**2 / (2 * self.variance.clamp(min=1e-12))).exp()


SOFTMATCH = Method("every clip weighted by a Gaussian of its confidence", "arXiv 2301.10921", SoftMatch)
