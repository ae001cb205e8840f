"""The same work on many items, in several processes."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

from aplt.errors import InputError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


KILLED = "a process was killed at its work, perhaps because memory ran out"
UNGUARDED = "; or a script runs anew in each, for want of `if __name__ == '__main__':`"


class ProcessKilledError(InputError):
    """Something outside, such as a system short of memory, has ended a process at its work."""


def in_processes(
    function: Callable[[_Item], _Result],
    items: Sequence[_Item],
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Generator[_Result]:
    """Yields the function's results in the order of the items, computed in single-threaded processes.

    The function, items, results and errors are picklable. There are as many processes as this one has cores, unless
    `processes` says how many; one, or one item, needs no other process. `progress` is called with (items done, items in
    all) after each.

    Raises:
        Exception: the first that `function` raises, by the order of the items; later items are given up.
        ProcessKilledError: of one of the processes.
    """
    count = min(processes or cores(), len(items))
    pool = ProcessPoolExecutor(count, initializer=_begin_single) if count > 1 else None
    try:
        for done, result in enumerate((pool.map if pool else map)(function, items), start=1):
            if progress is not None:
                progress(done, len(items))
            yield result
    except BrokenProcessPool as error:
        raise ProcessKilledError(KILLED) from error
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


@contextmanager
def as_they_finish(
    function: Callable[[_Item], _Result], items: Sequence[_Item], processes: int
) -> Iterator[Iterable[_Result]]:
    """Gives the function's results as they come, for items that take long.

    The processes begin with the block, before any thread that the block starts, with an equal share of the cores each
    (however few items there are: sums come out otherwise with other numbers of threads) and on one GPU after the other;
    with one, this process does the work. An exception, whether of `function` or in the block, ends them at once.
    """
    if processes == 1 or not items:
        yield map(function, items)
        return
    count, others = min(processes, len(items)), multiprocessing.active_children()
    context = multiprocessing.get_context("spawn" if _computed else None)
    pool = ProcessPoolExecutor(count, context, _begin_share, (processes, context.Value("i")))
    try:
        waiting = iter(items)
        begun = {pool.submit(function, item) for item in islice(waiting, count)}
        yield _finished(pool, function, begun, waiting)
    except BaseException as error:
        for process in multiprocessing.active_children():
            if process not in others:
                process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise ProcessKilledError(f"{KILLED}{UNGUARDED if _computed else ''}") from error
        raise
    finally:
        pool.shutdown()


def _finished(
    pool: ProcessPoolExecutor,
    function: Callable[[_Item], _Result],
    running: set[Future[_Result]],
    waiting: Iterator[_Item],
) -> Iterator[_Result]:
    """Yields results; no more items are begun than there are processes, so that none is when one has failed."""
    while running:
        # A signal just before it does not wake Python from a wait without an end.
        done, running = wait(running, timeout=1, return_when=FIRST_COMPLETED)
        for future in done:
            result = future.result()
            running |= {pool.submit(function, item) for item in islice(waiting, 1)}
            yield result


def cores() -> int:
    """Returns how many cores this process may use: its share, where it was begun with one or several were launched."""
    return max(1, all_cores() // launched()) if _share is None else _share


def all_cores() -> int:
    """Returns how many cores the system lets this process have.

    Source: the affinity where the system has it (a batch queue or `taskset` sets it), else all.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def launched() -> int:
    """Returns how many processes of a training a launcher has started on this machine; 1 without one."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def is_main() -> bool:
    """Returns whether this process is the only one, or of those launched the one that decides, writes and tells."""
    return os.environ.get("RANK", "0") == "0"


def threads() -> int:
    """Returns how many threads a computation in this process may have: torch's number, where torch is in use."""
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else cores()


_share: int | None = None
_computed = False


def has_computed() -> None:
    """Notes that this process has computed: with several threads, or on a GPU, a copy of it would wait for those."""
    import torch

    global _computed
    _computed |= threads() > 1 or torch.accelerator.is_available()


def take_cores(count: int) -> None:
    """Gives this process so many cores, as another one that has divided a machine says, and torch as many threads."""
    import torch

    global _share
    _share = count
    torch.set_num_threads(count)


def _begin_share(processes: int, begun: "Synchronized[int]") -> None:
    import torch

    global _share
    _begin_process()
    with begun.get_lock():
        number = begun.value
        begun.value += 1
    if torch.cuda.device_count() > 1:
        torch.cuda.set_device(number % torch.cuda.device_count())
    _share = max(1, cores() // processes)
    if "OMP_NUM_THREADS" not in os.environ:  # which torch has begun with
        torch.set_num_threads(_share)


def _begin_single() -> None:
    global _share
    _begin_process()
    _share = 1
    os.environ["OMP_NUM_THREADS"] = "1"  # for what is imported later; not all such work needs torch
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _begin_process() -> None:
    # Ctrl-C ends it at once and without a traceback (unless the whole run ignores it, as in the background); what
    # it was writing is in a file aside, never in an entry.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which it is ended, whatever who asked for the work does then
    # A killed parent cannot end it, and then it would work on for nobody.
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
