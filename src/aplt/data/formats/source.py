"""What a format reads: a folder or file, and all that may be said of it beside; and how lists are read."""

import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from aplt.clips import Clip
from aplt.data.files import files_below
from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.storage import mode, read_text

Row = dict[str, str]
"""Of the table that a format makes: values by column."""
ARCHIVES = frozenset({".zip", ".gz", ".tar", ".tgz", ".7z", ".rar"})


@dataclass(frozen=True)
class Source:
    """What `aplt index` was given."""

    path: Path
    """The folder of clips or lists, or one file."""
    apart: Path | None = None
    """The folder of the videos, where they do not lie with the lists."""
    output: Path = Path("clips.csv")
    """The table that is made; the clips of one packed file are written to a folder of its name."""
    rate: float | None = None
    """Frames a second that lists count in; None: as many as each video says it has."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The columns of a table by what they are called in an index."""
    tiers: Sequence[str] = ()
    """Of ELAN's files, those with the labels; (): there is one."""
    window: float | None = None
    """Seconds of the windows that recordings will be cut into; also of the clips around points in time."""
    remark: Callable[[str], None] = print
    """Says a line about what was found."""

    @property
    def folder(self) -> Path:
        """The folder itself, or that of the file."""
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def files(self) -> list[Path]:
        """The file itself, or those at any depth below the folder."""
        return [self.path] if self.path.is_file() else list(files_below(self.path))

    @property
    def videos(self) -> Path:
        """The folder that paths are relative to."""
        return self.apart or self.folder

    def rate_of(self, place: str) -> float:
        """Returns the frames a second of a video in `videos`: what was given, or the mean that it says it has."""
        if self.rate is not None:
            return self.rate
        from aplt.data.video import frame_rate

        return frame_rate(Clip(place, self.videos / place))


def clip_ids(clips: pd.DataFrame) -> list[str]:
    """Returns ids that stay the same when the table, strings, and the clips are moved: path#start-end, or the path.

    Intervals that are the same are numbered: two people may have annotated what happens at one time.
    """
    seen: Counter[str] = Counter()
    ids = []
    intervals = clips.reindex(columns=["path", "start", "end"], fill_value="")
    for path, start, end in intervals.itertuples(index=False, name=None):
        name = f"{path}#{start}-{end}" if start or end else path
        seen[name] += 1
        ids.append(f"{name}~{seen[name]}" if seen[name] > 1 and name != path else name)
    return ids


def videos_by_stem(folder: Path) -> dict[str, str]:
    """Returns the videos at any depth below a folder by their name without its ending, relative to the folder.

    So it does not matter into which folders a data set was unpacked. Of several with one name the first counts.
    """
    found: dict[str, str] = {}
    for path in files_below(folder):
        if path.suffix.lower() in MODALITIES["video"].suffixes:
            found.setdefault(path.stem, path.relative_to(folder).as_posix())
    return found


def rows(path: Path, fields: int, separator: str | None = None) -> list[list[str]]:
    """Returns the fields of each line that is not empty; with `separator` None any blanks separate.

    Raises:
        InputError: no such file, not UTF-8, or a line with fewer fields.
    """
    if not stat.S_ISREG(mode(path)):
        raise InputError(f"{path}: no such file; expected the data set's own list")
    found = []
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").splitlines(), start=1):
        row = [value.strip() for value in line.split(separator, fields - 1)]
        if any(row) and len(row) != fields:
            raise InputError(f"{path} line {number}: expected {fields} fields, found {len(row)}")
        if any(row):
            found.append(row)
    return found
