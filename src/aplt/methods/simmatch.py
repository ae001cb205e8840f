"""SimMatch: Semi-supervised Learning with Similarity Matching (Zheng et al., CVPR 2022, arXiv 2203.06915), eq. 3 to 14.

Besides classes, a weak and a strong view of a clip must agree in how similar they are to each labeled clip. With z unit
features, z_i and y_i those of the labeled clips in the memory:

    q    = p(weak u), aligned to a uniform prior over a window of the last batches
    s_i  = softmax_i(z(weak u) . z_i / t)
    s'_i = SumNorm_i(s_i q(y_i))                             instances calibrated by classes
    q'   = alpha q + (1 - alpha) sum of s_i by class y_i     classes smoothed by instances
    L_u  = mean over U of [max q' >= tau] H(q', p(strong u))
    L_in = mean over U of H(s', softmax_i(z(strong u) . z_i / t))

tau is `confidence`, alpha `smoothing`, t `temperature`; `u_weight` and `instance_weight` multiply the two losses. The
memory follows the labeled clips' features with `memory_momentum`; with the EMA teacher as the source of targets, it is
the teacher's features as they are (the authors' two settings).

Differs from the paper: no projection head, z is the encoder's feature; the mask looks at q', as in the authors' code
(the paper's formula at q); a labeled clip takes part from when it was first seen, before which the authors' memory
holds random rows. The instance loss and the smoothing take part from the first step, where USB leaves them out for an
epoch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.methods.equations import TargetSource, align, masked_cross_entropy, mean_over_all, target_source
from aplt.methods.method import Method
from aplt.processes import gather
from aplt.tensors import OnlineLabels, Recognize, Step, StepLoss, Task


class SimMatch(nn.Module):
    """Consistency of classes and of similarities to labeled clips."""

    labeled: Tensor  # [L] positions, sorted
    memory: Tensor  # [L, D] unit rows, zero where not yet seen
    memory_label: Tensor  # [L], -1 where not yet seen
    window: Tensor  # [W, K] mean q of the last batches
    batches: Tensor  # [] how many there were

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 1.0,
        instance_weight: float = 1.0,
        confidence: float = 0.95,
        temperature: float = 0.1,
        smoothing: float = 0.9,
        memory_momentum: float = 0.7,
        alignment_window: int = 256,
        target: TargetSource = "student",
    ) -> None:
        super().__init__()
        if alignment_window < 1:
            raise ValueError(f"alignment_window is {alignment_window}, expected 1 or more")
        self.u_weight, self.instance_weight = u_weight, instance_weight
        self.confidence, self.temperature, self.smoothing = confidence, temperature, smoothing
        self.memory_momentum, self.target = memory_momentum, target
        self.register_buffer("labeled", torch.tensor(task.labeled))
        self.register_buffer("memory", torch.zeros(len(task.labeled), task.feature_size))
        self.register_buffer("memory_label", torch.full((len(task.labeled),), -1))
        self.register_buffer("window", torch.zeros(alignment_window, task.num_classes))
        self.register_buffer("batches", torch.tensor(0))

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips; the labeled ones enter the memory in every step."""
        found = StepLoss({})
        if len(step.batch.weak) and (self.memory_label >= 0).any():
            classes, instances = self.targets(target_source(self.target, step), step.batch.weak)
            accepted = (classes.amax(dim=1) >= self.confidence).float()
            similar = functional.cross_entropy(self.similarities(step.unlabeled.feature), instances, reduction="none")
            parts = {
                "u_logits": self.u_weight * masked_cross_entropy(step.unlabeled.logits, classes, accepted),
                "u_instances": self.instance_weight * mean_over_all(similar, torch.ones_like(similar)),
            }
            found = StepLoss(parts, OnlineLabels(classes.argmax(dim=1), accepted))
        feature = step.weak_labeled.feature
        if self.target == "teacher":
            feature = step.teacher(step.batch.weak_labeled).feature
        self.remember(gather(feature), gather(step.batch.y), gather(step.batch.labeled_position))
        return found

    @torch.no_grad()
    def targets(self, source: Recognize, weak: Tensor) -> tuple[Tensor, Tensor]:
        """Returns q' [U, K] and s' [U, n] over the n labeled clips seen so far."""
        prediction = source(weak)
        q = self.aligned(prediction.logits.float().softmax(dim=1))
        s = self.similarities(prediction.feature).softmax(dim=1)
        label = self.memory_label[self.memory_label >= 0].expand_as(s)
        by_class = torch.zeros_like(q).scatter_add(1, label, s)
        instances = functional.normalize(s * q.gather(1, label), p=1, dim=1)
        return self.smoothing * q + (1 - self.smoothing) * by_class, instances

    def aligned(self, q: Tensor) -> Tensor:
        """Returns q [U, K] over its mean in the window, which then holds this batch, too."""
        self.window[self.batches % len(self.window)] = gather(q).mean(dim=0)
        self.batches += 1
        mean = self.window[: int(self.batches)].mean(dim=0)
        return align(q, torch.full_like(mean, 1 / len(mean)), mean)

    def similarities(self, feature: Tensor) -> Tensor:
        """Returns z . z_i / t [U, n] to the labeled clips seen so far."""
        with torch.autocast(feature.device.type, enabled=False):
            z = functional.normalize(feature.float(), dim=1)
            return z @ self.memory[self.memory_label >= 0].T / self.temperature

    def remember(self, feature: Tensor, y: Tensor, position: Tensor) -> None:
        """Moves the memory toward the labeled clips' features [B, D]; views of one clip are averaged."""
        row = torch.searchsorted(self.labeled, position)
        unit = functional.normalize(feature.float(), dim=1)
        mean = torch.zeros_like(self.memory).index_add_(0, row, unit)
        seen = torch.zeros_like(self.labeled, dtype=torch.bool).index_fill_(0, row, True)
        kept = self.memory_momentum if self.target == "student" else 0.0
        moved = functional.normalize(kept * self.memory + (1 - kept) * functional.normalize(mean, dim=1), dim=1)
        self.memory.copy_(torch.where(seen[:, None], moved, self.memory))
        self.memory_label[row] = y


SIMMATCH = Method(
    "agreement on classes and on similarities to labeled clips", "arXiv 2203.06915", SimMatch, every_step=True
)
