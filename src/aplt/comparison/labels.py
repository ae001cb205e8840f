"""What a comparison's unlabeled clips were taught: how much of it was right, by round and at last, and what stuck."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import mode

from aplt.comparison.curves import method_curves
from aplt.comparison.paired import spread
from aplt.comparison.record import KINDS
from aplt.comparison.results import Comparison
from aplt.comparison.tables import Rows
from aplt.display import share_text
from aplt.report.html import Cell, Html, el, join, number_cell, share_cell
from aplt.report.words import ABSENT

WHOSE = "labels of the offline phase before the round where the method has one, else those made step by step in it"

MADE = dict(zip(KINDS, ("offline", "by step"), strict=True))
"""The kinds of labels, as compare.csv and as a reader call them."""
Group = tuple[str, float, str, str]
"""Data set, share of labels, method, and kind of labels."""
LAST = ("precision", "coverage", "wrong", "fitted", "unknown")


def labels(comparison: Comparison) -> Html | None:
    """Returns the section of the page, None where no labels were made."""
    last, by_round = last_labels(comparison), labels_by_round(comparison)
    if last is None:
        return None
    made = _made(comparison)
    taught = {method for _, _, method, _ in made}
    among = [method for method in comparison.methods if method in taught]
    figures = [
        drawn
        for dataset in comparison.plan.datasets
        for share in comparison.shares
        for drawn in _curves(comparison, made, dataset, share, among)
    ]
    rounds = el("details", el("summary", "All methods by round"), by_round.html()) if by_round else None
    return join([el("div", *figures, class_="figures"), last.html(), rounds])


def last_labels(comparison: Comparison) -> Rows | None:
    """Returns one row per data set, share, method and kind of the last round's labels; None without any."""
    rows = []
    for dataset, share, method, kind in _made(comparison):
        where = {"dataset": dataset, "labeled": share, "method": method}
        found = [spread(comparison.rows, f"{kind}_{name}", **where) for name in LAST]
        precision, coverage, wrong, fitted, unknown = (one.mean if one else None for one in found)
        cells = [Cell(dataset), Cell(method), Cell(MADE[kind]), Cell(share_text(share), share)]
        cells += [share_cell(precision), share_cell(coverage)]
        rows.append([*cells, number_cell(wrong), share_cell(fitted), number_cell(unknown)])
    if not rows:
        return None
    caption = (
        "In the last round, means over seeds and folds: labels of the offline phase, and those made step by step. A "
        "wrong label is fitted when the final model repeats it; of unknown truth are those of clips without a known "
        "label, such as clips of no class: precision leaves these out, coverage counts them."
    )
    names = ["Data set", "Method", "Labels made", "Labeled", "Precision", "Coverage", "Wrong labels", "Of them fitted"]
    return Rows("What unlabeled clips were taught", caption, [*names, "Of unknown truth"], rows, texts=3)


def labels_by_round(comparison: Comparison) -> Rows | None:
    """Returns one row per data set, share, method and kind with precision/coverage by round; None without any."""
    rows = []
    for group in _made(comparison):
        dataset, share, method, kind = group
        precision, coverage = (dict(_by_round(comparison, group, key)) for key in ("precision", "coverage"))
        if coverage:
            pairs = [f"{_whole(precision.get(round_))}/{_whole(covered)}" for round_, covered in coverage.items()]
            cells = (Cell(dataset), Cell(method), Cell(MADE[kind]), Cell(share_text(share), share))
            rows.append([*cells, Cell(" ".join(pairs))])
    if not rows:
        return None
    caption = (
        "Precision/coverage in % of each round that showed unlabeled clips, means over seeds and folds: offline labels "
        f"are made before the round, those by step in it.{_uneven(comparison)}"
    )
    return Rows("Labels by round", caption, ["Data set", "Method", "Labels made", "Labeled", "By round"], rows, texts=5)


def _uneven(comparison: Comparison) -> str:
    """Returns a sentence on the methods with another number of rounds than most, in as many steps, if there are any."""
    last = {(dataset, method): table.index.max() for (dataset, _, method, _), table in comparison.by_round.items()}
    datasets = {dataset for dataset, _ in last}
    usual = {name: mode(count for (dataset, _), count in last.items() if dataset == name) for name in datasets}
    uneven = {method for (dataset, method), count in last.items() if count != usual[dataset]}
    names = ", ".join(f"'{method}'" for method in comparison.methods if method in uneven)
    return f" Rounds of {names} are of another length than the others'." if names else ""


def _curves(
    comparison: Comparison, made: Sequence[Group], dataset: str, share: float, among: Sequence[str]
) -> Iterator[Html]:
    first: dict[str, Group] = {}
    for group in made:
        if group[:2] == (dataset, share):
            first.setdefault(group[2], group)
    for key, what in (
        ("precision", "Share of right labels among those accepted for clips of known label"),
        ("coverage", "Share of the unlabeled clips whose label was accepted"),
    ):
        points = {method: _by_round(comparison, group, key) for method, group in first.items()}
        title = f"{dataset}, {share_text(share)} labeled: {key}"
        about = f"{what}, by round, mean over seeds and folds: {WHOSE}.{_uneven(comparison)}"
        if chart := method_curves(comparison, points, among, title, about, "round"):
            yield chart


def _by_round(comparison: Comparison, group: Group, key: str) -> list[tuple[int, float | None]]:
    means = comparison.by_round.get(group)
    if means is None:
        return []
    found = means[key].dropna()
    return list(zip(found.index, found, strict=True))


def _made(comparison: Comparison) -> list[Group]:
    """Returns who made labels where, in the plan's order; of one method those of the offline phase come first."""
    groups = product(comparison.plan.datasets, comparison.shares, comparison.methods, MADE)
    return [
        (dataset, share, method, kind)
        for dataset, share, method, kind in groups
        if spread(comparison.rows, f"{kind}_coverage", dataset=dataset, labeled=share, method=method) is not None
    ]


def _whole(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.0f}"
