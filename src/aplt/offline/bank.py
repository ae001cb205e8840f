"""The feature bank: what the frozen network makes of every training clip."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from aplt.data.batches import SemiData
from aplt.data.views import Kind
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
    evaluation mode. Arrays are on the CPU. `progress` is called with (views encoded, views in all).
    """
    done, total = 0, (len(data.labeled) + len(data.unlabeled)) * views + len(data.labeled) * labeled_views

    def encode(positions: Sequence[int], kind: Kind, number: int) -> tuple[Tensor, Tensor, Tensor]:
        nonlocal done
        features, norms, probabilities = [], [], []
        # One number more than the keys of the online phase, so that no draw is the same.
        for _, clips in data.view_batches(positions, kind, key=(round_, 0, number, 0)):
            prediction = teacher(clips.to(device))
            features.append(functional.normalize(prediction.feature.float(), dim=1).cpu())
            norms.append(prediction.feature.float().norm(dim=1).cpu())
            probabilities.append(prediction.logits.float().softmax(dim=1).cpu())
            done += len(clips)
            if progress is not None:
                progress(done, total)
        return torch.cat(features), torch.cat(norms), torch.cat(probabilities)

    positions = [*data.labeled.tolist(), *data.unlabeled.tolist()]
    passes = [encode(positions, "weak", number) for number in range(views)]
    feature, norm, probability = (torch.stack(parts).mean(dim=0) for parts in zip(*passes, strict=True))
    labeled = data.labeled.tolist()
    extra = [encode(labeled, "strong", number)[0] for number in range(labeled_views)]
    return FeatureBank(
        functional.normalize(feature, dim=1),
        norm,
        probability,
        torch.tensor(positions),
        torch.cat([*extra, feature[:0]]),
        torch.tensor(labeled * labeled_views, dtype=torch.int64),
    )
