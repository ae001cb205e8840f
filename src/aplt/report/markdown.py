"""A comparison's tables as Markdown: table.md, the terminal, and docs/results.md."""

from collections.abc import Sequence

from aplt.report.comparison import Comparison
from aplt.report.pairs import Difference, all_differences, spread
from aplt.report.words import ABSENT
from aplt.rundir import UPPER_BOUND

FIGURES = {"top1": "Test top-1", "macro_f1": "Test macro F1"}


def comparison_tables(comparison: Comparison) -> str:
    """Returns means by data set, share and method, then the paired differences of the reference."""
    parts = []
    for name in comparison.datasets:
        for figure, title in FIGURES.items():
            folds = max(1, len(comparison.plan["datasets"][name]["folds"]))
            over = f"{len(comparison.seeds)} seeds" + (f" and {folds} folds" if folds > 1 else "")
            parts.append(f"{name}: {title} in %, mean ± deviation over {over}\n")
            parts.append(accuracy_table(comparison, name, figure))
    found = all_differences(comparison.rows, comparison.reference, comparison.methods, "top1")
    if found:
        parts.append(f"`{comparison.reference}` minus the others in the same cell, test top-1 in points\n")
        parts.append(difference_table(found))
    return "\n".join(parts)


def accuracy_table(comparison: Comparison, dataset: str, figure: str) -> str:
    """Returns a row a method and a column a share; fewer cells than planned are told in brackets."""
    planned = len(comparison.seeds) * max(1, len(comparison.plan["datasets"][dataset]["folds"]))
    rows = []
    for method in (*comparison.methods, UPPER_BOUND):
        row = [method]
        for share in comparison.shares:
            found = spread(comparison.rows, figure, dataset=dataset, method=method, labeled=share)
            few = f" ({found.count})" if found and found.count < planned else ""
            row.append(f"{found.text()}{few}" if found else "")
        rows.append(row)
    bound = spread(comparison.rows, figure, dataset=dataset, method=UPPER_BOUND)
    if bound is None:
        del rows[-1]
    else:
        for row in rows:
            row.append("")
        rows[-1][1:] = [*[""] * len(comparison.shares), bound.text()]
    header = ["method", *(f"{100 * share:.6g} % labels" for share in comparison.shares)]
    return grid([*header, "all labels"] if bound else header, rows)


def difference_table(found: Sequence[Difference]) -> str:
    """Returns a row a difference."""
    rows = [
        [
            one.dataset or "all",
            "all" if one.labeled is None else f"{100 * one.labeled:.6g} %",
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
