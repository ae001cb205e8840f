"""What a user or the system stops ends in order, with a sentence on how to go on."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def stoppable(hint: Callable[[], str]) -> Iterator[None]:
    """Ends the command with status 130 on Ctrl-C and on SIGTERM, which batch queues send.

    Args:
        hint: what is said after "interrupted", asked for then.
    """
    # Else what stands in temporary folders would stay there.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as stop:
        print(f"aplt: interrupted{hint()}", file=sys.stderr)
        raise typer.Exit(130) from stop
    finally:
        signal.signal(signal.SIGTERM, before)
