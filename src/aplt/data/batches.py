"""Batches: the steps of an online phase, the pass of an offline phase, and clips to evaluate.

Which clips a step holds, and how each is varied, is a pure function of (seed, round, step): a round can be entered
anywhere and gives the same batches whatever the number of loader processes.
"""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from aplt.data.views import KINDS, Kind, Views
from aplt.errors import InputError
from aplt.tensors import SemiBatch

EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Request:
    """One view to make."""

    position: int
    kind: Kind
    key: tuple[int, ...]


class SemiData:
    """The training clips, as the two phases see them.

    `label_of` holds the labels of the labeled clips and no other; `unlabeled` may be empty. `share` is the number of
    this process and how many there are; batch sizes are those of all of them together and multiples of it.
    """

    def __init__(
        self,
        views: Views,
        label_of: dict[int, int],
        unlabeled: Sequence[int],
        *,
        batch_labeled: int,
        batch_unlabeled: int,
        seed: int,
        workers: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.views = views
        self.label_of = label_of
        self.labeled = np.array(sorted(label_of), dtype=np.int64)
        self.unlabeled = np.array(unlabeled, dtype=np.int64)
        self._batch = (batch_labeled, batch_unlabeled if len(unlabeled) else 0)
        self._seed = seed
        self._workers = workers
        self._share = share

    def semi_batches(self, steps: int, round_: int, *, start: int = 0, unlabeled: bool = True) -> Iterator[SemiBatch]:
        """Yields the batches of steps `start` to `steps` of a round's online phase.

        Both kinds of clips are drawn without replacement, epoch after epoch. Without `unlabeled` U is 0. Of several
        processes each gets its share of every batch; together they see what one process alone would.
        """
        labeled_size, unlabeled_size = self._batch
        labeled = _epochs(self.labeled, steps * labeled_size, (self._seed, round_, 0))
        others = _epochs(self.unlabeled, steps * unlabeled_size if unlabeled else 0, (self._seed, round_, 1))
        dataset = _Steps(
            self.views,
            self.label_of,
            labeled.reshape(steps, -1),
            others.reshape(steps, -1),
            (self._seed, round_),
            self._share,
        )
        yield from _load(dataset, range(start, steps), self._workers)

    def view_batches(
        self, positions: Sequence[int], kind: Kind, *, key: tuple[int, ...] = ()
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (positions [n], views [n, *clip]) of one view of each clip; `key` tells repeated passes apart."""
        requests = [Request(p, kind, (self._seed, *key, p, KINDS.index(kind))) for p in positions]
        groups = [requests[i : i + EVALUATION_BATCH] for i in range(0, len(requests), EVALUATION_BATCH)]
        yield from _load(_Passes(self.views, groups), range(len(groups)), self._workers)


def single_views(views: Views, positions: Sequence[int], workers: int) -> Iterator[tuple[int, Tensor | InputError]]:
    """Yields each position with its center view, or with why there is none."""
    items = _items(_Singles(views, positions), range(len(positions)), workers)
    yield from zip(positions, items, strict=True)


class _Steps(Dataset[SemiBatch | InputError]):
    def __init__(
        self,
        views: Views,
        label_of: dict[int, int],
        labeled: np.ndarray,
        unlabeled: np.ndarray,
        key: tuple[int, int],
        share: tuple[int, int],
    ) -> None:
        self._views, self._label_of = views, label_of
        self._labeled, self._unlabeled, self._key = labeled, unlabeled, key
        self._share = share

    def __getitem__(self, step: int) -> SemiBatch | InputError:
        labeled, unlabeled = self._own(self._labeled[step]), self._own(self._unlabeled[step])

        def views(slots: dict[int, int], kind: Kind) -> Tensor:
            # The slot tells repeated draws of one clip in one batch apart.
            keyed = {slot: (*self._key, step, slot, p, KINDS.index(kind)) for slot, p in slots.items()}
            return _stack(self._views, [Request(p, kind, keyed[slot]) for slot, p in slots.items()])

        try:
            return SemiBatch(
                views(labeled, "weak"),
                views(labeled, "strong"),
                torch.tensor([self._label_of[p] for p in labeled.values()], dtype=torch.int64),
                torch.tensor(list(labeled.values()), dtype=torch.int64),
                views(unlabeled, "weak"),
                views(unlabeled, "strong"),
                torch.tensor(list(unlabeled.values()), dtype=torch.int64),
            )
        except InputError as error:
            return error

    def _own(self, positions: np.ndarray) -> dict[int, int]:
        """Returns this process's clips of a batch by their slot in it."""
        number, count = self._share
        size = len(positions) // count
        return {slot: int(positions[slot]) for slot in range(number * size, (number + 1) * size)}


class _Passes(Dataset[tuple[Tensor, Tensor] | InputError]):
    def __init__(self, views: Views, groups: Sequence[Sequence[Request]]) -> None:
        self._views, self._groups = views, groups

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor] | InputError:
        group = self._groups[number]
        try:
            return torch.tensor([request.position for request in group]), _stack(self._views, group)
        except InputError as error:
            return error


class _Singles(Dataset[Tensor | InputError]):
    def __init__(self, views: Views, positions: Sequence[int]) -> None:
        self._views, self._positions = views, positions

    def __getitem__(self, number: int) -> Tensor | InputError:
        try:
            return self._views(self._positions[number], "center", (0,))
        except InputError as error:
            return error


def _stack(views: Views, requests: Sequence[Request]) -> Tensor:
    if not requests:
        return torch.empty(0, *views.clip_shape)
    return torch.stack([views(request.position, request.kind, request.key) for request in requests])


def _load(dataset: Any, numbers: Sequence[int], workers: int) -> Iterator[Any]:
    """Yields the dataset's items in order; an InputError made by a worker is raised here, as it was."""
    for item in _items(dataset, numbers, workers):
        if isinstance(item, InputError):
            raise item
        yield item


def _items(dataset: Any, numbers: Sequence[int], workers: int) -> Iterator[Any]:
    """Yields the dataset's items in order."""
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=numbers,
        num_workers=min(workers, len(numbers)),
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_ignore_interrupts,
    )
    with _interrupts_wait():
        items = iter(loader)
    yield from items


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Holds Ctrl-C back until the block has run, where the system can, and for good in processes that it starts.

    A worker that Ctrl-C ends while it starts looks like one that crashed, and that error would win.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_interrupts(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _epochs(members: np.ndarray, count: int, key: tuple[int, ...]) -> np.ndarray:
    """Returns `count` members: permutation after permutation, from a stream of their own."""
    rng = np.random.default_rng(key)
    epochs = [rng.permutation(members) for _ in range(-(-count // max(len(members), 1)))]
    return np.concatenate([*epochs, members[:0]])[:count]
