"""Tables as people have them, with columns of other names and paths of another system."""

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from aplt.data.formats.source import Source
from aplt.errors import InputError
from aplt.storage import read_table, require_columns

USUAL = {
    "path": ("file", "filename", "file_name", "filepath", "file_path", "video", "video_path", "clip", "name"),
    "label": ("class", "class_name", "classname", "category", "action", "gesture", "behavior", "behaviour", "target"),
}
"""What people call the columns of an index."""


def table(source: Source) -> pd.DataFrame:
    """A CSV file with paths of Windows, decimal commas, or other column names: --columns path=file,label=class."""
    found = read_table(source.path)
    require_columns(found, source.columns.values(), source.path)
    found = found.drop(columns=[name for name in source.columns if name in found])
    found = found.rename(columns={theirs: ours for ours, theirs in source.columns.items()})
    try:
        require_columns(found, ("path",), source.path)
    except InputError as error:
        raise InputError(f"{error}; {advice(source.path, found.columns)} makes an index of it") from error
    for name in {"start", "end"} & set(found.columns):
        found[name] = found[name].str.replace(r"^\s*(\d+),(\d+)\s*$", r"\1.\2", regex=True)
    if "label" not in found and not label_like(found.columns):
        found = found.assign(label="")
    return found.assign(
        path=[path.replace("\\", "/") if from_windows(path, source.videos) else path for path in found["path"]]
    )


def label_like(columns: Iterable[str]) -> bool:
    """Returns whether one of the columns is called as labels often are."""
    return any(name.casefold() in USUAL["label"] for name in columns)


def from_windows(path: str, folder: Path) -> bool:
    """Returns whether a path has the separators of Windows, and there is no file with these in its name."""
    return os.sep == "/" and "\\" in path and not (folder / path).exists()


def advice(where: Path, columns: Iterable[str] = ()) -> str:
    """Returns the command that reads a table with these columns, or whose paths are those of another system."""
    known = {name.casefold(): name for name in columns}
    named = [next((known[name] for name in names if name in known), None) for names in USUAL.values()]
    pairs = ",".join(
        f"{ours}={theirs or '...'}" for ours, theirs in zip(USUAL, named, strict=True) if ours not in known
    )
    option = f" --columns {pairs}" if known and pairs else ""
    return f"`aplt index {where}{option} -o {'index' if where.name == 'clips.csv' else 'clips'}.csv`"
