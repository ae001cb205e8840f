"""DeepLabCut's tables: x, y and likelihood of each body part, in columns with headers of three or four rows."""

import csv
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd

from aplt.data.pose_files.tracked import Tracked

HEADERS = ("scorer", "individuals", "bodyparts", "coords")


def read_csv(path: Path) -> Tracked:
    """Returns what a CSV table holds."""
    with path.open(encoding="utf-8", newline="") as stream:
        named = list(takewhile(lambda row: row[:1] and row[0] in HEADERS, csv.reader(stream)))
    headers = [row[0] for row in named]
    if headers not in (list(HEADERS), [HEADERS[0], *HEADERS[2:]]):
        found = f"rows that begin with {', '.join(headers)}" if headers else "other rows"
        raise ValueError(f"expected DeepLabCut's header rows ({', '.join(HEADERS)}), found {found}")
    # Of headers pandas takes a first row without values for one more.
    table = pd.read_csv(path, header=None, skiprows=len(headers), index_col=0, encoding="utf-8")
    columns = list(zip(*(row[1:] for row in named), strict=True))
    if len(columns) != table.shape[1]:
        raise ValueError(f"expected {len(columns)} values in each row, as many as columns, found {table.shape[1]}")
    return tracked(columns, table.to_numpy(dtype=np.float64))


def tracked(columns: Sequence[tuple[str, ...]], values: np.ndarray) -> Tracked:
    """Returns a table [T, columns]; each column is named by scorer, perhaps individual, body part and coordinate."""
    place = {tuple(map(str, names[1:])): number for number, names in enumerate(columns)}
    whose = list(dict.fromkeys(names[:-2] for names in place))
    joints = list(dict.fromkeys(names[-2] for names in place))
    coordinates = list(dict.fromkeys(names[-1] for names in place))
    if coordinates not in (["x", "y"], ["x", "y", "likelihood"], ["x", "y", "z"]):
        found = ", ".join(coordinates[:5]) or "none"
        raise ValueError(f"expected the columns x, y and likelihood of each body part, found {found}")
    nowhere = values.shape[1]  # a body part that only others have
    order = np.array([[[place.get((*who, at, one), nowhere) for one in coordinates] for at in joints] for who in whose])
    whole = np.pad(values, ((0, 0), (0, 1)), constant_values=np.nan)[:, order].swapaxes(0, 1)
    sure = whole[..., 2] if "likelihood" in coordinates else None
    points = whole[..., :2] if sure is not None else whole
    return Tracked("DeepLabCut", points, sure, tuple(joints))
