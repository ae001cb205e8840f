"""Writes docs/results.md from finished comparisons: python docs/make_results.py results/NAME ..."""

import sys
from pathlib import Path

from aplt.compare.comparison import Comparison, read_comparison
from aplt.compare.page import comparison_tables
from aplt.display import counted
from aplt.errors import InputError
from aplt.storage import write_text

INTRODUCTION = """# Results

Made by `python docs/make_results.py`; do not edit. Each table stands beside the command that made it; see
[compare.md](compare.md) for what is equal in all cells of a table and what the tests say. Figures are of the last EMA
model, never of one chosen on the test clips; each cell's stand in `results/NAME/compare.csv`, of which
`aplt report results/NAME` makes a page with curves.
"""


def results_page(comparisons: list[Comparison]) -> str:
    """Returns docs/results.md.

    Raises:
        InputError: a comparison is unfinished.
    """
    return "\n".join([INTRODUCTION, *map(_section, comparisons)])


def _section(comparison: Comparison) -> str:
    done, planned = len(comparison.rows), comparison.planned
    if not comparison.finished:
        raise InputError(f"{comparison.folder.path}: {done} of {planned} cells are done; finish it first")
    seeds = ", ".join(map(str, comparison.plan.seeds))
    return "\n".join(
        [
            f"## {comparison.name}\n",
            "".join(f"    {command}\n" for command in comparison.plan.commands),
            f"{counted(planned, 'cell')}, seeds {seeds}, {comparison.hours:.1f} hours of training in all with aplt "
            f"{' and '.join(comparison.versions)}.\n",
            comparison_tables(comparison),
        ]
    )


def main() -> None:
    """Writes the page for the folders on the command line."""
    folders = [Path(name) for name in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    try:
        page = results_page([read_comparison(folder) for folder in folders])
    except InputError as error:
        sys.exit(f"make_results: {error}")
    write_text(Path(__file__).with_name("results.md"), page)


if __name__ == "__main__":
    main()
