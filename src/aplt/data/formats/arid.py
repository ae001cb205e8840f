"""ARID's videos: actions in the dark, with the lists that come with them."""

import stat
from pathlib import Path

import pandas as pd

from aplt.errors import InputError
from aplt.storage import mode, reason


def arid(folder: Path) -> pd.DataFrame:
    """ARID's videos and lists; train.txt and validate.txt are the official split, a film's scene is its subject.

    The scene is the middle number of a training clip's name.
    """
    names = dict(_rows(folder / "mapping_table_23.txt", fields=2))
    rows = []
    for split, stem in (("train", "train"), ("test", "validate")):
        for _, label, name in _rows(folder / f"{stem}.txt", fields=3):
            parts = Path(name).stem.split("_")
            scene = f"scene{parts[1]}" if len(parts) == 3 else ""
            rows.append({"path": f"{stem}/{name}", "label": names.get(label, label), "subject": scene, "split": split})
    return pd.DataFrame(rows)


def _rows(path: Path, *, fields: int) -> list[list[str]]:
    if not stat.S_ISREG(mode(path)):
        raise InputError(f"{path}: no such file; expected the data set's own list")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        row = line.split(None, fields - 1)
        if row and len(row) != fields:
            raise InputError(f"{path} line {number}: expected {fields} fields, found {len(row)}")
        if row:
            rows.append(row)
    return rows
