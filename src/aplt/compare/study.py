"""A comparison from its plan to its tables: trains what is missing and writes what is known after every cell."""

from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from aplt.compare.cells import Cell
from aplt.compare.estimate import seconds_by_trial, seconds_each
from aplt.compare.table import cell_row, write_cells
from aplt.compare.work import train_cell
from aplt.display import console, whole_bar
from aplt.errors import InputError
from aplt.parallel import as_they_finish
from aplt.plan import Plan, share_text
from aplt.report.comparison_page import write_comparison
from aplt.report.tables import read_csv
from aplt.report.words import duration
from aplt.rundir import CompareDir, write_text

MOST_NAMED = 5


class Study:
    """The cells of a plan in a folder, and the rows of those that are finished."""

    def __init__(self, plan: Plan, cells: Sequence[Cell], folder: CompareDir, jobs: int) -> None:
        self.plan, self.cells, self.folder, self.jobs = plan, cells, folder, jobs
        self.rows = {cell.path: cell_row(cell, folder) for cell in cells if cell.finished}
        self.tried: dict[Path, float] = {}

    @property
    def left(self) -> list[Cell]:
        """The cells that are not finished."""
        return [cell for cell in self.cells if cell.path not in self.rows]

    def require_kept(self) -> None:
        """Refuses a plan that would take finished cells from the tables, or train them anew over what they left.

        Raises:
            InputError: names the cells.
        """
        listed = read_csv(self.folder.cells, ("run",))["run"].tolist() if self.folder.found else []
        listed += [self._name(cell) for cell in self.left if cell.run.result.exists()]
        kept = {self._name(cell) for cell in self.cells if cell.path in self.rows}
        lost = [name for name in dict.fromkeys(listed) if name not in kept]
        if lost:
            more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
            raise InputError(
                f"{self.folder.path} holds finished cells that are not part of this comparison or have other settings, "
                f"clips or splits in it: {', '.join(lost[:MOST_NAMED])}{more}; choose another folder with --output, or "
                "give them up with --replace"
            )

    def seconds_left(self) -> float:
        """Returns about how long the rest takes; without a finished cell a trial of each method tells.

        Raises:
            InputError: a method cannot be trained; names the cell.
        """
        left = self.left
        if not self.rows and not self.tried:
            self.tried = seconds_by_trial(left, self.jobs)
        each = seconds_each(left, list(self.rows.values()), self.tried)
        return sum(each) / min(self.jobs, max(1, len(left)))

    def run(self, command: str) -> None:
        """Trains the cells that are left; `command` goes into the plan's file.

        Raises:
            InputError: a cell cannot be trained; names it. The others stay, and the same again goes on from there.
        """
        write_text(self.folder.plan, f"# {' '.join(command.split())}\n{self.plan.to_yaml()}")
        self._write()
        work = partial(_train, jobs=self.jobs)
        try:
            with (
                as_they_finish(work, self.left, self.jobs) as finished,
                whole_bar("cells", len(self.cells)) as progress,
            ):
                progress.advance(len(self.rows))
                progress.text(self._running())
                for cell in finished:
                    self.rows[cell.path] = cell_row(cell, self.folder)
                    self._write()
                    progress.advance()
                    progress.line(f"{cell}: test accuracy {self.rows[cell.path]['top1']:.1%}")
                    progress.text(self._running())
        except BrokenProcessPool as error:
            raise InputError(
                f"{self.folder.path}: a process that trained a cell was killed, perhaps for want of memory; the same "
                "command goes on from there"
            ) from error

    def _name(self, cell: Cell) -> str:
        return cell.path.relative_to(self.folder.path).as_posix()

    def _running(self) -> str:
        """Returns what is going on: cells are begun in their order."""
        left = self.left
        if not left:
            return "cells"
        names = "; ".join(f"{cell.method} {share_text(cell.labeled)} seed {cell.seed}" for cell in left[: self.jobs])
        about = f", {duration(self.seconds_left())} left" if self.rows or self.tried else ""
        return f"cells{about}: {names}"

    def _write(self) -> None:
        write_cells(self.folder, [self.rows[cell.path] for cell in self.cells if cell.path in self.rows])
        write_comparison(self.folder.path)


def announce(study: Study) -> None:
    """Says how many cells there are and about how long they take."""
    count, left = len(study.cells), study.left
    jobs = f" with {study.jobs} jobs" if study.jobs > 1 else ""
    done = f", {count - len(left)} of them finished" if study.rows else ""
    about = f"; about {duration(study.seconds_left())}{jobs} to go" if left else ""
    console.print(f"{count} cells{done}{about}", soft_wrap=True)


def _train(cell: Cell, jobs: int) -> Cell:
    train_cell(cell.config, cell.run, str(cell), jobs)
    return cell
