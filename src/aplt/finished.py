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
        return read_table(RunDir(self.path).predictions).apply(typed)

    @property
    def pseudo_labels(self) -> pd.DataFrame:
        """A row per unlabeled clip: the final model's label and score, and what it was taught."""
        return read_table(RunDir(self.path).pseudo_labels).apply(typed)

    @property
    def ledger(self) -> pd.DataFrame:
        """A row per round and training clip: what the offline phase believed of it."""
        return read_table(RunDir(self.path).ledger).apply(typed)

    @cached_property
    def model(self) -> "Recognizer":
        """The trained model, in evaluation mode."""
        from aplt.runs.predict import load_model

        return load_model(self.path)

    @property
    def report(self) -> Path:
        """The HTML page."""
        return RunDir(self.path).report


def typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Returns a column of strings as numbers or truth values where all of it are."""
    name = str(column.name)
    if name in ("id", "path", "truth") or name.endswith("label") or name.startswith("prediction_"):
        return column  # a class may be called 7, or an id 007
    if column.isin(["True", "False"]).all():
        return column == "True"
    numbers = pd.to_numeric(column.where(column != ""), errors="coerce")
    return numbers if numbers.notna().equals(column != "") else column
