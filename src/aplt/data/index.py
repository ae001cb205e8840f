"""The index: clips.csv or a folder of clips -> ClipIndex, and back to a file."""

import re
import stat
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import cast

import pandas as pd

from aplt.clips import OFFICIAL, UNKNOWN, Clip, ClipIndex, OfficialSplit
from aplt.data.bank import POINTERS, banks_of, feature_files, require_in_bank, require_rows
from aplt.data.formats.folder import scan_folder
from aplt.data.formats.recognize import TELLING, recognized
from aplt.data.formats.source import ARCHIVES
from aplt.data.formats.table import advice, from_windows, label_like
from aplt.data.modality import clip_at
from aplt.errors import InputError, suggest
from aplt.storage import absolute, mode, read_bytes, read_table, require_columns, way, write_csv

TABLE = "clips.csv"
VIDEO = "video"  # the column of what a clip's own file was made from
COLUMNS = ("path", "label", "id", "subject", "start", "end", "split", "group")
# Plain digits: isdigit() accepts "²", which int() refuses, as it refuses numbers of thousands of digits.
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


def read_index(source: Path, needed: Sequence[str] = ("path", "label")) -> ClipIndex:
    """Returns the index in a CSV file with at least the `needed` columns, or that of a folder.

    The clips.csv in a folder is its index, since labels may have been corrected there; without one see `scan_index`.
    Where features lie beside it, or its columns point to some, they are its clips: see aplt.data.bank.
    """
    table, root, where = read_rows(source)
    features = feature_files(root) if where.name == TABLE else []
    index = to_index(table, root, where, needed, bank=root if features else None)
    if features:
        require_rows(root, features, index)
    return index


def read_rows(source: Path) -> tuple[pd.DataFrame, Path, Path]:
    """Returns the table of the index that `read_index` reads, all its columns, its paths' root, and where it is."""
    found = mode(source)
    if not found:
        raise InputError(f"{source}: no such file or folder")
    if stat.S_ISDIR(found):
        if not (source / TABLE).is_file():
            return scan_folder(source), source, source
        source = source / TABLE
    elif stat.S_ISREG(found) and clip_at(source):
        raise InputError(f"{source}: is a clip; expected a clips.csv or a folder of clips")
    elif source.suffix.lower() in ARCHIVES:
        raise InputError(f"{source}: expected a table or a folder of clips; unpack it first")
    elif (format_ := recognized(source)) in (*TELLING, "pyskl"):
        raise InputError(
            f"{source}: is of the format {format_}; `aplt index {source} --format {format_} -o clips.csv` makes a "
            "clips.csv of it"
        )
    return read_table(source), source.parent, source


def scan_index(folder: Path) -> ClipIndex:
    """Returns the index of the clips in a folder, whatever its clips.csv says; see `scan_folder`."""
    return to_index(scan_folder(folder), folder, folder)


def to_index(
    table: pd.DataFrame,
    root: Path,
    where: Path,
    needed: Sequence[str] = ("path", "label"),
    bank: Path | None = None,
) -> ClipIndex:
    """Returns the index of a table of strings with the columns of clips.csv; paths are relative to `root`.

    With `bank` the clips are the features in that folder, row by row; with the columns POINTERS, those they point to.

    Class names are sorted, as numbers where all are whole numbers. Blanks around a value are dropped, except in paths.
    The group of a class is that of its clips. Other columns are kept, unless they look like a misspelled one.

    Raises:
        InputError: names `where` and the row or column.
    """
    try:
        require_columns(table, needed, where)
    except InputError as error:
        if str(error).endswith("?"):  # says already what is meant
            raise
        if "path" in table and not label_like(table.columns):
            raise InputError(f"{error}; add it, empty where a clip has no label yet") from error
        raise InputError(f"{error}; {advice(where, table.columns)} makes an index of it") from error
    known = {*COLUMNS, *(POINTERS if POINTERS[0] in table else ())}
    for column in set(table.columns) - {*known, *POINTERS}:
        if meant := next((name for name in sorted(known - set(table.columns)) if _slip(column.lower(), name)), None):
            raise InputError(f"{where}: unknown column '{column}'; did you mean '{meant}'?")
    if table.empty:
        raise InputError(f"{where}: no clips in it")
    pointers = _pointers(table, root, where, bank)
    own = {*COLUMNS, *(POINTERS if pointers else ())}
    videos = table[VIDEO].tolist() if VIDEO in table else [""] * len(table)
    others = {str(name): tuple(table[name]) for name in table if name not in own}
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    # As lists, which are quicker to read: an index may have a million rows.
    paths, *rest = (table[column].tolist() for column in COLUMNS)
    rest = [[value.strip() for value in column] for column in rest]
    names = {label for label in rest[0] if label}
    numbers = all(WHOLE_NUMBER.fullmatch(name) for name in names)
    class_names = tuple(sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names))
    number = {name: k for k, name in enumerate(class_names)}
    clips = []
    rows = zip(paths, *rest, videos, strict=True)
    for row, (path, label, id_, subject, start, end, split, _, video) in enumerate(rows, start=1):
        at = f"{where} row {row}"
        if not path.strip():
            raise InputError(f"{at}: path is empty")
        _require_utf8(path, at)
        if from_windows(path, root):
            raise InputError(f"{at}: no file '{path}' here; {advice(where)} reads paths of Windows")
        if split and split not in OFFICIAL:
            raise InputError(f"{at}: split is '{split}'{suggest(split, OFFICIAL)}")
        interval = _interval(start, end, at, where)
        features, features_row = pointers[row - 1] if pointers else (bank, row)
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
                video=root / video if video and Path(video).suffix else None,  # no camera, or yes and no
                bank=features,
                row=features_row - 1,
            )
        )
    try:
        index = ClipIndex(tuple(clips), class_names, _groups(rest[0], rest[-1], class_names, where), others)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if pointers:
        require_in_bank(index, where)
    return index


