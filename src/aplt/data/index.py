"""The index: clips.csv or a folder of clips -> ClipIndex, and back to a file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, cast, get_args

import pandas as pd

from aplt.errors import InputError, suggest
from aplt.rundir import write_csv
from aplt.values import UNKNOWN, Clip, ClipIndex, OfficialSplit

# What a folder scan takes for a video; a CSV may name any file that FFmpeg reads.
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv")
    + (".3gp", ".ogv", ".gif")
)
ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
SKELETON_SUFFIXES = ARRAY_SUFFIXES | {".json", ".txt"}
COLUMNS = ("path", "label", "id", "subject", "start", "end", "split")
OFFICIAL = get_args(OfficialSplit)


def read_index(source: Path) -> ClipIndex:
    """Returns the index in a CSV file, or that of a folder (see `scan_folder`).

    Raises:
        InputError: the file, a column, a row or a value is not usable; names which.
    """
    if source.is_dir():
        return to_index(scan_folder(source), source, source)
    try:
        table = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{source}: no such file or folder") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{source}: not a CSV table in UTF-8 ({' '.join(str(error).split())})") from error
    return to_index(table, source.parent, source)


def to_index(table: pd.DataFrame, root: Path, where: Path) -> ClipIndex:
    """Returns the index of a table of strings with the columns of clips.csv; paths are relative to `root`.

    Class names are sorted, as numbers where all are whole numbers. Columns that are no part of the contract are
    ignored unless they look like a misspelled one.

    Raises:
        InputError: names `where` and the row or column.
    """
    for needed in ("path", "label"):
        if needed not in table:
            found = ", ".join(table.columns) or "none"
            raise InputError(f"{where}: column '{needed}' is missing; found columns: {found}")
    for column in set(table.columns) - set(COLUMNS):
        hint = suggest(column.lower(), set(COLUMNS) - set(table.columns) or {"path"})
        if hint.startswith("; did you mean"):
            raise InputError(f"{where}: unknown column '{column}'{hint}")
    if table.empty:
        raise InputError(f"{where}: holds no clips")
    names = {label for label in table["label"] if label}
    numbers = all(name.lstrip("-").isdigit() for name in names)
    class_names = tuple(sorted(names, key=int) if numbers else sorted(names))
    number = {name: k for k, name in enumerate(class_names)}
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    clips = []
    for row, (path, label, id_, subject, start, end, split) in enumerate(
        table.itertuples(index=False, name=None), start=1
    ):
        at = f"{where} row {row}"
        if not path:
            raise InputError(f"{at}: path is empty")
        if split and split not in OFFICIAL:
            raise InputError(f"{at}: split is '{split}'{suggest(split, OFFICIAL)}")
        interval = _interval(start, end, at)
        default_id = path if interval == (None, None) else f"{path}#{start}-{end}"
        clips.append(
            Clip(
                id=id_ or default_id,
                path=root / path,
                label=number.get(label, UNKNOWN),
                subject=subject or None,
                start=interval[0],
                end=interval[1],
                official=cast(OfficialSplit, split) if split else None,
            )
        )
    try:
        return ClipIndex(tuple(clips), class_names)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def scan_folder(folder: Path) -> pd.DataFrame:
    """Returns the table of a folder's videos and skeleton arrays, paths relative to it, sorted.

    Class-named subfolders are labeled (at any depth below them); `unlabeled/` and loose files are not. Where the
    subfolders are named train, val and test, they give the official split and hold the class-named ones.
    """
    top = {entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    official = bool(top) and top <= set(OFFICIAL)
    rows = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or path.suffix.lower() not in VIDEO_SUFFIXES | ARRAY_SUFFIXES or not path.is_file():
            continue
        parents = relative.parts[:-1]
        split = parents[0] if official and parents else ""
        named = parents[1:] if official else parents
        label = named[0] if named and named[0] != "unlabeled" else ""
        rows.append({"path": relative.as_posix(), "label": label, "split": split})
    if not rows:
        raise InputError(f"{folder}: no video or skeleton array in this folder")
    table = pd.DataFrame(rows)
    return table if official else table.drop(columns="split")


def write_index(table: pd.DataFrame, root: Path, output: Path) -> None:
    """Writes a table of clips as CSV with its paths made relative to the CSV's own folder."""
    home = output.resolve().parent
    paths = [_relative(root.resolve() / path, home) for path in table["path"]]
    write_csv(output, table.assign(path=paths))


def modality(clips: Iterable[Clip]) -> Literal["video", "skeleton"]:
    """Returns whether these clips are videos or skeletons, by their file names.

    Raises:
        InputError: both kinds stand in one index.
    """
    kinds = {clip.path.suffix.lower() in SKELETON_SUFFIXES: clip for clip in clips}
    if len(kinds) == 2:
        video, skeleton = kinds[False].id, kinds[True].id
        raise InputError(f"an index holds videos or skeletons, not both; '{video}' is a video, '{skeleton}' a skeleton")
    return "skeleton" if True in kinds else "video"


def _relative(path: Path, home: Path) -> str:
    try:
        return path.relative_to(home, walk_up=True).as_posix()  # type: ignore[call-arg]
    except TypeError:  # Python 3.11 has no walk_up
        return path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()


def _interval(start: str, end: str, at: str) -> tuple[float | None, float | None]:
    bounds: list[float | None] = []
    for name, text in (("start", start), ("end", end)):
        try:
            bounds.append(float(text) if text else None)
        except ValueError as error:
            raise InputError(f"{at}: {name} is '{text}', expected seconds") from error
    first, last = bounds
    if (first is not None and not first >= 0) or (last is not None and not last > (first or 0.0)):
        raise InputError(f"{at}: the interval {start}-{end} is not one; expected 0 <= start < end, in seconds")
    return first, last
