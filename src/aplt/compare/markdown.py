"""A comparison's tables as Markdown: table.md and docs/results.md."""

from collections.abc import Sequence
from html import escape

from aplt.compare.comparison import MAIN, PAIRED, Comparison
from aplt.compare.differences import gain_tables
from aplt.compare.labels import labels_by_round, last_labels
from aplt.compare.rows import FIGURES, Rows, means


def comparison_tables(comparison: Comparison) -> str:
    """Returns means by data set, share and method and the reference's paired differences; all else folded away."""
    folded = [
        *(means(comparison, name, figure) for figure in FIGURES if figure != MAIN for name in comparison.plan.datasets),
        *(table for figure in PAIRED if figure != MAIN for table in gain_tables(comparison, figure)[:1]),
        *gain_tables(comparison, MAIN)[1:],
        last_labels(comparison),
        labels_by_round(comparison),
    ]
    notices = [f"Unfinished: {comparison.unfinished}\n"] if comparison.unfinished else []
    if comparison.failed:
        notices.append("".join(f"- failed: {escape(why, quote=False)}\n" for why in comparison.failed))
    return "\n".join([*notices, main_tables(comparison), *(_folded(one) for one in folded if one is not None)])


def main_tables(comparison: Comparison) -> str:
    """Returns the tables that answer what was asked: means of top-1 by data set, and the reference's gains."""
    shown = [
        *(means(comparison, name, MAIN) for name in comparison.plan.datasets),
        *gain_tables(comparison, MAIN)[:1],
    ]
    return "\n".join(f"### {one.title}\n\n{_content(one)}" for one in shown if one is not None)


def _folded(rows: Rows) -> str:
    return f"<details>\n<summary>{escape(rows.title)}</summary>\n\n{_content(rows)}\n</details>\n"


def _content(rows: Rows) -> str:
    return f"{rows.caption}\n\n{_grid(rows.columns, [[cell.text for cell in row] for row in rows.rows])}"


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
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
