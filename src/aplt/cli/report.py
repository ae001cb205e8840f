"""`aplt report`: the page of a run or a comparison."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say
from aplt.errors import InputError


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run or a comparison: runs/NAME or compare/NAME.")],
    beside: Annotated[
        Path | None, typer.Option(help="A run on the same clips with the labels alone, to tell what the others added.")
    ] = None,
) -> None:
    """Write the report of a run or a comparison again."""
    from aplt.comparison.page import write_comparison
    from aplt.comparison.record import CompareDir
    from aplt.illustrated import write_illustrated

    if CompareDir(folder).found:
        if beside is not None:
            raise InputError(
                f"--beside is for a run, and {folder} is a comparison, which has methods beside each other"
            )
        say(str(write_comparison(folder)))
    else:
        say(str(write_illustrated(folder, beside)))
