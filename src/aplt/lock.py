"""One process at a time in the folder of a run or a comparison.

The system takes the lock back when its process ends, however it ends.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from aplt.display import console

if sys.platform == "win32":
    import msvcrt

    def _take(stream: BinaryIO) -> None:
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(stream: BinaryIO) -> None:
        # Not flock: loader processes would inherit it, and hold it for a while after this one was killed.
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Holds the lock on a file while the block runs, and gives whether it does: not where another process holds it.

    Makes the file's folder, and removes it where nothing else was written into it.
    """
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = _lock(path)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        if lock is not None:
            _unlock(path, lock)
        for folder in made:
            with suppress(OSError):  # it holds something now
                folder.rmdir()


def await_release(path: Path, seconds: float) -> None:
    """Waits until no process holds the lock on a file, at most so long."""
    ends = time.monotonic() + seconds
    while path.exists() and time.monotonic() < ends:
        with held(path) as ours:
            if ours:
                return
        time.sleep(0.05)


def _lock(path: Path) -> BinaryIO | None:
    """Returns the open file that holds the lock; None where the file system has no locks.

    Raises:
        BlockingIOError: another process holds it.
    """
    while True:
        stream = path.open("ab")
        try:
            _take(stream)
        except OSError as error:
            stream.close()
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise BlockingIOError(error.errno, error.strerror, str(path)) from error
            path.unlink()
            console.print(f"{path.parent}: cannot be locked ({error.strerror}); take care not to train twice in it")
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(stream.fileno())):
                return stream
        # Who held it before has removed it in the meantime: it keeps nobody out.
        stream.close()


def _unlock(path: Path, stream: BinaryIO) -> None:
    if os.name == "nt":  # where an open file cannot be removed
        stream.close()
        with suppress(OSError):  # the next one has it open by now
            path.unlink()
    else:
        path.unlink(missing_ok=True)
        stream.close()
