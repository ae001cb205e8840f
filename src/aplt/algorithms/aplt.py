"""APLT's online phase (IJCAI 2025, arXiv 2504.07785): four losses under beliefs that stand still.

With x a labeled clip of label y, u an unlabeled one, p the classifier, P the prototype classifier, f unit features:

    L_sup^logits = H(y, p(weak x))
    L_sup^margin = H(y, P_y(strong x)),            P_y = softmax s (f . prototype_k - m [k = y])
    L_u^logits   = [max q >= tau] H(argmax q, p(strong u)),   q the prediction of weak u
    L_u^margin   = [accepted] H(c, P_c(strong u)),            c the OFFLINE pseudo-label of u

The paper's formulas are not public: the losses are its figure's, the margin's form (CosFace) and all numbers are ours.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.algorithms.equations import (
    DistributionAlignment,
    cross_entropy,
    margin_logits,
    masked_cross_entropy,
    mean_over_all,
    predict_views,
)
from aplt.values import Guidance, Recognize, SemiBatch, StepLoss


class APLT(nn.Module):
    """The four losses, each with its weight, and our additions, each with its switch.

    Differs from the paper's figure by default: the target of L_u^logits comes from the EMA teacher, aligned to the
    labeled classes' shares (`target`, `alignment`); the margin losses see each strong view mixed with that of an
    accepted clip (`mix`, the parameter of a Beta distribution; arXiv 1710.09412), one more pass of the student. The
    recipe aplt_paper switches these off. The strong labeled view also has a plain cross-entropy (`strong_weight`), as
    in every method here.

    Without guidance (warm-up, or no offline half) the margin losses are absent and L_u^logits alone is FixMatch.
    """

    uses_unlabeled = True

    def __init__(
        self,
        num_classes: int,
        *,
        sup_logits_weight: float = 1.0,
        strong_weight: float = 1.0,
        sup_margin_weight: float = 1.0,
        u_logits_weight: float = 1.0,
        u_margin_weight: float = 1.0,
        margin: float = 0.3,
        scale: float = 20.0,
        confidence: float = 0.95,
        target: Literal["student", "teacher"] = "teacher",
        alignment: bool = True,
        alignment_momentum: float = 0.98,
        mix: float = 1.0,
    ) -> None:
        super().__init__()
        if target not in ("student", "teacher"):
            raise ValueError(f"target is '{target}', expected student or teacher")
        self.sup_logits_weight = sup_logits_weight
        self.strong_weight = strong_weight
        self.sup_margin_weight = sup_margin_weight
        self.u_logits_weight = u_logits_weight
        self.u_margin_weight = u_margin_weight
        self.margin, self.scale = margin, scale
        self.confidence, self.target = confidence, target
        self.mix = mix
        self.align = DistributionAlignment(num_classes, alignment_momentum) if alignment else None

    def loss(
        self,
        student: Recognize,
        teacher: Recognize,
        batch: SemiBatch,
        *,
        guidance: Guidance | None,
        progress: float,
    ) -> StepLoss:
        """Returns the step's loss and its four parts (five with the labeled strong view's cross-entropy)."""
        del progress
        weak_x, strong_x, strong_u = predict_views(student, batch.weak_labeled, batch.strong_labeled, batch.strong)
        parts = {
            "sup_logits": self.sup_logits_weight * cross_entropy(weak_x.logits, batch.y),
            "sup_strong": self.strong_weight * cross_entropy(strong_x.logits, batch.y),
        }
        if len(batch.weak):
            target, accepted = self._online_target(student if self.target == "student" else teacher, batch)
            parts["u_logits"] = self.u_logits_weight * masked_cross_entropy(strong_u.logits, target, accepted)
        if guidance is not None:
            parts |= self._margin_losses(student, batch, guidance, torch.cat([strong_x.feature, strong_u.feature]))
        return StepLoss.of(parts)

    def _margin_losses(
        self, student: Recognize, batch: SemiBatch, guidance: Guidance, feature: Tensor
    ) -> dict[str, Tensor]:
        """Returns L_sup^margin and L_u^margin of the strong views' features [B+U, D], or of mixed views'."""
        label = torch.cat([batch.y, guidance.pseudo.label[batch.position]])
        accepted = torch.cat([torch.ones_like(batch.y), guidance.pseudo.accepted[batch.position]]).float()
        if self.mix and len(batch.strong):
            views = torch.cat([batch.strong_labeled, batch.strong])
            share, partner = self._partners(accepted)
            wide = share.view(-1, *[1] * (views.ndim - 1))
            feature = student(wide * views + (1 - wide) * views[partner]).feature
            loss = share * self._margin(feature, guidance, label)
            loss = loss + (1 - share) * self._margin(feature, guidance, label[partner])
        else:
            loss = self._margin(feature, guidance, label)
        labeled = len(batch.y)
        return {
            "sup_margin": self.sup_margin_weight * loss[:labeled].mean(),
            "u_margin": self.u_margin_weight * mean_over_all(loss[labeled:], accepted[labeled:]),
        }

    def _margin(self, feature: Tensor, guidance: Guidance, y: Tensor) -> Tensor:
        """Returns the cross-entropy [n] of the prototype classifier with the margin; 0 where there is no label."""
        y = y.clamp(min=0)
        logits = margin_logits(feature, guidance.prototype, y, margin=self.margin, scale=self.scale)
        return functional.cross_entropy(logits, y, reduction="none")

    def _partners(self, accepted: Tensor) -> tuple[Tensor, Tensor]:
        """Returns for each clip its own share of a mix, at least half, and which accepted clip is mixed in [B+U]."""
        share = torch.distributions.Beta(self.mix, self.mix).sample((len(accepted),)).to(accepted)
        partner = torch.multinomial(accepted, len(accepted), replacement=True)
        return torch.maximum(share, 1 - share), partner

    @torch.no_grad()
    def _online_target(self, source: Recognize, batch: SemiBatch) -> tuple[Tensor, Tensor]:
        """Returns the classifier's label for each unlabeled clip's weak view, and 1 where it is confident [U]."""
        q = source(batch.weak).logits.float().softmax(dim=1)
        if self.align is not None:
            q = self.align(q, batch.y)
        confidence, target = q.max(dim=1)
        return target, (confidence >= self.confidence).float()
