"""`aplt corrections`: what several people said of the same clips, in one table."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say


def corrections(
    tables: Annotated[list[Path], typer.Argument(help="Tables that `aplt review` wrote, one or several.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write; what it has already is kept.")],
) -> None:
    """Merge the corrections of several people, and tell how far they agree and what is to be settled.

    `aplt review RUN --corrections TABLE` shows what is to be settled.
    """
    from aplt.cli.overwriting import require_own
    from aplt.display import counted
    from aplt.runs.reviews import COLUMNS, agreements, merged, read_corrections, reviews_of, spoken
    from aplt.storage import mode, write_csv

    require_own(output, COLUMNS, [])
    # Its own rows, too: people may have settled there what they disagreed on.
    words = merged([*tables, output] if mode(output) else tables)
    write_csv(output, words)
    reviews = reviews_of(words)
    people = ", ".join(dict.fromkeys(words["by"]))
    say(f"{output}: {counted(len(words), 'correction')} of {counted(len(reviews), 'clip')} by {people or 'nobody'}")
    for agreement in agreements(reviews):
        say(str(agreement))
    disputed = read_corrections(output)[1]
    say(f"{counted(len(disputed), 'disagreement')} to settle{':' * bool(disputed)}")
    for id_, said in disputed.items():
        say(f"  {id_}: {spoken(said)}")
