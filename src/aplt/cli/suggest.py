"""`aplt suggest`: what to label next."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say


def suggest(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, such as runs/NAME.")],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many clips.")] = 20,
    strategy: Annotated[str, typer.Option(help="coverage, margin or random.")] = "coverage",
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write.")] = Path("next.csv"),
) -> None:
    """Name the unlabeled clips whose labels would help a run most."""
    from aplt.data.index import write_index
    from aplt.display import counted
    from aplt.rundir import RunDir
    from aplt.runs.suggest import suggest as suggest_clips

    table = suggest_clips(RunDir(run), number, strategy)
    write_index(table, Path(), output)
    say(f"{output}: {counted(len(table), 'clip')} to label next")
    for row in table.head(5).itertuples():
        say(f"  {row.id}: {row.reason}")
