"""A comparison's tables of means, row by row, and what a table is: for the page and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from aplt.compare.comparison import Comparison
from aplt.display import counted
from aplt.report.layout import Cell, table
from aplt.report.markup import Html
from aplt.report.words import share_text
from aplt.rundir import UPPER_BOUND

FIGURES = {
    "top1": "test top-1",
    "macro_f1": "test macro F1",
    "unlabeled_top1": "top-1 on the unlabeled clips of known label",
    "top1_by_val": "test top-1 after the round that is best on the validation clips",
}


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


def means(comparison: Comparison, dataset: str, figure: str) -> Rows | None:
    """Returns a row a method and a column a share, fewer cells than planned told in brackets; None without any."""
    found = comparison.means(dataset, figure)
    if not found:
        return None
    columns = ["Method", *(_share_header(comparison, dataset, share) for share in comparison.shares), "All labels"]
    kept = len(columns) - (UPPER_BOUND not in dict(found))
    rows = [
        [Cell(method), *(Cell(comparison.spread_text(dataset, one), one.mean if one else None) for one in line)]
        for method, line in found
    ]
    folds = comparison.folds(dataset)
    over = counted(len(comparison.plan.seeds), "seed") + (f" and {folds} folds" if folds > 1 else "")
    tested = figure != "unlabeled_top1"  # on which test clips and their people do not bear
    clips = f", {_test_clips(comparison, dataset)}" if tested else ""
    caption = " ".join(
        [
            f"Mean ± deviation over {over}{clips}; fewer cells are told in brackets.",
            *read_out_notes(comparison),
            *(_remarks(comparison, dataset) if tested else []),
        ]
    )
    return Rows(f"{dataset}: {FIGURES[figure]} in %", caption, columns[:kept], [row[:kept] for row in rows])


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
