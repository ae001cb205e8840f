"""Clips whose file names say the action and the subject."""

import re

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.source import Source
from aplt.errors import InputError


def clips_by_name(source: Source, pattern: str, actions: dict[str, str], example: str) -> pd.DataFrame:
    """Returns the table of the files whose whole name matches, with a column for each of the pattern's groups.

    The group `label` is a key of `actions`. `example` is such a name, for the error.
    """
    rows = []
    for path in files_below(source.folder):
        match = re.fullmatch(pattern, path.name)
        if match and match["label"] in actions:
            place = {"path": path.relative_to(source.folder).as_posix(), "id": path.stem}
            rows.append(match.groupdict() | {"label": actions[match["label"]]} | place)
    if not rows:
        raise InputError(f"{source.path}: no file with a name like {example}")
    return pd.DataFrame(rows)
