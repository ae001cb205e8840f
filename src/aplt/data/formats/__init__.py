"""Formats: what lies in a folder -> the table that clips.csv holds.

A format is one function in one file: folder -> table with the columns `path` (relative to the folder) and `label`, and
where they are known `id`, `subject`, `start`, `end` and `split`. The first line of its docstring is its help.
"""

import stat
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.arid import arid
from aplt.data.formats.folder import scan_folder
from aplt.data.formats.kard import kard
from aplt.data.formats.nucla import nucla
from aplt.data.formats.pyskl import pyskl
from aplt.errors import InputError, suggest
from aplt.storage import mode

FORMATS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "folder": scan_folder,
    "nucla": nucla,
    "kard": kard,
    "arid": arid,
}
PACKED: dict[str, Callable[[Path, Path], pd.DataFrame]] = {"pyskl": pyskl}
"""Formats of one file with many clips, which a function (file, folder) writes to a folder, one file each."""


def scan(folder: Path, format_: str, output: Path = Path("clips.csv")) -> pd.DataFrame:
    """Returns the table of clips in a folder, read as `format_`; where it gives no ids these are the paths within.

    Of a format in `PACKED`, `folder` is a file, whose clips are written to a folder named after the table `output`.

    Raises:
        InputError: no such folder or format, or no clip of that format in it.
    """
    if format_ not in FORMATS | PACKED:
        raise InputError(f"unknown format '{format_}'{suggest(format_, FORMATS | PACKED)}")
    if format_ in PACKED:
        return PACKED[format_](folder, output.with_suffix(""))
    if not stat.S_ISDIR(mode(folder)):
        found = "a file" if mode(folder) else "nothing"
        unpack = "; unpack it first" if folder.suffix in (".zip", ".gz", ".tar", ".7z", ".rar") and mode(folder) else ""
        raise InputError(f"{folder}: expected a folder of clips, found {found} there{unpack}")
    table = FORMATS[format_](folder)
    # An id that stays the same when the table and the clips are moved.
    return table if "id" in table else table.assign(id=table["path"])


def left_out(folder: Path, clips: Iterable[Path]) -> str:
    """Returns the files below a folder that are none of its clips and no tables, as counts by ending; "" if none."""
    taken = set(clips)
    left_files = (path for path in files_below(folder) if not taken & {path, path.parent})
    endings = (path.suffix.lower() or "without an ending" for path in left_files)
    left = Counter(ending for ending in endings if ending != ".csv")
    most_first = sorted(left.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,d} {ending}" for ending, count in most_first)
