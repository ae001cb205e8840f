"""The cells of a plan: every config and split made and checked before anything is trained."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from aplt.clips import UNKNOWN, ClipIndex, Split
from aplt.comparison.plan import UPPER_BOUND, Key, Plan, Variant
from aplt.comparison.record import KINDS, TIMES, CompareDir, RoundLabels, Row, row_of, wrong_labels
from aplt.config import UNSET_BUDGET, RunConfig, SplitSettings, TrainSettings
from aplt.data.files import require_files
from aplt.data.index import read_index
from aplt.data.modality import modality_of
from aplt.data.split_remarks import remark_on_split
from aplt.data.splits import make_split, round_half_up
from aplt.display import counted, share_text
from aplt.errors import InputError
from aplt.figures import FIGURES
from aplt.presets import over_preset
from aplt.rundir import RunDir
from aplt.runs.begin import begun_alike
from aplt.runs.configure import effective_config
from aplt.runs.schedule import require_one_budget, steps_per_round
from aplt.runs.setup import build_algorithm, build_offline, digests, require_rounds
from aplt.runs.tuning import require_followed
from aplt.settings import merge, shown, validated
from aplt.tensors import Task

MOST_STEPS_APART = 0.1
"""The share by which a variant's steps may differ from the others': rounds and their steps are whole numbers."""


@dataclass(frozen=True)
class Cell:
    """One training of the comparison, and its folder."""

    key: Key
    config: RunConfig
    digests: dict[str, str]
    """Of the index and the split."""
    path: Path
    remark: str | None
    """On people and files that are in both training and test clips."""

    def __str__(self) -> str:
        return str(self.key)

    @property
    def run(self) -> RunDir:
        """The cell's run folder."""
        return RunDir(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 over settings, clips, labels and roles, wherever the files are: by this a row is known again."""
        settings = self.config.of_training()
        return sha256(json.dumps([settings, self.digests], sort_keys=True).encode()).hexdigest()

    @property
    def finished(self) -> bool:
        """Whether the run folder holds this very cell's result, and not that of another plan."""
        return self.run.result.exists() and begun_alike(self.config, self.digests, self.run)

    def row(self, folder: CompareDir, truth: dict[str, str]) -> Row:
        """Returns the row of the finished cell; `truth` has the known labels by clip id."""
        result, rounds = self.run.read_result(), self.run.read_rounds()
        if not rounds:
            raise InputError(f"{self.run.metrics}: expected one line per round of a finished run, found none")
        if result.test is None:
            raise InputError(f"{self.run.result}: no figure of the test clips, so it is no cell of a comparison")
        labels: dict[str, Any] = {}
        for kind in KINDS:
            last = getattr(rounds[-1], kind)
            labels |= {f"{kind}_{name}": getattr(last, name, None) for name in ("precision", "coverage")}
            made = [(line.round, found) for line in rounds if (found := getattr(line, kind)) is not None]
            labels[f"{kind}_by_round"] = [RoundLabels(number, one.precision, one.coverage) for number, one in made]
        seconds, steps = result.seconds, result.steps
        times = (seconds.total, seconds.offline, seconds.online, seconds.evaluation, 1000 * seconds.online / steps)
        values = {
            **self.key._asdict(),
            **{name: getattr(result.test, name) for name in FIGURES},
            "labeled_clips": result.counts.labeled,
            "test_clips": result.test.clips,
            "val_top1": result.val.top1 if result.val else None,
            "unlabeled_top1": result.unlabeled.top1 if result.unlabeled else None,
            **labels,
            **wrong_labels(self.run, truth),
            "steps": steps,
            "version": result.versions["aplt"],
            "read_out": self.config.read_out,
            "remark": self.remark or "",
            "digest": self.digest,
            "run": self.path.relative_to(folder.path).as_posix(),
            **{name: round(value, 3) for name, value in zip(TIMES, times, strict=True)},
        }
        return row_of(values, str(self.path))


def plan_cells(plan: Plan, folder: CompareDir) -> list[Cell]:
    """Returns all cells in the order in which they are trained.

    Cells of one data set, fold and seed have the same number of steps, whatever their share of labels.
    """
    sources = {name: _Source(name, plan) for name in plan.datasets}
    cells = [sources[key.dataset].cell(key, folder) for key in plan.cells()]
    _require_distinct(cells)
    return cells


def same_steps(train: TrainSettings, steps: int, variant: Variant) -> int:
    """Returns the steps per round with which a variant takes as many steps in all as the others, but for rounding.

    `train` are the settings of all methods and `steps` their steps per round; the variant may set its number of rounds.

    Raises:
        InputError: a setting is not usable, or rounding makes too many or too few steps.
    """
    own = variant.settings.get("train", {})
    if not isinstance(own, dict):
        raise InputError(f"setting 'train': expected a mapping of settings, found {shown(own)}")
    rounds = validated(TrainSettings, merge(train.model_dump(), own), "train").rounds
    whole = train.rounds * steps
    period = max(1, round_half_up(whole / rounds))
    if abs(rounds * period - whole) > MOST_STEPS_APART * whole:
        raise InputError(
            f"{counted(rounds, 'round')} of {counted(period, 'step')} make {rounds * period:,}, where the other "
            f"methods take {whole:,}; give it rounds that come closer, or all methods more steps"
        )
    return period


def _require_distinct(cells: Sequence[Cell]) -> None:
    """Refuses what would count one training as two cells, or write two into one folder."""
    folders: dict[str, Cell] = {}
    trainings: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        # Some file systems take upper and lower case for the same.
        other = folders.setdefault(cell.path.as_posix().casefold(), cell)
        if other is not cell:
            raise InputError(f"{other}, and {cell}: their folders would be the same; rename one or leave it out")
        other = trainings.setdefault((cell.key.method, cell.digest), cell)
        if other is not cell:
            why = "the same clips are labeled and tested on in both (each class has at least one label)"
            raise InputError(f"{other}, and {cell}: {why}; leave one out")


class _Source:
    """The clips of a data set, read once."""

    def __init__(self, name: str, plan: Plan) -> None:
        data = plan.datasets[name]
        shared = merge(plan.settings, data.settings)
        self.clips, self.variants = data.clips, plan.rows | {UPPER_BOUND: Variant(method="supervised")}
        self.folds = dict(zip(plan.folds(name), (merge(shared, fold) for fold in data.folds or ({},)), strict=True))
        try:
            self.index: ClipIndex = read_index(data.clips)
            self.modality = modality_of(self.index)
        except InputError as error:
            raise InputError(f"data set '{name}': {error}") from error
        self.preset = plan.preset
        self.split = cache(self._split)

    def cell(self, key: Key, folder: CompareDir) -> Cell:
        """Returns a cell; refuses here what training would refuse."""
        part = (f"fold{key.fold}",) if key.fold else ()
        path = folder.runs.joinpath(key.dataset, *part, share_text(key.labeled), key.method, f"seed{key.seed}")
        try:
            split = self.split(key.fold, key.labeled, key.seed)
            config = self._config(key, split)
            require_rounds(config, split)
            require_followed(config)
            count = (self.index.num_classes, len(self.index), split.labeled, len(split.unlabeled))
            build_algorithm(config, Task(*count, 1, self.modality.patch))
            build_offline(config)
        except InputError as error:
            raise InputError(f"{key}: {error}") from error
        return Cell(key, config, digests(self.index, split), path, remark_on_split(self.index, split))

    def _config(self, key: Key, split: Split) -> RunConfig:
        shared, variant = self.folds[key.fold], self.variants[key.method]
        kind = self.modality.name
        train = validated(TrainSettings, over_preset(shared, self.preset, kind).get("train", {}), "train")
        require_one_budget(train, "settings")
        steps = steps_per_round(train, len(split.labeled) + len(split.unlabeled))
        own: dict[str, Any] = {
            "clips": str(self.clips),
            "method": variant.method,
            "split": {"labeled": key.labeled, "seed": key.seed},
            "train": UNSET_BUDGET | {"steps_per_round": same_steps(train, steps, variant), "seed": key.seed},
        }
        whole = over_preset(merge(merge(shared, variant.settings), own), self.preset, kind)
        return effective_config(whole, kind, "settings")

    def _split(self, fold: str, share: float, seed: int) -> Split:
        """Returns the split that all methods of a fold, share and seed have in common."""
        settings = validated(SplitSettings, self.folds[fold].get("split", {}), "split")
        split = make_split(self.index, settings.model_copy(update={"labeled": share, "seed": seed}))
        if not any(self.index[p].label != UNKNOWN for p in split.test):
            raise InputError("no test clip has a label, so there is nothing to compare; see split.test")
        require_files((self.index[p] for p in (*split.labeled, *split.unlabeled, *split.val, *split.test)), self.clips)
        return split
