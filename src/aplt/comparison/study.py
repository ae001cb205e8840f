"""A comparison from its plan to its tables: trains what is missing and writes what is known after every cell."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace as changed
from functools import cache
from pathlib import Path
from statistics import fmean

from aplt.comparison.cells import Cell, plan_cells
from aplt.comparison.launchers import PATIENCE, Launch
from aplt.comparison.page import write_comparison
from aplt.comparison.plan import Plan, seen_from
from aplt.comparison.record import CompareDir, Row, read_failed, read_rows, write_failed, write_rows
from aplt.comparison.results import Comparison, read_comparison, read_plan
from aplt.comparison.work import CellError
from aplt.data.index import read_index
from aplt.display import Bar, console, counted, whole_bar
from aplt.errors import InputError
from aplt.lock import held
from aplt.parallel import ProcessKilledError
from aplt.report.words import duration
from aplt.storage import sweep, write_text

MOST_NAMED = 5
WAIT = 30.0
"""Seconds for which a process that has a part of a plan waits for another one that writes the tables."""
PAGE_REST = 20
"""Tables and page are written again after as many times what that took last: it grows with the number of cells."""


class FailedError(InputError):
    """Some cells could not be trained; all others are, and the tables show these."""


def part_of(text: str) -> slice:
    """Returns which cells of a plan are meant by i/n, the i-th of n parts: i, i+n, and so on, counted from 1."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--only {text}: expected a part and the number of parts, such as 1/3, 2/3 or 3/3")
    return slice(int(number) - 1, None, int(count))


def compare(
    plan: Plan,
    folder: CompareDir,
    *,
    launch: Launch | None = None,
    part: slice | None = None,
    replace: bool = False,
    command: str | None = None,
) -> Comparison:
    """Trains the cells of a plan that are missing in a folder, writes tables and page, and returns what they show.

    Arguments are those of `aplt.compare`; of the cells only a `part` is trained, while other processes may train
    others; `command` is the command line that asks for this, to be kept in the plan.

    Raises:
        FailedError: cells could not be trained; names them. All others are finished, and the same again tries these.
        InputError: the plan, its clips or a setting is not usable; the folder holds finished cells that are not
            of this plan, or another process is at work in it.
    """
    if folder.path.is_file():
        raise InputError(f"{folder.path}: expected a folder for the comparison, found a file")
    cells = plan_cells(plan, folder)
    with ExitStack() as lock:
        if not lock.enter_context(held(folder.lock, 0 if part is None else WAIT)):
            raise InputError(f"{folder.path}: another process is at work on this comparison; wait for it")
        study = Study(plan, cells, folder, launch or Launch(), part)
        if not replace:
            study.require_fit()
        before = plan.commands or (_commands(folder) if study.rows or part else ())
        commands = dict.fromkeys([*before, *([command] if command else [])])
        study.plan = plan.model_copy(update={"commands": tuple(commands)})
        study.announce()
        if part is not None:
            study.write_plan()
            lock.close()
        study.run()
    return read_comparison(folder.path)


