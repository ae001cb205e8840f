"""Progress for a person at a terminal; where the output is no terminal, only lines that end."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

# Progress goes to standard error: standard output is for what a script may want to read.
console = Console(stderr=True, highlight=False)


class Bar:
    """One progress bar: `advance` it, give it a new `text`, print `line`s above it."""

    def __init__(self, progress: Progress, text: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=total)

    def advance(self, count: int = 1) -> None:
        """Moves on by `count`."""
        self._progress.advance(self._task, count)

    def at(self, done: int, total: int) -> None:
        """Moves to `done` of `total`."""
        self._progress.update(self._task, completed=done, total=total)

    def text(self, text: str) -> None:
        """Says what is going on."""
        self._progress.update(self._task, description=text)

    @contextmanager
    def part(self, text: str, total: int | None = None) -> Iterator["Bar"]:
        """Shows another bar below, for a part of the work, while the block runs."""
        part = Bar(self._progress, text, total)
        yield part
        self._progress.remove_task(part._task)

    def line(self, text: str) -> None:
        """Prints a line that stays."""
        self._progress.console.print(text, soft_wrap=True)


@contextmanager
def bar(text: str, total: int | None = None) -> Iterator[Bar]:
    """Shows a progress bar with an estimate of the time left while the block runs; nothing when piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        yield Bar(progress, text, total)
