"""A comparison's tables, for the page and for Markdown: means, and what the reference gains on each other method."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from aplt.comparison.paired import Difference
from aplt.comparison.plan import UPPER_BOUND
from aplt.comparison.results import Comparison
from aplt.display import counted, share_text
from aplt.figures import MAIN_FIGURES
from aplt.report.html import Cell, Html, table, valued
from aplt.report.words import ABSENT, Spread

TITLES = {
    **{name: f"test {figure.title}" for name, figure in MAIN_FIGURES.items()},
    "unlabeled_top1": "top-1 on the unlabeled clips of known label",
}


TESTS = ("t-test p", "Holm p", "Wilcoxon p")
ABOUT_TESTS = (
    " Two-sided paired tests, where all planned cells of both methods are done; Holm p is the t-test's, corrected for "
    "the number of tests that are planned for this table."
)


@dataclass(frozen=True)
class Rows:
    """A table; `texts` columns at the left hold words."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    texts: int = 1

    def html(self) -> Html:
        """Returns the table for a page."""
        return table(f"{self.title}. {self.caption}", self.columns, self.rows, texts=self.texts)

    def markdown(self, *, folded: bool = False) -> str:
        """Returns the table in Markdown under a heading, or folded away under its title."""
        content = f"{self.caption}\n\n{self._grid()}"
        if folded:
            return f"<details>\n<summary>{escape(self.title)}</summary>\n\n{content}\n</details>\n"
        return f"### {self.title}\n\n{content}"

    def _grid(self) -> str:
        """Returns the lines of the table, its columns aligned: the first to the left, all others to the right."""
        kept = valued(self.columns, self.rows, self.texts)
        lines = [list(self.columns), *([cell.text for cell in row] for row in self.rows)]
        lines = [[line[k].replace("|", "\\|") for k in kept] for line in lines]
        widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
        rule = [f"{'-' * (width - 1)}:" if k else "-" * width for k, width in enumerate(widths)]
        padded = [
            [
                cell.rjust(width) if k else cell.ljust(width)
                for k, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            for line in lines
        ]
        return "".join(f"| {' | '.join(line)} |\n" for line in (padded[0], rule, *padded[1:]))


def means(comparison: Comparison, dataset: str, figure: str) -> Rows | None:
    """Returns one row per method and one column per share; None without any cell."""
    found = comparison.means(dataset, figure)
    if not found:
        return None
    columns = ["Method", *(_share_header(comparison, dataset, share) for share in comparison.shares), "All labels"]
    kept = len(columns) - (UPPER_BOUND not in dict(found))
    rows = [
        [Cell(method), *(_spread_cell(one, comparison.cells_each(dataset)) for one in line)] for method, line in found
    ]
    folds = len(comparison.plan.folds(dataset))
    over = counted(len(comparison.plan.seeds), "seed") + (f" and {folds} folds" if folds > 1 else "")
    tested = figure != "unlabeled_top1"  # else test clips and their people do not matter
    clips = f", {_test_clips(comparison, dataset)}" if tested else ""
    caption = " ".join(
        [
            f"Mean ± deviation over {over}{clips}; (n): only n cells are done.",
            *read_out_notes(comparison),
            *(_remarks(comparison, dataset) if tested else []),
        ]
    )
    return Rows(f"{dataset}: {TITLES[figure]} in %", caption, columns[:kept], [row[:kept] for row in rows])


def _spread_cell(found: Spread | None, planned: int) -> Cell:
    """Returns a cell with a spread in percent, and its count in brackets where that is less than planned."""
    if found is None:
        return Cell("")
    return Cell(found.text() + (f" ({found.count})" if found.count < planned else ""), found.mean)


def _test_clips(comparison: Comparison, dataset: str) -> str:
    """Returns how many test clips a cell has: '48 test clips each', or '50 to 60' where splits differ in it."""
    counts = comparison.rows["test_clips"][comparison.rows["dataset"] == dataset]
    fewest = "" if counts.min() == counts.max() else f"{counts.min():,d} to "
    return f"{fewest}{counted(int(counts.max()), 'test clip')} each"


def read_out_notes(comparison: Comparison) -> list[str]:
    """Returns a sentence on which methods score clips by their prototypes, too; none where all do alike."""
    rows = comparison.rows
    both = set(rows["method"][rows["read_out"] == "both"])
    alone = set(rows["method"]) - both
    if not both or not alone:
        return []
    few, usual, other = both, "the classifier", "the mean of classifier and prototypes"
    if len(both) > len(alone):
        few, usual, other = alone, other, usual
    # In quotes: a name may have a comma.
    names = [f"'{method}'" for method in (*comparison.methods, UPPER_BOUND) if method in few]
    return [f"Clips are scored by {usual}, for {', '.join(names)} by {other}."]


def _remarks(comparison: Comparison, dataset: str) -> list[str]:
    """Returns what the cells of a data set have to remark on their clips, as sentences."""
    found = comparison.rows["remark"][comparison.rows["dataset"] == dataset]
    return [f"{remark[0].upper()}{remark[1:]}." for remark in dict.fromkeys(found) if remark]


def _share_header(comparison: Comparison, dataset: str, share: float) -> str:
    rows = comparison.rows
    labeled = rows[(rows["dataset"] == dataset) & (rows["labeled"] == share)]["labeled_clips"]
    return f"{share_text(share)} labels" + (f", {counted(round(labeled.mean()), 'clip')}" if len(labeled) else "")


def gain_tables(comparison: Comparison, figure: str) -> list[Rows]:
    """Returns the gains over all cells, if there are several places, and those by place; none without any pair."""
    tables = (gains(comparison, figure), differences(comparison, figure))
    return [table for table in tables if table is not None]


def gains(comparison: Comparison, figure: str) -> Rows | None:
    """Returns one row per method, the hardest to beat first: the gain over all cells, and by data set and share.

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
        f"{TITLES[figure]} in points, first averaged over shares, then mean ± deviation over data sets, folds and "
        "seeds, each of which counts once; how many cells the reference won, and in how many both are level; in how "
        "many data sets and shares the mean is above zero; and these means. The smallest gain comes first."
    )
    caption += ABOUT_TESTS if any(one.t_test is not None for one in found) else ""
    several = len(comparison.plan.datasets) > 1
    if several:
        caption += " The test treats data sets as draws of one kind: read the means as well as p."
    elif any(data.folds for data in comparison.plan.datasets.values()):
        caption += " The test treats folds as draws of one kind, which they are not."
    names = [f"{dataset} {share_text(share)}" if several else share_text(share) for dataset, share in groups]
    columns = ["Against", "Gain", "Won", "Better in", *TESTS, *names]
    return Rows(f"Gain over all cells, and by data set and share: {TITLES[figure]}", caption, columns, rows)


def differences(comparison: Comparison, figure: str) -> Rows | None:
    """Returns one row per data set, share and method, with p-values once all cells are done; None without any."""
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
        f"{TITLES[figure]}, mean ± deviation."
    )
    if any(one.t_test is not None for one in comparison.differences[figure]):
        caption += f"{ABOUT_TESTS} Over n differences Wilcoxon's p cannot fall below 2/2ⁿ (0.25 for three)."
    columns = ["Data set", "Labeled", "Against", "Won", "Gain in points", *TESTS]
    return Rows(f"Gain by data set and share of labels: {TITLES[figure]}", caption, columns, rows, texts=3)


def _won_cell(won: int, level: int, pairs: int) -> Cell:
    return Cell(f"{won} of {pairs}" + (f", {level} level" if level else ""), won / pairs)


def _points(one: Difference) -> str:
    """Returns a gain in points, such as '+1.6 ± 0.7'."""
    text = one.gain.text()
    return text if text.startswith("-") else f"+{text}"


def _p_cells(one: Difference) -> list[Cell]:
    tests = (one.t_test, one.holm, one.rank_test)
    return [Cell(ABSENT if p is None else "<0.001" if p < 0.001 else f"{p:.3f}", p) for p in tests]
