"""What a person reads: progress at a terminal (only lines that end where there is none), and counts in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal takes for a command or the end of a line, and what shows the letters after it in another order."""


def plain(text: str, keep: str = "") -> str:
    """Returns text without commands to a terminal, but for those to `keep`: they are shown as Python writes them.

    Names of clips, classes and folders come from others, and may hold anything.
    """
    return COMMANDS.sub(lambda found: found[0] if found[0] in keep else repr(found[0])[1:-1], text)


class PlainConsole(Console):
    """A console that shows every string as `plain` text."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Returns what is shown for a string."""
        return super().render_str(plain(text), **options)


# Progress goes to standard error: standard output is for scripts.
console = PlainConsole(stderr=True, highlight=False, markup=False)  # a name may have [brackets]

WIDE = 20
"""Columns of a terminal that a bar takes."""
BESIDE = WIDE + 35
"""Columns that everything but the text takes: the bar, how many are done, and two times."""


class Bar:
    """One progress bar: `advance` it, give it a new `text`, print `line`s above it."""

    def __init__(self, progress: Progress, text: str, total: int | None, *, lines: bool = True) -> None:
        self._progress, self._lines = progress, lines
        self._task = progress.add_task(plain(text), total=total)

    def advance(self, count: int = 1) -> None:
        """Moves on by `count`."""
        self._progress.advance(self._task, count)

    def at(self, done: int, total: int) -> None:
        """Moves to `done` of `total`."""
        self._progress.update(self._task, completed=done, total=total)

    def text(self, text: str) -> None:
        """Says what is going on."""
        self._progress.update(self._task, description=plain(text))

    def left(self, seconds: float | None) -> None:
        """Says how long the work of a `whole_bar` still takes, which is counted down from here; None: not known."""
        self._progress.update(self._task, ends=None if seconds is None else self._progress.get_time() + seconds)

    @contextmanager
    def part(self, text: str, total: int | None = None) -> Iterator["Bar"]:
        """Shows another bar below, for a part of the work, while the block runs; a part prints no lines."""
        part = Bar(self._progress, text, total, lines=False)
        yield part
        self._progress.remove_task(part._task)

    def line(self, text: str) -> None:
        """Prints a line that stays."""
        if self._lines:
            self._progress.console.print(text, soft_wrap=True)


# The bar of larger work, of which every other bar in this process is a part. Rich could stack displays by itself, but
# a part prints no lines, wherever the lines go.
_whole: Bar | None = None


@contextmanager
def bar(text: str, total: int | None = None) -> Iterator[Bar]:
    """Shows a progress bar with an estimate of the time left while the block runs; nothing when piped.

    While the `whole_bar` of larger work is shown, it is a part of that.
    """
    if _whole is not None:
        with _whole.part(text, total) as part:
            yield part
        return
    with _progress(TimeRemainingColumn()) as progress:
        yield Bar(progress, text, total)


@contextmanager
def whole_bar(text: str, total: int) -> Iterator[Bar]:
    """Shows the bar of work that consists of long parts with bars of their own; `Bar.left` says how long it takes."""
    global _whole
    with _progress(_Left()) as progress:
        _whole = Bar(progress, text, total)
        try:
            yield _whole
        finally:
            _whole = None


class _Left(ProgressColumn):
    """What `Bar.left` has said, less the time since then."""

    def render(self, task: Task) -> Text:
        ends = task.fields.get("ends")
        left = None if ends is None else timedelta(seconds=max(0, int(ends - task.get_time())))
        return Text("" if left is None else f"{left} left", style="progress.remaining")


def share_text(share: float) -> str:
    """Returns a share as it is asked for: '5%'."""
    return f"{100 * share:.6g}%"


def counted(count: int, thing: str, things: str = "") -> str:
    """Returns '1 clip' or '2,000 clips'; `things` is the plural where it is not made by an s."""
    return f"{count:,d} {thing if count == 1 else things or thing + 's'}"


def show_nothing() -> None:
    """Leaves progress in this process to another: no bar is shown and no line printed from now on."""
    global _whole
    _whole = Bar(Progress(disable=True), "", None)


def _progress(*more: ProgressColumn) -> Progress:
    room = Column(no_wrap=True, overflow="ellipsis", max_width=max(WIDE, console.width - BESIDE))
    text = TextColumn("{task.description}", markup=False, table_column=room)
    columns = (text, BarColumn(WIDE), MofNCompleteColumn(), TimeElapsedColumn(), *more)
    return Progress(*columns, console=console, disable=not console.is_terminal)
