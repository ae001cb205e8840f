"""The feature bank: what the frozen network makes of every training clip."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from aplt.data.batches import SemiData
from aplt.data.views import Kind
from aplt.processes import on_main
from aplt.tensors import FeatureBank, Recognize


@torch.no_grad()
def build_bank(
    teacher: Recognize,
    data: SemiData,
    *,
    round_: int,
    views: int,
    labeled_views: int,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureBank:
    """Returns the bank of all training clips, each averaged over `views` weak views.

    Besides, `labeled_views` strong views of each labeled clip: the labeled augmentation. The teacher must be in
    evaluation mode. Arrays are on the CPU; several processes share the work, and on all but the main one they are
    empty. `progress` is called with (views encoded, views in all), of this process.
    """
    labeled = data.labeled.tolist()
    positions = [*labeled, *data.unlabeled.tolist()]
    done, total = 0, len(data.own_rows(len(positions))) * views + len(data.own_rows(len(labeled))) * labeled_views

    def look(clips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = teacher(clips)
        feature = found.feature.float()
        return functional.normalize(feature, dim=1), feature.norm(dim=1), found.logits.float().softmax(dim=1)

    def encode(positions: Sequence[int], kind: Kind, numbers: range) -> list[Tensor]:
        """Returns features, norms and probabilities of clips, each the mean over the views of these numbers."""
        nonlocal done
        row = data.own_rows(len(positions))
        # One array for all views and batches: a bank is too large to be there twice.
        sums: list[Tensor] = []
        for number in numbers:
            at = 0
            # One number more than the keys of the online phase, so that no draw is the same.
            for _, clips in data.view_batches(positions, kind, key=(round_, 0, number, 0)):
                parts = look(clips)
                sums = sums or [torch.zeros(len(row), *part.shape[1:]) for part in parts]
                for whole, part in zip(sums, parts, strict=True):
                    whole[at : at + len(clips)] += part.cpu()
                at, done = at + len(clips), done + len(clips)
                if progress is not None:
                    progress(done, total)
        if not sums:  # no clip is this process's; the others need to know the shapes from it all the same
            sums = [part[:0].cpu() for part in look(torch.zeros(1, *data.views.clip_shape, device=device))]
        return [on_main(whole.div_(len(numbers)), row, len(positions), device) for whole in sums]

    feature, norm, probability = encode(positions, "weak", range(views))
    extra = [encode(labeled, "strong", range(number, number + 1))[0] for number in range(labeled_views)]
    return FeatureBank(
        functional.normalize(feature, dim=1, out=feature),
        norm,
        probability,
        torch.tensor(positions),
        torch.cat([*extra, feature[:0]]),
        torch.tensor(labeled * labeled_views, dtype=torch.int64),
    )
