"""What a comparison's folder says, read once and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product, takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.compare.paired import Difference, all_differences, spread, with_tests
from aplt.compare.plan import ALL, Plan, cell_name
from aplt.compare.record import BY_ROUND, CELL, KINDS, USED, from_text, read_cells
from aplt.config import load_yaml
from aplt.errors import InputError
from aplt.report.tables import read_csv
from aplt.report.words import Spread
from aplt.rundir import UPPER_BOUND, CompareDir, RunDir
from aplt.settings import validated
from aplt.storage import read_text

MAIN = "top1"
"""The column of compare.csv that answers what was asked."""
PAIRED = (MAIN, "macro_f1", "unlabeled_top1")
"""Columns by which the reference is set against the others."""


@dataclass(frozen=True)
class Comparison:
    """A comparison's plan and its finished cells."""

    folder: CompareDir
    plan: Plan
    rows: pd.DataFrame
    """compare.csv: a row a cell."""
    failed: list[str]
    """What is said of cells that could not be trained, a sentence each."""

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
    def cells(self) -> set[tuple[str, str, str, float, int]]:
        """The plan's cells, as the columns CELL say which."""
        rows = [*product(self.methods, self.shares), *([(UPPER_BOUND, ALL)] if self.plan.upper_bound else [])]
        return {
            (name, fold, method, share, seed)
            for name, data in self.plan.datasets.items()
            for fold in ([str(number) for number, _ in enumerate(data.folds, start=1)] or [""])
            for (method, share), seed in product(rows, self.plan.seeds)
        }

    @property
    def planned(self) -> int:
        """How many cells the plan has."""
        return len(self.cells)

    @property
    def finished(self) -> bool:
        """Whether all cells of the plan are done."""
        return len(self.rows) == self.planned

    @property
    def unfinished(self) -> str | None:
        """What is to be said of a comparison some of whose cells are not done."""
        if self.finished:
            return None
        verb = "cell is" if self.planned == 1 else "cells are"
        return f"{len(self.rows)} of {self.planned} {verb} done; the figures are of these."

    def folds(self, dataset: str) -> int:
        """Returns how often the clips of a data set are divided."""
        return max(1, len(self.plan.datasets[dataset].folds))

    def cells_each(self, dataset: str) -> int:
        """Returns how many cells the plan has of one method and share of a data set."""
        return len(self.plan.seeds) * self.folds(dataset)

    def means(self, dataset: str, figure: str) -> list[tuple[str, list[Spread | None]]]:
        """Returns each method's spreads of a column by share, and last with all labels; without methods not begun."""
        rows = self.rows[self.rows["dataset"] == dataset]
        found: list[tuple[str, list[Spread | None]]] = [
            (method, [*(spread(rows, figure, method=method, labeled=share) for share in self.shares), None])
            for method in self.methods
        ]
        found.append((UPPER_BOUND, [*([None] * len(self.shares)), spread(rows, figure, method=UPPER_BOUND)]))
        return [(method, line) for method, line in found if any(line)]

    def spread_text(self, dataset: str, found: Spread | None) -> str:
        """Returns a spread in percent, with its cells in brackets where it is not as many as planned."""
        if found is None:
            return ""
        return found.text() + (f" ({found.count})" if found.count < self.cells_each(dataset) else "")

    @cached_property
    def differences(self) -> dict[str, list[Difference]]:
        """The reference's paired differences of each of PAIRED, by data set and share and over all of several.

        Tested are those of which all planned cells are done, lest seeds are added until a p-value pleases. Those over
        all answer one question, so that they are corrected for their own number.
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
        rows = self.rows[self.rows["method"] == method]
        if group is None:
            return len(rows) == len(self.shares) * sum(map(self.cells_each, self.plan.datasets))
        dataset, share = group
        done = (rows["dataset"] == dataset) & (rows["labeled"] == share)
        return int(done.sum()) == self.cells_each(dataset)

    @property
    def versions(self) -> list[str]:
        """The versions of aplt that trained the cells."""
        return sorted(set(self.rows["version"]))

    @property
    def hours(self) -> float:
        """Time that the finished cells took, one after the other."""
        return float(self.rows["seconds"].sum()) / 3600

    @cached_property
    def commands(self) -> list[str]:
        """The command lines that led to the plan."""
        return plan_commands(self.folder)

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
        lines = [
            (dataset, labeled, method, kind, *one)
            for kind, column in zip(KINDS, BY_ROUND, strict=True)
            for dataset, labeled, method, text in self.rows[["dataset", "labeled", "method", column]].to_numpy()
            for one in from_text(text)
        ]
        group = ["dataset", "labeled", "method", "kind"]
        table = pd.DataFrame(lines, columns=[*group, "round", "precision", "coverage"])
        return {key: of_one.groupby("round")[["precision", "coverage"]].mean() for key, of_one in table.groupby(group)}


@cache
def _config(path: Path, written: int) -> dict[str, Any]:
    """Returns a config, read once for each time it was `written`: YAML is slow, and a study looks after each cell."""
    del written
    return load_yaml(path)


def command_lines(commands: Sequence[str]) -> str:
    """Returns the comments at the head of a plan that say what led to it."""
    return "".join(f"# {' '.join(command.split())}\n" for command in commands)


def plan_commands(folder: CompareDir) -> list[str]:
    """Returns the command lines in the comments at the head of a folder's plan.

    Raises:
        InputError: it is not UTF-8.
    """
    head = takewhile(lambda line: line.startswith("# "), read_text(folder.plan).splitlines())
    return [line.removeprefix("# ") for line in head if line.startswith("# aplt ")]


def read_comparison(path: Path) -> Comparison:
    """Returns what a comparison's folder holds.

    Raises:
        InputError: a file is missing or not what its name says, or a row is of no cell of the plan or not the only one
            of its cell.
    """
    folder = CompareDir(path)
    plan = validated(Plan, load_yaml(folder.plan), str(folder.plan))
    rows = read_cells(folder, USED)
    failed = read_csv(folder.failed, ("why",))["why"].tolist() if folder.failed.exists() else []
    comparison = Comparison(folder, plan, rows, failed)
    numbers: dict[tuple[str, str, str, float, int], int] = {}
    for number, cell in enumerate(rows[CELL].itertuples(index=False, name=None), start=1):
        where = f"{folder.cells} row {number}: {cell_name(*cell)}"
        if cell not in comparison.cells:
            raise InputError(f"{where}: no cell of {folder.plan.name}; give `aplt compare` the plan of all rows")
        if cell in numbers:
            again = f"the same cell as row {numbers[cell]}; `aplt compare {folder.plan}` keeps the one that counts"
            raise InputError(f"{where}: {again}")
        numbers[cell] = number
    return comparison
