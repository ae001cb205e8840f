"""Batches: the steps of an online phase, the pass of an offline phase, and clips to evaluate.

Which clips a step has, and how each is varied, is a pure function of (seed, round, step): a round can be entered at
any step, and gives the same batches whatever the number of loader processes.
"""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from aplt.data.views import CPU, KINDS, Kind, Request, Unfinished, Views
from aplt.errors import InputError
from aplt.tensors import SemiBatch

PIPE_BYTES = 4_000_000  # of a tensor, to which copying it takes less than a handle on shared memory

_Maker = Callable[[int], tuple[Tensor | Unfinished, ...]]


class SemiData:
    """The training clips, as the two phases see them.

    `label_of` has the labels of the labeled clips and no others; `unlabeled` may be empty. `share` is the number of
    this process and how many there are; batch sizes are those of all processes together, and multiples of their number.
    `by_class`: labeled clips of each class are shown equally often. Batches are on the `device`; what it does faster
    than a loader process is left to it.
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
        by_class: bool = False,
        device: torch.device = CPU,
    ) -> None:
        self.views = views
        self.label_of = label_of
        self.labeled = np.array(sorted(label_of), dtype=np.int64)
        self.unlabeled = np.array(unlabeled, dtype=np.int64)
        self._sizes = (batch_labeled, batch_unlabeled if len(unlabeled) else 0)
        self._seed = seed
        self._workers = workers
        self._share = share
        self._by_class = by_class
        self._device = device

    def semi_batches(self, steps: int, round_: int, *, start: int = 0, unlabeled: bool = True) -> Iterator[SemiBatch]:
        """Yields the batches of steps `start` to `steps` of a round's online phase.

        Both kinds of clips are drawn without replacement, epoch after epoch. Without `unlabeled` U is 0. Of several
        processes each gets its share of every batch; together they see what one process alone would.
        """
        labeled_size, unlabeled_size = self._sizes
        draw = self._by_classes if self._by_class else partial(_epochs, self.labeled)
        labeled = draw(steps * labeled_size, (self._seed, round_, 0))
        others = _epochs(self.unlabeled, steps * unlabeled_size if unlabeled else 0, (self._seed, round_, 1))
        batch = partial(self._batch, labeled.reshape(steps, -1), others.reshape(steps, -1), round_)
        for parts in _load(batch, range(start, steps), self._workers, self._device):
            yield SemiBatch(*parts)

    def _batch(
        self, labeled: np.ndarray, unlabeled: np.ndarray, round_: int, step: int
    ) -> tuple[Tensor | Unfinished, ...]:
        """Returns the fields of a step's SemiBatch, of this process's share, as a loader process hands them over.

        `labeled` and `unlabeled` [steps, B or U] are positions.
        """

        def own(positions: np.ndarray) -> dict[int, int]:
            """Returns this process's clips of a batch by their slot in it."""
            number, count = self._share
            size = len(positions) // count
            return {slot: int(positions[slot]) for slot in range(number * size, (number + 1) * size)}

        def views(slots: dict[int, int], kind: Kind) -> Tensor | Unfinished:
            # The slot keeps repeated draws of one clip in one batch apart.
            key = (self._seed, round_, step)
            requests = [Request(p, (*key, slot, p, KINDS.index(kind))) for slot, p in slots.items()]
            return _make(self.views, kind, requests, self._device)

        known, others = own(labeled[step]), own(unlabeled[step])
        return (
            views(known, "weak"),
            views(known, "strong"),
            torch.tensor([self.label_of[p] for p in known.values()], dtype=torch.int64),
            torch.tensor(list(known.values()), dtype=torch.int64),
            views(others, "weak"),
            views(others, "strong"),
            torch.tensor(list(others.values()), dtype=torch.int64),
        )

    def _by_classes(self, count: int, key: tuple[int, ...]) -> np.ndarray:
        """Returns `count` labeled clips: the classes in turn, and of each its clips in turn."""
        label = np.array([self.label_of[position] for position in self.labeled])
        classes = _epochs(np.unique(label), count, key)
        drawn = np.empty_like(classes)
        for class_ in np.unique(label):
            places = classes == class_
            drawn[places] = _epochs(self.labeled[label == class_], int(places.sum()), (*key, 1 + int(class_)))
        return drawn

    def own_rows(self, count: int) -> Tensor:
        """Returns which of `count` clips this process makes the views of, in `view_batches`: every n-th batch."""
        number, processes = self._share
        rows = torch.arange(count).split(self.views.at_once)[number::processes]
        return torch.cat([torch.empty(0, dtype=torch.int64), *rows])

    def view_batches(
        self, positions: Sequence[int], kind: Kind, *, key: tuple[int, ...] = ()
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (positions [n], views [n, *clip]) of one view of each clip of this process's share of them.

        `key` keeps repeated passes apart.
        """
        parts = _parts(self.views, positions, kind, (self._seed, *key), self.views.at_once)
        number, processes = self._share
        yield from _loaded(parts[number::processes], self._workers, self._device)


def all_views(
    views: Views, passes: Sequence[tuple[range, Kind, int]], size: int, workers: int, device: torch.device = CPU
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (positions [n], views [n, *clip]) of passes over positions, at most `size` at once, pass after pass.

    Each pass is (positions, kind, number); the key of a view is (number, position, kind). Views are on the `device`.
    """
    parts = [part for positions, kind, number in passes for part in _parts(views, positions, kind, (number,), size)]
    yield from _loaded(parts, workers, device)


def single_views(views: Views, positions: Sequence[int], workers: int) -> Iterator[tuple[int, Tensor | InputError]]:
    """Yields each position with its center view, or with why there is none."""
    items = _items(partial(_center, views, positions), range(len(positions)), workers, CPU)
    for position, item in zip(positions, items, strict=True):
        yield position, item if isinstance(item, InputError) else item[0][0]


class _Made(Dataset[Any]):
    """Items that `make` returns for a number; an InputError becomes the item, so that it leaves a worker as it is."""

    def __init__(self, make: _Maker) -> None:
        self._make = make

    def __getitem__(self, number: int) -> Any:
        try:
            return self._make(number)
        except InputError as error:
            return error


_Part = tuple[Views, Sequence[int], Kind, tuple[int, ...]]
"""Clips of which one view each is made at once, and the beginning of its key."""


def _parts(views: Views, positions: Sequence[int], kind: Kind, key: tuple[int, ...], size: int) -> list[_Part]:
    return [(views, positions[start : start + size], kind, key) for start in range(0, len(positions), size)]


def _loaded(parts: Sequence[_Part], workers: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    made = _load(partial(_view_batch, parts, device), range(len(parts)), workers, device)
    for (_, positions, *_), (views,) in zip(parts, made, strict=True):
        yield torch.tensor(list(positions), dtype=torch.int64), views


def _view_batch(parts: Sequence[_Part], device: torch.device, number: int) -> tuple[Tensor | Unfinished]:
    views, positions, kind, key = parts[number]
    return (_make(views, kind, [Request(p, (*key, p, KINDS.index(kind))) for p in positions], device),)


def _center(views: Views, positions: Sequence[int], number: int) -> tuple[Tensor | Unfinished]:
    return (views("center", [Request(positions[number], (0,))]),)


def _make(views: Views, kind: Kind, requests: Sequence[Request], device: torch.device) -> Tensor | Unfinished:
    return views(kind, requests, device) if requests else torch.empty(0, *views.clip_shape)


def _packed(part: Tensor | Unfinished) -> Tensor | Unfinished | np.ndarray:
    """Returns what is cheapest to hand over to another process."""
    return part.numpy() if isinstance(part, Tensor) and part.nbytes <= PIPE_BYTES else part


def _handed_over(item: Any) -> Any:
    """Returns an item of `_Made` for the pipe; the loader's default would make tensors of the arrays again."""
    return item if isinstance(item, InputError) else tuple(map(_packed, item))


def _arrived(part: Tensor | Unfinished | np.ndarray, device: torch.device) -> Tensor:
    """Returns what a loader process has made, finished and on the device."""
    if isinstance(part, np.ndarray):
        part = torch.from_numpy(part)
    moved = part.to(device, non_blocking=True)
    return moved if isinstance(moved, Tensor) else moved.finished()


def _load(make: _Maker, numbers: Sequence[int], workers: int, device: torch.device) -> Iterator[tuple[Tensor, ...]]:
    """Yields what `make` returns for the numbers, in order; an InputError is raised here, wherever it was made."""
    for item in _items(make, numbers, workers, device):
        if isinstance(item, InputError):
            raise item
        yield item


def _items(
    make: _Maker, numbers: Sequence[int], workers: int, device: torch.device
) -> Iterator[tuple[Tensor, ...] | InputError]:
    """Yields what `make` returns for the numbers, in order and on the device, or the InputError that it raises."""
    pinned = torch.cuda.is_available()  # by a thread of its own, which takes tensors alone
    loader = DataLoader(
        _Made(make),
        # Python 3.14 would begin processes anew, each with its own copy of all clips.
        multiprocessing_context="fork" if workers and len(numbers) and sys.platform == "linux" else None,
        batch_size=None,
        collate_fn=None if pinned else _handed_over,
        sampler=numbers,
        num_workers=min(workers, len(numbers)),
        pin_memory=pinned,
        worker_init_fn=_ignore_interrupts,
    )
    with _interrupts_wait():
        items = iter(loader)
    for item in items:
        yield item if isinstance(item, InputError) else tuple(_arrived(part, device) for part in item)


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
