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

from aplt.compare.cells import Cell
from aplt.compare.work import CellError, train_cell
from aplt.config import RunConfig
from aplt.display import console, whole_bar
from aplt.parallel import as_they_finish
from aplt.rundir import RunDir

TRIAL_STEPS = 5
TRIAL_SECONDS = 120.0
"""No further kind is tried after so much training; the others are taken to be like those of their data set."""


@dataclass(frozen=True)
class Cost:
    """What a method takes on a data set, in seconds."""

    warm_up_step: float
    step: float
    """Of a round in which unlabeled clips are shown, too."""
    offline: float
    """A round's offline phase."""
    evaluation: float
    """A round's evaluation."""
    once: float
    """What comes after the last round."""

    def of(self, config: RunConfig) -> float:
        """Returns the seconds of a whole run."""
        train = config.train
        full = max(0, train.rounds - train.warm_up_rounds)
        steps = (train.rounds - full) * self.warm_up_step + full * self.step
        offline = full * self.offline if config.offline else 0
        return self.once + (train.steps_per_round or 0) * steps + offline + train.rounds * self.evaluation


def seconds_each(
    cells: Sequence[Cell], finished: Sequence[tuple[Cell, float]], tried: dict[Path, float]
) -> list[float]:
    """Returns each cell's seconds: as finished cells of its kind tell, else a trial, else other cells of its data set.

    Args:
        cells: those to come.
        finished: others with the seconds that they took.
        tried: what a trial has said of a cell, by its folder; not empty where `finished` is.
    """
    found: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for cell, seconds in finished:
        for key in ((cell.dataset, cell.method), (kind(cell),), (cell.dataset,), ()):
            found[key].append(seconds)
    alike: dict[str, list[float]] = defaultdict(list)
    for cell in cells:
        if cell.path in tried:
            alike[cell.dataset].append(tried[cell.path])
    each = []
    for cell in cells:
        own = [tried[cell.path]] if cell.path in tried else []
        near = (found[cell.dataset, cell.method], found[kind(cell),], own, found[cell.dataset,], alike[cell.dataset])
        each.append(fmean(next(seconds for seconds in (*near, found[()], tried.values()) if seconds)))
    return each


def kind(cell: Cell) -> str:
    """Returns what cells have in common that take alike: data set, method, encoder and input."""
    return cell.dataset + cell.config.model_dump_json(include={"method", "encoder", "encoder_settings", "input"})


def seconds_by_trial(cells: Sequence[Cell], jobs: int) -> tuple[dict[Path, float], list[CellError]]:
    """Returns cells' seconds by their folder, extrapolated from a few steps of the first cell of each kind.

    Left out are kinds beyond TRIAL_SECONDS, and those that cannot be trained; why not is said, and returned.
    """
    first: dict[str, Cell] = {}
    for cell in cells:
        first.setdefault(kind(cell), cell)
    by_data: dict[str, list[Cell]] = defaultdict(list)
    for cell in first.values():
        by_data[cell.dataset].append(cell)
    # The data sets in turn: when the time is over, each has been tried.
    kinds = [cell for turn in zip_longest(*by_data.values()) for cell in turn if cell is not None]
    costs, failed, spent = {}, [], 0.0
    what = "a few steps" if len(kinds) == 1 else f"a few steps of {len(kinds)} cells"
    first_of_all = "; videos are decoded first" if any(cell.config.input.kind == "video" for cell in kinds) else ""
    console.print(f"trying {what} for an estimate{first_of_all}")
    with TemporaryDirectory(prefix="aplt-trial-") as folder:
        work = partial(_trial, jobs=jobs)
        tasks = [(cell, RunDir(Path(folder, str(number)))) for number, cell in enumerate(kinds)]
        with as_they_finish(work, tasks, jobs) as finished, whole_bar("trial", len(kinds)) as progress:
            for cell, cost, seconds in finished:
                progress.advance()
                spent += seconds
                if isinstance(cost, Cost):
                    costs[kind(cell)] = cost
                else:
                    failed.append(cost)
                    progress.line(f"the trial failed: {cost.trace or cost}")
                if costs and spent > jobs * TRIAL_SECONDS:
                    break
    return {cell.path: costs[kind(cell)].of(cell.config) for cell in cells if kind(cell) in costs}, failed


def _trial(task: tuple[Cell, RunDir], jobs: int) -> tuple[Cell, Cost | CellError, float]:
    """Trains short rounds; returns what a round takes but the first, which bears what is paid once, and what all took.

    Decoding, which the cells then find done, does not count: config.yaml is written after it.
    """
    cell, run = task
    error = train_cell(shortened(cell.config), run, cell.digests, str(cell), jobs)
    if error:
        return cell, error, 0.0
    rounds = [line["seconds"] for line in run.read_metrics()]
    seconds = time.time() - run.config.stat().st_mtime
    second, last = rounds[1], rounds[-1]  # the same without a warm-up
    once = seconds - sum(sum(each.values()) for each in rounds)
    steps = (second["online"] / TRIAL_STEPS, last["online"] / TRIAL_STEPS)
    return cell, Cost(*steps, last["offline"], last["evaluation"], once), seconds


def shortened(config: RunConfig) -> RunConfig:
    """Returns the config of a trial: a round that bears what is paid once, one of the warm-up if any, one after it."""
    warm_up = 2 if config.train.warm_up_rounds else 0
    few = {"rounds": max(2, warm_up + 1), "warm_up_rounds": warm_up, "steps_per_round": TRIAL_STEPS}
    return config.model_copy(update={"train": config.train.model_copy(update=few)})
