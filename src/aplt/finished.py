"""A finished run: what its folder holds, typed and as tables."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aplt.record import Result, rounds_frame
from aplt.rundir import RunDir
from aplt.storage import read_table

if TYPE_CHECKING:
    from aplt.models.recognizer import Recognizer


@dataclass(frozen=True)
class Run:
    """A finished run: what its folder holds, read when it is asked for."""

    path: Path

    @cached_property
    def result(self) -> Result:
        """The final figures.

        Raises:
            InputError: the run is not finished, or the folder is not one of a run.
        """
        return RunDir(self.path).read_result()

    @property
    def rounds(self) -> pd.DataFrame:
        """A row per round: loss, figures of the watched clips, precision and coverage of the labels, seconds."""
        return rounds_frame(RunDir(self.path).read_rounds())

    @property
    def predictions(self) -> pd.DataFrame:
        """A row per test clip: id, truth, the five best classes with scores."""
        return _numbers(read_table(RunDir(self.path).predictions))

    @property
    def pseudo_labels(self) -> pd.DataFrame:
        """A row per unlabeled clip: the final model's label and score, and what it was taught."""
        return _numbers(read_table(RunDir(self.path).pseudo_labels))

    @property
    def ledger(self) -> pd.DataFrame:
        """A row per round and training clip: what the offline phase believed of it."""
        return _numbers(read_table(RunDir(self.path).ledger))

    @cached_property
    def model(self) -> "Recognizer":
        """The trained model, in evaluation mode."""
        from aplt.runs.predict import load_model

        return load_model(self.path)

    @property
    def report(self) -> Path:
        """The HTML page."""
        return RunDir(self.path).report


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table of strings with numbers and truth values where all of a column are."""
    return table.apply(_typed)


def _typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    if column.name in ("id", "path", "label", "truth") or str(column.name).startswith("prediction_"):
        return column  # a class may be called 7, or an id 007
    if column.isin(["True", "False"]).all():
        return column == "True"
    numbers = pd.to_numeric(column.where(column != ""), errors="coerce")
    return numbers if numbers.notna().equals(column != "") else column
