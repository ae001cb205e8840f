"""Clips whose file names say the action and the subject."""

import re
from pathlib import Path

import pandas as pd

from aplt.data.files import files_below
from aplt.errors import InputError


def clips_by_name(folder: Path, pattern: str, actions: dict[str, str], example: str) -> pd.DataFrame:
    """Returns the table of the files whose whole name matches: group 1 is a key of `actions`, group 2 the subject.

    `example` is such a name, for the error.

    Raises:
        InputError: no such file.
    """
    rows = []
    for path in files_below(folder):
        match = re.fullmatch(pattern, path.name)
        if match and match[1] in actions:
            name = path.relative_to(folder).as_posix()
            rows.append({"path": name, "label": actions[match[1]], "id": path.stem, "subject": match[2]})
    if not rows:
        raise InputError(f"{folder}: no file with a name like {example}")
    return pd.DataFrame(rows)
