"""`aplt`: the command line's entry, and what happens to an error."""

import sys

import typer

from aplt.cli import clips, runs
from aplt.cli.demo import demo
from aplt.errors import InputError

app = typer.Typer(
    help="Semi-supervised micro-action recognition: clips and a few labels in, a recognizer and its evidence out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    demo,
    clips.index,
    clips.check,
    clips.split,
    runs.train,
    runs.evaluate,
    runs.predict,
    runs.report,
    runs.recipes,
):
    app.command()(verb)


def main() -> None:
    """Runs the command line; an error in what the user gave is one sentence and exit status 2."""
    try:
        app()
    except InputError as error:
        print(f"aplt: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("aplt: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
