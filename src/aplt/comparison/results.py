"""What a comparison's folder says, read once and checked."""

from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.comparison.paired import Difference, all_differences, spread, with_tests
from aplt.comparison.plan import UPPER_BOUND, Key, Plan
from aplt.comparison.record import KINDS, CompareDir, RoundLabels, frame, read_failed, read_rows
from aplt.errors import InputError
from aplt.figures import MAIN_FIGURES
from aplt.report.words import Spread
from aplt.rundir import RunDir
from aplt.settings import load_yaml, validated

MAIN = "top1"
"""The column of compare.csv that answers what was asked."""
PAIRED = (*(name for name, figure in MAIN_FIGURES.items() if figure.paired), "unlabeled_top1")
"""Columns in which the reference is compared with the others."""


@dataclass(frozen=True)
class Comparison:
    """A comparison's plan and its finished cells."""

    folder: CompareDir
    plan: Plan
    rows: pd.DataFrame
    """compare.csv: one row per cell."""
    failed: list[str]
    """What is said of cells that could not be trained, a sentence each."""

    def to_frame(self) -> pd.DataFrame:
        """Returns a copy of compare.csv: one row per cell."""
        return self.rows.copy()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.path.resolve().name

    @property
    def methods(self) -> list[str]:
        """Methods and variants in the plan's order, without the upper bound."""
        return list(self.plan.rows)

    @property
    def shares(self) -> list[float]:
        """Shares of labels in ascending order."""
        return sorted(self.plan.labeled)

    @cached_property
    def planned(self) -> int:
        """How many cells the plan has."""
        return sum(1 for _ in self.plan.cells())

    @property
    def finished(self) -> bool:
        """Whether all cells of the plan are done."""
        return len(self.rows) == self.planned

    @property
    def unfinished(self) -> str | None:
        """A sentence on how many cells are done; None where all are."""
        if self.finished:
            return None
        verb = "cell is" if self.planned == 1 else "cells are"
        return f"{len(self.rows)} of {self.planned} {verb} done; the figures are of these."

    def cells_each(self, dataset: str) -> int:
        """Returns how many cells the plan has of one method and share of a data set."""
        return len(self.plan.seeds) * len(self.plan.folds(dataset))

    def means(self, dataset: str, figure: str) -> list[tuple[str, list[Spread | None]]]:
        """Returns each method's spreads of a column by share, the last with all labels, of methods with cells."""
        rows = self.rows[self.rows["dataset"] == dataset]
        found: list[tuple[str, list[Spread | None]]] = [
            (method, [*(spread(rows, figure, method=method, labeled=share) for share in self.shares), None])
            for method in self.methods
        ]
        found.append((UPPER_BOUND, [*([None] * len(self.shares)), spread(rows, figure, method=UPPER_BOUND)]))
        return [(method, line) for method, line in found if any(line)]

    @cached_property
    def differences(self) -> dict[str, list[Difference]]:
        """The reference's paired differences of each of PAIRED, by data set and share and over all of several.

        Tested are those of which all planned cells are done: else seeds could be added until a p-value pleases. Those
        over all answer one question, so they are corrected for their own number.
        """
        return {figure: self._differences(figure) for figure in PAIRED}

    def _differences(self, figure: str) -> list[Difference]:
        found = all_differences(self.rows, self.plan.reference, self.methods, figure)
        others, places = len(self.methods) - 1, len(self.shares) * len(self.plan.datasets)
        return [
            *self._tested([one for one in found if one.group is not None], others * places),
            *self._tested([one for one in found if one.group is None], others),
        ]

    def _tested(self, found: list[Difference], planned: int) -> list[Difference]:
        whole = [all(self._complete(name, one.group) for name in (self.plan.reference, one.other)) for one in found]
        return with_tests(found, whole, planned)

    def _complete(self, method: str, group: tuple[str, float] | None) -> bool:
        groups = [group] if group else [(data, share) for data in self.plan.datasets for share in self.shares]
        return all(self._done[method, *place] == self.cells_each(place[0]) for place in groups)

    @cached_property
    def _done(self) -> Counter[tuple[str, str, float]]:
        """How many cells are done of each method, data set and share."""
        return Counter(zip(self.rows["method"], self.rows["dataset"], self.rows["labeled"], strict=True))

    @property
    def versions(self) -> list[str]:
        """The versions of aplt that trained the cells."""
        return sorted(set(self.rows["version"]))

    @property
    def hours(self) -> float:
        """Time that the finished cells took, one after the other."""
        return float(self.rows["seconds"].sum()) / 3600

    @cached_property
    def configs(self) -> list[tuple[str, dict[str, Any]]]:
        """The row's name and whole effective config of each cell whose run folder has been copied along."""
        return [
            (method, _config(run.config, run.config.stat().st_mtime_ns))
            for method, run in zip(self.rows["method"], self.runs, strict=True)
            if run.config.exists()
        ]

    @property
    def runs(self) -> list[RunDir]:
        """The cells' run folders, row by row."""
        return [RunDir(self.folder.path / run) for run in self.rows["run"]]

    @cached_property
    def by_round(self) -> dict[Any, pd.DataFrame]:
        """Means of the labels' precision and coverage by round, for each data set, share of labels, method and kind."""
        lines: list[tuple[Any, ...]] = []
        for kind in KINDS:
            columns = self.rows[["dataset", "labeled", "method", f"{kind}_by_round"]]
            for dataset, labeled, method, rounds in columns.itertuples(index=False, name=None):
                lines += [(dataset, labeled, method, kind, *one) for one in rounds]
        group = ["dataset", "labeled", "method", "kind"]
        table = pd.DataFrame(lines, columns=[*group, *RoundLabels._fields]).astype(
            {"precision": float, "coverage": float}
        )
        return {key: of_one.groupby("round")[["precision", "coverage"]].mean() for key, of_one in table.groupby(group)}


@cache
def _config(path: Path, written: int) -> dict[str, Any]:
    """Returns a config, read once for each time it was `written`: YAML is slow, and a study looks after each cell."""
    del written
    return load_yaml(path)


def read_plan(folder: CompareDir) -> Plan:
    """Returns the plan in a comparison's folder, its paths as they are there."""
    return validated(Plan, load_yaml(folder.plan), str(folder.plan))


def read_comparison(path: Path) -> Comparison:
    """Returns what a comparison's folder holds.

    Raises:
        InputError: a file is missing or not what its name says, or a row belongs to no cell of the plan or is
            not the only one of its cell.
    """
    folder = CompareDir(path)
    plan, rows = read_plan(folder), read_rows(folder)
    planned, numbers = set(plan.cells()), dict[Key, int]()
    for number, row in enumerate(rows, start=1):
        where = f"{folder.cells} row {number}: {row.key}"
        if row.key not in planned:
            raise InputError(f"{where}: no cell of {folder.plan.name}; give `aplt compare` a plan that has it")
        if row.key in numbers:
            again = f"the same cell as row {numbers[row.key]}; `aplt compare {folder.plan}` keeps the one that counts"
            raise InputError(f"{where}: {again}")
        numbers[row.key] = number
    return Comparison(folder, plan, frame(rows), [why for why, _ in read_failed(folder)])
