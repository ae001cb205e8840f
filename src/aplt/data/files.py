"""Files from outside: what lies at a path, the files below a folder, and CSV tables read strictly."""

import csv
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from aplt.clips import Clip
from aplt.errors import InputError
from aplt.rundir import RunDir

HEADER_BYTES = 10_000  # far more than the header of a table of ours has


def reason(error: Exception) -> str:
    """Returns what an error says, in one line and without the file that the message around it names already."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def mode(path: Path) -> int:
    """Returns the mode of what lies at a path, links followed, for `stat.S_ISREG` and its like; 0: nothing does.

    Raises:
        InputError: the system refuses to say.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error


def files_below(folder: Path) -> Iterator[Path]:
    """Yields the files at any depth below a folder, in the order of their paths; links are followed.

    Left out are hidden files and folders, the folders of runs (whose arrays are no clips), and what is no regular
    file: to open a pipe would wait forever.

    Raises:
        InputError: a folder cannot be read, or is itself that of a run.
    """
    yield from _files_below(folder, ())


def _files_below(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
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
            yield from _files_below(folder / name, (*above, here))
        elif is_file:
            yield folder / name


def read_table(path: Path) -> pd.DataFrame:
    """Returns the table of strings in a CSV file; fields that are missing at the end of a row are empty.

    Not by pandas, which takes the first field of rows longer than the header for their name, or cuts them.

    Raises:
        InputError: no such file, not CSV in UTF-8 with commas, a column twice, or a row with more fields than columns.
    """
    found = mode(path)
    if not stat.S_ISREG(found):
        raise InputError(f"{path}: {'not a regular file' if found else 'no such file'}")
    line, lines = 0, []
    try:
        reader = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), strict=True)
        for row in reader:
            line = reader.line_num
            lines.append(row)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path} line {line}: not in UTF-8; save it as what spreadsheets call 'CSV UTF-8'") from error
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV table (after line {line}: {reason(error)})") from error
    header, *rows = [row for row in lines if len(row) > 1 or "".join(row).strip()] or [[]]
    columns = [name.strip() for name in header]
    for separator, shown in ((";", "';'"), ("\t", "tabs")):
        if len(columns) == 1 and separator in columns[0]:
            names = ", ".join(f"'{name.strip()}'" for name in columns[0].split(separator))
            raise InputError(f"{path}: found columns {names} separated by {shown}, expected commas")
    if not columns:
        raise InputError(f"{path}: not a CSV table (the file is empty)")
    for name in columns:
        if name and columns.count(name) > 1:
            raise InputError(f"{path}: column '{name}' stands twice")
    nameless = [number for number, name in enumerate(columns) if not name]
    for number, row in enumerate(rows, start=1):
        if len(row) > len(columns):
            raise InputError(
                f"{path} row {number}: found {len(row)} fields, expected at most {len(columns)} as in the header; "
                "a field that contains a comma needs quotes"
            )
        filled = [row[place] for place in nameless if place < len(row) and row[place].strip()]
        if filled:
            raise InputError(f"{path} row {number}: '{filled[0]}' stands in a column without a name")
    whole = [row + [""] * (len(columns) - len(row)) for row in rows]
    table = pd.DataFrame(whole, columns=columns, dtype=object)
    # A spreadsheet leaves empty columns behind.
    return table.loc[:, [bool(name) for name in columns]]


def require_own(output: Path, columns: Sequence[str], inputs: Iterable[Path]) -> None:
    """Sees to it that writing a table to `output` destroys nothing but an earlier such table.

    Args:
        output: File to be written, there or not.
        columns: Those that such a table begins with.
        inputs: Files that the table is made of.

    Raises:
        InputError: `output` is one of the inputs, or something else than a table that begins with these columns.
    """
    found = mode(output)
    if not found:
        return
    if any(_same_file(path, output) for path in inputs):
        raise InputError(f"{output}: is one of the files to read; give another name with -o")
    header = []
    if stat.S_ISREG(found):
        with output.open("rb") as stream:
            header = stream.readline(HEADER_BYTES).decode(errors="replace").strip().split(",")
    if header[: len(columns)] != list(columns):
        raise InputError(
            f"{output}: exists and was not written by this command; remove it or give another name with -o"
        )


def require_files(clips: Iterable[Clip], source: Path) -> None:
    """Raises an InputError that names the first of the clips whose file is gone; `source` is where the index lies."""
    for clip in clips:
        if not mode(clip.path):
            where = f"clip '{clip.id}' ({clip.path}): no such file"
            raise InputError(f"{where}; if the clips have moved since {source} was made, make it anew with aplt index")


def _same_file(path: Path, there: Path) -> bool:
    try:
        return path.samefile(there)
    except (OSError, ValueError):  # what cannot be reached is not the file that is there
        return False
