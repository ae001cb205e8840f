"""`aplt`: the command line's entry, and what happens to an error."""

import io
import os
import sys
from typing import Annotated

import typer

from aplt import __version__
from aplt.cli.check import check
from aplt.cli.compare import compare
from aplt.cli.corrections import corrections
from aplt.cli.demo import demo
from aplt.cli.embed import embed
from aplt.cli.encoders import encoders
from aplt.cli.evaluate import evaluate
from aplt.cli.export import export
from aplt.cli.index import IndexCommand, index
from aplt.cli.labels import labels
from aplt.cli.loop import loop
from aplt.cli.pose import pose
from aplt.cli.predict import predict
from aplt.cli.printing import remark, say
from aplt.cli.push import push
from aplt.cli.recipes import recipes
from aplt.cli.report import report
from aplt.cli.review import review
from aplt.cli.split import split
from aplt.cli.suggest import suggest
from aplt.cli.train import train
from aplt.errors import InputError

app = typer.Typer(
    help="Train a recognizer of small human movements from many short clips and labels for only a few of them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        say(f"aplt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command()(demo)
app.command(cls=IndexCommand)(index)
before, after = (
    (pose, check, split, embed, train, compare),
    (evaluate, predict, labels, suggest, review, corrections, loop, report, export, push),
)
for verb in (*before, *after, recipes, encoders):
    app.command()(verb)


def main() -> None:
    """Runs the command line; an error in what the user gave is one sentence and exit status 2."""
    _replace_unprintable()
    try:
        try:
            app()
        finally:
            _flush()
    except InputError as error:
        _fail(str(error))
    except BrokenPipeError:
        sys.exit(1)  # the reader has closed the pipe, as in `aplt recipes | head -1`
    except OSError as error:
        # Without an errno it comes from a loader process, as a traceback whose last line says what it is.
        why = error.strerror or (str(error).strip().splitlines() or [type(error).__name__])[-1]
        _fail(why if error.filename is None else f"{error.filename}: {why}")


def _fail(sentence: str) -> None:
    remark(" ".join(sentence.splitlines()))
    sys.exit(2)


def _replace_unprintable() -> None:
    """Lets output go on where the terminal cannot show a name, as Python itself does for standard error only."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _flush() -> None:
    """Writes what was printed, while an error can still be caught; what cannot be written is given up."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


if __name__ == "__main__":
    main()
