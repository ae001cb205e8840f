"""The files of clips: those below a folder, and what is wrong with one."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aplt.clips import Clip
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.storage import file_digest, mode, reason

Problem = (
    Literal["missing", "empty", "broken", "no video stream", "outside", "other kind", "too long"]
    | Literal["damaged", "still", "nobody", "collapsed", "far off", "zeros", "odd size"]
)
"""Short codes: of clips that cannot be used, and of those that are hardly worth training on."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading a clip to its end tells."""

    frames: int | None
    """None where it has no frames: features."""
    kind: str
    """In words, what all clips of an index have in common."""
    doubt: tuple[Problem, str] | None = None
    """What makes a clip that can be read hardly worth training on: a short code, and a sentence."""
    size: float | None = None
    """The size of the body in it, in the file's own units; None where it has none."""


class ClipError(InputError):
    """A clip cannot be used; `problem` is a short code for it and `why` the message without the clip's name."""

    def __init__(self, clip: Clip, problem: Problem, why: str) -> None:
        super().__init__(f"clip '{clip.id}' ({clip.path}): {why}")
        self.clip, self.problem, self.why = clip, problem, why

    def __reduce__(self) -> tuple[type["ClipError"], tuple[Clip, Problem, str]]:
        # Made again from its parts, so that it can travel between processes.
        return ClipError, (self.clip, self.problem, self.why)


@contextmanager
def naming(clip: Clip) -> Iterator[None]:
    """Makes whatever a decoder raises while the block runs an error of this clip: one never costs the others."""
    try:
        yield
    except ClipError:
        raise
    except Exception as error:
        raise ClipError(clip, "broken", f"its decoder failed ({type(error).__name__}: {reason(error)})") from error


POSES_OF = re.compile(r"(.+)-[0-9a-f]{8}\.npz")
"""The name of the skeletons that were tracked in a video: the slug of the clip's id, and some digits of its digest."""


def slug(id_: str) -> str:
    """Returns an id as a part of a file's name that any system allows; ids that differ may have the same."""
    return re.sub(r"[^\w.-]+", "-", id_, flags=re.ASCII).strip(".-")[:80]


def files_below(folder: Path, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """Yields the files at any depth below a folder, in the order of their paths; links are followed.

    Left out are hidden files and folders, the folders of runs (whose arrays are no clips), and what is no regular
    file: to open a pipe would wait forever. `above` are the folders on the way, so that a loop of links has an end.
    """
    try:
        found = folder.stat()
        with os.scandir(folder) as scanned:
            entries = sorted(
                (entry.name, entry.is_dir(), entry.is_file()) for entry in scanned if not entry.name.startswith(".")
            )
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be read ({reason(error)})") from error
    here = (found.st_dev, found.st_ino)
    run = RunDir(folder)
    names = {name for name, _, _ in entries}
    is_run = {run.config.name, run.split.name} <= names
    if is_run and not above and run.origin.name in names:
        raise InputError(f"{folder}: the folder of a run, expected one of clips")
    if here in above or (above and is_run):
        return
    for name, is_folder, is_file in entries:
        if is_folder:
            yield from files_below(folder / name, (*above, here))
        elif is_file:
            yield folder / name


def require_file(clip: Clip) -> None:
    """Raises a ClipError when the clip's file is missing, out of reach, no regular file or without content."""
    try:
        found = clip.path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ClipError(clip, "missing", "no such file") from error
    except (OSError, ValueError) as error:
        raise ClipError(clip, "broken", f"the file cannot be read ({reason(error)})") from error
    # A pipe would be waited for without end.
    if not stat.S_ISREG(found.st_mode):
        raise ClipError(clip, "missing", "not a regular file")
    if found.st_size == 0:
        raise ClipError(clip, "empty", "the file is empty (0 bytes)")


def content_digest(clip: Clip) -> str:
    """Returns the SHA-256 of the content of a clip's file; raises a ClipError where it cannot be read."""
    require_file(clip)
    try:
        return file_digest(clip.path)
    except OSError as error:
        raise ClipError(clip, "broken", f"the file cannot be read ({reason(error)})") from error


def by_file(clips: Iterable[Clip]) -> list[list[Clip]]:
    """Returns the clips of each file, files in the order of their first clips."""
    files: dict[Path, list[Clip]] = {}
    for clip in clips:
        files.setdefault(clip.path, []).append(clip)
    return list(files.values())


def require_files(clips: Iterable[Clip], source: Path) -> None:
    """Raises an InputError that names the first of the clips whose file is gone; `source` is where the index lies."""
    for clip in clips:
        if clip.bank is None and not mode(clip.path):
            where = f"clip '{clip.id}' ({clip.path}): no such file"
            raise InputError(f"{where}; if the clips have moved since {source} was made, make it again with aplt index")