class Study:
    """The cells of a plan in a folder, and the rows of those that are finished.

    Of the cells, `part` are trained here; unless it is None, other processes train others and write the same tables.
    """

    def __init__(
        self, plan: Plan, cells: Sequence[Cell], folder: CompareDir, launch: Launch, part: slice | None
    ) -> None:
        self.plan, self.cells, self.folder = plan, cells, folder
        self.alone, self.own = part is None, cells[part or slice(None)]
        self.launch = changed(launch, patience=0 if self.alone else PATIENCE)
        self.truth = cache(lambda clips: read_index(clips).known)
        self.rows: dict[Path, Row] = {}
        self.failed: dict[Path, CellError] = {}
        self.page_due = 0.0
        self._look()

    def _look(self) -> None:
        """Finds the rows of finished cells: in compare.csv, else in their run folders."""
        self.known = read_rows(self.folder) if self.folder.found else []
        by_cell = {(row.run, row.digest): row for row in self.known}
        for cell in self.cells:
            if cell.path not in self.rows:
                row = by_cell.get((self._name(cell), cell.digest)) or self._of_run(cell)
                if row is not None:
                    self.rows[cell.path] = row

    @property
    def left(self) -> list[Cell]:
        """The cells to be trained here that are neither finished nor have failed."""
        return [cell for cell in self.own if cell.path not in self.rows and cell.path not in self.failed]

    def require_fit(self) -> None:
        """Refuses a plan that would take finished cells from the tables, or train others in their folders."""
        planned = {self._name(cell) for cell in self.cells}
        kept = {self._name(cell) for cell in self.cells if cell.path in self.rows}
        others = [row.run for row in self.known if row.run not in kept]
        others += [
            self._name(cell)
            for cell in self.cells
            if cell.path not in self.rows and cell.run.result.exists() and not cell.finished
        ]
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
        if not left or not done or self.launch.launcher != "local":  # a cluster grows and shrinks
            return None
        seconds: dict[tuple[str, ...], list[float]] = {}
        for row in done:
            for kind in ((row.dataset, row.method), (row.dataset,), ()):
                seconds.setdefault(kind, []).append(row.seconds)
        kinds = [((cell.key.dataset, cell.key.method), (cell.key.dataset,), ()) for cell in left]
        each = [fmean(next(seconds[kind] for kind in those if kind in seconds)) for those in kinds]
        return sum(each) / min(self.launch.jobs, len(left))

    def announce(self) -> None:
        """Says how many cells there are, about how long they take where that is known, and what to know about clips."""
        here = "" if len(self.own) == len(self.cells) else f"{len(self.own)} of "
        cells = f"{here}{counted(len(self.cells), 'cell')} (a cell is one training)"
        jobs = f" with {self.launch.jobs} jobs" if self.launch.jobs > 1 else ""
        finished = self._finished()
        done = f", {finished} of them finished" if finished else ""
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
        if self.alone:
            sweep([self.folder.path])
            self.write_plan()
        self._write(page=True)
        try:
            self._train()
        except ProcessKilledError as error:
            running = "; ".join(map(str, self.left[: self.launch.jobs]))
            raise InputError(f"{error}; under way were: {running}") from error
        finally:
            self._write(page=True)
        if self.failed:
            texts = [str(error) for error in self.failed.values()]
            count = f"{len(texts)} cells failed: " if len(texts) > 1 else ""
            others = f"; and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
            see = f"; see {self.folder.failed}" if any(error.trace for error in self.failed.values()) else ""
            raise FailedError(count + "; ".join(texts[:MOST_NAMED]) + others + see)

    def write_plan(self) -> None:
        """Writes compare.yaml."""
        write_text(self.folder.plan, seen_from(self.plan, self.folder.path).to_yaml())

    def _train(self) -> None:
        with self.launch(self.left, self.folder) as finished, whole_bar("cells", len(self.own)) as progress:
            progress.advance(self._finished())
            self._tell(progress)
            for cell, result in finished:
                if isinstance(result, CellError):
                    self.failed[cell.path] = result
                    progress.line(f"failed: {result}")
                else:
                    self.rows[cell.path] = result
                    progress.line(f"{cell}: test accuracy {result.top1:.1%}")
                self._write(page=time.monotonic() > self.page_due)
                progress.advance()
                self._tell(progress)

    def _finished(self) -> int:
        return sum(cell.path in self.rows for cell in self.own)

    def _of_run(self, cell: Cell) -> Row | None:
        """Returns the row of a cell whose run folder is complete: the report is written last."""
        try:
            complete = cell.run.report.exists() and cell.finished
            return cell.row(self.folder, self.truth(cell.config.clips)) if complete else None
        except InputError as error:
            raise InputError(f"{cell}: {error}; remove {cell.path} to train it again") from error

    def _name(self, cell: Cell) -> str:
        return cell.path.relative_to(self.folder.path).as_posix()

    def _tell(self, progress: Bar) -> None:
        """Says what is going on: on this machine, cells are begun in their order."""
        running = self.left[: self.launch.jobs] if self.launch.launcher == "local" else []
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        progress.text(f"cells: {running[0]}{others}" if running else "cells")
        progress.left(self.seconds_left())

    def _write(self, *, page: bool) -> None:
        """Writes rows and reasons, and with `page` tables and page, after a look at what others have finished."""
        with nullcontext(True) if self.alone else held(self.folder.lock, WAIT) as ours:
            if not ours:
                console.print(f"{self.folder.path}: another process is at work here and writes the tables")
                return
            failed = [(str(error), error.trace) for error in self.failed.values()]
            if not self.alone:
                self._look()
                settled = {str(cell) for cell in self.cells if cell.path in self.rows} | set(map(str, self.own))
                known = tuple(f"{name}: " for name in settled)
                failed += [one for one in read_failed(self.folder) if not one[0].startswith(known)]
            write_rows(self.folder, [self.rows[cell.path] for cell in self.cells if cell.path in self.rows])
            write_failed(self.folder, failed)
            if page:
                self._write_page()

    def _write_page(self) -> None:
        begun = time.monotonic()
        write_comparison(self.folder.path)
        ended = time.monotonic()
        self.page_due = ended + PAGE_REST * (ended - begun)


def _commands(folder: CompareDir) -> tuple[str, ...]:
    """Returns the command lines that the plan in a folder keeps; none of a plan that cannot be read."""
    with suppress(InputError):
        return read_plan(folder).commands
    return ()
