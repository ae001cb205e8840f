"""compare.csv: its columns, and the folder of a comparison.

Every column is a field of `Row`; the table is read back with the very values that were written.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
from pydantic import BeforeValidator, ConfigDict, PlainSerializer, ValidationError, model_validator

from aplt.comparison.plan import Key
from aplt.errors import InputError
from aplt.figures import FigureValues, Record
from aplt.rundir import RunDir
from aplt.settings import wanted
from aplt.storage import read_table, write_csv

HALF = 0.5  # a soft weight from which on a label counts as taught
KINDS = ("pseudo", "online")
"""Labels of unlabeled clips: of the offline phase, and made step by step."""


class CompareDir:
    """The folder of a comparison of methods and its paths; nothing is created until it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan = path / "compare.yaml"
        """The whole plan: `aplt compare` on it repeats or extends the comparison."""
        self.cells = path / "compare.csv"
        """One row per finished cell, in the plan's order. A cell with a row no longer needs its run folder."""
        self.failed = path / "failed.csv"
        """Why cells of the last command could not be trained, one row per cell; there only if some could not."""
        self.table = path / "table.md"
        """Means, deviations and paired differences as Markdown."""
        self.report = path / "report.html"
        self.runs = path / "runs"
        """The folder of the cells' run folders."""
        self.lock = path / ".lock"
        """There while cells are being trained, and after a kill; what counts is who holds a lock on it."""

    @property
    def found(self) -> bool:
        """Whether there is a comparison in this folder."""
        return self.cells.is_file()


class RoundLabels(NamedTuple):
    """How good the labels of one round were; None where it is not known."""

    round: int
    precision: float | None
    coverage: float | None


def _rounds_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    each = [part.split() for part in value.split(";") if part.strip()]
    return [[None if text == "-" else text for text in part] for part in each]


def _rounds_as_text(rounds: Iterable[RoundLabels]) -> str:
    shown = ((number, *("-" if share is None else f"{share:.4f}" for share in two)) for number, *two in rounds)
    return "; ".join(" ".join(map(str, one)) for one in shown)


Rounds = Annotated[
    tuple[RoundLabels, ...], BeforeValidator(_rounds_from_text), PlainSerializer(_rounds_as_text, return_type=str)
]
"""In compare.csv '4 0.8125 0.6300; 5 ...': round, precision and coverage; - is unknown."""


class CellColumns(Record):
    """The first columns of compare.csv: which cell, and of how many clips."""

    dataset: str
    fold: str = ""
    method: str
    labeled: float
    """The share of labels that was asked for."""
    labeled_clips: int
    test_clips: int
    """Those of known label."""
    seed: int


class Row(FigureValues, CellColumns):
    """One finished cell, as a row of compare.csv; a figure that it does not have is None, in the file empty.

    The figures of FigureValues, the columns after the first, are of the last EMA model on the test clips.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    val_top1: float | None = None
    unlabeled_top1: float | None = None
    pseudo_precision: float | None = None
    """This and the following are of the last round's labels: pseudo of the offline phase's, online of those that steps
    made."""
    pseudo_coverage: float | None = None
    pseudo_wrong: float | None = None
    pseudo_fitted: float | None = None
    """The share of the wrong labels that the final model repeats."""
    pseudo_unknown: float | None = None
    online_precision: float | None = None
    online_coverage: float | None = None
    online_wrong: float | None = None
    online_fitted: float | None = None
    online_unknown: float | None = None
    pseudo_by_round: Rounds = ()
    online_by_round: Rounds = ()
    steps: int
    version: str
    read_out: str
    remark: str = ""
    digest: str = ""
    run: str
    seconds: float
    offline_seconds: float
    online_seconds: float
    evaluation_seconds: float
    ms_per_step: float

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value not in ("", None)}

    @property
    def key(self) -> Key:
        """Which cell it is."""
        return Key(self.dataset, self.fold, self.method, self.labeled, self.seed)


COLUMNS = tuple(Row.model_fields)
REQUIRED = tuple(name for name, field in Row.model_fields.items() if field.is_required())
TIMES = ("seconds", "offline_seconds", "online_seconds", "evaluation_seconds", "ms_per_step")


def write_rows(folder: CompareDir, rows: Iterable[Row]) -> None:
    """Writes compare.csv."""
    write_csv(folder.cells, pd.DataFrame([row.model_dump() for row in rows], columns=list(COLUMNS), dtype=object))


def read_rows(folder: CompareDir) -> list[Row]:
    """Returns the rows of compare.csv; other columns in it are left out."""
    found = read_table(folder.cells, REQUIRED).to_dict("records")
    return [row_of(values, f"{folder.cells} row {number}") for number, values in enumerate(found, start=1)]


def row_of(values: Mapping[Any, Any], where: str) -> Row:
    """Returns a row with these values, which come from `where`."""
    try:
        return Row.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        why = "expected a value" if first["type"] == "missing" else wanted(first)
        if name.endswith("_by_round"):
            why = "expected a round, precision and coverage, and so on ('4 0.8125 0.63; 5 0.82 0.64')"
        raise InputError(f"{where}: {why} as {name}, found {values.get(name, '')!r}") from error


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns rows as a table with the columns of compare.csv; what a row does not have is NaN."""
    return pd.DataFrame({name: [getattr(row, name) for row in rows] for name in COLUMNS})


def write_failed(folder: CompareDir, reasons: Sequence[tuple[str, str]]) -> None:
    """Writes failed.csv with each cell's sentence and traceback, or removes it where no cell has failed."""
    if reasons:
        write_csv(folder.failed, pd.DataFrame(reasons, columns=["why", "traceback"]))
    else:
        folder.failed.unlink(missing_ok=True)


def read_failed(folder: CompareDir) -> list[tuple[str, str]]:
    """Returns a sentence, and the traceback if there is one, for each cell that could not be trained."""
    if not folder.failed.exists():
        return []
    table = read_table(folder.failed, ("why",)).reindex(columns=["why", "traceback"], fill_value="")
    return list(table.itertuples(index=False, name=None))


def wrong_labels(run: RunDir, truth: dict[str, str]) -> dict[str, float | None]:
    """Returns how many wrong labels the unlabeled clips were taught last, and what share the final model repeats.

    Such a share tells how far the network has fitted mistakes. `pseudo_wrong` and `_fitted` are of the labels that the
    last offline phase accepted, `online_` of those of the last round's steps that counted at least half; `_unknown`
    counts those of clips that are not in `truth` (label by clip id), such as clips of no class. Left out where there
    were no such labels or no unlabeled clip has a known one; the share is None where none was wrong.
    """
    found: dict[str, float | None] = {}
    table = read_table(run.pseudo_labels, ("id", "label")) if run.pseudo_labels.exists() else pd.DataFrame()
    if table.empty or not table["id"].isin(list(truth)).any():
        return found
    known = table["id"].map(truth)
    for kind, column in (("pseudo", "offline_label"), ("online", "online_label")):
        if column not in table:
            continue
        if kind == "pseudo":
            counted = table["accepted"] == "True"
        else:
            counted = pd.to_numeric(table["weight"], errors="coerce") >= HALF
        wrong = counted & known.notna() & (table[column] != known)
        repeated = table["label"][wrong] == table[column][wrong]
        found[f"{kind}_wrong"] = int(wrong.sum())
        found[f"{kind}_fitted"] = float(repeated.mean()) if wrong.any() else None
        found[f"{kind}_unknown"] = int((counted & known.isna()).sum())
    return found
