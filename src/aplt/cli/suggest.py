"""`aplt suggest`: what to label next."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say


def suggest(
    source: Annotated[
        Path,
        typer.Argument(help="Folder of a finished run; for the very first labels clips.csv, or a folder of clips."),
    ],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many clips.")] = 20,
    strategy: Annotated[
        str | None,
        typer.Option(help="coverage, margin, typical or random; by default coverage for a run, typical for clips."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write.")] = Path("next.csv"),
) -> None:
    """Name the unlabeled clips whose labels would help most: a run, or to begin with."""
    from aplt.data.index import write_index
    from aplt.display import counted
    from aplt.runs.suggest import suggest as suggest_clips

    table = suggest_clips(source, number, strategy)
    write_index(table, Path(), output)
    rest = ", all that are unlabeled" if len(table) < number else ""
    say(f"{output}: {counted(len(table), 'clip')} to label next{rest}")
    for row in table.head(5).itertuples():
        say(f"  {row.id}: {row.reason}")
