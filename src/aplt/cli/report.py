"""`aplt report`: the page of a run or a comparison."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run or a comparison: runs/NAME or compare/NAME.")],
) -> None:
    """Write the report of a run or a comparison again."""
    from aplt.comparison.page import write_comparison
    from aplt.comparison.record import CompareDir
    from aplt.report import write_report

    if CompareDir(folder).found:
        say(str(write_comparison(folder)))
    else:
        say(str(write_report(folder)))
