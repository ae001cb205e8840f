"""A comparison's tables as Markdown: table.md, the terminal, and docs/results.md."""

from collections.abc import Sequence

from aplt.report.comparison import Comparison
from aplt.report.pairs import Difference, all_differences
from aplt.report.words import ABSENT, share_words

FIGURES = {"top1": "test top-1", "macro_f1": "test macro F1"}


def comparison_tables(comparison: Comparison) -> str:
    """Returns means by data set, share and method, then the paired differences of the reference."""
    parts = []
    for name in comparison.plan.datasets:
        for figure, title in FIGURES.items():
            folds = comparison.folds(name)
            over = f"{len(comparison.plan.seeds)} seeds" + (f" and {folds} folds" if folds > 1 else "")
            parts.append(f"{name}: {title} in %, mean ± deviation over {over}\n")
            parts.append(accuracy_table(comparison, name, figure))
    found = all_differences(comparison.rows, comparison.plan.reference, comparison.methods, "top1")
    if found:
        parts.append(f"`{comparison.plan.reference}` minus the others in the same cell, test top-1 in points\n")
        parts.append(difference_table(found))
    return "\n".join(parts)


def accuracy_table(comparison: Comparison, dataset: str, figure: str) -> str:
    """Returns a row a method and a column a share; fewer cells than planned are told in brackets."""
    found = comparison.means(dataset, figure)
    bounded = any(line[-1] for _, line in found)
    header = ["method", *(f"{share_words(share)} labels" for share in comparison.shares), "all labels"]
    rows = [[method, *(comparison.spread_text(dataset, one) for one in line)] for method, line in found]
    return grid(header, rows) if bounded else grid(header[:-1], [row[:-1] for row in rows])


def difference_table(found: Sequence[Difference]) -> str:
    """Returns a row a difference."""
    rows = [
        [
            one.dataset or "all",
            "all" if one.labeled is None else share_words(one.labeled),
            one.other,
            f"{one.won} of {one.gain.count}",
            points(one),
            p_text(one.t_test),
            p_text(one.rank_test),
        ]
        for one in found
    ]
    return grid(["data set", "labels", "against", "won", "gain", "t-test p", "Wilcoxon p"], rows)


def points(one: Difference) -> str:
    """Returns a gain in points, such as '+1.6 ± 0.7'."""
    text = one.gain.text()
    return text if text.startswith("-") else f"+{text}"


def p_text(p: float | None) -> str:
    """Returns a p-value with three decimals."""
    return ABSENT if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table whose columns stand in line, all but the first to the right."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (header, *rows)]
    widths = [max(3, *(len(line[k]) for line in lines)) for k in range(len(header))]

    def written(line: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |"

    rule = [f"{'-' * (width - 1)}:" if k else "-" * width for k, width in enumerate(widths)]
    return "".join(f"{line}\n" for line in (written(lines[0]), f"| {' | '.join(rule)} |", *map(written, lines[1:])))
