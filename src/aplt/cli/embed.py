"""`aplt embed`: every clip's features by a frozen encoder, once."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say
from aplt.cli.stopping import stoppable


def embed(
    clips: Annotated[Path, typer.Argument(help="clips.csv or a folder of clips.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write: the bank.")],
    encoder: Annotated[
        str, typer.Option(help="A name, package.module:name of your own, or the folder of a trained run.")
    ],
    encoder_weights: Annotated[str | None, typer.Option(help="Published weights, such as DEFAULT.")] = None,
    views: Annotated[int, typer.Option(min=1, help="Weak and strong views of each clip, so many of each.")] = 4,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of input or encoder_settings. Repeatable.")
    ] = None,
) -> None:
    """Compute the features of every clip by a frozen encoder, to train on these in seconds.

    The same command continues one that was stopped. Then: aplt train BANK, aplt compare BANK.
    """
    from aplt.runs.embed import describe
    from aplt.runs.embed import embed as embed_clips
    from aplt.settings import parse_assignments

    settings = parse_assignments(set_ or [])
    with stoppable(lambda: "; the same command continues it"):
        bank = embed_clips(clips, encoder, weights=encoder_weights, settings=settings, views=views, folder=output)
    say(describe(bank))
