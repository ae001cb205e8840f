"""Videos as the library `datasets` reads them from a folder, with metadata.csv or metadata.jsonl."""

import json
from pathlib import Path

from aplt.data.files import files_below
from aplt.data.formats.source import Row, Source
from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.storage import json_object, read_bytes, read_table

METADATA = ("metadata.csv", "metadata.jsonl")
NAME = "file_name"
SPLITS = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("validation", "valid", "val", "dev"), "val")
SPLITS |= dict.fromkeys(("test", "testing", "eval", "evaluation"), "test")


def videofolder(source: Source) -> list[Row]:
    """Hugging Face's videofolder: class folders, in train, validation and test if any, or metadata with file_name.

    A column `label` of metadata.csv or metadata.jsonl comes before the name of the folder; others are kept.
    """
    known: dict[Path, Row] = {}
    videos = []
    for path in files_below(source.folder):
        if path.name in METADATA:
            known |= {path.parent / row.pop(NAME): row for row in _metadata(path)}
        elif path.suffix.lower() in MODALITIES["video"].suffixes:
            videos.append(path)
    rows = []
    for path in dict.fromkeys([*videos, *known]):
        place = path.relative_to(source.folder)
        above = [part for part in place.parts[:-1] if part not in SPLITS]
        split = next((SPLITS[part] for part in place.parts[:-1] if part in SPLITS), "")
        row = {"label": "" if known else "".join(above[-1:]), "split": split} | known.get(path, {})
        rows.append(row | {"path": place.as_posix(), "split": SPLITS.get(row["split"], row["split"])})
    return rows


def _metadata(path: Path) -> list[Row]:
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
