"""Work in several processes, and what becomes of them when the one that asked for it is killed."""

import multiprocessing
import os
import select
import time
from functools import partial

import pytest

from aplt.parallel import in_processes


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
        begun += os.read(reading, 2)
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
