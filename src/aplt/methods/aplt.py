"""APLT's online phase (IJCAI 2025, arXiv 2504.07785): four losses under beliefs that stand still.

With x a labeled clip of label y, u an unlabeled one, p the classifier, P the prototype classifier, f unit features:

    L_sup^logits = H(y, p(weak x))
    L_sup^margin = H(y, P_y(strong x)),            P_y = softmax s (f . prototype_k - m [k = y])
    L_u^logits   = [max r >= tau] H(argmax r, p(strong u)),   q the student's prediction of weak u,
                                                              r = SumNorm(q b^w), b the OFFLINE belief about u
    L_u^margin   = [accepted] H(c, P_c(strong u)),            c the OFFLINE pseudo-label of u

Made from the paper's abstract and figure, without its formulas: the losses are the figure's, the margin's form
(CosFace) and all numbers are ours.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from aplt.methods.equations import (
    DistributionAlignment,
    TargetSource,
    confident_labels,
    margin_logits,
    masked_cross_entropy,
    mean_over_all,
    probabilities,
    target_source,
)
from aplt.methods.method import Method
from aplt.offline.phase import Clusters
from aplt.processes import gather, own_rows
from aplt.tensors import Guidance, PseudoLabels, SemiBatch, Step, StepLoss, Student, Task

MOST_BELIEVED = 0.95  # of an offline label: a belief of 1 would silence the network


class APLT(nn.Module):
    """The four losses, each with its weight, and our additions, each with its switch.

    Differs from the paper's figure by default: q, which may come from the EMA teacher (`target`), is aligned to the
    labeled classes' shares (`alignment`), multiplied with what the offline phase believes (w is `offline_prior`; b is
    its probability of its pseudo-label c, at most 0.95, and the rest in equal parts on the other classes), and accepted
    from 0.8 on (`confidence`); the margin losses see each strong view mixed with that of an accepted clip (`mix`, the
    parameter of a Beta distribution; arXiv 1710.09412), one more pass of the student; and they weigh less, for at a
    scale of 20 their gradient is many times that of a young classifier's. The method aplt_paper undoes these. The
    strong labeled view also has a plain cross-entropy, as in every method here.

    Without guidance (warm-up, or no offline half) the margin losses are absent and L_u^logits alone is FixMatch, here
    with aligned targets.
    """

    def __init__(
        self,
        task: Task,
        *,
        sup_margin_weight: float = 0.2,
        u_logits_weight: float = 1.0,
        u_margin_weight: float = 0.2,
        margin: float = 0.3,
        scale: float = 20.0,
        confidence: float = 0.8,
        target: TargetSource = "student",
        alignment: bool = True,
        alignment_momentum: float = 0.98,
        offline_prior: float = 1.0,
        mix: float = 1.0,
    ) -> None:
        super().__init__()
        if offline_prior < 0:
            raise ValueError(f"offline_prior is {offline_prior}, expected 0 (none) or more")
        if mix < 0:
            raise ValueError(f"mix is {mix}, expected 0 (no mixing) or more")
        self.sup_margin_weight = sup_margin_weight
        self.u_logits_weight = u_logits_weight
        self.u_margin_weight = u_margin_weight
        self.margin, self.scale = margin, scale
        self.confidence, self.target, self.offline_prior = confidence, target, offline_prior
        self.mix = mix
        self.align = DistributionAlignment(task.num_classes, alignment_momentum, task.share) if alignment else None

    def loss(self, step: Step) -> StepLoss:
        """Returns L_u^logits and, under guidance, the two margin losses."""
        batch, guidance = step.batch, step.guidance
        parts: dict[str, Tensor] = {}
        online = None
        if len(batch.weak):
            q = probabilities(target_source(self.target, step), batch.weak)
            if self.align is not None:
                q = self.align(q, functional.one_hot(batch.y, q.shape[1]).to(q.dtype), batch.y)
            if guidance is not None and self.offline_prior:
                q = self._informed(q, guidance.pseudo, batch.position)
            online = confident_labels(q, self.confidence)
            parts["u_logits"] = self.u_logits_weight * masked_cross_entropy(step.unlabeled.logits, *online)
        if guidance is not None:
            pseudo = guidance.pseudo
            label = torch.cat([batch.y, pseudo.label[batch.position]])
            accepted = pseudo.accepted[batch.position].float()
            if self.mix and len(batch.strong):
                loss = self._mixed_margins(step.student, batch, guidance, label)
            else:
                feature = torch.cat([step.strong_labeled.feature, step.unlabeled.feature])
                loss = self._margins(feature, guidance, label)
            labeled = len(batch.y)
            parts["sup_margin"] = self.sup_margin_weight * loss[:labeled].mean()
            parts["u_margin"] = self.u_margin_weight * mean_over_all(loss[labeled:], accepted)
        return StepLoss(parts, online)

    def _informed(self, q: Tensor, pseudo: PseudoLabels, position: Tensor) -> Tensor:
        """Returns r [U, K] of q [U, K]: where network and clusters agree it is surer, where they do not less so."""
        classes = q.shape[1]
        own = pseudo.belief[position].nan_to_num(0.0).clamp(1 / classes, MOST_BELIEVED)[:, None]
        label = pseudo.label[position].clamp(min=0)[:, None]
        prior = ((1 - own) / (classes - 1)).repeat(1, classes).scatter(1, label, own)
        return functional.normalize(q * prior**self.offline_prior, p=1, dim=1)

    def _margins(self, feature: Tensor, guidance: Guidance, y: Tensor) -> Tensor:
        """Returns the cross-entropy [n] of the prototype classifier with the margin; meaningless where y is -1."""
        y = y.clamp(min=0)
        logits = margin_logits(feature, guidance.prototype, y, margin=self.margin, scale=self.scale)
        return functional.cross_entropy(logits, y, reduction="none")

    def _mixed_margins(self, student: Student, batch: SemiBatch, guidance: Guidance, label: Tensor) -> Tensor:
        """Returns the same [B+U] of each strong view mixed with an accepted clip's, from the batch of all processes."""
        # All processes' labeled clips, then all their unlabeled ones: n, of which this process takes its own rows.
        rows = [gather(batch.strong_labeled), gather(batch.strong)]
        position = [gather(batch.labeled_position), gather(batch.position)]
        known = torch.cat([gather(batch.y), guidance.pseudo.label[position[1]]])
        accepted = torch.cat([torch.ones_like(position[0]), guidance.pseudo.accepted[position[1]]]).float()
        order = torch.cat([position[0].argsort(stable=True), len(position[0]) + position[1].argsort(stable=True)])
        share, partner = self._draw(accepted, order)
        own = torch.arange(len(accepted), device=order.device).split([len(row) for row in rows])
        mine = torch.cat([own_rows(part) for part in own])
        share, partner = share[mine], partner[mine]
        wide = share.view(-1, *[1] * (batch.strong.ndim - 1))
        views = torch.cat(rows)
        (mixed,) = student(wide * views[mine] + (1 - wide) * views[partner])
        loss = share * self._margins(mixed.feature, guidance, label)
        return loss + (1 - share) * self._margins(mixed.feature, guidance, known[partner])

    def _draw(self, accepted: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        """Returns each clip's own share of its mix, at least half, and the row of the accepted clip mixed in [n].

        Drawn for the rows in this `order`, so that the order of the batch does not matter.
        """
        drawn = torch.distributions.Beta(self.mix, self.mix).sample((len(accepted),)).to(accepted)
        share, partner = torch.empty_like(drawn), torch.empty_like(order)
        share[order] = torch.maximum(drawn, 1 - drawn)
        partner[order] = order[torch.multinomial(accepted[order], len(accepted), replacement=True)]
        return share, partner


PAPER = "IJCAI 2025, arXiv 2504.07785"
APLT_METHOD = Method(
    "APLT with what measured better: whitened, balanced, propagated clusters; mixing; aligned, informed targets",
    PAPER,
    APLT,
    every_step=True,
    offline=Clusters,
    settings={"read_out": "both"},
)
APLT_PAPER = Method(
    "asynchronous pseudo labeling and training, the literal reading of the paper",
    PAPER,
    APLT,
    every_step=True,
    offline=Clusters,
    settings={
        "method_settings": {
            "confidence": 0.95,
            "alignment": False,
            "offline_prior": 0.0,
            "mix": 0.0,
            "sup_margin_weight": 1.0,
            "u_margin_weight": 1.0,
        },
        "offline": {
            "views": 1,
            "labeled_views": 1,
            "whiten": None,
            "assignment": "nearest",
            "neighbors": 0,
            "threshold_momentum": 0.0,
        },
    },
)
