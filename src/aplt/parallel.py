"""The same work on many items, in several processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_processes(
    function: Callable[[_Item], _Result], items: Sequence[_Item], processes: int | None = None
) -> Generator[_Result]:
    """Yields the function's results in the order of the items, computed in single-threaded processes.

    Args:
        function: Picklable, as are items, results and errors.
        items: All of them are submitted at once.
        processes: How many; by default as many as there are cores. One, or one item, needs no other process.

    Raises:
        Exception: the first that `function` raises, by the order of the items; later items are given up.
    """
    count = min(processes or os.cpu_count() or 1, len(items))
    if count <= 1:
        yield from map(function, items)
        return
    pool = ProcessPoolExecutor(count, initializer=_begin_process)
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def as_they_finish(
    function: Callable[[_Item], _Result], items: Sequence[_Item], processes: int
) -> Iterator[Iterable[_Result]]:
    """Gives the function's results in the order in which they come, for work of which each item takes long.

    The processes begin with the block, before any thread that the block starts; with one, this process does the work.
    An error of `function` comes out of the iterable; leaving the block gives up the items that have not begun.
    """
    if processes == 1 or not items:
        yield map(function, items)
        return
    pool = ProcessPoolExecutor(min(processes, len(items)), initializer=_begin_process)
    try:
        futures = [pool.submit(function, item) for item in items]
        yield (future.result() for future in as_completed(futures))
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
    # Ctrl-C ends it at once and without a traceback (unless the whole run ignores it, as in the background); what
    # it was writing stands aside, never in an entry.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(1)
    # Killed, the one who asked for the work cannot end it: then it would go on for nobody.
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
