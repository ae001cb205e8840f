"""Importers: a published data set's own folder -> the table that clips.csv holds. One function a format."""

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from aplt.data.files import files_below
from aplt.data.index import scan_folder
from aplt.errors import InputError, suggest
from aplt.storage import mode, reason

NUCLA_ACTIONS = {
    "a01": "pick up with one hand",
    "a02": "pick up with two hands",
    "a03": "drop trash",
    "a04": "walk",
    "a05": "sit down",
    "a06": "stand up",
    "a08": "donning",
    "a09": "doffing",
    "a11": "throw",
    "a12": "carry",
}
KARD_ACTIONS = {
    "a01": "horizontal arm wave",
    "a02": "high arm wave",
    "a03": "two-hand wave",
    "a04": "catch cap",
    "a05": "high throw",
    "a06": "draw X",
    "a07": "draw tick",
    "a08": "toss paper",
    "a09": "forward kick",
    "a10": "side kick",
    "a11": "take umbrella",
    "a12": "bend",
    "a13": "hand clap",
    "a14": "walk",
    "a15": "phone call",
    "a16": "drink",
    "a17": "sit down",
    "a18": "stand up",
}


def nucla(folder: Path) -> pd.DataFrame:
    """Returns the table of N-UCLA's skeletons: `aAA_sSS_eEE_vVV.json`, label and subject from the name."""
    return _named(folder, re.compile(r"(a\d\d)_(s\d\d)_e\d\d_v\d\d\.json"), NUCLA_ACTIONS)


def kard(folder: Path) -> pd.DataFrame:
    """Returns the table of KARD's skeletons: `aAA_sSS_eEE_realworld.txt`, label and subject from the name."""
    return _named(folder, re.compile(r"(a\d\d)_(s\d\d)_e\d\d_realworld\.txt"), KARD_ACTIONS)


def arid(folder: Path) -> pd.DataFrame:
    """Returns the table of ARID's videos: the lists train.txt and validate.txt become the official split.

    The middle number of a training clip's name, the scene it was filmed in, becomes its `subject`.
    """
    names = dict(_rows(folder / "mapping_table_23.txt", fields=2))
    rows = []
    for split, stem in (("train", "train"), ("test", "validate")):
        for _, label, name in _rows(folder / f"{stem}.txt", fields=3):
            scene = Path(name).stem.split("_")
            rows.append(
                {
                    "path": f"{stem}/{name}",
                    "label": names.get(label, label),
                    "subject": f"scene{scene[1]}" if len(scene) == 3 else "",
                    "split": split,
                }
            )
    return pd.DataFrame(rows)


FORMATS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "folder": scan_folder,
    "nucla": nucla,
    "kard": kard,
    "arid": arid,
}


def scan(folder: Path, format_: str) -> pd.DataFrame:
    """Returns the table of clips in a folder, read as `format_`; where it gives no ids these are the paths within.

    Raises:
        InputError: no such folder or format, or no clip of that format in it.
    """
    if format_ not in FORMATS:
        raise InputError(f"unknown format '{format_}'{suggest(format_, FORMATS)}")
    if not stat.S_ISDIR(mode(folder)):
        raise InputError(f"{folder}: expected a folder of clips, found {'a file' if mode(folder) else 'nothing'} there")
    table = FORMATS[format_](folder)
    # An id that stays when the table and the clips come to lie elsewhere.
    return table if "id" in table else table.assign(id=table["path"])


def _named(folder: Path, pattern: re.Pattern[str], actions: dict[str, str]) -> pd.DataFrame:
    rows = []
    for path in files_below(folder):
        match = pattern.fullmatch(path.name)
        if match and match[1] in actions:
            rows.append(
                {
                    "path": path.relative_to(folder).as_posix(),
                    "label": actions[match[1]],
                    "id": path.stem,
                    "subject": match[2],
                }
            )
    if not rows:
        raise InputError(f"{folder}: no file named like {pattern.pattern}")
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
