"""FlexMatch: Boosting SSL with Curriculum Pseudo Labeling (Zhang et al., NeurIPS 2021, arXiv 2110.08263), eq. 5 to 11.

    sigma(c) = number of unlabeled clips whose latest confident label (stored when max q > tau) is c
    beta(c)  = sigma(c) / max(max_c sigma(c), N_u - sum_c sigma(c))
    L_u      = mean over U of [max q >= tau * beta(argmax q) / (2 - beta(argmax q))] H(argmax q, p(strong u))

tau is `confidence`, and `u_weight` multiplies L_u. The store is compared with the FIXED tau, and updated after the mask
is made, as in the authors' code. At first beta is 0 and everything is accepted: true to the paper. The store is that of
all processes, which public code forgets; of a clip that appears twice in a batch it keeps the larger label, whatever
their order.
"""

import torch
from torch import Tensor, nn

from aplt.clips import UNKNOWN
from aplt.methods.equations import TargetSource, confident_labels, masked_cross_entropy, weak_probabilities
from aplt.methods.method import Method
from aplt.processes import gather
from aplt.tensors import Step, StepLoss, Task


class FlexMatch(nn.Module):
    """FixMatch with a threshold a class that follows how well the class is learned."""

    stored: Tensor  # [N] the latest confident label of each clip, -1 where there was none

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        confidence: float = 0.95,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        self.u_weight = u_weight
        self.confidence, self.target = confidence, target
        self.num_classes, self.num_unlabeled = task.num_classes, task.num_unlabeled
        self.register_buffer("stored", torch.full((task.num_clips,), UNKNOWN))

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = weak_probabilities(step, self.target)
        beta = self.learned()
        online = confident_labels(q, self.confidence * beta / (2 - beta))
        loss = masked_cross_entropy(step.unlabeled.logits, *online)
        self.store(gather(q.amax(dim=1)), gather(online.label), gather(step.batch.position))
        return StepLoss({"u_logits": self.u_weight * loss}, online)

    def learned(self) -> Tensor:
        """Returns beta [K], from 0 (nothing stored as this class) to 1."""
        sigma = torch.bincount(self.stored[self.stored != UNKNOWN], minlength=self.num_classes).float()
        return sigma / torch.maximum(sigma.max(), self.num_unlabeled - sigma.sum()).clamp(min=1)

    def store(self, confidence: Tensor, label: Tensor, position: Tensor) -> None:
        """Keeps the labels of the confident ones."""
        confident = confidence > self.confidence
        # Plain assignment would keep whichever stands last in the batch, and on a GPU any of them.
        self.stored.scatter_reduce_(0, position[confident], label[confident], "amax", include_self=False)


FLEXMATCH = Method("FixMatch, a threshold per class by how far it is learned", "arXiv 2110.08263", FlexMatch)
