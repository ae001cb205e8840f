"""`aplt review`: clips in the browser, to be labeled for a first run, or looked at and corrected after one."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aplt.cli.printing import remark, say
from aplt.errors import InputError, suggest

if TYPE_CHECKING:
    from aplt.review.journal import Journal
    from aplt.review.wall import Wall

SHOWN = (
    "all",
    "unlabeled",
    "labeled",
    "suggested",
    "changed",
    "disagree",
    "suspected",
    "novel",
    "disputed",
    "said",
    "unsaid",
)
LOOPBACK = ("127.0.0.1", "localhost")


def review(
    source: Annotated[
        Path, typer.Argument(help="Folder of a finished run; for the very first labels clips.csv or a folder of clips.")
    ],
    corrections: Annotated[
        Path | None,
        typer.Option(help="Table that labels are added to; by default corrections.csv in the run, or in clips-review."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who reviews; by default the name of this account.")] = None,
    show: Annotated[
        str | None,
        typer.Option(
            help=f"Which clips to begin with: {', '.join(SHOWN)}; by default all, without a run those suggested."
        ),
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Of this class alone; given twice, two classes side by side.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8642,
    host: Annotated[str, typer.Option(help="Address to serve on; by default this machine alone.")] = "127.0.0.1",
) -> None:
    """Look at clips in the browser: accept and correct a run's labels, or give the very first ones.

    `aplt train --from RUN --corrections CSV --name NEXT` goes on from a run, `aplt train CLIPS --corrections CSV
    --name FIRST` begins with the first labels.
    """
    import secrets

    from aplt.display import counted
    from aplt.reference import installed
    from aplt.rundir import RunDir
    from aplt.storage import absolute, mode, naming

    installed("uvicorn", "review")
    installed("starlette", "review")
    from aplt.review.journal import Journal
    from aplt.review.wall import Wall

    if host in ("0.0.0.0", "::"):
        raise InputError(f"--host {host} is any address; name the one by which others call this machine")
    run, who = RunDir(source), by or user()
    if run.config.exists():
        table = corrections or source / "corrections.csv"
        wall = Wall.of(run)
    else:
        folder = absolute(source).parent / f"{source.resolve().stem}-review"
        table = corrections or folder / "corrections.csv"
        if mode(table):
            Journal(table, who)  # drops a row that a kill cut short
        wall = Wall.first(source, folder, table)
        with naming(folder):
            folder.mkdir(exist_ok=True)
    view = filters(show or ("all" if wall.modeled else "suggested"), classes or [], wall.index.class_names)
    journal = Journal(table, who)
    if host not in LOOPBACK:
        remark(f"anybody who reaches {host} and has this address can see the clips and change labels")
    there = f"{len(journal.now)} so far by {journal.by}"
    say(f"{counted(len(wall.ids), 'clip')}; corrections go to {journal.path}, {there}")
    serve(wall, journal, host, port, secrets.token_urlsafe(16), view)


def serve(
    wall: "Wall", journal: "Journal", host: str, port: int, token: str, view: str, *, until_trained_on: bool = False
) -> int:
    """Serves the page until Ctrl-C, or until its button to train on is pressed; returns the port that it was on.

    `view` follows in the address: see `filters`.
    """
    import socket

    import uvicorn

    from aplt.review.media import Media
    from aplt.review.server import review_app

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise InputError(f"--port {port} on {host}: {error.strerror}; --port 0 takes a free one") from error
    port = listening.getsockname()[1]
    hosts = names_of(host, port)
    app = review_app(
        wall,
        journal,
        Media(wall.run.path / "films"),
        token=token,
        hosts=hosts,
        train_on=(lambda: setattr(server, "should_exit", True)) if until_trained_on else None,
    )
    say(f"http://{hosts[0]}/?token={token}{view}   (end with Ctrl-C)")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    server.run(sockets=[listening])
    return port


def names_of(host: str, port: int) -> tuple[str, ...]:
    """Returns what browsers call the server: in small letters, and without the port that http has anyway."""
    names = LOOPBACK if host in LOOPBACK else (host, *LOOPBACK)
    return tuple(f"{name.lower()}:{port}".removesuffix(":80") for name in names)


def filters(show: str, classes: Sequence[str], names: Sequence[str]) -> str:
    """Returns what follows in the address for the page to begin with these clips; `names` are those of all classes.

    Raises:
        InputError: no such choice, no such class, or more than two.
    """
    if show not in SHOWN:
        raise InputError(f"--show {show}: no such choice{suggest(show, SHOWN)}")
    if len(classes) > 2:
        raise InputError(f"--class: two classes at most can be side by side, found {len(classes)}")
    for name in classes:
        if name not in names:
            raise InputError(f"--class {name}: no such class{suggest(name, names)}")
    chosen = {"which": show} | dict(zip(("class", "beside"), map(names.index, classes), strict=False))
    return "".join(f"&{key}={value}" for key, value in chosen.items() if value != "all")


def user() -> str:
    """Returns the name of the account, by which corrections are kept where nothing else is said."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # an account without an entry, as in some containers
        raise InputError("this account has no name; --by says whose corrections these are") from error
