"""A command that is stopped ends in order, with a sentence on how to continue."""

import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

import typer

from aplt.cli.printing import remark

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # of Ctrl-C and of batch queues
REST = 5.0
"""Seconds after a signal in which others are ignored: they would interrupt the ending of other processes."""


@contextmanager
def stoppable(hint: Callable[[], str]) -> Iterator[None]:
    """Ends the command with status 130 on Ctrl-C and SIGTERM, and removes its temporary folders.

    `hint` returns what is said after "interrupted", and is asked for then.
    """
    rests_until, own = -math.inf, os.getpid()

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal rests_until
        if number == signal.SIGTERM and os.getpid() != own:  # a process that has just been forked, and is not wanted
            os._exit(128 + number)
        # Not for good: Python drops what is raised in a destructor, and then the user must be able to ask again.
        if monotonic() >= rests_until:
            rests_until = monotonic() + REST
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:  # as Ctrl-C is in the background
            signal.signal(number, stop)
    try:
        yield
    except (KeyboardInterrupt, RuntimeError) as error:
        # A signal to all processes may end a loader's first, and torch says so before this one has its own.
        if isinstance(error, RuntimeError) and "killed by signal: Terminated" not in str(error):
            raise
        remark(f"interrupted{hint()}")
        raise typer.Exit(130) from error
    finally:
        for number in SIGNALS:
            signal.signal(number, before[number])
