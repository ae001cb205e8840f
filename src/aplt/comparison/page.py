"""The page of a comparison: report.html and table.md in its folder, by `aplt report` and while cells are trained."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from aplt.comparison.curves import learning
from aplt.comparison.labels import labels, labels_by_round, last_labels
from aplt.comparison.paired import spread
from aplt.comparison.plan import UPPER_BOUND
from aplt.comparison.results import MAIN, PAIRED, Comparison, read_comparison
from aplt.comparison.tables import TITLES, Rows, gain_tables, means
from aplt.display import counted, share_text
from aplt.figures import MAIN_FIGURES
from aplt.report.charts import MOST_CURVES, Series, efficiency_chart, method_chart
from aplt.report.html import Cell, Html, absent, el, facts, figure, heading, join, number_cell, page, share_cell, table
from aplt.report.words import Spread, duration
from aplt.storage import read_text, write_alone

PALE = (
    "With so many methods only the reference, the best of the others and, where it is one of them, supervised stand "
    "out; point at a gray line to see its method. The table below has all of them."
)


def write_comparison(folder: Path) -> Path:
    """Writes report.html and table.md into a comparison's folder, finished or not; returns the page's path."""
    comparison = read_comparison(folder)
    write_alone(comparison.folder.table, comparison_tables(comparison))
    write_alone(comparison.folder.report, comparison_html(comparison))
    return comparison.folder.report


def comparison_tables(comparison: Comparison) -> str:
    """Returns table.md: means and the reference's paired differences of the main figure; all else folded away."""
    places = comparison.plan.datasets
    folded = [
        *(means(comparison, name, figure) for figure in TITLES if figure != MAIN for name in places),
        *(table for figure in PAIRED if figure != MAIN for table in gain_tables(comparison, figure)[:1]),
        *gain_tables(comparison, MAIN)[1:],
        last_labels(comparison),
        labels_by_round(comparison),
    ]
    notices = [f"Unfinished: {comparison.unfinished}\n"] if comparison.unfinished else []
    if comparison.failed:
        notices.append("".join(f"- failed: {escape(why, quote=False)}\n" for why in comparison.failed))
    rest = [one.markdown(folded=True) for one in folded if one is not None]
    return "\n".join([*notices, main_tables(comparison), *rest])


def main_tables(comparison: Comparison) -> str:
    """Returns the tables that answer the question: means of top-1 by data set, and the reference's gains."""
    shown = [*(means(comparison, name, MAIN) for name in comparison.plan.datasets), *gain_tables(comparison, MAIN)[:1]]
    return "\n".join(one.markdown() for one in shown if one is not None)


def comparison_html(comparison: Comparison) -> str:
    """Returns the whole page."""
    parts: list[tuple[str, str, Html | None]] = []
    if not comparison.rows.empty:
        parts = [
            ("accuracy", "Accuracy by share of labels", _accuracy(comparison)),
            ("learning", "Learning, step by step", learning(comparison)),
            ("differences", f"{comparison.plan.reference} against the others", _differences(comparison)),
            ("labels", "Pseudo-labels", labels(comparison)),
            ("cost", "Cost", _cost(comparison)),
            ("cells", "Cells", _cells(comparison)),
        ]
    parts.append(("settings", "Plan and settings", _settings(comparison)))
    title = f"{comparison.name} – aplt comparison"  # noqa: RUF001
    return page(title, _headline(comparison), parts)


def _headline(comparison: Comparison) -> Html:
    words = [
        counted(len(comparison.methods), "method"),
        f"labels {', '.join(share_text(share) for share in comparison.shares)}",
        f"seeds {', '.join(map(str, comparison.plan.seeds))}",
        f"{duration(float(comparison.rows['seconds'].sum()))} of training",
        f"aplt {' and '.join(comparison.versions)}",
    ]
    notice = None
    if comparison.unfinished:
        said = el("p", el("strong", "This comparison is unfinished: "), comparison.unfinished)
        failed = el("ul", *(el("li", f"failed: {why}") for why in comparison.failed)) if comparison.failed else None
        notice = el("div", said, failed, class_="notice")
    return heading("aplt comparison", comparison.name, words, notice)


def _accuracy(comparison: Comparison) -> Html:
    figures = [_efficiency(comparison, name) for name in comparison.plan.datasets]
    several = len(comparison.shares) > 1
    shown = el("div", *figures, class_="figures") if several else join(figures)
    found = {
        figure: [one for name in comparison.plan.datasets if (one := means(comparison, name, figure)) is not None]
        for figure in TITLES
    }
    return join([shown, *_others_folded(found)])


def _efficiency(comparison: Comparison, dataset: str) -> Html:
    title = f"{dataset}: test accuracy"
    rows = comparison.rows[comparison.rows["dataset"] == dataset]
    bound = spread(rows, "top1", method=UPPER_BOUND)
    what = "Mean top-1 accuracy of the last EMA model on the test clips"
    if comparison.cells_each(dataset) > 1:
        what += "; bars are the deviation over the cells (seeds and folds)"
    if bound is not None:
        what += (
            "; the dashed line is supervised training with all labels in as many steps, which may be too few for it "
            "to be a bound"
        )
    what += "."
    if len(comparison.shares) > 1:
        series = []
        for place, method in enumerate(comparison.methods):
            found = [(share, spread(rows, "top1", method=method, labeled=share)) for share in comparison.shares]
            if points := [(share, one) for share, one in found if one is not None]:
                series.append(Series(method, place, points))
        if len({share for one in series for share, _ in one.points}) > 1:
            crowded = len(series) > MOST_CURVES
            shown, pale = _apart(series, comparison.plan.reference) if crowded else (series, [])
            about = f"{what} {PALE}" if crowded else what
            return figure(title, efficiency_chart(shown, bound, title=title, pale=pale), about)
    drawn = []
    for method in comparison.methods:
        own = rows[(rows["method"] == method) & rows["labeled"].isin(comparison.shares)]["top1"].tolist()
        if (known := Spread.of(own)) is not None:
            drawn.append((method, known, own))
    if not drawn:
        return absent(title, "No cell of this data set is done yet.")
    chart = method_chart(drawn, bound, comparison.plan.reference, title=title)
    rings = " Rings are single cells, the thin line is the mean of the reference."
    return figure(title, chart, what + rings, wide=len(comparison.shares) == 1)