def _slip(typed: str, name: str) -> bool:
    """Returns whether a name is typed with one letter too many, too few or wrong, or two in each other's place."""
    if typed == name:  # but for capital letters
        return True
    if len(name) < 4:  # few letters are near to many words
        return False
    for _ in range(2):  # without what both begin with, and what both end with
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(typed, name, strict=False)))
        typed, name = typed[same:][::-1], name[same:][::-1]
    return max(len(typed), len(name)) <= 1 or (len(typed) == 2 and typed == name[::-1])


def _pointers(table: pd.DataFrame, root: Path, where: Path, bank: Path | None) -> list[tuple[Path, int]]:
    """Returns the folder of features and the row, from 1 on, that POINTERS say of each clip; empty: there are none."""
    if POINTERS[1] not in table:
        return []
    if POINTERS[0] not in table:
        raise InputError(f"{where}: column 'features_row' without 'features', the folder that the row is in")
    if bank is not None:
        raise InputError(f"{where}: features lie beside it, so it cannot have a column 'features_row'; remove it")
    texts = [[value.strip() for value in table[name]] for name in POINTERS]
    for number, (folder, row) in enumerate(zip(*texts, strict=True), start=1):
        if not folder or not WHOLE_NUMBER.fullmatch(row):
            raise InputError(
                f"{where} row {number}: features is '{folder}' and features_row '{row}', expected a folder and a "
                "whole number"
            )
    folder_of = {text: absolute(root / text) for text in set(texts[0])}  # one path for a million clips
    return [(folder_of[folder], int(row)) for folder, row in zip(*texts, strict=True)]


def write_index(table: pd.DataFrame, root: Path, output: Path, *, anew: bool = False) -> None:
    """Writes a table of clips as CSV with its paths, and those to features, made relative to the CSV's own folder.

    Raises:
        InputError: a file with other content is there, which may have been edited by hand; not if it is made `anew`.
    """
    home, start = output.resolve().parent, root.resolve()
    for column in ("path", *(POINTERS[:1] if set(POINTERS) <= set(table.columns) else ())):
        places = {path: way(start / path, home) for path in set(table[column])}
        table = table.assign(**{column: table[column].map(places)})
    found = mode(output)
    if stat.S_ISDIR(found):
        raise InputError(f"{output}: is a folder; -o names the table to write, such as clips.csv")
    if found and not anew and not (stat.S_ISREG(found) and read_bytes(output) == table.to_csv(index=False).encode()):
        raise InputError(
            f"{output}: has other content, perhaps labels that were written by hand, and is not overwritten; remove "
            "it or give another name with -o"
        )
    write_csv(output, table)


def _groups(labels: Sequence[str], groups: Sequence[str], class_names: Sequence[str], where: Path) -> tuple[str, ...]:
    """Returns the group of each class; none where no clip has one."""
    named: dict[str, dict[str, None]] = {name: {} for name in class_names}
    for label, group in zip(labels, groups, strict=True):
        if label and group:
            named[label][group] = None
    if not any(named.values()):
        return ()
    for name, found in named.items():
        if len(found) != 1:
            first, *others = found or ("",)
            has = f"the groups '{first}' and '{others[0]}'" if others else "no group"
            raise InputError(f"{where}: class '{name}' has {has}; expected one for each class, or none for any")
    return tuple(next(iter(named[name])) for name in class_names)


def index_table(index: ClipIndex) -> pd.DataFrame:
    """Returns the table of an index with the columns of clips.csv and its others, as strings; paths are absolute.

    Where the clips are features it has POINTERS, too.
    """
    rows = [
        (
            str(clip.path.absolute()),
            "" if clip.label == UNKNOWN else index.class_names[clip.label],
            clip.id,
            clip.subject or "",
            "" if clip.start is None else repr(clip.start),
            "" if clip.end is None else repr(clip.end),
            clip.official or "",
            index.groups[clip.label] if index.groups and clip.label != UNKNOWN else "",
        )
        for clip in index
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    if any(clip.video for clip in index):
        table[VIDEO] = [str(clip.video.absolute()) if clip.video else "" for clip in index]
    for bank in banks_of(index)[:1]:
        table = table.assign(features=str(bank.absolute()), features_row=[str(clip.row + 1) for clip in index])
    # A bank's own table may have a column that is called as those which point to it.
    return table.assign(**{name: list(values) for name, values in index.columns.items() if name not in table})


def _require_utf8(path: str, at: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{at}: the file name {path!a} is not in UTF-8; rename the file") from error


def _interval(start: str, end: str, at: str, where: Path) -> tuple[float | None, float | None]:
    bounds: list[float | None] = []
    for name, text in (("start", start), ("end", end)):
        comma = f"; {advice(where)} reads decimal commas" if "," in text else ""
        try:
            bounds.append(float(text) if text else None)
        except ValueError as error:
            raise InputError(f"{at}: {name} is '{text}', expected seconds with a point, such as 62.5{comma}") from error
    first, last = bounds
    if (first is not None and not first >= 0) or (last is not None and not last > (first or 0.0)):
        raise InputError(f"{at}: the interval is {start}-{end}; expected 0 <= start < end, in seconds")
    return first, last
