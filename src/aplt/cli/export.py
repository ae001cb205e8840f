"""`aplt export`: a trained model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from aplt.cli.printing import say


def export(
    run: Annotated[Path, typer.Argument(help="Run folder, such as runs/NAME, or a model folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write: the model and preprocessing.json.")],
    format_: Annotated[str, typer.Option("--format", help="onnx, or torch_export.")] = "onnx",
) -> None:
    """Write a trained model as one file that needs no aplt, and beside it how clips become what it takes."""
    from aplt import library

    difference = library.export(run, output, format_)
    say(f"{output}: model and preprocessing.json; probabilities differ by {difference:.1g} at most")
