"""TubeMix: SVFormer (Xing et al., CVPR 2023, arXiv 2211.13222): EMA teacher, tube-token mixing, temporal warping.

    q     = p_teacher(weak u)
    y     = onehot(argmax q) where max q >= tau, else q
    u_mix = M strong u + (1 - M) warp(strong u'),   y_mix = l y + (1 - l) y',   l = share of ones in M ~ Beta(10, 10)
    L_u   = mean over U of [max q >= tau] H(argmax q, p(strong u))
    L_mix = mean over U of (l [u confident] + (1 - l) [u' confident]) || p(u_mix) - y_mix ||^2 / K

M is one mask of tokens for a whole step, the same in all frames: a tube. u' is another clip of the batch, warped: a few
of its frames are stretched over the time of the others. tau is `confidence`, Beta's parameter `beta`; `u_weight` and
`mix_weight` multiply the two losses.

Differs from the paper: mixing is on pixels (patches of 16) or joints, where the paper's transformer mixes tokens. L_mix
counts by confidence and is divided by K, as in the authors' code; unlike it, the square is of probabilities, not of
logits, y_mix takes the mask's own share, not the draw, a clip's partner is never itself, and only u' is warped, where
that code's warping also reaches the strong view of L_u. No config of the authors sets tau and the two weights where
their code reads them: they are ours.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.methods.equations import (
    TargetSource,
    confident_labels,
    masked_cross_entropy,
    mean_over_all,
    weak_probabilities,
)
from aplt.methods.method import Method
from aplt.processes import gather, own_rows
from aplt.tensors import Step, StepLoss, Task


class TubeMix(nn.Module):
    """The teacher's confident labels, on strong views and on mixtures of them."""

    def __init__(
        self,
        task: Task,
        *,
        u_weight: float = 2.0,
        mix_weight: float = 2.0,
        confidence: float = 0.95,
        beta: float = 10.0,
        target: TargetSource = "teacher",
    ) -> None:
        super().__init__()
        if beta <= 0:
            raise ValueError(f"beta is {beta}, expected more than 0")
        self.u_weight, self.mix_weight = u_weight, mix_weight
        self.confidence, self.beta, self.target = confidence, beta, target
        self.patch = task.patch

    def loss(self, step: Step) -> StepLoss:
        """Returns the parts of the unlabeled clips."""
        q = weak_probabilities(step, self.target)
        online = confident_labels(q, self.confidence)
        label, accepted = online
        hard = functional.one_hot(label, q.shape[1]).to(q.dtype)
        y = torch.where(accepted[:, None] > 0, hard, q)
        partner = own_rows(self.partners(gather(step.batch.position)))
        mask = self.tube(step.batch.strong)
        share = float(mask.mean())
        other = warp(gather(step.batch.strong)[partner])
        (mixed,) = step.student(mask * step.batch.strong + (1 - mask) * other)
        wanted = share * y + (1 - share) * gather(y)[partner]
        weight = share * accepted + (1 - share) * gather(accepted)[partner]
        difference = (mixed.logits.float().softmax(dim=1) - wanted).square().mean(dim=1)
        parts = {
            "u_logits": self.u_weight * masked_cross_entropy(step.unlabeled.logits, label, accepted),
            "u_mix": self.mix_weight * mean_over_all(difference, weight),
        }
        return StepLoss(parts, online)

    def partners(self, position: Tensor) -> Tensor:
        """Returns for each clip [U] the row of another, drawn so that the order of the batch does not matter."""
        circle = position.argsort(stable=True)[torch.randperm(len(position)).to(position.device)]
        partner = torch.empty_like(circle)
        partner[circle] = circle.roll(1)
        return partner

    def tube(self, clip: Tensor) -> Tensor:
        """Returns a mask over the last two axes of clip [U, C, T, ...], 1 where a clip's own is kept."""
        high, wide = (max(1, math.ceil(size / self.patch)) for size in clip.shape[-2:])
        share = float(torch.distributions.Beta(self.beta, self.beta).sample())
        tokens = torch.zeros(high * wide, device=clip.device)
        tokens[torch.randperm(len(tokens))[: round(share * len(tokens))]] = 1
        mask = tokens.view(high, wide).repeat_interleave(self.patch, 0).repeat_interleave(self.patch, 1)
        return mask[: clip.shape[-2], : clip.shape[-1]].to(clip.dtype)


def warp(clip: Tensor) -> Tensor:
    """Returns clips [U, C, T, ...] in which 2 or 4 frames (or, every third time, all) fill the time of the others."""
    frames = clip.shape[2]
    kept = (2, 4, frames)[int(torch.randint(3, ()))]
    if kept >= frames:
        return clip
    chosen = torch.randperm(frames)[:kept].sort().values
    between = (chosen[1:] + chosen[:-1]) / 2
    # Each frame shows the chosen one that is nearest in time.
    return clip[:, :, chosen[torch.bucketize(torch.arange(frames), between)].to(clip.device)]


TUBEMIX = Method("SVFormer's EMA teacher, tube mixing and temporal warping", "arXiv 2211.13222", TubeMix)
