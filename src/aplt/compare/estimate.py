"""How long the cells of a comparison take: as others like them did, else as a short trial suggests."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from aplt.compare.cells import Cell
from aplt.compare.work import CellError, train_cell
from aplt.config import RunConfig
from aplt.display import whole_bar
from aplt.parallel import as_they_finish
from aplt.rundir import RunDir

TRIAL_STEPS = 5
TRIAL_SECONDS = 120.0
"""No further kind is tried after so much training; the others are taken to be like those of their data set."""


@dataclass(frozen=True)
class Cost:
    """What a method takes on a data set, in seconds."""

    step: float
    offline: float
    """A round's offline phase."""
    evaluation: float
    """A round's evaluation."""
    once: float
    """What comes after the last round."""

    def of(self, config: RunConfig) -> float:
        """Returns the seconds of a whole run."""
        train = config.train
        guided = max(0, train.rounds - train.warm_up_rounds) if config.offline else 0
        steps = train.rounds * (train.steps_per_round or 0)
        return self.once + steps * self.step + guided * self.offline + train.rounds * self.evaluation


def seconds_each(cells: Sequence[Cell], rows: Sequence[dict[str, Any]], tried: dict[Path, float]) -> list[float]:
    """Returns each cell's seconds: as finished cells of its method and data set tell, else a trial, else other cells.

    Args:
        cells: those to come.
        rows: of compare.csv.
        tried: what a trial has said of a cell, by its folder; not empty where `rows` is.
    """
    found: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in rows:
        for key in ((row["dataset"], row["method"]), (row["dataset"],), ()):
            found[key].append(row["seconds"])
    alike: dict[str, list[float]] = defaultdict(list)
    for cell in cells:
        if cell.path in tried:
            alike[cell.dataset].append(tried[cell.path])
    each = []
    for cell in cells:
        own = [tried[cell.path]] if cell.path in tried else []
        near = (found[cell.dataset, cell.method], own, found[cell.dataset,], alike[cell.dataset])
        each.append(fmean(next(seconds for seconds in (*near, found[()], tried.values()) if seconds)))
    return each


def seconds_by_trial(cells: Sequence[Cell], jobs: int) -> dict[Path, float]:
    """Returns cells' seconds by their folder, extrapolated from a few steps of the first cell of each kind.

    A method's variants on a data set are one kind where encoder and input are the same. Left out are kinds beyond
    TRIAL_SECONDS, and those that cannot be trained, which is said.

    Raises:
        InputError: none can be trained; names the first.
    """
    first: dict[str, Cell] = {}
    for cell in cells:
        first.setdefault(_kind(cell), cell)
    by_data: dict[str, list[Cell]] = defaultdict(list)
    for cell in first.values():
        by_data[cell.dataset].append(cell)
    # The data sets in turn: when the time is over, each has been tried.
    kinds = [cell for turn in zip_longest(*by_data.values()) for cell in turn if cell is not None]
    costs, failed, spent = {}, [], 0.0
    with TemporaryDirectory(prefix="aplt-trial-") as folder:
        work = partial(_trial, folder=Path(folder), jobs=jobs)
        with as_they_finish(work, kinds, jobs) as finished, whole_bar("trial", len(kinds)) as progress:
            for cell, cost, seconds in finished:
                progress.advance()
                spent += seconds
                if isinstance(cost, Cost):
                    costs[_kind(cell)] = cost
                else:
                    failed.append(cost)
                    progress.line(cost.trace or str(cost))
                if costs and spent > jobs * TRIAL_SECONDS:
                    break
    if not costs:
        raise failed[0]
    return {cell.path: costs[_kind(cell)].of(cell.config) for cell in cells if _kind(cell) in costs}


def _kind(cell: Cell) -> str:
    """Returns what cells have in common that take alike."""
    return cell.dataset + cell.config.model_dump_json(include={"method", "encoder", "encoder_settings", "input"})


def _trial(cell: Cell, folder: Path, jobs: int) -> tuple[Cell, Cost | CellError, float]:
    """Trains two short rounds; returns what the second took (the first bears what is paid but once), and what all did.

    Decoding, which the cells then find done, does not count: config.yaml is written after it.
    """
    run = RunDir(folder / cell.dataset / cell.method)
    error = train_cell(shortened(cell.config), run, cell.digests, str(cell), jobs)
    if error:
        return cell, error, 0.0
    rounds = [line["seconds"] for line in run.read_metrics()]
    seconds = time.time() - run.config.stat().st_mtime
    last = rounds[-1]
    once = seconds - sum(sum(each.values()) for each in rounds)
    return cell, Cost(last["online"] / TRIAL_STEPS, last["offline"], last["evaluation"], once), seconds


def shortened(config: RunConfig) -> RunConfig:
    """Returns the config of a trial."""
    warm_up = min(1, config.train.warm_up_rounds)
    few = {"rounds": 2, "warm_up_rounds": warm_up, "steps_per_round": TRIAL_STEPS}
    return config.model_copy(update={"train": config.train.model_copy(update=few)})
