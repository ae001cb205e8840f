"""What a process does with a cell."""

import torch

from aplt.config import RunConfig
from aplt.display import show_nothing
from aplt.errors import InputError
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.training.runs import train_or_reuse


def train_cell(config: RunConfig, run: RunDir, name: str, jobs: int) -> InputError | None:
    """Trains a cell unless its run is there, and writes the run's report; returns why it cannot be trained, if so.

    With several `jobs` this process is one of these and leaves the terminal to its parent. The error begins with the
    cell's `name`.
    """
    if jobs > 1:
        show_nothing()
    try:
        train_or_reuse(config, run)
    except InputError as error:
        return InputError(f"{name}: {error}")
    except torch.OutOfMemoryError as error:
        return InputError(f"{name}: {str(error).partition('. ')[0]}")
    write_report(run.path)
    return None
