"""Where cells are trained: by processes of this machine, by a Ray cluster, or by the jobs of a batch queue.

Each divides the cells by itself and gives one whose worker is lost to another, which goes on from its checkpoint.
"""

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from aplt.comparison.cells import Cell
from aplt.comparison.record import CompareDir, Row
from aplt.comparison.work import CellError, train_cell
from aplt.display import show_nothing
from aplt.errors import InputError
from aplt.parallel import as_they_finish, cores, take_cores, threads
from aplt.reference import installed

Done = tuple[Cell, Row | CellError]

PATIENCE = 300.0
"""Seconds for which a run folder is waited for: a file server may keep the lock of a lost machine for a while."""
WORKERS_LOST = 4
"""After as many workers of one cell it is given up: it may be the cell that ends them."""
JOBS = 100
"""How many jobs a cell may take one after the other: when the time of one is over, the next goes on."""
DAY = 24 * 60
"""Minutes of a job in a batch queue, unless its settings say otherwise."""
POLL = 1.0
"""Seconds between two looks at jobs."""


@dataclass(frozen=True)
class Launch:
    """How the cells of a comparison are trained."""

    launcher: str = "local"
    """A name in LAUNCHERS."""
    jobs: int = 1
    """Cells at once on one machine, each on its share of the cores."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What a cell asks of a cluster, in the words of Ray's `options` or submitit's parameters."""
    patience: float = 0.0
    """Seconds for which processes of this machine wait for a run folder in which others train."""

    def __post_init__(self) -> None:
        if self.launcher not in LAUNCHERS:
            raise InputError(f"--launcher {self.launcher}: expected one of {', '.join(LAUNCHERS)}")
        if self.settings and self.launcher == "local":
            raise InputError("--launcher-set is for --launcher ray or slurm; this machine's share is set by --jobs")
        if self.jobs > 1 and self.launcher == "slurm":
            raise InputError(
                "--launcher slurm: each job trains one cell, and the queue decides how many run at once; "
                "--launcher-set slurm_array_parallelism=N limits them, not --jobs"
            )

    def __call__(self, cells: Sequence[Cell], folder: CompareDir) -> AbstractContextManager[Iterable[Done]]:
        """Gives the cells as they finish, each with its row or the reason why it has none."""
        return LAUNCHERS[self.launcher if cells else "local"](self, cells, folder)


@dataclass(frozen=True)
class Worker:
    """Trains a cell in a process of a cluster, in a folder that all its machines see under the same path."""

    folder: CompareDir
    here: Path
    threads: int | None
    """None: as many as the process finds."""

    def __call__(self, cell: Cell) -> Row | CellError:
        """Returns the cell's row, or the reason why it has none."""
        os.chdir(self.here)
        show_nothing()
        if self.threads:
            take_cores(self.threads)
        return train_cell(cell, self.folder, patience=PATIENCE)

    def checkpoint(self, cell: Cell) -> Any:
        """Returns what submitit puts into the queue again when a job's time is over or it has to make room."""
        return installed("submitit", "slurm").helpers.DelayedSubmission(self, cell)


def _local(launch: Launch, cells: Sequence[Cell], folder: CompareDir) -> AbstractContextManager[Iterable[Done]]:
    work = partial(_train_here, folder=folder, jobs=launch.jobs, patience=launch.patience)
    return as_they_finish(work, cells, launch.jobs)


def _train_here(cell: Cell, folder: CompareDir, jobs: int, patience: float) -> Done:
    return cell, train_cell(cell, folder, jobs, patience)


