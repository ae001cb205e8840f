"""The feature bank's order, and how it tells how far it is."""

from collections.abc import Sequence

import torch
from torch import Tensor

from aplt.data import batches
from aplt.data.batches import SemiData
from aplt.data.views import Kind
from aplt.offline.bank import build_bank
from aplt.values import Prediction


class Positions:
    """Views that hold the position alone."""

    clip_shape = (1, 1, 1, 2)

    def __call__(self, position: int, kind: Kind, key: Sequence[int]) -> Tensor:
        del kind, key
        return torch.tensor([position + 1.0, 1.0]).reshape(self.clip_shape)


def recognize(clip: Tensor) -> Prediction:
    return Prediction(clip.flatten(1), clip.flatten(1))


def test_every_view_is_counted_once() -> None:
    data = SemiData(Positions(), {3: 0, 7: 1}, range(10, 75), batch_labeled=1, batch_unlabeled=1, seed=0, workers=0)
    told: list[tuple[int, int]] = []
    bank = build_bank(
        recognize,
        data,
        round_=0,
        views=2,
        labeled_views=3,
        device=torch.device("cpu"),
        progress=lambda done, total: told.append((done, total)),
    )
    whole, size = (2 + 65) * 2 + 2 * 3, batches.EVALUATION_BATCH
    assert told == [(d, whole) for d in (size, 67, 67 + size, 134, 136, 138, 140)]
    assert bank.position.tolist() == [3, 7, *range(10, 75)]
    assert bank.extra_position.tolist() == [3, 7] * 3
