"""A comparison's cells behind the accuracies: their labels round by round, their cost, and the list of all."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from aplt.display import counted
from aplt.plan import share_text
from aplt.report.comparison import Comparison
from aplt.report.curves import Curve, line_chart
from aplt.report.layout import Cell, count_cell, figure, number_cell, share_cell, table
from aplt.report.markup import Html, el, join
from aplt.report.pairs import spread
from aplt.report.words import duration
from aplt.rundir import UPPER_BOUND

MOST_CURVES = 8
"""Methods whose curves by round share a figure; more cannot be told apart."""


def labels(comparison: Comparison) -> Html | None:
    """Returns precision and coverage by round and of the last one; None where no method makes labels."""
    figures = []
    methods = comparison.methods[:MOST_CURVES]
    for dataset in comparison.plan.datasets:
        for share in comparison.shares:
            figures += _label_curves(comparison, dataset, share, methods)
    rows = []
    for dataset, share, method in _groups(comparison):
        group = comparison.rows
        where = {"dataset": dataset, "labeled": share, "method": method}
        offline = spread(group, "pseudo_coverage", **where) is not None
        kind = "pseudo" if offline else "online"
        known = [spread(group, f"{kind}_{name}", **where) for name in ("precision", "coverage")]
        wrong, fitted = spread(group, "wrong_labels", **where), spread(group, "wrong_fitted", **where)
        if known[1] is None:
            continue
        rows.append(
            [
                Cell(dataset),
                Cell(method),
                share_cell(share),
                *(share_cell(one.mean if one else None) for one in known),
                number_cell(wrong.mean if wrong else None),
                share_cell(fitted.mean if fitted else None),
            ]
        )
    if not rows:
        return None
    caption = (
        "Labels of the last round, means over seeds and folds: the offline phase's where the method has one, else "
        "those made step by step. A wrong label is fitted when the final model repeats it."
    )
    columns = ["Data set", "Method", "Labels", "Precision", "Coverage", "Wrong labels accepted", "Of them fitted"]
    return join([el("div", *figures, class_="figures"), table(caption, columns, rows, texts=2)])


def _label_curves(comparison: Comparison, dataset: str, share: float, methods: Sequence[str]) -> list[Html]:
    drawn = []
    left_out = len(comparison.methods) - len(methods)
    whose = (
        "the offline phase's for a method that has one, else those of its steps; by round, mean over seeds and folds."
    )
    more = f" The first {len(methods)} methods; the table has {left_out} more." if left_out else ""
    for key, what in (
        ("precision", f"Share of the accepted labels that are right: {whose}"),
        ("coverage", f"Share of the unlabeled clips whose label was accepted: {whose}"),
    ):
        curves = [Curve.of(method, _by_round(comparison, dataset, share, method, key)) for method in methods]
        if any(curve.points for curve in curves):
            title = f"{dataset}, {share_text(share)} labeled: {key}"
            drawn.append(figure(title, line_chart(curves, title=title, in_percent=True), what + more))
    return drawn


def _by_round(
    comparison: Comparison, dataset: str, share: float, method: str, key: str
) -> list[tuple[int, float | None]]:
    rows = comparison.rows
    chosen = (rows["dataset"] == dataset) & (rows["labeled"] == share) & (rows["method"] == method)
    found: dict[int, list[float]] = {}
    for place in chosen.to_numpy().nonzero()[0]:
        lines = comparison.rounds[place]
        group = "pseudo" if any(line.get("pseudo") for line in lines) else "online"
        for line in lines:
            value = (line.get(group) or {}).get(key)
            if value is not None:
                found.setdefault(line["round"], []).append(value)
    return [(round_, sum(values) / len(values)) for round_, values in sorted(found.items())]


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
                    number_cell(float(group["ms_per_step"].mean())),
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
            share_cell(record["labeled"]),
            count_cell(int(record["labeled_clips"])),
            count_cell(int(record["seed"])),
            share_cell(record["top1"]),
            share_cell(record["macro_f1"]),
            share_cell(record["top1_by_val"]),
            Cell(duration(record["seconds"]), record["seconds"]),
        ]
        for record in comparison.rows.to_dict("records")
    ]
    columns = ["Method", "Data set", "Fold", "Labels", "Labeled clips", "Seed", "Test top-1", "Test macro F1"]
    columns += ["Test top-1 chosen by val", "Time"]
    caption = "Every finished cell, from compare.csv; a method's name leads to the run's own report."
    inner = table(caption, columns, rows, texts=3)
    return el("details", el("summary", counted(len(rows), "finished cell")), inner)


def _link(comparison: Comparison, record: dict[Any, Any]) -> str:
    report = comparison.folder.path / record["run"] / "report.html"
    if not report.exists():
        return str(record["method"])
    return el("a", str(record["method"]), href=quote(Path(os.path.relpath(report, comparison.folder.path)).as_posix()))


def _groups(comparison: Comparison) -> list[tuple[str, float, str]]:
    rows: pd.DataFrame = comparison.rows
    present = set(zip(rows["dataset"], rows["labeled"], rows["method"], strict=True))
    wanted = [
        (name, share, method)
        for name in comparison.plan.datasets
        for share in comparison.shares
        for method in comparison.methods
    ]
    return [group for group in wanted if group in present]
