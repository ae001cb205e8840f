"""The columns of compare.csv, and how they are read."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from aplt.errors import InputError
from aplt.report.tables import read_csv
from aplt.rundir import CompareDir

KINDS = ("pseudo", "online")
BY_ROUND = tuple(f"{kind}_by_round" for kind in KINDS)
"""Columns of compare.csv with the precision and coverage of each round's labels."""
WORDS = ("dataset", "fold", "method", "version", "read_out", "remark", "digest", "run", *BY_ROUND)
"""Columns of compare.csv that are text; all others are numbers, empty where there is no such figure."""
TIMES = ("seconds", "offline_seconds", "online_seconds", "evaluation_seconds", "ms_per_step")
ALWAYS = ("labeled", "labeled_clips", "test_clips", "seed", "top1", "macro_f1", "steps", *TIMES)
"""Numbers that every cell has."""
LABEL_FIGURES = ("precision", "coverage", "wrong", "fitted", "unknown")
TAUGHT = tuple(f"{kind}_{name}" for kind in KINDS for name in LABEL_FIGURES)
"""Columns of compare.csv on the labels that unlabeled clips were taught: offline, and step by step."""
USED = (
    *("dataset", "fold", "method", "labeled", "seed", "labeled_clips", "test_clips", "run", "version", "read_out"),
    *("remark", "top1", "macro_f1", "unlabeled_top1", "top1_by_val", *TAUGHT, *BY_ROUND, "steps"),
    *("seconds", "offline_seconds", "evaluation_seconds", "ms_per_step"),
)
"""Columns of compare.csv that the page and the tables are made of."""
CELL = ["dataset", "fold", "method", "labeled", "seed"]
"""Columns of compare.csv that say which cell a row is of."""


def read_cells(folder: CompareDir, columns: Sequence[str]) -> pd.DataFrame:
    """Returns these columns of compare.csv, numbers with the very values that were written.

    Raises:
        InputError: no such table or column; a row lacks what every cell has, or what should be a number is none.
    """
    table = read_csv(folder.cells, tuple(columns))[list(columns)]
    for name in columns:
        places = [(text, name, f"{folder.cells} row {k}") for k, text in enumerate(table[name], start=1)]
        if name in BY_ROUND:
            for place in places:
                _require_rounds(*place)
        elif name not in WORDS:
            table[name] = [_number(*place) for place in places]
    return table


def _require_rounds(text: str, name: str, where: str) -> None:
    try:
        from_text(text)
    except ValueError as error:
        wanted = "a round, precision and coverage, and so on ('4 0.8125 0.63; 5 0.82 0.64')"
        raise InputError(f"{where}: expected {wanted} as {name}, found '{text}'") from error


def _number(text: str, name: str, where: str) -> float | None:
    if not text and name not in ALWAYS:
        return None
    try:
        value = int(text) if text.isdecimal() else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: expected a number as {name}, found '{text}'")
    return value


def to_text(rounds: Iterable[tuple[int, float | None, float | None]]) -> str:
    """Returns rounds, precisions and coverages as one field of compare.csv, '4 0.8125 0.6300; 5 ...'; - is unknown."""
    shown = ((round_, *("-" if share is None else f"{share:.4f}" for share in two)) for round_, *two in rounds)
    return "; ".join(" ".join(map(str, one)) for one in shown)


def from_text(text: str) -> list[tuple[int, float, float]]:
    """Returns what `to_text` wrote; what is unknown is nan."""
    found = (one.replace("-", "nan").split() for one in text.split(";") if one.strip())
    return [(int(round_), float(precision), float(coverage)) for round_, precision, coverage in found]
