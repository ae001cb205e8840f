"""Miniatures of data sets, which tests write themselves."""

from pathlib import Path

import pandas as pd

from aplt.data.formats import scan
from aplt.data.formats.recognize import recognized
from aplt.data.formats.source import Source


def write(folder: Path, **content: str) -> Path:
    """Writes files by their names, in which __ is a slash and every other file is empty; returns the folder."""
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def touch(folder: Path, *names: str) -> Path:
    """Makes empty files; returns the folder."""
    return write(folder, **dict.fromkeys(names, ""))


def indexed(path: Path, format_: str = "", **options: object) -> tuple[pd.DataFrame, list[str]]:
    """Returns the table of a source in its format, or that which is recognized, by id; and the remarks."""
    remarks: list[str] = []
    source = Source(path, remark=remarks.append, **options)  # type: ignore[arg-type]
    return scan(source, format_ or recognized(path)).set_index("id"), remarks
