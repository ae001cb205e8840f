"""What a process does with a cell."""

import traceback

import torch

from aplt.config import RunConfig
from aplt.display import counted, show_nothing
from aplt.errors import InputError
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.runs.begin import train_or_reuse


class CellError(InputError):
    """Why a cell cannot be trained; the message begins with its name."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace
        """The traceback of what is no fault of the user's."""


def train_cell(config: RunConfig, run: RunDir, made_of: dict[str, str], name: str, jobs: int) -> CellError | None:
    """Trains a cell unless its run is there, and writes the run's report; returns the reason if that fails.

    `made_of` are the digests of index and split that it was planned with. With several `jobs` this process is one of
    these and leaves the terminal to its parent.
    """
    if jobs > 1:
        show_nothing()
    try:
        train_or_reuse(config, run, made_of)
        run.drop_checkpoint()  # nothing reads it any more, and those of a large model would fill a disk
        write_report(run.path)
    except InputError as error:
        return CellError(f"{name}: {error}")
    except torch.OutOfMemoryError as error:
        beside = f" (beside {counted(jobs - 1, 'other job')})" if jobs > 1 else ""
        return CellError(f"{name}: {str(error).partition('. ')[0]}{beside}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the other cells of a long study go on
        text = " ".join(str(error).split())
        return CellError(f"{name}: {type(error).__name__}: {text}", traceback.format_exc())
    return None
