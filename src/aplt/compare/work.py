"""What a process does with a cell."""

import os

import torch

from aplt.config import RunConfig
from aplt.display import show_nothing
from aplt.errors import InputError
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.training.runs import train_or_reuse


def train_cell(config: RunConfig, run: RunDir, name: str, jobs: int) -> None:
    """Trains a cell unless its run is there, and writes the run's report.

    With several `jobs` this process is one of these: it leaves the terminal to its parent and takes its share of the
    cores.

    Raises:
        InputError: names the cell.
    """
    if jobs > 1:
        show_nothing()
        # By the environment, too: training then leaves the threads as they are.
        given = os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
        torch.set_num_threads(int(given.partition(",")[0]))
    try:
        train_or_reuse(config, run)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    write_report(run.path)
