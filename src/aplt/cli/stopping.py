"""What a user or the system stops ends in order, with a sentence on how to go on."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # of Ctrl-C and of batch queues


@contextmanager
def stoppable(hint: Callable[[], str]) -> Iterator[None]:
    """Ends the command with status 130 on Ctrl-C and SIGTERM, and removes what stands in temporary folders.

    Args:
        hint: what is said after "interrupted", asked for then.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:  # as Ctrl-C is in the background
            signal.signal(number, _stop)
    try:
        yield
    except KeyboardInterrupt as stop:
        print(f"aplt: interrupted{hint()}", file=sys.stderr)
        raise typer.Exit(130) from stop
    finally:
        for number in SIGNALS:
            signal.signal(number, before[number])


def _stop(_: int, __: FrameType | None) -> None:
    # One is enough: another would stop the very end of the processes that are at work.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
