"""A comparison from its plan to its tables: trains what is missing and writes what is known after every cell."""

import time
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aplt.compare.cells import Cell
from aplt.compare.checks import seen_from
from aplt.compare.comparison import command_lines
from aplt.compare.estimate import kind, seconds_by_trial, seconds_each
from aplt.compare.page import write_comparison
from aplt.compare.plan import Plan
from aplt.compare.table import cell_row, known_rows, missing_column, write_cells, write_failed
from aplt.compare.work import CellError, train_cell
from aplt.display import Bar, console, counted, whole_bar
from aplt.errors import InputError
from aplt.lock import await_release
from aplt.parallel import ProcessKilledError, as_they_finish
from aplt.report.tables import read_csv
from aplt.report.words import duration
from aplt.rundir import CompareDir
from aplt.runs.begin import changed_setting
from aplt.storage import sweep, write_text

MOST_NAMED = 5
ORPHAN_SECONDS = 10.0
"""How long a process may train on that a killed command has left behind: it notices in a moment, between two steps."""
PAGE_REST = 20
"""Tables and page are written again after as many times what that took last: it grows with the number of cells."""


class FailedError(InputError):
    """Some cells could not be trained; all others are, and the tables tell of these."""


class Study:
    """The cells of a plan in a folder, and the rows of those that are finished."""

    def __init__(self, plan: Plan, cells: Sequence[Cell], folder: CompareDir, jobs: int) -> None:
        self.plan, self.cells, self.folder, self.jobs = plan, cells, folder, jobs
        known = known_rows(folder)
        found = ((cell.path, known.get((self._name(cell), cell.digest)) or _row(cell, folder)) for cell in cells)
        self.rows = {path: row for path, row in found if row is not None}
        self.failed: dict[Path, CellError] = {}
        self.tried: dict[Path, float] = {}
        self.begun: dict[Path, float] = {}
        self.page_due = 0.0

    @property
    def left(self) -> list[Cell]:
        """The cells that are neither finished nor have failed."""
        return [cell for cell in self.cells if cell.path not in self.rows and cell.path not in self.failed]

    @property
    def lost(self) -> list[str]:
        """The run folders, seen from the comparison's, of finished cells that the plan takes from the tables."""
        listed = read_csv(self.folder.cells, ("run",))["run"].tolist() if self.folder.found else []
        listed += [self._name(cell) for cell in self.left if cell.run.result.exists()]
        kept = {self._name(cell) for cell in self.cells if cell.path in self.rows}
        return [name for name in dict.fromkeys(listed) if name not in kept]

    def require_kept(self) -> None:
        """Refuses a plan that would take finished cells from the tables, or train them anew over what they left.

        Raises:
            InputError: names the cells.
        """
        lost = self.lost
        if not lost:
            return
        missing = missing_column(self.folder) if self.folder.found else None
        why = (
            f"{self.folder.cells} lacks the column '{missing}', so that its rows count only with their run folders, "
            "which are not there or of other settings, clips or splits"
            if missing
            else f"{self.folder.path} holds finished cells that are not part of this comparison or have other "
            "settings, clips or splits in it"
        )
        advice = "choose another folder with --output, or give them up with --replace"
        raise InputError(f"{why}: {_first(lost)}{self._difference(lost)}; {advice}")

    def _difference(self, lost: Sequence[str]) -> str:
        """Returns in brackets what sets finished cells apart from those of the plan, as far as the folder tells."""
        changed = [changed_setting(cell.config, cell.run) for cell in self.left if self._name(cell) in lost]
        told = next((text for text in changed if text), None)
        if told is None and self.folder.found:
            table = read_csv(self.folder.cells, ("run",))
            others = set(table["version"][table["run"].isin(lost)]) if "version" in table else set()
            if others - {version("aplt")}:
                told = f"cells of aplt {', '.join(sorted(others))}; this is {version('aplt')}"
        return f" ({told})" if told else ""

    def try_out(self) -> None:
        """Learns from a trial how long the cells take of whose kind none is finished.

        Raises:
            InputError: none can be trained, and none is finished; names a cell.
        """
        known = {kind(cell) for cell, _ in self._finished()}
        unknown = [cell for cell in self.left if kind(cell) not in known]
        if unknown:
            self.tried, failed = seconds_by_trial(unknown, self.jobs)
            if not (self.tried or self.rows):
                raise failed[0]

    def seconds_left(self) -> float | None:
        """Returns about how long the rest takes, less what cells under way have taken so far; None if nothing tells."""
        left = self.left
        if not left or not (self.rows or self.tried):
            return None
        now = time.monotonic()
        spent = (now - self.begun.get(cell.path, now) for cell in left)
        each = zip(seconds_each(left, self._finished(), self.tried), spent, strict=True)
        return sum(max(0.0, seconds - so_far) for seconds, so_far in each) / min(self.jobs, len(left))

    def run(self, commands: Sequence[str]) -> None:
        """Trains the cells that are left; the `commands` that led here go into the plan's file.

        Raises:
            FailedError: cells cannot be trained; names them. The others are finished, and the same again tries these.
                The folder keeps the names and the reasons.
            InputError: a process was killed.
        """
        sweep([self.folder.path])
        plan = seen_from(self.plan, self.folder.path)
        write_text(self.folder.plan, f"{command_lines(commands)}{plan.to_yaml()}")
        for cell in self.cells:
            if not cell.run.report.exists() and cell.finished:  # a kill came between the result and it
                _, error = _train(cell, jobs=1)
                if error:
                    self.failed[cell.path] = error
        self._write_cells()
        self._write_page()
        try:
            self._train()
        except ProcessKilledError as error:
            running = "; ".join(map(str, self.left[: self.jobs]))
            raise InputError(f"{error}; under way were: {running}") from error
        finally:
            self._write_page()
        if self.failed:
            count = f"{len(self.failed)} cells failed: " if len(self.failed) > 1 else ""
            more = f"; see {self.folder.failed}" if any(error.trace for error in self.failed.values()) else ""
            raise FailedError(count + _first([str(error) for error in self.failed.values()]) + more)

    def _train(self) -> None:
        for cell in self.left:
            await_release(cell.run.lock, ORPHAN_SECONDS)
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
                    self._write_cells()
                    progress.line(f"failed: {error}")
                else:
                    self.rows[cell.path] = cell_row(cell, self.folder)
                    self._write_cells()
                    if time.monotonic() > self.page_due:
                        self._write_page()
                    progress.line(f"{cell}: test accuracy {self.rows[cell.path]['top1']:.1%}")
                progress.advance()
                self._tell(progress)

    def _finished(self) -> list[tuple[Cell, float]]:
        return [(cell, self.rows[cell.path]["seconds"]) for cell in self.cells if cell.path in self.rows]

    def _name(self, cell: Cell) -> str:
        return cell.path.relative_to(self.folder.path).as_posix()

    def _tell(self, progress: Bar) -> None:
        """Says what is going on: cells are begun in their order."""
        running = self.left[: self.jobs]
        for cell in running:
            self.begun.setdefault(cell.path, time.monotonic())
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        progress.text(f"cells: {running[0]}{others}" if running else "cells")
        progress.left(self.seconds_left())

    def _write_cells(self) -> None:
        write_cells(self.folder, [self.rows[cell.path] for cell in self.cells if cell.path in self.rows])
        write_failed(self.folder, list(self.failed.values()))

    def _write_page(self) -> None:
        begun = time.monotonic()
        write_comparison(self.folder.path)
        ended = time.monotonic()
        self.page_due = ended + PAGE_REST * (ended - begun)


