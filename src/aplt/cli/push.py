"""`aplt push`: a trained model on the Hugging Face Hub."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say


def push(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/NAME.")],
    repository: Annotated[str, typer.Argument(help="NAMESPACE/NAME on the Hub; made if it is not there.")],
    private: Annotated[bool, typer.Option("--private", help="Make it a private one.")] = False,
    license_: Annotated[
        str | None, typer.Option("--license", help="Of the weights, such as apache-2.0; yours to choose.")
    ] = None,
) -> None:
    """Put a run's model on the Hugging Face Hub, with a model card written from the run.

    Log in before with `hf auth login`. The card is README.md in the run's model folder: edit it and push again.
    """
    from aplt import library

    say(library.push(run, repository, private=private, license=license_))
