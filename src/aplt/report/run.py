"""What a run folder says, read once and checked: the only room of the report that opens files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aplt.clips import ROLES
from aplt.display import counted
from aplt.errors import InputError
from aplt.record import PHASES, PseudoFigures, Result, Round, Seconds, Watched
from aplt.rundir import RunDir
from aplt.settings import load_yaml
from aplt.storage import read_table, read_text


@dataclass(frozen=True)
class Bank:
    """What the final model makes of the M training clips, the labeled ones first."""

    ids: np.ndarray
    """[M] str."""
    labeled: int
    """How many are."""
    feature: np.ndarray
    """[M, D] float32."""
    probability: np.ndarray
    """Of the classes [M, K]."""


@dataclass(frozen=True)
class Run:
    """One run folder's content; files that are not there yet are None or empty."""

    folder: RunDir
    name: str
    config: dict[str, Any]
    config_text: str | None
    rounds: list[Round]
    result: Result | None
    predictions: pd.DataFrame | None
    counts: dict[str, int] | None
    """Clips by role."""

    def told(self, name: str) -> str:
        """Returns the method, the encoder or the seed, as far as the folder tells it."""
        told = self.config | {"seed": self._train.get("seed", "unknown")}
        return str(getattr(self.result, name) if self.result else told.get(name, f"unknown {name}"))

    @property
    def planned_rounds(self) -> int | None:
        """Rounds that the config asks for."""
        rounds = self._train.get("rounds")
        return rounds if isinstance(rounds, int) else None

    @property
    def _train(self) -> dict[str, Any]:
        # As it is in the file: a config of another version can be looked at, too.
        found = self.config.get("train")
        return found if isinstance(found, dict) else {}

    @cached_property
    def seconds(self) -> Seconds:
        """Time by phase; of the rounds done so far where the run is unfinished."""
        if self.result is not None:
            return self.result.seconds
        return Seconds(**{phase: sum(getattr(line.seconds, phase) for line in self.rounds) for phase in PHASES})

    @cached_property
    def last_pseudo(self) -> PseudoFigures | None:
        """What the last offline phase believed."""
        return next((line.pseudo for line in reversed(self.rounds) if line.pseudo), None)

    @cached_property
    def last_watched(self) -> Watched | None:
        """The watched clips after the last round: val, or test where there is no validation split."""
        return next((line.watched for line in reversed(self.rounds) if line.watched), None)

    @cached_property
    def warm_up(self) -> int:
        """How many rounds showed labeled clips only."""
        return sum(line.warm_up for line in self.rounds)

    @cached_property
    def classes(self) -> list[str]:
        """Class names; numbers while the run is unfinished, since only result.json has the names."""
        if self.result is not None:
            return list(self.result.classes)
        pseudo = self.last_pseudo
        return [f"class {k}" for k in range(len(pseudo.threshold))] if pseudo else []

    @cached_property
    def confusion(self) -> np.ndarray | None:
        """Test clips by true class (rows) and predicted class (columns), [K, K]; None without any."""
        if self.predictions is None or self.predictions.empty:
            return None
        place = {name: k for k, name in enumerate(self.classes)}
        matrix = np.zeros((len(place), len(place)), dtype=np.int64)
        for truth, prediction in zip(self.predictions["truth"], self.predictions["prediction_1"], strict=True):
            for name in (truth, prediction):
                if name not in place:
                    raise InputError(f"{self.folder.predictions}: class '{name}' is not in result.json")
            matrix[place[truth], place[prediction]] += 1
        return matrix

    @cached_property
    def mistakes(self) -> pd.DataFrame | None:
        """The rows of the test clips that were taken for another class, the surest first; None without any clip."""
        found = self.predictions
        if found is None or found.empty:
            return None
        wrong = found[found["truth"] != found["prediction_1"]]
        return wrong.sort_values("score_1", ascending=False, kind="stable")

    @cached_property
    def bank(self) -> Bank | None:
        """The features of the training clips; None where the folder has none."""
        if self.result is None or not self.folder.features.exists() or not self.folder.split.exists():
            return None
        roles = read_table(self.folder.split, ("id", "role"))
        ids = [roles["id"][roles["role"] == role].to_numpy(dtype=object) for role in ("labeled", "unlabeled")]
        labeled, clips = len(ids[0]), sum(map(len, ids))
        found = self.folder.read_features(clips, len(self.classes))
        position = found["position"]
        # Within a role split.csv is in the order of positions.
        order = np.concatenate([np.argsort(position[:labeled]), labeled + np.argsort(position[labeled:])])
        feature, probability = (found[name][order].astype(np.float32) for name in ("feature", "probability"))
        return Bank(np.concatenate(ids), labeled, feature, probability)

    @cached_property
    def held_out(self) -> pd.DataFrame | None:
        """Predictions of clips that training did not know: id, truth, label, score, of; None where there are none."""
        if not self.folder.held_out.exists():
            return None
        table = read_table(self.folder.held_out, ("id", "truth", "label", "score", "of"))
        table["score"] = pd.to_numeric(table["score"], errors="coerce")
        return table[table["score"].between(0, 1)]


def read_run(path: Path) -> Run:
    """Returns what a run folder holds."""
    folder = RunDir(path)
    if not any(file.exists() for file in (folder.config, folder.metrics, folder.result)):
        folder.require(lambda run: run.config, "expected the folder of a run or a comparison, as `aplt` leaves it")
    result = folder.read_result() if folder.result.exists() else None
    rounds = folder.read_rounds()
    _require_same_classes(folder, result, rounds)
    return Run(
        folder=folder,
        name=path.resolve().name,
        config=load_yaml(folder.config) if folder.config.exists() else {},
        config_text=read_text(folder.config) if folder.config.exists() else None,
        rounds=rounds,
        result=result,
        predictions=_predictions(folder.predictions) if result and folder.predictions.exists() else None,
        counts=_counts(folder, result),
    )


def _require_same_classes(folder: RunDir, result: Result | None, rounds: Sequence[Round]) -> None:
    expected = None if result is None else len(result.classes)
    for number, line in enumerate(rounds, start=1):
        if line.pseudo is not None:
            found = len(line.pseudo.threshold)
            expected = found if expected is None else expected
            if found != expected:
                raise InputError(
                    f"{folder.metrics} line {number}: pseudo is of {counted(found, 'class', 'classes')}, expected "
                    f"{expected} as in {'the other lines' if result is None else folder.result.name}"
                )


def _predictions(path: Path) -> pd.DataFrame:
    table = read_table(path, ("id", "truth", "prediction_1", "score_1"))
    table["score_1"] = pd.to_numeric(table["score_1"], errors="coerce")
    return table[table["truth"] != ""]


def _counts(folder: RunDir, result: Result | None) -> dict[str, int] | None:
    if result is not None:
        return {role: getattr(result.counts, role) for role in ROLES}
    if not folder.split.exists():
        return None
    found = read_table(folder.split, ("id", "role"))["role"].value_counts()
    return {role: int(found.get(role, 0)) for role in ROLES}
