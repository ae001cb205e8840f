"""The cells of a plan: every config and split made and checked before anything is trained."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from aplt.clips import UNKNOWN, ClipIndex, Split
from aplt.compare.plan import ALL, Plan, Variant, cell_name
from aplt.config import RunConfig, SplitSettings, TrainSettings, merge
from aplt.data.files import require_files
from aplt.data.index import read_index
from aplt.data.modality import modality_of
from aplt.data.splits import make_split, remark_on_people, round_half_up
from aplt.display import counted
from aplt.errors import InputError
from aplt.report.words import share_text
from aplt.rundir import UPPER_BOUND, CompareDir, RunDir
from aplt.runs.begin import begun_alike
from aplt.runs.configure import effective_config
from aplt.runs.setup import build_algorithm, build_offline, digests, require_rounds, steps_per_round
from aplt.settings import shown, validated
from aplt.tensors import Task

MOST_STEPS_APART = 0.1
"""The share by which a variant's steps may differ from the others': rounds and steps a round are whole numbers."""


@dataclass(frozen=True)
class Cell:
    """One training of the comparison, and where it lies."""

    dataset: str
    fold: int | None
    """From 1; None where the data set has no folds."""
    method: str
    """The row of the table: a method's or a variant's name."""
    labeled: float
    seed: int
    config: RunConfig
    digests: dict[str, str]
    """Of the index and the split."""
    path: Path
    remark: str | None
    """On people who are in training and test clips both."""

    def __str__(self) -> str:
        return cell_name(self.dataset, self.fold, self.method, self.labeled, self.seed)

    @property
    def run(self) -> RunDir:
        """The cell's run folder."""
        return RunDir(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 over settings, clips, labels and roles, wherever the files lie: tells the row of this very cell."""
        settings = self.config.of_training()
        return sha256(json.dumps([settings, self.digests], sort_keys=True).encode()).hexdigest()

    @property
    def finished(self) -> bool:
        """Whether the run folder holds this very cell's result, and not that of another plan."""
        return self.run.result.exists() and begun_alike(self.config, self.digests, self.run)


def plan_cells(plan: Plan, folder: CompareDir) -> list[Cell]:
    """Returns all cells in the order in which they are trained: seed by seed, so that a part of them is balanced.

    Cells of one data set, fold and seed have the same number of steps, whatever their share of labels: a round's
    length, where no setting gives it, is that of two epochs of all training clips.

    Raises:
        InputError: names the data set or the cell whose clips, split or settings are not usable, or the two cells that
            are the same training or would share a folder.
    """
    sources = {name: _Source(name, plan) for name in plan.datasets}
    cells = [
        cell for seed, source in product(plan.seeds, sources.values()) for cell in source.cells(seed, folder, plan)
    ]
    _require_distinct(cells)
    return cells


def doubled_rows(cells: Sequence[Cell]) -> dict[str, str]:
    """Returns the rows whose trainings are all those of an earlier row, as {name: the earlier one's name}.

    With few rounds two lengths of them may come out the same. The upper bound is no row.
    """
    trainings: dict[str, list[str]] = {}
    for cell in cells:
        if cell.method != UPPER_BOUND:
            trainings.setdefault(cell.method, []).append(cell.digest)
    first: dict[tuple[str, ...], str] = {}
    found = {name: first.setdefault(tuple(own), name) for name, own in trainings.items()}
    return {name: other for name, other in found.items() if name != other}


def fit_rounds(train: TrainSettings, steps: int, variant: Variant) -> dict[str, int]:
    """Returns rounds, warm-up rounds and steps a round of a variant: as it wants them, with as many steps in all.

    But for rounding: rounds and steps a round are whole numbers.

    Args:
        train: the settings of all methods.
        steps: steps a round with these.
        variant: its period and what its settings say.

    Raises:
        InputError: a setting is not usable, or rounding makes too many or too few steps.
    """
    own = variant.settings.get("train", {})
    if not isinstance(own, dict):
        raise InputError(f"setting 'train': expected a mapping of settings, found {shown(own)}")
    wanted = validated(TrainSettings, merge(train.model_dump(), own), "train")
    some_warm_up = 0 < wanted.warm_up_rounds < wanted.rounds
    rounds = max(2 if some_warm_up else 1, round_half_up(wanted.rounds / variant.period))
    warm_up = round_half_up(wanted.warm_up_rounds / variant.period)
    if some_warm_up:
        warm_up = min(max(1, warm_up), rounds - 1)  # rounding may make neither all nor nothing of it a warm-up
    whole = train.rounds * steps
    period = max(1, round_half_up(whole / rounds))
    if abs(rounds * period - whole) > MOST_STEPS_APART * whole:
        raise InputError(
            f"{counted(rounds, 'round')} of {counted(period, 'step')} make {rounds * period:,}, where the other "
            f"methods take {whole:,}; give it rounds (or a period) that come closer, or all of them more steps"
        )
    return {"rounds": rounds, "warm_up_rounds": warm_up, "steps_per_round": period}


def _require_distinct(cells: list[Cell]) -> None:
    """Refuses what would count one training as two cells, or write two into one folder."""
    folders: dict[str, Cell] = {}
    trainings: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        # Some file systems take upper and lower case for the same.
        other = folders.setdefault(cell.path.as_posix().casefold(), cell)
        if other is not cell:
            raise InputError(f"{other}, and {cell}: their folders would be the same; rename one or leave it out")
        other = trainings.setdefault((cell.method, cell.digest), cell)
        if other is not cell:
            raise InputError(f"{other}, and {cell}: the same clips are labeled and tested on in both; leave one out")


class _Source:
    """The clips of a data set, read once."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        data = plan.datasets[name]
        shared = merge(plan.settings, data.settings)
        self.folds: dict[int | None, dict[str, Any]] = {None: shared}
        if data.folds:
            self.folds = {k: merge(shared, fold) for k, fold in enumerate(data.folds, start=1)}
        self.clips = data.clips
        try:
            self.index: ClipIndex = read_index(data.clips)
            self.modality = modality_of(self.index)
        except InputError as error:
            raise InputError(f"data set '{name}': {error}") from error
        self.split = cache(self._split)

    def cells(self, seed: int, folder: CompareDir, plan: Plan) -> Iterator[Cell]:
        rows = [(name, variant, share) for share in plan.labeled for name, variant in plan.rows.items()]
        if plan.upper_bound:
            rows.append((UPPER_BOUND, Variant(method="supervised"), ALL))
        for fold, shared in self.folds.items():
            for name, variant, share in rows:
                part = (f"fold{fold}",) if fold else ()
                path = folder.runs.joinpath(self.name, *part, share_text(share), name, f"seed{seed}")
                try:
                    config, split = self._checked(fold, shared, variant, share, seed)
                except InputError as error:
                    raise InputError(f"{cell_name(self.name, fold, name, share, seed)}: {error}") from error
                made, remark = digests(self.index, split), remark_on_people(self.index, split)
                yield Cell(self.name, fold, name, share, seed, config, made, path, remark)

    def _checked(
        self, fold: int | None, shared: dict[str, Any], variant: Variant, share: float, seed: int
    ) -> tuple[RunConfig, Split]:
        """Returns a cell's config and split, once all is refused that training would refuse."""
        split = self.split(fold, share, seed)
        train = validated(TrainSettings, shared.get("train", {}), "train")
        steps = steps_per_round(train, Split((), tuple(sorted((*split.labeled, *split.unlabeled)))))
        own = {
            "clips": str(self.clips),
            "method": variant.method,
            "split": {"labeled": share, "seed": seed},
            "train": fit_rounds(train, steps, variant) | {"seed": seed},
        }
        config = effective_config(merge(merge(shared, variant.settings), own), self.modality.name, "settings")
        require_rounds(config, split)
        count = (self.index.num_classes, len(self.index), split.labeled, len(split.unlabeled))
        build_algorithm(config, Task(*count, 1, self.modality.patch))
        build_offline(config)
        return config, split

    def _split(self, fold: int | None, share: float, seed: int) -> Split:
        """Returns the split of all methods of a fold, share and seed."""
        settings = validated(SplitSettings, self.folds[fold].get("split", {}), "split")
        split = make_split(self.index, settings.model_copy(update={"labeled": share, "seed": seed}))
        if not any(self.index[p].label != UNKNOWN for p in split.test):
            raise InputError("no test clip has a label, so there is nothing to compare; see split.test")
        require_files((self.index[p] for p in (*split.labeled, *split.unlabeled, *split.val, *split.test)), self.clips)
        return split
