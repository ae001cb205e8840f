"""What a process does with a cell."""

import time
import traceback

import torch

from aplt.comparison.cells import Cell
from aplt.comparison.record import CompareDir, Row
from aplt.data.index import read_index
from aplt.display import counted, show_nothing
from aplt.errors import InputError
from aplt.report import write_report
from aplt.runs.begin import BusyError, train_or_reuse

AGAIN = 1.0
"""Seconds after which it is tried again whether a run folder is free."""


class CellError(InputError):
    """Why a cell cannot be trained; the message begins with its name."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace
        """The traceback of what is no fault of the user's."""


def train_cell(cell: Cell, folder: CompareDir, jobs: int = 1, patience: float = 0.0) -> Row | CellError:
    """Trains a cell unless its run is there, writes the run's report, and returns the row; the reason if that fails.

    With several `jobs` this process is one of these and leaves the terminal to its parent. A run folder in which
    another process trains is waited for: `patience` seconds.
    """
    if jobs > 1:
        show_nothing()
    try:
        _train(cell, time.monotonic() + patience)
        cell.run.drop_checkpoint()  # nothing reads it any more, and those of a large model would fill a disk
        write_report(cell.path)
        return cell.row(folder, read_index(cell.config.clips).known)
    except InputError as error:
        return CellError(f"{cell}: {error}")
    except torch.OutOfMemoryError as error:
        beside = f" (beside {counted(jobs - 1, 'other job')})" if jobs > 1 else ""
        return CellError(f"{cell}: {str(error).partition('. ')[0]}{beside}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the other cells of a long study go on
        text = " ".join(str(error).split())
        return CellError(f"{cell}: {type(error).__name__}: {text}", traceback.format_exc())


def _train(cell: Cell, deadline: float) -> None:
    while True:
        try:
            train_or_reuse(cell.config, cell.run, cell.digests)
        except BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN)
        else:
            return
