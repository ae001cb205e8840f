"""The index: clips.csv or a folder of clips -> ClipIndex, and back to a file."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pandas as pd

from aplt.clips import OFFICIAL, UNKNOWN, Clip, ClipIndex, OfficialSplit
from aplt.data.bank import feature_files, require_rows
from aplt.data.formats.folder import scan_folder
from aplt.data.modality import MODALITIES
from aplt.errors import InputError, suggest
from aplt.storage import mode, read_table, reason, require_columns, write_csv

TABLE = "clips.csv"
COLUMNS = ("path", "label", "id", "subject", "start", "end", "split")
# Plain digits: isdigit() accepts "²", which int() refuses, as it refuses numbers of thousands of digits.
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def read_index(source: Path, needed: Sequence[str] = ("path", "label")) -> ClipIndex:
    """Returns the index in a CSV file with at least the `needed` columns, or that of a folder.

    The clips.csv in a folder is its index, since labels may have been corrected there; without one see `scan_index`.
    Where features lie beside it, they are its clips: see aplt.data.bank.

    Raises:
        InputError: the file, a column, a row or a value is not usable; names which.
    """
    found = mode(source)
    if not found:
        raise InputError(f"{source}: no such file or folder")
    if stat.S_ISDIR(found):
        if not (source / TABLE).is_file():
            return scan_index(source)
        source = source / TABLE
    elif any(source.suffix.lower() in modality.scanned for modality in MODALITIES.values()):
        raise InputError(f"{source}: is a clip; expected a clips.csv or a folder of clips")
    table, root = read_table(source), source.parent
    if source.name != TABLE or not (features := feature_files(root)):
        return to_index(table, root, source, needed)
    index = to_index(table, root, source, needed, bank=root)
    require_rows(root, features, index)
    return index


def scan_index(folder: Path) -> ClipIndex:
    """Returns the index of the clips in a folder, whatever its clips.csv says; see `scan_folder`.

    Raises:
        InputError: as `scan_folder`, or a name that is not in UTF-8.
    """
    return to_index(scan_folder(folder), folder, folder)


def to_index(
    table: pd.DataFrame,
    root: Path,
    where: Path,
    needed: Sequence[str] = ("path", "label"),
    bank: Path | None = None,
) -> ClipIndex:
    """Returns the index of a table of strings with the columns of clips.csv; paths are relative to `root`.

    With `bank` the clips are the features in that folder, row by row.

    Class names are sorted, as numbers where all are whole numbers. Blanks around a value are dropped, except in paths.
    Other columns are ignored unless they look like a misspelled one.

    Raises:
        InputError: names `where` and the row or column.
    """
    require_columns(table, needed, where)
    for column in set(table.columns) - set(COLUMNS):
        hint = suggest(column.lower(), set(COLUMNS) - set(table.columns) or {"path"})
        if hint.startswith("; did you mean"):
            raise InputError(f"{where}: unknown column '{column}'{hint}")
    if table.empty:
        raise InputError(f"{where}: no clips in it")
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    # As lists, which are quicker to read: an index may have a million rows.
    paths, *others = (table[column].tolist() for column in COLUMNS)
    others = [[value.strip() for value in column] for column in others]
    names = {label for label in others[0] if label}
    numbers = all(WHOLE_NUMBER.fullmatch(name) for name in names)
    class_names = tuple(sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names))
    number = {name: k for k, name in enumerate(class_names)}
    clips = []
    for row, (path, label, id_, subject, start, end, split) in enumerate(zip(paths, *others, strict=True), start=1):
        at = f"{where} row {row}"
        if not path.strip():
            raise InputError(f"{at}: path is empty")
        _require_utf8(path, at)
        if split and split not in OFFICIAL:
            raise InputError(f"{at}: split is '{split}'{suggest(split, OFFICIAL)}")
        interval = _interval(start, end, at)
        default_id = path if interval == (None, None) else f"{path}#{start}-{end}"
        clips.append(
            Clip(
                id=id_ or default_id.strip(),
                path=root / path,
                label=number.get(label, UNKNOWN),
                subject=subject or None,
                start=interval[0],
                end=interval[1],
                official=cast(OfficialSplit, split) if split else None,
                bank=bank,
                row=row - 1,
            )
        )
    try:
        return ClipIndex(tuple(clips), class_names)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def write_index(table: pd.DataFrame, root: Path, output: Path) -> None:
    """Writes a table of clips as CSV with its paths made relative to the CSV's own folder.

    Raises:
        InputError: a file with other content is there, which may have been edited by hand.
    """
    home = output.resolve().parent
    paths = [Path(os.path.relpath(root.resolve() / path, home)).as_posix() for path in table["path"]]
    table = table.assign(path=paths)
    found = mode(output)
    if stat.S_ISDIR(found):
        raise InputError(f"{output}: is a folder; -o names the table to write, such as clips.csv")
    if found and not (stat.S_ISREG(found) and _holds(output, table.to_csv(index=False))):
        raise InputError(
            f"{output}: has other content, perhaps labels that were written by hand, and is not overwritten; give "
            "another name with -o"
        )
    write_csv(output, table)


def index_table(index: ClipIndex) -> pd.DataFrame:
    """Returns the table of an index with the columns of clips.csv, as strings; paths are absolute."""
    rows = [
        (
            str(clip.path.absolute()),
            "" if clip.label == UNKNOWN else index.class_names[clip.label],
            clip.id,
            clip.subject or "",
            "" if clip.start is None else repr(clip.start),
            "" if clip.end is None else repr(clip.end),
            clip.official or "",
        )
        for clip in index
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error


def _require_utf8(path: str, at: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{at}: the file name {path!a} is not in UTF-8; rename the file") from error


def _interval(start: str, end: str, at: str) -> tuple[float | None, float | None]:
    bounds: list[float | None] = []
    for name, text in (("start", start), ("end", end)):
        try:
            bounds.append(float(text) if text else None)
        except ValueError as error:
            raise InputError(f"{at}: {name} is '{text}', expected seconds") from error
    first, last = bounds
    if (first is not None and not first >= 0) or (last is not None and not last > (first or 0.0)):
        raise InputError(f"{at}: the interval is {start}-{end}; expected 0 <= start < end, in seconds")
    return first, last