def _apart(series: Sequence[Series], reference: str) -> tuple[list[Series], list[Series]]:
    """Returns the few curves to look at (the reference, the best of the others, and supervised), and the others."""
    best = max(
        (one for one in series if one.name != reference),
        key=lambda one: (len(one.points), sum(spread.mean for _, spread in one.points)),
    )
    names = dict.fromkeys((reference, best.name, "supervised"))
    found = [one for name in names for one in series if one.name == name]
    shown = [replace(one, place=place) for place, one in enumerate(found)]
    return shown, [one for one in series if one.name not in names]


def _differences(comparison: Comparison) -> Html:
    found = {figure: gain_tables(comparison, figure) for figure in PAIRED}
    if not found[MAIN]:
        return el("p", "No two methods have a finished cell in common yet.", class_="missing")
    by_place = [el("details", el("summary", one.title), one.html()) for one in found[MAIN][1:]]
    return join([*_others_folded({figure: tables[:1] for figure, tables in found.items()}), *by_place])


def _others_folded(found: dict[str, list[Rows]]) -> list[Html]:
    """Returns the tables of the main figure open, and those of each other one folded away."""
    folded = [
        el("details", el("summary", f"The same: {TITLES[figure]}"), *(one.html() for one in tables))
        for figure, tables in found.items()
        if tables and figure != MAIN
    ]
    return [*(one.html() for one in found[MAIN]), *folded]


def _settings(comparison: Comparison) -> Html:
    plan = el("summary", "compare.yaml: the whole plan; `aplt compare` on it repeats or extends the comparison")
    parts = [
        facts([("Command", command) for command in comparison.plan.commands]),
        el("details", plan, el("pre", el("code", read_text(comparison.folder.plan)))),
    ]
    if comparison.configs:
        shared = shared_settings([config for _, config in comparison.configs])
        count, finished = len(comparison.configs), len(comparison.rows)
        whose = "all finished cells" if count == finished else f"the {count} of {finished} cells with a run folder here"
        summary = el("summary", f"Settings that {whose} share")
        written = yaml.safe_dump(shared, sort_keys=False, allow_unicode=True)
        parts.append(el("details", summary, el("pre", el("code", written))))
    return join(parts)


def shared_settings(configs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the settings that are equal in all of these configs, group by group."""
    first, *others = configs
    shared: dict[str, Any] = {}
    for key, value in first.items():
        if not all(key in other for other in others):
            continue
        found = [other[key] for other in others]
        if all(value == other for other in found):
            shared[key] = value
        elif isinstance(value, dict) and all(isinstance(other, dict) for other in found):
            inner = shared_settings([value, *found])
            if inner:
                shared[key] = inner
    return shared


def _cost(comparison: Comparison) -> Html:
    """Returns how long each method takes."""
    rows = []
    for dataset, method in product(comparison.plan.datasets, (*comparison.methods, UPPER_BOUND)):
        of = comparison.rows[(comparison.rows["dataset"] == dataset) & (comparison.rows["method"] == method)]
        if not of.empty:
            steps, each, seconds = (float(of[name].mean()) for name in ("steps", "ms_per_step", "seconds"))
            counts = map(number_cell, (len(of), round(steps), round(each)))
            shares = (float(of[f"{phase}_seconds"].sum() / of["seconds"].sum()) for phase in ("offline", "evaluation"))
            row = [Cell(dataset), Cell(method), *counts, Cell(duration(seconds), seconds), *map(share_cell, shares)]
            rows.append(row)
    columns = ["Data set", "Method", "Cells", "Steps", "ms per step", "Time per cell"]
    columns += ["Offline share", "Evaluation share"]
    caption = "Means over cells; times depend on the machine, its other work and the number of jobs."
    return table(caption, columns, rows, texts=2)


def _cells(comparison: Comparison) -> Html:
    """Returns every cell's figures and a link to its report."""
    rows = [
        [
            Cell(_link(comparison, record)),
            Cell(str(record["dataset"])),
            Cell(str(record["fold"])),
            Cell(share_text(record["labeled"]), record["labeled"]),
            number_cell(int(record["labeled_clips"])),
            number_cell(int(record["seed"])),
            *(share_cell(record[name]) for name in MAIN_FIGURES),
            Cell(duration(record["seconds"]), record["seconds"]),
        ]
        for record in comparison.rows.to_dict("records")
    ]
    columns = ["Method", "Data set", "Fold", "Labeled", "Labeled clips", "Seed"]
    columns += [f"Test {figure.title}" for figure in MAIN_FIGURES.values()]
    columns += ["Time"]
    caption = (
        "Every finished cell, that is one training of a method with a share of labels and a seed, from compare.csv; a "
        "method's name links to the report of the run."
    )
    inner = table(caption, columns, rows, texts=3)
    return el("details", el("summary", counted(len(rows), "finished cell")), inner)


def _link(comparison: Comparison, record: dict[Any, Any]) -> str:
    report = f"{record['run']}/report.html"
    if not (comparison.folder.path / report).exists():
        return str(record["method"])
    return el("a", str(record["method"]), href=quote(report))