def announce(study: Study) -> None:
    """Says how many cells there are and, where that is known, about how long they take; and what to know of them."""
    jobs = f" with {study.jobs} jobs" if study.jobs > 1 else ""
    done = f", {len(study.rows)} of them finished" if study.rows else ""
    seconds = study.seconds_left()
    about = "" if seconds is None else f"; about {duration(seconds)}{jobs} to go"
    console.print(f"{counted(len(study.cells), 'cell')}{done}{about}", soft_wrap=True)
    remarks: dict[str, str] = {}
    for cell in study.cells:
        if cell.remark:
            remarks.setdefault(cell.dataset, cell.remark)
    for dataset, remark in remarks.items():
        console.print(f"{dataset}: {remark}", soft_wrap=True)
    lost = study.lost
    if lost:
        to_train = {cell.path for cell in study.left}
        anew = [name for name in lost if study.folder.path / name in to_train]
        for names, fate in (
            ([name for name in lost if name not in anew], "the tables go without them, any run folders stay"),
            (anew, "trained anew in the same folders"),
        ):
            if names:
                gone = f"{counted(len(names), 'finished cell')} to be given up: {_first(names)}"
                console.print(f"{gone}; {fate}", soft_wrap=True)
    others = sorted({row["version"] for row in study.rows.values()} - {version("aplt")})
    if others:
        console.print(f"finished cells are of aplt {', '.join(others)}, new ones of {version('aplt')}", soft_wrap=True)


def _row(cell: Cell, folder: CompareDir) -> dict[str, Any] | None:
    """Returns the row of a cell whose run folder holds its result; None of one that is not finished."""
    try:
        return cell_row(cell, folder) if cell.finished else None
    except InputError as error:
        raise InputError(f"{cell}: {error}; remove {cell.path} to train it anew") from error
    except KeyError as error:
        raise InputError(f"{cell}: its results lack {error}; remove {cell.path} to train it anew") from error


def _train(cell: Cell, jobs: int) -> tuple[Cell, CellError | None]:
    return cell, train_cell(cell.config, cell.run, cell.digests, str(cell), jobs)


def _first(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return "; ".join(texts[:MOST_NAMED]) + more