@contextmanager
def _ray(launch: Launch, cells: Sequence[Cell], folder: CompareDir) -> Iterator[Iterable[Done]]:
    """Makes each cell a task of the Ray cluster that RAY_ADDRESS or this machine has, else of one begun here."""
    ray = installed("ray", "ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers of the cluster
    ours = not ray.is_initialized()
    if ours:
        kept = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(include_dashboard=False, logging_level=logging.WARNING, log_to_driver=False)
        except Exception as error:  # Ray has no narrower one for a cluster that is not there or does not start
            raise InputError(f"--launcher ray: {' '.join(str(error).split())}") from error
        with suppress(ValueError):  # outside the main thread Ray has not replaced it
            signal.signal(signal.SIGTERM, kept)
    try:
        machines = [machine["Resources"] for machine in ray.nodes() if machine["Alive"]]
        share = max(1, min(cores(), int(max(machine.get("CPU", 0) for machine in machines))) // launch.jobs)
        asked = {"name": "aplt", "num_cpus": share, "num_gpus": int(any(machine.get("GPU") for machine in machines))}
        asked |= {"max_retries": WORKERS_LOST - 1, **launch.settings}
        # As many threads as a process of `--jobs` has: sums come out otherwise with other numbers.
        alike = threads() if launch.jobs == 1 or "OMP_NUM_THREADS" in os.environ else share
        try:
            worker = Worker(folder, Path.cwd(), max(1, int(launch.settings.get("num_cpus", alike))))
            task = ray.remote(lambda cell: worker(cell)).options(**asked)
        except (TypeError, ValueError) as error:
            raise InputError(f"--launcher-set: {' '.join(str(error).split())}") from error
        running = {task.remote(cell): cell for cell in cells}
        try:
            yield _from_ray(ray, running)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)
    finally:
        if ours:
            ray.shutdown()


def _from_ray(ray: Any, running: dict[Any, Cell]) -> Iterator[Done]:
    while running:
        done, _ = ray.wait(list(running), timeout=POLL)
        for reference in done:
            cell = running.pop(reference)
            try:
                result = ray.get(reference)
            except ray.exceptions.RayError as error:
                result = _lost(cell, error)
            yield cell, result


@contextmanager
def _slurm(launch: Launch, cells: Sequence[Cell], folder: CompareDir) -> Iterator[Iterable[Done]]:
    """Makes each cell a job of an array; what submitit writes for them, their output and logs stay in the folder."""
    submitit = installed("submitit", "slurm")
    asked = {"name": "aplt", "timeout_min": DAY, "slurm_array_parallelism": len(cells), **launch.settings}
    # A folder that no other job has written to: results come back as pickles.
    files = folder.path.resolve() / "slurm" / f"{datetime.now():%Y-%m-%d-%H-%M-%S-%f}"
    worker = Worker(folder, Path.cwd(), launch.settings.get("cpus_per_task"))
    try:
        cluster = asked.pop("cluster", "slurm")
        executor = submitit.AutoExecutor(files, cluster=cluster, slurm_max_num_timeout=JOBS)
        executor.update_parameters(**asked)
        running = dict(zip(executor.map_array(worker, cells), cells, strict=True))
    except (AssertionError, NameError, RuntimeError, ValueError) as error:
        raise InputError(f"--launcher slurm: {' '.join(str(error).split())}") from error
    try:
        yield _from_queue(running, lambda cell: executor.submit(worker, cell))
    finally:
        for job in running:
            job.cancel(check=False)


def _from_queue(running: dict[Any, Cell], submit: Callable[[Cell], Any]) -> Iterator[Done]:
    errors = installed("submitit", "slurm").core.utils
    lost = Counter[str]()
    while running:
        done = [job for job in running if job.done()]
        for job in done:
            cell = running[job]
            try:
                result = job.result()
            except errors.UncompletedJobError as error:
                lost[str(cell)] += 1
                wanted = not isinstance(error, errors.FailedJobError) and not job.state.startswith("CANCELLED")
                if wanted and lost[str(cell)] < WORKERS_LOST:
                    running[submit(cell)] = cell
                    del running[job]
                    continue
                result = _lost(cell, error)
            del running[job]
            yield cell, result
        if not done:
            time.sleep(POLL)


def _lost(cell: Cell, error: Exception) -> CellError:
    lines = str(error).strip().splitlines() or [""]
    return CellError(f"{cell}: its worker was lost: {type(error).__name__}: {lines[-1]}", str(error))


LAUNCHERS: Mapping[str, Callable[[Launch, Sequence[Cell], CompareDir], AbstractContextManager[Iterable[Done]]]] = {
    "local": _local,
    "ray": _ray,
    "slurm": _slurm,
}
