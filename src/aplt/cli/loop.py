"""`aplt loop`: suggest, review and train on, in turn."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aplt.cli.printing import say
from aplt.cli.review import LOOPBACK, serve, user
from aplt.cli.stopping import stoppable
from aplt.errors import InputError

if TYPE_CHECKING:
    from aplt.review.journal import Journal
    from aplt.rundir import RunDir


def loop(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, such as runs/NAME.")],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Clips to look at in each turn.")] = 24,
    turns: Annotated[int | None, typer.Option(min=1, help="End after so many; by default with Ctrl-C.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Which clips, as in `aplt suggest`.")] = None,
    labels_from: Annotated[
        Path | None, typer.Option(help="A table with id and label that answers instead of a person, for a study.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who reviews; by default the name of this account.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0: any that is free.")] = 8642,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the loop; by default RUN-loop.")
    ] = None,
) -> None:
    """Suggest clips, let them be reviewed in the browser, train on, and so forth; draw accuracy by labels so far.

    The same command goes on from where it was stopped.
    """
    import secrets

    from aplt.loop import Loop
    from aplt.reference import installed
    from aplt.review.journal import Journal
    from aplt.rundir import RunDir
    from aplt.storage import neighbor, read_table

    work = Loop(RunDir(run), output or neighbor(run, "-loop"))
    work.require_own()
    _tell(work.first)
    if turns is not None and len(work.runs) > turns:
        say(f"turns of {work.folder}: {len(work.runs) - 1} are over; a larger --turns goes on")
    truth = None
    if labels_from is None:
        installed("uvicorn", "review")
        installed("starlette", "review")
    else:
        table = read_table(labels_from, ("id", "label"))
        truth = dict(zip(table["id"], table["label"], strict=True))
    token = secrets.token_urlsafe(16)
    with stoppable(lambda: "; the same command goes on"):
        while turns is None or len(work.runs) <= turns:
            if not work.training:
                asked = work.suggested(number, strategy)
                if not asked:
                    say("no clip is left to ask about")
                    break
                journal = Journal(work.corrections, by or (labels_from.stem if labels_from else user()))
                if truth is None:
                    from aplt.review.wall import Wall

                    wall = Wall.of(work.runs[-1], tuple(asked))
                    port = serve(wall, journal, LOOPBACK[0], port, token, "&which=suggested", until_trained_on=True)
                else:
                    _answer(journal, asked, truth, labels_from)
            _tell(work.train())
            say(f"accuracy by labels so far: {work.page}")


def _answer(journal: "Journal", asked: list[str], truth: dict[str, str], source: Path | None) -> None:
    from aplt.review.journal import Said

    for id_ in asked:
        if id_ not in truth:
            raise InputError(f"{source}: no clip '{id_}', which is to be labeled")
    left = [id_ for id_ in asked if id_ not in journal.now]
    journal.say((id_, Said("label" if truth[id_] else "none", truth[id_]), "") for id_ in left)


def _tell(run: "RunDir") -> None:
    result = run.read_result()
    figures = "no test clips with a label" if result.test is None else result.test.text()
    say(f"{run.path}: {result.counts.labeled} labeled, {figures}")
