"""Batches: pure functions of seed, round and step, whatever the workers and the start."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.multiprocessing import reductions

from aplt.data.batches import SemiData, single_views
from aplt.data.views import CPU, Kind, Request
from aplt.errors import InputError
from aplt.tensors import SemiBatch


class Numbers:
    """Views that hold the position, the kind and a number made of the key."""

    clip_shape = (1, 1, 1, 3)
    at_once = 64

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        if any(request.position == 13 for request in requests):
            raise InputError("clip 'unlucky' (13.mp4): no frame could be decoded")
        kinds = {"center": 0.0, "weak": 1.0, "strong": 2.0}
        rows = [[one.position, kinds[kind], float(hash(one.key) % 99991)] for one in requests]
        return torch.tensor(rows).reshape(-1, *self.clip_shape)


def make(
    labeled: Sequence[int] = range(5),
    unlabeled: Sequence[int] = range(20, 31),
    workers: int = 0,
    by_class: bool = False,
) -> SemiData:
    label_of = {p: p % 3 for p in labeled}
    options: dict[str, Any] = {"seed": 7, "workers": workers, "by_class": by_class}
    return SemiData(Numbers(), label_of, unlabeled, batch_labeled=4, batch_unlabeled=6, **options)


def same(first: list[SemiBatch], second: list[SemiBatch]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(a, b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_a_batch_holds_what_it_says() -> None:
    batch = next(make().semi_batches(3, 0))
    labeled, unlabeled = batch.weak_labeled[:, 0, 0, 0, 0], batch.weak[:, 0, 0, 0, 0]
    assert torch.equal(labeled, batch.strong_labeled[:, 0, 0, 0, 0])
    assert torch.equal(batch.y, labeled.long() % 3)
    assert torch.equal(unlabeled.long(), batch.position)
    assert set(unlabeled.tolist()) <= set(range(20, 31))
    assert (batch.weak[..., 1] == 1).all()
    assert (batch.strong[..., 1] == 2).all()


def test_resuming_in_a_round_gives_the_rest_of_it() -> None:
    whole = list(make().semi_batches(8, 2))
    assert same(whole[5:], list(make().semi_batches(8, 2, start=5)))


def test_workers_do_not_matter() -> None:
    assert same(list(make().semi_batches(5, 1)), list(make(workers=2).semi_batches(5, 1)))


def test_small_tensors_come_through_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    handles = []  # on shared memory, each of which takes longer than copying a small tensor
    known: Any = reductions.fd_id

    def counted(fd: int) -> Any:
        handles.append(fd)
        return known(fd)

    monkeypatch.setattr(reductions, "fd_id", counted)
    assert len(list(make(workers=1).semi_batches(2, 0))) == 2
    assert not handles


def test_rounds_steps_and_repeats_are_varied_differently() -> None:
    data = make(labeled=[0])  # four times the same clip in a batch
    batches = [*data.semi_batches(3, 0), *data.semi_batches(3, 1)]
    keys = [float(key) for batch in batches for key in batch.weak_labeled[..., 2].flatten()]
    assert len(set(keys)) == len(keys)


@settings(max_examples=30, deadline=None)
@given(labeled=st.integers(1, 9), unlabeled=st.integers(0, 15), steps=st.integers(1, 12), round_=st.integers(0, 5))
def test_epochs_without_replacement(labeled: int, unlabeled: int, steps: int, round_: int) -> None:
    data = make(range(labeled), range(20, 20 + unlabeled))
    batches = list(data.semi_batches(steps, round_))
    for members, size, drawn in (
        (labeled, 4, [int(p) for b in batches for p in b.weak_labeled[:, 0, 0, 0, 0]]),
        (unlabeled, 6, [int(p) for b in batches for p in b.position]),
    ):
        assert len(drawn) == (steps * size if members else 0)
        counts = Counter(drawn)
        if members:
            # Nobody is drawn a second time before everybody was drawn once.
            assert max(counts.values()) - (min(counts.values()) if len(counts) == members else 0) <= 1


@settings(max_examples=30, deadline=None)
@given(labeled=st.sets(st.integers(0, 11), min_size=1), steps=st.integers(1, 12), round_=st.integers(0, 5))
def test_by_class_each_class_is_drawn_as_often_and_each_of_its_clips(
    labeled: set[int], steps: int, round_: int
) -> None:
    batches = list(make(sorted(labeled), by_class=True).semi_batches(steps, round_))
    drawn = Counter(int(p) for b in batches for p in b.labeled_position)
    for members in ([p for p in labeled if p % 3 == class_] for class_ in range(3)):
        assert max((drawn[p] for p in members), default=0) - min((drawn[p] for p in members), default=0) <= 1
    of_class = [sum(drawn[p] for p in labeled if p % 3 == class_) for class_ in {p % 3 for p in labeled}]
    assert sum(of_class) == 4 * steps
    assert max(of_class) - min(of_class) <= 1


def test_no_unlabeled_clips_when_not_asked_for() -> None:
    batch = next(make().semi_batches(2, 0, unlabeled=False))
    assert len(batch.weak) == len(batch.strong) == len(batch.position) == 0
    assert same(
        [batch._replace(weak=batch.y, strong=batch.y, position=batch.y)],
        [next(make().semi_batches(2, 0))._replace(weak=batch.y, strong=batch.y, position=batch.y)],
    )


def test_passes_cover_each_position_once_and_differ() -> None:
    data = make()
    first = list(data.view_batches(range(100, 230), "weak", key=(0, 2, 0)))
    assert torch.cat([p for p, _ in first]).tolist() == list(range(100, 230))
    again, other = (
        torch.cat([v for _, v in data.view_batches(range(100, 230), "weak", key=key)]) for key in ((0, 2, 0), (0, 2, 1))
    )
    assert torch.equal(torch.cat([v for _, v in first]), again)
    assert not torch.equal(again, other)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_clip_stops_with_its_name(workers: int) -> None:
    with pytest.raises(InputError) as caught:
        list(make(unlabeled=range(10, 16), workers=workers).semi_batches(4, 0))
    assert str(caught.value) == "clip 'unlucky' (13.mp4): no frame could be decoded"


@pytest.mark.parametrize("workers", [0, 2])
def test_single_views_go_on_after_a_broken_clip(workers: int) -> None:
    found = list(single_views(Numbers(), range(11, 16), workers))
    assert [position for position, _ in found] == [11, 12, 13, 14, 15]
    assert [isinstance(view, InputError) for _, view in found] == [False, False, True, False, False]
