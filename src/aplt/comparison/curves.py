"""Curves of a comparison's methods, as many in color as one chart can tell apart, and those of accuracy by step."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import pandas as pd

from aplt.comparison.results import Comparison
from aplt.display import share_text
from aplt.report.charts import MOST_CURVES, Curve, line_chart
from aplt.report.html import Html, el, figure
from aplt.rundir import RunDir

Points = Sequence[tuple[int, float | None]]


def method_curves(
    comparison: Comparison, points: Mapping[str, Points], among: Sequence[str], title: str, about: str, by: str
) -> Html | None:
    """Returns a chart of shares by method; None where no method has a point.

    `among` are the methods that any such chart of the comparison has, in their order, so that a method has one color
    in all of them. With too many of them the first ones and the reference have one, the others are gray.
    """
    shown = list(among[:MOST_CURVES])
    if comparison.plan.reference in among[MOST_CURVES:]:
        shown[-1] = comparison.plan.reference
    # Among all, so that a method keeps its color from other figures, unless two would get the same color.
    places = comparison.methods if len(comparison.methods) <= MOST_CURVES else shown
    gray = [method for method in among if method not in shown]
    curves, pale = ([Curve.of(one, points.get(one, ())) for one in methods] for methods in (places, gray))
    if not any(curve.points for curve in (*curves, *pale)):
        return None
    if any(curve.points for curve in pale):
        about += " Point at a gray line to see its method."
    chart = line_chart(curves, title=title, in_percent=True, pale=pale, by=by, from_zero=False)
    return figure(title, chart, about)


def learning(comparison: Comparison) -> Html | None:
    """Returns accuracy by step for each data set and share of labels; None where no run says it."""
    watched = _watched(comparison)
    among = [method for method in comparison.methods if method in set(watched["method"])]
    drawn = list(_learning(comparison, watched, among))
    return el("div", *drawn, class_="figures") if drawn else None


def _learning(comparison: Comparison, watched: pd.DataFrame, among: Sequence[str]) -> Iterator[Html]:
    about = (
        "Top-1 of the clips that are watched while it learns, mean over seeds and folds: of val clips where there are "
        "any, otherwise of test clips, by which nothing is chosen. What falls toward the end fits its wrong labels; "
        "what still rises asks for more steps."
    )
    for dataset, share in product(comparison.plan.datasets, comparison.shares):
        of = watched[(watched["dataset"] == dataset) & (watched["labeled"] == share)]
        points = {str(name): _means(one) for name, one in of.groupby("method")}
        title = f"{dataset}, {share_text(share)} labeled: accuracy by step"
        if chart := method_curves(comparison, points, among, title, about, "step"):
            yield chart


def _means(of: pd.DataFrame) -> list[tuple[int, float | None]]:
    """Returns mean steps and accuracy after each round that all cells have: folds of other sizes have other steps."""
    rounds = of.groupby("round")
    means = rounds[["steps", "top1"]].mean()[rounds.size() == rounds.size().max()]
    return [(round(steps), top1) for steps, top1 in zip(means["steps"], means["top1"], strict=True)]


def _watched(comparison: Comparison) -> pd.DataFrame:
    """Returns the accuracies of the plan's methods by step, of those cells whose run folder has been copied along."""
    lines = [
        (row.dataset, row.labeled, row.method, number, steps, top1)
        for row, run in zip(comparison.rows.itertuples(), comparison.runs, strict=True)
        if row.method in comparison.methods and run.metrics.exists()
        for number, steps, top1 in _top1(run.path, run.metrics.stat().st_mtime_ns)
    ]
    return pd.DataFrame(lines, columns=["dataset", "labeled", "method", "round", "steps", "top1"])


@cache
def _top1(run: Path, written: int) -> list[tuple[int, int, float]]:
    """Returns rounds, steps done and accuracies after each, read once for each time the rounds were `written`."""
    del written
    return [
        (line.round, line.steps_done, line.watched.figures.top1) for line in RunDir(run).read_rounds() if line.watched
    ]
