"""A comparison from its plan to its tables: trains what is missing and writes what is known after every cell."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from statistics import fmean

from aplt.clips import UNKNOWN
from aplt.comparison.cells import Cell, plan_cells
from aplt.comparison.page import write_comparison
from aplt.comparison.plan import Plan, seen_from
from aplt.comparison.record import CompareDir, Row, cell_row, read_rows, write_failed, write_rows
from aplt.comparison.results import Comparison, read_comparison, read_plan
from aplt.comparison.work import CellError, train_cell
from aplt.data.index import read_index
from aplt.display import Bar, console, counted, whole_bar
from aplt.errors import InputError
from aplt.lock import held
from aplt.parallel import ProcessKilledError, as_they_finish
from aplt.report.words import duration
from aplt.storage import sweep, write_text

MOST_NAMED = 5
PAGE_REST = 20
"""Tables and page are written again after as many times what that took last: it grows with the number of cells."""


class FailedError(InputError):
    """Some cells could not be trained; all others are, and the tables show these."""


def compare(
    plan: Plan, folder: CompareDir, *, jobs: int = 1, replace: bool = False, command: str | None = None
) -> Comparison:
    """Trains the cells of a plan that are missing in a folder, writes tables and page, and returns what they show.

    Arguments are those of `aplt.compare`; `command` is the command line that asks for this, to be kept in the plan.

    Raises:
        FailedError: cells could not be trained; names them. All others are finished, and the same again tries these.
        InputError: the plan, its clips or a setting is not usable; the folder holds finished cells that are not
            of this plan, or another process is at work in it.
    """
    if folder.path.is_file():
        raise InputError(f"{folder.path}: expected a folder for the comparison, found a file")
    cells = plan_cells(plan, folder)
    with held(folder.lock) as ours:
        if not ours:
            raise InputError(f"{folder.path}: another process is at work on this comparison; wait for it")
        study = Study(plan, cells, folder, jobs)
        if not replace:
            study.require_fit()
        before = plan.commands or (_commands(folder) if study.rows else ())
        commands = dict.fromkeys([*before, *([command] if command else [])])
        study.plan = plan.model_copy(update={"commands": tuple(commands)})
        study.announce()
        study.run()
    return read_comparison(folder.path)


class Study:
    """The cells of a plan in a folder, and the rows of those that are finished."""

    def __init__(self, plan: Plan, cells: Sequence[Cell], folder: CompareDir, jobs: int = 1) -> None:
        self.plan, self.cells, self.folder, self.jobs = plan, cells, folder, jobs
        self.known = read_rows(folder) if folder.found else []
        self.truth = cache(_truth)
        by_cell = {(row.run, row.digest): row for row in self.known}
        found = ((cell.path, by_cell.get((self._name(cell), cell.digest)) or self._of_run(cell)) for cell in cells)
        self.rows: dict[Path, Row] = {path: row for path, row in found if row is not None}
        self.failed: dict[Path, CellError] = {}
        self.page_due = 0.0

    @property
    def left(self) -> list[Cell]:
        """The cells that are neither finished nor have failed."""
        return [cell for cell in self.cells if cell.path not in self.rows and cell.path not in self.failed]

    def require_fit(self) -> None:
        """Refuses a plan that would take finished cells from the tables, or train others in their folders."""
        planned = {self._name(cell) for cell in self.cells}
        kept = {self._name(cell) for cell in self.cells if cell.path in self.rows}
        others = [row.run for row in self.known if row.run not in kept]
        others += [self._name(cell) for cell in self.left if cell.run.result.exists() and not cell.finished]
        if others:
            why = (
                "has other settings, clips or labels in this plan"
                if others[0] in planned
                else "is not part of this plan; to add to a comparison, name its methods, shares and seeds, too"
            )
            raise InputError(
                f"{self.folder.path}: the finished training {others[0]} {why}. Choose another folder with --output, or "
                "give up such trainings with --replace"
            )

    def seconds_left(self) -> float | None:
        """Returns about how long the rest takes; None before a cell is finished.

        By the mean of the finished cells of the same data set and method, else of the same data set, else of all.
        """
        left, done = self.left, list(self.rows.values())
        if not left or not done:
            return None
        seconds: dict[tuple[str, ...], list[float]] = {}
        for row in done:
            for kind in ((row.dataset, row.method), (row.dataset,), ()):
                seconds.setdefault(kind, []).append(row.seconds)
        kinds = [((cell.key.dataset, cell.key.method), (cell.key.dataset,), ()) for cell in left]
        each = [fmean(next(seconds[kind] for kind in those if kind in seconds)) for those in kinds]
        return sum(each) / min(self.jobs, len(left))

    def announce(self) -> None:
        """Says how many cells there are, about how long they take where that is known, and what to know about clips."""
        cells = f"{counted(len(self.cells), 'cell')} (a cell is one training)"
        jobs = f" with {self.jobs} jobs" if self.jobs > 1 else ""
        done = f", {len(self.rows)} of them finished" if self.rows else ""
        seconds = self.seconds_left()
        about = "" if seconds is None else f"; about {duration(seconds)}{jobs} to go"
        console.print(f"{cells}{done}{about}", soft_wrap=True)
        remarks = {cell.key.dataset: cell.remark for cell in reversed(self.cells) if cell.remark}
        for dataset in self.plan.datasets:
            if dataset in remarks:
                console.print(f"{dataset}: {remarks[dataset]}", soft_wrap=True)

    def run(self) -> None:
        """Trains the cells that are left.

        Raises:
            FailedError: cells cannot be trained; names them. The folder keeps the names and the reasons.
            InputError: a process was killed.
        """
        sweep([self.folder.path])
        write_text(self.folder.plan, seen_from(self.plan, self.folder.path).to_yaml())
        self._write_rows()
        self._write_page()
        try:
            self._train()
        except ProcessKilledError as error:
            running = "; ".join(map(str, self.left[: self.jobs]))
            raise InputError(f"{error}; under way were: {running}") from error
        finally:
            self._write_page()
        if self.failed:
            texts = [str(error) for error in self.failed.values()]
            count = f"{len(texts)} cells failed: " if len(texts) > 1 else ""
            others = f"; and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
            see = f"; see {self.folder.failed}" if any(error.trace for error in self.failed.values()) else ""
            raise FailedError(count + "; ".join(texts[:MOST_NAMED]) + others + see)

    def _train(self) -> None:
        work = partial(_train, jobs=self.jobs)
        with (
            as_they_finish(work, self.left, self.jobs) as finished,
            whole_bar("cells", len(self.cells)) as progress,
        ):
            progress.advance(len(self.rows))
            self._tell(progress)
            for cell, error in finished:
                if error:
                    self.failed[cell.path] = error
                    progress.line(f"failed: {error}")
                else:
                    with _naming(cell):
                        row = self.rows[cell.path] = self._row(cell)
                    progress.line(f"{cell}: test accuracy {row.top1:.1%}")
                self._write_rows()
                if time.monotonic() > self.page_due:
                    self._write_page()
                progress.advance()
                self._tell(progress)

    def _of_run(self, cell: Cell) -> Row | None:
        """Returns the row of a cell whose run folder is complete: the report is written last."""
        with _naming(cell):
            return self._row(cell) if cell.run.report.exists() and cell.finished else None

    def _row(self, cell: Cell) -> Row:
        truth = self.truth(cell.config.clips)
        about = {"digest": cell.digest, "remark": cell.remark or ""}
        return cell_row(cell.key, cell.config, cell.run, truth, folder=self.folder, **about)

    def _name(self, cell: Cell) -> str:
        return cell.path.relative_to(self.folder.path).as_posix()

    def _tell(self, progress: Bar) -> None:
        """Says what is going on: cells are begun in their order."""
        running = self.left[: self.jobs]
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        progress.text(f"cells: {running[0]}{others}" if running else "cells")
        progress.left(self.seconds_left())

    def _write_rows(self) -> None:
        write_rows(self.folder, [self.rows[cell.path] for cell in self.cells if cell.path in self.rows])
        write_failed(self.folder, [(str(error), error.trace) for error in self.failed.values()])

    def _write_page(self) -> None:
        begun = time.monotonic()
        write_comparison(self.folder.path)
        ended = time.monotonic()
        self.page_due = ended + PAGE_REST * (ended - begun)


def _train(cell: Cell, jobs: int) -> tuple[Cell, CellError | None]:
    return cell, train_cell(cell.config, cell.run, cell.digests, str(cell), jobs)


@contextmanager
def _naming(cell: Cell) -> Iterator[None]:
    """Names the cell in an error about its run folder, and says what to do."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{cell}: {error}; remove {cell.path} to train it again") from error


def _commands(folder: CompareDir) -> tuple[str, ...]:
    """Returns the command lines that the plan in a folder keeps; none of a plan that cannot be read."""
    with suppress(InputError):
        return read_plan(folder).commands
    return ()


def _truth(clips: Path) -> dict[str, str]:
    """Returns the label of each clip by its id, where it is known."""
    index = read_index(clips)
    return {clip.id: index.class_names[clip.label] for clip in index if clip.label != UNKNOWN}
