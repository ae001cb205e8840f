"""What a comparison's folder says, read once and checked."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.config import load_yaml
from aplt.plan import Plan
from aplt.report.pairs import Difference, Spread, all_differences, spread
from aplt.report.tables import read_csv
from aplt.rundir import UPPER_BOUND, CompareDir, RunDir
from aplt.settings import validated

WORDS = ("dataset", "fold", "method", "version", "run")
"""Columns of compare.csv that are text; all others are numbers, empty where there is no such figure."""
TAUGHT = tuple(
    f"{kind}_{name}" for kind in ("pseudo", "online") for name in ("precision", "coverage", "wrong", "fitted")
)
"""Columns of compare.csv on the labels that unlabeled clips were taught: offline, and step by step."""
USED = (
    *("dataset", "fold", "method", "run", "labeled", "labeled_clips", "seed", "top1", "macro_f1", "unlabeled_top1"),
    *TAUGHT,
    *("top1_by_val", "steps", "seconds", "offline_seconds", "evaluation_seconds", "ms_per_step"),
)
"""Columns of compare.csv that the page and the tables are made of."""


@dataclass(frozen=True)
class Comparison:
    """A comparison's plan and its finished cells."""

    folder: CompareDir
    plan: Plan
    rows: pd.DataFrame
    """compare.csv: a row a cell."""

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

    @property
    def planned(self) -> int:
        """How many cells the plan has."""
        each = len(self.methods) * len(self.shares) + self.plan.upper_bound
        return each * sum(map(self.cells_each, self.plan.datasets))

    @property
    def finished(self) -> bool:
        """Whether all cells of the plan are done."""
        return len(self.rows) == self.planned

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
    def differences(self) -> list[Difference]:
        """The reference's paired differences of test top-1, by data set and share and over all of several."""
        return all_differences(self.rows, self.plan.reference, self.methods, "top1")

    @property
    def hours(self) -> float:
        """Time that the finished cells took, one after the other."""
        return float(self.rows["seconds"].sum()) / 3600

    @cached_property
    def command(self) -> str | None:
        """The command line that wrote the plan, from the plan's first line."""
        first = self.folder.plan.read_text(encoding="utf-8").partition("\n")[0]
        return first.removeprefix("# ") if first.startswith("# aplt ") else None

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
    def rounds(self) -> list[list[dict[str, Any]]]:
        """Each cell's metrics by round; empty where the run folder has not been copied along."""
        return [run.read_metrics() for run in self.runs]


@cache
def _config(path: Path, written: int) -> dict[str, Any]:
    """Returns a config, read once for each time it was `written`: YAML is slow, and a study looks after each cell."""
    del written
    return load_yaml(path)


def read_comparison(path: Path) -> Comparison:
    """Returns what a comparison's folder holds.

    Raises:
        InputError: a file is missing or not what its name says.
    """
    folder = CompareDir(path)
    plan = validated(Plan, load_yaml(folder.plan), str(folder.plan))
    rows = read_csv(folder.cells, USED)
    for column in rows.columns:
        if column not in WORDS:
            rows[column] = pd.to_numeric(rows[column], errors="coerce")
    return Comparison(folder, plan, rows)
