"""Videos as the library `datasets` reads them from a folder, with metadata.csv or metadata.jsonl."""

import json
from pathlib import Path

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.source import Source
from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.storage import json_object, read_bytes, read_table

METADATA = ("metadata.csv", "metadata.jsonl")
NAME = "file_name"
SPLITS = {
    "train": ("train", "training"),
    "val": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}


def videofolder(source: Source) -> pd.DataFrame:
    """Hugging Face's videofolder: class folders, in train, validation and test if any, or metadata with file_name.

    A column `label` of metadata.csv or metadata.jsonl comes before the name of the folder; others are kept.
    """
    known: dict[Path, dict[str, str]] = {}
    videos = []
    for path in files_below(source.folder):
        if path.name in METADATA:
            known |= {path.parent / row.pop(NAME): row for row in _metadata(path)}
        elif path.suffix.lower() in MODALITIES["video"].suffixes:
            videos.append(path)
    rows = []
    for path in [*videos, *(path for path in known if path not in set(videos))]:
        place = path.relative_to(source.folder)
        parts = [next((split for split, names in SPLITS.items() if part in names), "") for part in place.parts[:-1]]
        above = [part for part, split in zip(place.parts, parts, strict=False) if not split]
        own = {"path": place.as_posix(), "label": "" if known else "".join(above[-1:])}
        rows.append(own | {"split": next(filter(None, parts), "")} | known.get(path, {}))
    table = pd.DataFrame(rows).fillna("")
    return table if table["split"].any() else table.drop(columns="split")


def _metadata(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a file of metadata; values that are no text as JSON, nothing for null."""
    if path.suffix == ".csv":
        table = read_table(path, (NAME,))
        return [dict(zip(table.columns, values, strict=True)) for values in table.itertuples(index=False, name=None)]
    rows = []
    for number, line in enumerate(read_bytes(path).splitlines(), start=1):
        if line.strip():
            row = json_object(line, f"{path} line {number}")
            if not isinstance(row.get(NAME), str):
                raise InputError(f"{path} line {number}: expected a {NAME}, found the keys {', '.join(row)}")
            rows.append(
                {
                    key: value if isinstance(value, str) else json.dumps(value)
                    for key, value in row.items()
                    if value is not None
                }
            )
    return rows
