"""The feature bank: whose row is whose, what an unreadable clip does to it, and how it tells how far it is."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from aplt.data import batches
from aplt.data.batches import SemiData
from aplt.data.views import CPU, Kind, Request, Unfinished, Views
from aplt.errors import InputError
from aplt.offline.bank import build_bank
from aplt.tensors import FeatureBank, Prediction

UNREADABLE = 20


class Positions:
    """Views that hold the position alone."""

    clip_shape = (1, 1, 1, 2)
    at_once = 64

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        del kind
        return torch.tensor([[one.position + 1.0, 1.0] for one in requests]).reshape(-1, *self.clip_shape)


class Damaged(Positions):
    """One of the clips cannot be read."""

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        if any(request.position == UNREADABLE for request in requests):
            raise InputError("clip 'unlucky' (20.mp4): no frame could be decoded")
        return super().__call__(kind, requests)


class Turned(Positions):
    """A view that the number of its pass decides."""

    def __init__(self) -> None:
        self.keys: list[tuple[Kind, tuple[int, ...]]] = []

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        self.keys += [(kind, one.key) for one in requests]
        return torch.tensor([[3.0, 4.0 if one.key[3] else 0.0] for one in requests]).reshape(-1, *self.clip_shape)


def recognize(clip: Tensor) -> Prediction:
    return Prediction(clip.flatten(1), clip.flatten(1))


def data_of(views: Views) -> SemiData:
    return SemiData(views, {3: 0, 7: 1}, range(10, 75), batch_labeled=1, batch_unlabeled=1, seed=0, workers=0)


def bank_of(data: SemiData) -> FeatureBank:
    return build_bank(recognize, data, round_=0, views=2, labeled_views=3, device=torch.device("cpu"))


def check_rows_are_of_their_clips() -> None:
    bank = bank_of(data_of(Positions()))
    for feature, position in ((bank.feature, bank.position), (bank.extra_feature, bank.extra_position)):
        own = torch.stack([position + 1.0, torch.ones(len(position))], dim=1)
        torch.testing.assert_close(feature, functional.normalize(own, dim=1))
    torch.testing.assert_close(bank.norm, torch.tensor([(p + 1.0) ** 2 + 1 for p in bank.position]).sqrt())


def check_unreadable_clip_stops_with_its_name() -> None:
    with pytest.raises(InputError, match="clip 'unlucky'"):
        bank_of(data_of(Damaged()))


def test_rows_are_of_their_clips() -> None:
    check_rows_are_of_their_clips()


def test_names_aligned_by_sorting_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SemiData.view_batches

    def by_name(
        self: SemiData, positions: Sequence[int], kind: Kind, **options: Any
    ) -> Iterator[tuple[Tensor, Tensor]]:
        return whole(self, sorted(positions, key=str), kind, **options)

    monkeypatch.setattr(SemiData, "view_batches", by_name)
    with pytest.raises(AssertionError, match="not close"):
        check_rows_are_of_their_clips()


def test_unreadable_clip_stops_with_its_name() -> None:
    check_unreadable_clip_stops_with_its_name()


def test_another_clip_in_place_of_an_unreadable_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def replacing(views: Views, kind: Kind, requests: Sequence[Request], _: torch.device) -> Tensor | Unfinished:
        return views(kind, [Request(one.position + (one.position == UNREADABLE), one.key) for one in requests])

    monkeypatch.setattr(batches, "_make", replacing)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_unreadable_clip_stops_with_its_name()


def test_views_are_averaged_by_hand() -> None:
    # Features (3, 0) and (3, 4), which are their logits, too.
    bank = bank_of(data_of(Turned()))
    mean = torch.tensor([1 + 0.6, 0.8])
    torch.testing.assert_close(bank.feature, functional.normalize(mean, dim=0).expand(67, 2))
    torch.testing.assert_close(bank.norm, torch.full((67,), 4.0))
    second = (1 / (1 + math.e**3) + 1 / (1 + math.e**-1)) / 2
    torch.testing.assert_close(bank.probability, torch.tensor([1 - second, second]).expand(67, 2))
    one, other = torch.tensor([1.0, 0.0]), torch.tensor([0.6, 0.8])
    torch.testing.assert_close(bank.extra_feature, torch.stack([one, other, other]).repeat_interleave(2, dim=0))


def test_every_view_is_drawn_by_a_key_of_its_own() -> None:
    views = Turned()
    data = data_of(views)
    build_bank(recognize, data, round_=4, views=2, labeled_views=3, device=torch.device("cpu"))
    assert len(set(views.keys)) == len(views.keys) == 67 * 2 + 2 * 3
    # The seed, the round, and so on: one number more than the keys of steps, of which none may come again.
    assert {(kind, key[:-2]) for kind, key in views.keys} == {
        *(("weak", (0, 4, 0, number, 0)) for number in range(2)),
        *(("strong", (0, 4, 0, number, 0)) for number in range(3)),
    }


def test_the_bank_is_no_part_of_a_graph() -> None:
    network = torch.nn.Linear(2, 2)

    def learning(clip: Tensor) -> Prediction:
        feature = network(clip.flatten(1))
        return Prediction(feature.bfloat16(), feature.bfloat16())

    bank = build_bank(learning, data_of(Positions()), round_=0, views=1, labeled_views=1, device=torch.device("cpu"))
    for tensor in (bank.feature, bank.norm, bank.probability, bank.extra_feature):
        assert not tensor.requires_grad
        assert tensor.dtype == torch.float32


def test_every_view_is_counted_once() -> None:
    data = data_of(Positions())
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
    whole, size = (2 + 65) * 2 + 2 * 3, Positions.at_once
    assert told == [(d, whole) for d in (size, 67, 67 + size, 134, 136, 138, 140)]
    assert bank.position.tolist() == [3, 7, *range(10, 75)]
    assert bank.extra_position.tolist() == [3, 7] * 3
