"""The same work in several processes, and what becomes of them when the one that asked for it is killed."""

import multiprocessing
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest
import torch

from aplt import parallel
from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.parallel import as_they_finish, cores, in_processes


def first_waits(item: tuple[int, Path]) -> tuple[int, int]:
    """Returns the number and the process; number 0 waits until the others have been received."""
    number, folder = item
    if number == 0:
        for _ in range(60_000):
            if len(list(folder.iterdir())) == 2:
                break
            time.sleep(0.001)
    return number, os.getpid()


def the_flag(_: int) -> bool:
    return parallel._computed


def refuse(item: int) -> int:
    if item == 1:
        raise InputError("no such clip")
    return item


def test_results_come_as_they_finish(tmp_path: Path) -> None:
    with as_they_finish(first_waits, [(number, tmp_path) for number in range(3)], 2) as finished:
        results = []
        for number, process in finished:
            results.append((number, process))
            (tmp_path / str(number)).touch()
    assert [number for number, _ in results] == [1, 2, 0]
    assert os.getpid() not in {process for _, process in results}


def test_after_computing_processes_are_no_copies_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    monkeypatch.setattr(parallel, "_computed", False)
    parallel.has_computed()
    with as_they_finish(the_flag, [0, 1], 2) as finished:
        assert list(finished) == [False, False]


def test_one_process_is_this_one() -> None:
    with as_they_finish(abs, [-1, -2], 1) as finished:
        assert list(finished) == [1, 2]
    with as_they_finish(refuse, [], 4) as none:
        assert list(none) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_comes_out(processes: int) -> None:
    with pytest.raises(InputError, match="no such clip"), as_they_finish(refuse, [0, 1, 2], processes) as finished:
        list(finished)


def fail_beside(item: int, folder: Path) -> None:
    """Number 0 fails once number 1, which takes long, is under way."""
    (folder / str(item)).touch()
    if item == 0:
        for _ in range(5000):
            if (folder / "1").exists():
                break
            time.sleep(0.001)
        raise InputError("no such clip")
    time.sleep(30)
    (folder / "finished").touch()


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("use", "error"), [(list, InputError), (interrupt, KeyboardInterrupt)])
def test_an_error_ends_what_is_under_way_and_nothing_more_begins(
    tmp_path: Path, use: Callable[[object], object], error: type[BaseException]
) -> None:
    with pytest.raises(error), as_they_finish(partial(fail_beside, folder=tmp_path), range(5), 2) as finished:
        use(finished)
    assert {path.name for path in tmp_path.iterdir()} <= {"0", "1"}
    assert multiprocessing.active_children() == []


def linger(_: int, folder: Path) -> None:
    time.sleep(20)
    (folder / "finished").touch()


def test_a_signal_that_wakes_no_wait_ends_it_nonetheless(tmp_path: Path) -> None:
    def deliver() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # Python notices it when the main thread next runs

    def use(finished: Iterable[None]) -> None:
        threading.Timer(0.3, deliver).start()
        list(finished)

    with pytest.raises(KeyboardInterrupt), as_they_finish(partial(linger, folder=tmp_path), range(2), 2) as finished:
        use(finished)
    assert list(tmp_path.iterdir()) == []
    assert multiprocessing.active_children() == []


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_a_sentence() -> None:
    with pytest.raises(InputError, match="a process was killed"), as_they_finish(die, [0, 1], 2) as finished:
        list(finished)
    with pytest.raises(InputError, match="a process was killed"):
        list(in_processes(die, [0, 1, 2], 2))


def given_cores(_: int) -> tuple[int, int, int, int]:
    return cores(), torch.get_num_threads(), MODALITIES["video"].workers(), MODALITIES["skeleton"].workers()


def test_processes_have_a_share_of_the_cores_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with as_they_finish(given_cores, [0, 1], 4) as finished:
        assert list(finished) == [(1, 1, 1, 0)] * 2
    assert cores() == 6
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with as_they_finish(given_cores, [0, 1], 2) as finished:
        assert list(finished) == [(3, torch.get_num_threads(), 2, 0)] * 2


def given_gpu(_: int, folder: Path) -> list[int]:
    """Returns the process's GPUs once all three processes have an item."""
    (folder / str(os.getpid())).touch()
    for _ in range(60_000):
        if len(list(folder.iterdir())) == 3:
            break
        time.sleep(0.001)
    return chosen_gpus


chosen_gpus: list[int] = []


def test_processes_take_the_gpus_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.set_device", chosen_gpus.append)
    with as_they_finish(partial(given_gpu, folder=tmp_path), range(3), 3) as finished:
        assert sorted(finished) == [[0], [0], [1]]
    assert chosen_gpus == []


def work(item: int, pipe: int) -> None:
    os.write(pipe, bytes([item]))
    time.sleep(60)


def test_processes_end_with_the_one_that_started_them() -> None:
    reading, writing = os.pipe()
    parent = multiprocessing.get_context("fork").Process(
        target=lambda: list(in_processes(partial(work, pipe=writing), range(2), 2))
    )
    parent.start()
    os.close(writing)
    begun = b""
    while len(begun) < 2:
        told = os.read(reading, 2)
        assert told  # at its end: both have died before they began
        begun += told
    parent.kill()
    parent.join()
    # Readable at its end: nobody is left who could write.
    assert select.select([reading], [], [], 20)[0]
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_results_come_in_order_and_errors_as_they_are() -> None:
    assert list(in_processes(abs, [-3, 2, -1], 2)) == [3, 2, 1]
    with pytest.raises(ZeroDivisionError):
        list(in_processes(partial(divmod, 1), [1, 0, 2], 2))
