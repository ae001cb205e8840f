"""A comparison's tables of what the reference gains on each other method, cell by cell and over all."""

from aplt.compare.comparison import Comparison
from aplt.compare.paired import Difference
from aplt.compare.rows import FIGURES, Rows
from aplt.report.layout import Cell
from aplt.report.words import ABSENT, share_text

TESTS = ("t-test p", "Holm p", "Wilcoxon p")
ABOUT_TESTS = (
    "Two-sided paired tests, where all planned cells of both methods are done; Holm p is the t-test's, corrected for "
    "the number of them that is planned for this table."
)


def gain_tables(comparison: Comparison, figure: str) -> list[Rows]:
    """Returns the gains over all cells, if there are several places, and those by place; none without any pair."""
    tables = (gains(comparison, figure), differences(comparison, figure))
    return [table for table in tables if table is not None]


def gains(comparison: Comparison, figure: str) -> Rows | None:
    """Returns a row a method, the hardest to beat first, with the gain over all cells and by data set and share.

    None without several data sets or shares.
    """
    found = comparison.differences[figure]
    each = {(one.other, one.group): one for one in found}
    groups = list(dict.fromkeys(one.group for one in found if one.group is not None))
    rows = []
    over_all = (one for one in found if one.group is None)
    for whole in sorted(over_all, key=lambda one: one.gain.mean):
        cells = [each.get((whole.other, group)) for group in groups]
        known = [one for one in cells if one is not None]
        won, level = sum(one.won for one in known), sum(one.level for one in known)
        pairs = sum(one.gain.count for one in known)
        ahead = sum(round(one.gain.mean, 8) > 0 for one in known)  # a tie in the mean is none, but for rounding
        rows.append(
            [
                Cell(whole.other),
                Cell(_points(whole), whole.gain.mean),
                _won_cell(won, level, pairs),
                Cell(f"{ahead} of {len(known)}", ahead / len(known)),
                *_p_cells(whole),
                *(Cell("") if one is None else Cell(f"{100 * one.gain.mean:+.1f}", one.gain.mean) for one in cells),
            ]
        )
    if not rows:
        return None
    caption = (
        f"{comparison.plan.reference} minus the other method in the same cell (data set, fold, share, seed), "
        f"{FIGURES[figure]} in points, first averaged over shares, then mean ± deviation over data sets, folds and "
        "seeds, each of which counts once; how many cells the reference won, and in how many both are level; in how "
        "many data sets and shares the mean is above zero; and these means. The smallest gain stands first. "
        f"{ABOUT_TESTS}"
    )
    several = len(comparison.plan.datasets) > 1
    if several:
        caption += " Data sets are taken for draws of one kind: read the means beside p."
    elif any(data.folds for data in comparison.plan.datasets.values()):
        caption += " Folds are taken for draws of one kind, which they are not."
    names = [f"{dataset} {share_text(share)}" if several else share_text(share) for dataset, share in groups]
    columns = ["Against", "Gain", "Won", "Better in", *TESTS, *names]
    return Rows(f"Gain over all cells, and by data set and share: {FIGURES[figure]}", caption, columns, rows)


def differences(comparison: Comparison, figure: str) -> Rows | None:
    """Returns a row a data set, share and method, with p-values once all cells are done; None without any."""
    rows = [
        [
            Cell(dataset),
            Cell(share_text(share), share),
            Cell(one.other),
            _won_cell(one.won, one.level, one.gain.count),
            Cell(_points(one), one.gain.mean),
            *_p_cells(one),
        ]
        for one in comparison.differences[figure]
        if one.group is not None
        for dataset, share in [one.group]
    ]
    if not rows:
        return None
    caption = (
        f"{comparison.plan.reference} minus the other method in the same fold and with the same seed, "
        f"{FIGURES[figure]}, mean ± deviation. {ABOUT_TESTS} Over n differences Wilcoxon's p cannot fall below 2/2ⁿ "
        "(0.25 for three)."
    )
    columns = ["Data set", "Labeled", "Against", "Won", "Gain in points", *TESTS]
    return Rows(f"Gain by data set and share of labels: {FIGURES[figure]}", caption, columns, rows, texts=3)


def _won_cell(won: int, level: int, pairs: int) -> Cell:
    return Cell(f"{won} of {pairs}" + (f", {level} level" if level else ""), won / pairs)


def _points(one: Difference) -> str:
    """Returns a gain in points, such as '+1.6 ± 0.7'."""
    text = one.gain.text()
    return text if text.startswith("-") else f"+{text}"


def _p_cells(one: Difference) -> list[Cell]:
    return [_p_cell(p) for p in (one.t_test, one.holm, one.rank_test)]


def _p_cell(p: float | None) -> Cell:
    return Cell(ABSENT if p is None else "<0.001" if p < 0.001 else f"{p:.3f}", p)
