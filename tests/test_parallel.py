"""The same work on many items, in several processes."""

import os
import time
from pathlib import Path

import pytest

from aplt.errors import InputError
from aplt.parallel import as_they_finish


def first_waits(item: tuple[int, Path]) -> tuple[int, int]:
    """Returns the number and the process; number 0 waits until the others are done."""
    number, folder = item
    if number == 0:
        for _ in range(5000):
            if len(list(folder.iterdir())) == 2:
                break
            time.sleep(0.001)
    (folder / str(number)).touch()
    return number, os.getpid()


def refuse(item: int) -> int:
    if item == 1:
        raise InputError("no such clip")
    return item


def test_results_come_as_they_finish(tmp_path: Path) -> None:
    with as_they_finish(first_waits, [(number, tmp_path) for number in range(3)], 2) as finished:
        results = list(finished)
    assert [number for number, _ in results] == [1, 2, 0]
    assert os.getpid() not in {process for _, process in results}


def test_one_process_is_this_one() -> None:
    with as_they_finish(abs, [-1, -2], 1) as finished:
        assert list(finished) == [1, 2]
    with as_they_finish(refuse, [], 4) as none:
        assert list(none) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_comes_out(processes: int) -> None:
    with pytest.raises(InputError, match="no such clip"), as_they_finish(refuse, [0, 1, 2], processes) as finished:
        list(finished)
