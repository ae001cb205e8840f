"""One process at a time in the folder of a run or a comparison.

The system takes the lock back when its process ends, however it ends and whatever its loader processes do.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from aplt.display import console

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a file system without locks answers."""


@contextmanager
def held(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Holds the lock on a file while the block runs; gives False where another process has it, for `wait` seconds.

    Makes the file's folder, and removes it where nothing else was written into it.
    """
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        console.print(f"{path.parent}: cannot be locked ({error.strerror}); take care not to train twice in it")
    try:
        yield True
    finally:
        try:
            with suppress(OSError):  # where an open file cannot be removed
                path.unlink()
        finally:  # Ctrl-C in between must not leave the folder to nobody
            lock.release()
        for folder in made:
            with suppress(OSError):  # it has files now
                folder.rmdir()
