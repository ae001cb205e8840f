"""A comparison's cells behind the accuracies: their cost, and the list of all."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aplt.compare.comparison import Comparison
from aplt.display import counted
from aplt.report.layout import Cell, count_cell, share_cell, table
from aplt.report.markup import Html, el
from aplt.report.words import duration, share_text
from aplt.rundir import UPPER_BOUND


def cost(comparison: Comparison) -> Html:
    """Returns what each method takes."""
    rows = []
    for dataset in comparison.plan.datasets:
        of_data = comparison.rows[comparison.rows["dataset"] == dataset]
        for method in (*comparison.methods, UPPER_BOUND):
            group = of_data[of_data["method"] == method]
            if group.empty:
                continue
            seconds = float(group["seconds"].mean())
            rows.append(
                [
                    Cell(dataset),
                    Cell(method),
                    count_cell(len(group)),
                    count_cell(round(group["steps"].mean())),
                    count_cell(round(group["ms_per_step"].mean())),
                    Cell(duration(seconds), seconds),
                    share_cell(float(group["offline_seconds"].sum() / group["seconds"].sum())),
                    share_cell(float(group["evaluation_seconds"].sum() / group["seconds"].sum())),
                ]
            )
    columns = ["Data set", "Method", "Cells", "Steps", "ms a step", "Time a cell", "Offline share", "Evaluation share"]
    caption = "Means over cells; times are those of the machine, its other work and the number of jobs."
    return table(caption, columns, rows, texts=2)


def cells(comparison: Comparison) -> Html:
    """Returns every cell's figures and the way to its report."""
    rows = [
        [
            Cell(_link(comparison, record)),
            Cell(str(record["dataset"])),
            Cell(str(record["fold"])),
            Cell(share_text(record["labeled"]), record["labeled"]),
            count_cell(int(record["labeled_clips"])),
            count_cell(int(record["seed"])),
            share_cell(record["top1"]),
            share_cell(record["macro_f1"]),
            share_cell(record["top1_by_val"]),
            Cell(duration(record["seconds"]), record["seconds"]),
        ]
        for record in comparison.rows.to_dict("records")
    ]
    columns = ["Method", "Data set", "Fold", "Labeled", "Labeled clips", "Seed", "Test top-1", "Test macro F1"]
    columns += ["Test top-1 chosen by val", "Time"]
    caption = "Every finished cell, from compare.csv; a method's name leads to the run's own report."
    inner = table(caption, columns, rows, texts=3)
    return el("details", el("summary", counted(len(rows), "finished cell")), inner)


def _link(comparison: Comparison, record: dict[Any, Any]) -> str:
    report = comparison.folder.path / record["run"] / "report.html"
    if not report.exists():
        return str(record["method"])
    return el("a", str(record["method"]), href=quote(Path(os.path.relpath(report, comparison.folder.path)).as_posix()))
