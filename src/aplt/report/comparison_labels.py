"""What a comparison's unlabeled clips were taught: how much of it was right, by round and at last, and what stuck."""

from collections.abc import Iterator, Sequence
from itertools import product

from aplt.display import counted
from aplt.plan import share_text
from aplt.report.comparison import Comparison
from aplt.report.comparison_rows import Rows
from aplt.report.curves import Curve, line_chart
from aplt.report.layout import Cell, figure, number_cell, share_cell
from aplt.report.markup import Html, el, join
from aplt.report.pairs import spread
from aplt.report.words import ABSENT

MOST_CURVES = 8
"""Methods whose curves by round share a figure; more cannot be told apart."""

WHOSE = "labels of the offline phase where the method has one, else those made step by step"


def labels(comparison: Comparison) -> Html | None:
    """Returns the section of the page; None where no method makes labels."""
    found = last_labels(comparison)
    if found is None:
        return None
    labeling = [name for name in comparison.methods if any(row[1].text == name and row[4].value for row in found.rows)]
    methods = _first(labeling, comparison.plan.reference)
    figures = [
        drawn
        for dataset in comparison.plan.datasets
        for share in comparison.shares
        for drawn in _curves(comparison, dataset, share, methods, len(labeling) - len(methods))
    ]
    return join([el("div", *figures, class_="figures"), found.html()])


def last_labels(comparison: Comparison) -> Rows | None:
    """Returns a row a data set, share and method on the last round's labels; None where no method makes labels."""
    rows = []
    for dataset, share, method in _groups(comparison):
        kind = _kind(comparison, dataset, share, method)
        columns = [f"{kind}_{figure}" for figure in ("precision", "coverage", "wrong", "fitted")]
        where = {"dataset": dataset, "labeled": share, "method": method}
        found = [spread(comparison.rows, column, **where) for column in (*columns, "unlabeled_top1")]
        precision, coverage, wrong, fitted, right = (one.mean if one else None for one in found)
        rows.append(
            [
                *(
                    Cell(dataset),
                    Cell(method),
                    Cell(share_text(share), share),
                    share_cell(precision),
                    share_cell(coverage),
                ),
                *(number_cell(wrong), share_cell(fitted), share_cell(right)),
            ]
        )
    if all(row[4].value is None for row in rows):
        return None
    caption = (
        f"What unlabeled clips were taught in the last round, means over seeds and folds: {WHOSE}. A wrong label is "
        "fitted when the final model repeats it; right at last is the share of unlabeled clips that it gets right."
    )
    names = ["Data set", "Method", "Labels", "Precision", "Coverage", "Wrong labels", "Of them fitted", "Right at last"]
    return Rows(caption, names, rows, texts=2)


def labels_by_round(comparison: Comparison) -> Rows | None:
    """Returns a row a data set, share and method with precision/coverage after each round; None without labels."""
    rows = []
    for dataset, share, method in _groups(comparison):
        precision, coverage = (
            dict(_by_round(comparison, dataset, share, method, key)) for key in ("precision", "coverage")
        )
        if coverage:
            pairs = [f"{_whole(precision.get(round_))}/{_whole(covered)}" for round_, covered in coverage.items()]
            rows.append([Cell(dataset), Cell(method), Cell(share_text(share), share), Cell(" ".join(pairs))])
    if not rows:
        return None
    caption = (
        f"Precision/coverage in % after each round that showed unlabeled clips, means over seeds and folds: {WHOSE}."
    )
    return Rows(caption, ["Data set", "Method", "Labels", "By round"], rows, texts=2)


def _first(methods: Sequence[str], reference: str) -> list[str]:
    """Returns as many methods as one figure can show, in their order: the first ones, and the reference."""
    if reference in methods[MOST_CURVES:]:
        return [*methods[: MOST_CURVES - 1], reference]
    return list(methods[:MOST_CURVES])


def _curves(
    comparison: Comparison, dataset: str, share: float, methods: Sequence[str], left_out: int
) -> Iterator[Html]:
    more = f" The table has {counted(left_out, 'more method')}." if left_out else ""
    for key, what in (
        ("precision", "Share of the accepted labels that are right"),
        ("coverage", "Share of the unlabeled clips whose label was accepted"),
    ):
        curves = [Curve.of(method, _by_round(comparison, dataset, share, method, key)) for method in methods]
        if any(curve.points for curve in curves):
            title = f"{dataset}, {share_text(share)} labeled: {key}"
            about = f"{what}, by round, mean over seeds and folds: {WHOSE}.{more}"
            yield figure(title, line_chart(curves, title=title, in_percent=True), about)


def _by_round(
    comparison: Comparison, dataset: str, share: float, method: str, key: str
) -> list[tuple[int, float | None]]:
    rows = comparison.rows
    kind = _kind(comparison, dataset, share, method)
    chosen = (rows["dataset"] == dataset) & (rows["labeled"] == share) & (rows["method"] == method)
    found: dict[int, list[float]] = {}
    for place in chosen.to_numpy().nonzero()[0]:
        for line in comparison.rounds[place]:
            value = (line.get(kind) or {}).get(key)
            if value is not None:
                found.setdefault(line["round"], []).append(value)
    return [(round_, sum(values) / len(values)) for round_, values in sorted(found.items())]


def _kind(comparison: Comparison, dataset: str, share: float, method: str) -> str:
    """Returns which labels are told: pseudo, of an offline phase, where the cells have one, else online."""
    where = {"dataset": dataset, "labeled": share, "method": method}
    return "online" if spread(comparison.rows, "pseudo_coverage", **where) is None else "pseudo"


def _groups(comparison: Comparison) -> list[tuple[str, float, str]]:
    rows = comparison.rows
    present = set(zip(rows["dataset"], rows["labeled"], rows["method"], strict=True))
    wanted = product(comparison.plan.datasets, comparison.shares, comparison.methods)
    return [group for group in wanted if group in present]


def _whole(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.0f}"
