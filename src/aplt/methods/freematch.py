"""FreeMatch: Self-adaptive Thresholding for SSL (Wang et al., ICLR 2023, arXiv 2205.07246), equations 5 to 12.

    tau_t  = lambda tau_{t-1} + (1 - lambda) mean over U of max q            tau_0 = p_0(c) = h_0(c) = 1/K
    p_t(c) = lambda p_{t-1}(c) + (1 - lambda) mean over U of q(c)
    h_t(c) = lambda h_{t-1}(c) + (1 - lambda) share of c among argmax q
    tau_t(c) = p_t(c) / max_c p_t(c) * tau_t
    L_u = mean over U of [max q >= tau_t(argmax q)] H(argmax q, p(strong u))
    L_f = sum_c A(c) log B(c),  A = SumNorm(p_t / h_t),  B = SumNorm(mean p(strong u) / histogram), over the accepted

lambda is `momentum`, and `u_weight` and `fairness_weight` multiply the two losses. Updated before the mask, from all
processes. Where a class has no histogram its quotient is 0, as in the authors' code.
`clip` bounds tau_t by 0.95, which some published runs did and the paper does not say. The paper's lambda is 0.999; by
default it is lower in shorter runs (equations.usual_momentum), where tau would otherwise never leave its start.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.methods.equations import (
    TargetSource,
    confident_labels,
    masked_cross_entropy,
    usual_momentum,
    weak_probabilities,
)
from aplt.methods.method import Method
from aplt.processes import gather, gather_with_gradient
from aplt.tensors import Step, StepLoss, Task


class FreeMatch(nn.Module):
    """Thresholds that follow the network's own confidence, and a loss for fair class shares."""

    tau: Tensor  # [] global threshold
    p: Tensor  # [K] running mean of q
    h: Tensor  # [K] running histogram of argmax q

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        fairness_weight: float = 0.01,
        momentum: float | None = None,
        clip: bool = False,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        self.u_weight, self.fairness_weight = u_weight, fairness_weight
        self.momentum, self.clip, self.target = usual_momentum(momentum, task), clip, target
        classes = task.num_classes
        self.register_buffer("tau", torch.tensor(1 / classes))
        self.register_buffer("p", torch.full((classes,), 1 / classes))
        self.register_buffer("h", torch.full((classes,), 1 / classes))

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = weak_probabilities(step, self.target)
        self.update(gather(q))
        online = confident_labels(q, self.p / self.p.max() * self.tau)
        parts = {
            "u_logits": self.u_weight * masked_cross_entropy(step.unlabeled.logits, *online),
            "fairness": self.fairness_weight * self.fairness(step.unlabeled.logits, online.weight),
        }
        return StepLoss(parts, online)

    def update(self, q: Tensor) -> None:
        """Moves the running means toward those of q [U, K], the whole batch's."""
        step = 1 - self.momentum
        confidence, label = q.max(dim=1)
        self.tau.lerp_(confidence.mean(), step)
        if self.clip:
            self.tau.clamp_(max=0.95)
        self.p.lerp_(q.mean(dim=0), step)
        self.h.lerp_(_histogram(label, len(self.p)), step)

    def fairness(self, logits: Tensor, accepted: Tensor) -> Tensor:
        """Returns L_f of the strong views' logits [U, K]; exactly zero where nothing is accepted."""
        p = gather_with_gradient(logits.float().softmax(dim=1))
        accepted = gather(accepted)
        mean = (p * accepted[:, None]).sum(dim=0) / accepted.sum().clamp(min=1)
        a = functional.normalize(_quotient(self.p, self.h), p=1, dim=0)
        b = functional.normalize(_quotient(mean, _histogram(p.argmax(dim=1)[accepted > 0], len(a))), p=1, dim=0)
        return (a * (b + 1e-12).log()).sum() * (accepted.sum() > 0)


def _histogram(label: Tensor, classes: int) -> Tensor:
    return torch.bincount(label, minlength=classes).float() / max(len(label), 1)


def _quotient(value: Tensor, by: Tensor) -> Tensor:
    return torch.where(by > 0, value / by.clamp(min=1e-12), 0.0)


FREEMATCH = Method("self-adaptive global and class thresholds, and fairness", "arXiv 2205.07246", FreeMatch)
