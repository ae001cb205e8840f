"""What all tests share."""

import atexit
import gc
import os
import signal

import pytest

# Tiny tensors: more threads only wait for each other. Set before torch starts, so that `train` leaves it at that: a
# process that has run several threads cannot be forked safely, and tests fork.
os.environ["OMP_NUM_THREADS"] = "1"

# Nothing that tests write must survive a power failure, and waiting for the disk takes time.
os.fsync = lambda fd: None  # noqa: ARG005 - its name is part of the signature

# A shell's background job ignores Ctrl-C, and what it starts does so, too; the tests of it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be shared out over processes is done in this one: of a few clips, to begin others takes longest."""
    monkeypatch.setattr("aplt.parallel.cores", lambda: 1)


# What is imported and collected stays: to look through it for garbage again and again would take seconds.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    atexit.register(gc.unfreeze)  # there are libraries that complain of what is left at the end
