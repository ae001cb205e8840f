"""A method of your own, with an offline half of its own: one file, nothing to register.

    cd examples
    aplt compare CLIPS --methods supervised,own_method:NEAREST

Offline, the network stands still: every clip takes the label of the labeled clip that its features are most like, and
is believed if the two are alike enough. Online, these beliefs stand still, and the network learns them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

import aplt


class Nearest:
    """The offline half: one nearest labeled neighbor."""

    views = 1  # weak views of each clip that its features are averaged over
    labeled_views = 0  # strong views of each labeled clip besides

    def __init__(self, *, alike: float = 0.8) -> None:
        self.alike = alike

    def __call__(
        self,
        bank: aplt.FeatureBank,
        label: Tensor,
        num_classes: int,
        *,
        round_: int,
        previous: aplt.Guidance | None,
    ) -> aplt.Guidance:
        """Returns what to believe of each clip in this round."""
        known = label[bank.position]  # [M], -1 for unlabeled clips
        given = known >= 0
        cosine, nearest = (bank.feature @ bank.feature[given].T).max(dim=1)
        believed = torch.where(given, known, known[given][nearest])
        mean = torch.zeros(num_classes, bank.feature.shape[1]).index_add_(0, known[given], bank.feature[given])
        return aplt.Guidance.of_bank(
            bank,
            len(label),
            label=believed,
            distance=1 - cosine,
            accepted=given | (cosine >= self.alike),
            given=given,
            belief=cosine.clamp(0, 1),
            threshold=torch.full((num_classes,), 1 - self.alike),
            prototype=functional.normalize(mean, dim=1),
            round_=round_,
        )


class Taught(nn.Module):
    """The online half: cross-entropy of the strong view with what the offline half believes."""

    def __init__(self, task: aplt.Task, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def loss(self, step: aplt.Step) -> aplt.StepLoss:
        """Returns the part of the unlabeled clips; the labeled ones are done already."""
        if step.guidance is None:
            return aplt.StepLoss({})
        pseudo, rows = step.guidance.pseudo, step.batch.position
        each = functional.cross_entropy(
            step.unlabeled.logits.float(), pseudo.label[rows].clamp(min=0), reduction="none"
        )
        return aplt.StepLoss({"u_nearest": self.weight * (each * pseudo.accepted[rows]).mean()})


NEAREST = aplt.Method("the label of the nearest labeled clip", "an example", algorithm=Taught, offline=Nearest)
