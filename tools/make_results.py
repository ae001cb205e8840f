"""Writes the tables of finished comparisons to docs/results/: python tools/make_results.py [results/NAME ...].

Without folders it takes all of results/. Git does not hold these pages; `make results` and `make docs` make them.
"""

import sys
from pathlib import Path

from aplt.comparison.page import comparison_tables
from aplt.comparison.results import Comparison, read_comparison
from aplt.display import counted
from aplt.errors import InputError
from aplt.storage import write_text

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "results"
INTRODUCTION = """# Results

Finished studies, each with the command that made it. These pages are made by `python tools/make_results.py` from
`results/NAME/compare.csv`, which has one row per cell; `aplt report results/NAME` makes a page with curves of the same
file. [Comparing methods](../compare.md) explains what is equal in all cells and what the tests say. All figures are of
the last EMA model, never of one chosen on the test clips.

| study | what it asks | cells | seeds | hours |
|--|--|--|--|--|
"""
QUESTIONS = {
    "evidence": "how every method does on four data sets at four shares of labels",
    "nucla-ablation": "what each choice of `aplt` is worth",
    "nucla_folds": "whether the evidence holds when other people of N-UCLA are held out",
    "period": "how long a round should be",
    "replication": "whether the evidence on skeletons repeats with three more draws of labels",
    "search": "which of four settings is best for each method",
    "tail": "what a long tail and clips of no class change",
}


def study_page(comparison: Comparison) -> str:
    """Returns the page of one study.

    Raises:
        InputError: it is unfinished.
    """
    done, planned = len(comparison.rows), comparison.planned
    if not comparison.finished:
        raise InputError(f"{comparison.folder.path}: {done} of {planned} cells are done; finish it first")
    # A folded table is Markdown inside HTML: the site's renderer wants to be told.
    tables = f"\n{comparison_tables(comparison)}".replace("<details>", "<details markdown>").replace("\n### ", "\n## ")
    return "\n".join(
        [
            f"# {comparison.name}\n",
            "".join(f"    {command}\n" for command in comparison.plan.commands),
            f"{counted(planned, 'cell')}, seeds {_seeds(comparison)}, {comparison.hours:.1f} hours of training in all "
            f"with aplt {' and '.join(comparison.versions)}.{tables}",
        ]
    )


def overview(comparisons: list[Comparison]) -> str:
    """Returns the page that lists the studies."""
    return INTRODUCTION + "".join(
        f"| [{one.name}]({one.name}.md) | {QUESTIONS.get(one.name, '')} | {one.planned} | {_seeds(one)} "
        f"| {one.hours:.1f} |\n"
        for one in comparisons
    )


def _seeds(comparison: Comparison) -> str:
    return ", ".join(map(str, comparison.plan.seeds))


def main() -> None:
    """Writes the pages for the folders on the command line."""
    folders = [Path(name) for name in sys.argv[1:]] or [
        plan.parent for plan in sorted((ROOT / "results").glob("*/compare.yaml"))
    ]
    try:
        comparisons = [read_comparison(folder) for folder in folders]
        for one in comparisons:
            write_text(PAGES / f"{one.name}.md", study_page(one))
    except InputError as error:
        sys.exit(f"make_results: {error}")
    write_text(PAGES / "index.md", overview(comparisons))


if __name__ == "__main__":
    main()
