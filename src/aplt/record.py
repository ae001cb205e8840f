"""What a run leaves in numbers, typed: one writer, many readers.

`Round` is a line of metrics.jsonl, `Result` is result.json. Free of torch, so that a copied folder can be read
anywhere.
"""

from collections.abc import Sequence
from typing import Any, Self, TypeVar

import pandas as pd
from pydantic import NonNegativeInt, model_validator

from aplt.figures import FIGURES, MAIN_FIGURES, Figures, Record


class PseudoFigures(Record):
    """What the offline phase believed of the unlabeled clips. Lists are by class of the pseudo-label."""

    coverage: float
    """Share of clips that were accepted."""
    precision: float | None
    """Share of right ones among the accepted clips of known truth; None without any."""
    rejected_precision: float | None
    all_precision: float | None
    accepted: tuple[NonNegativeInt, ...]
    known: tuple[NonNegativeInt, ...]
    """Of how many of the accepted clips the truth is known."""
    correct: tuple[NonNegativeInt, ...]
    """How many of these are right."""
    threshold: tuple[float | None, ...]
    """None: none, everything is accepted."""

    @model_validator(mode="after")
    def _of_the_same_classes(self) -> Self:
        return _of_one_length(self, "accepted", "known", "correct", "threshold")


class OnlineFigures(Record):
    """The labels that a round's steps made, as far as they counted."""

    coverage: float
    """Mean weight."""
    precision: float | None
    """Weighted share of right ones among those of known truth; None where none counted."""


class Watched(Record):
    """The clips whose accuracy is followed by round: val, else test (never used to choose)."""

    role: str
    figures: Figures


PHASES = ("offline", "online", "evaluation")


class Seconds(Record):
    """Time spent, by phase."""

    offline: float = 0.0
    online: float = 0.0
    evaluation: float = 0.0

    @property
    def total(self) -> float:
        """All phases together."""
        return self.offline + self.online + self.evaluation


class Round(Record):
    """What one round of training left: a line of metrics.jsonl. Hidden labels are counted here and go nowhere else."""

    round: int
    """From 1."""
    warm_up: bool
    steps_done: int
    learning_rate: float
    loss: dict[str, float]
    """Mean of the loss's parts over the round's steps, and of their sum, `total`."""
    pseudo: PseudoFigures | None
    """Of the offline phase; None without one, or without unlabeled clips."""
    online: OnlineFigures | None
    """Of the labels that steps made; None where they made none."""
    watched: Watched | None
    """None where no val and no test clip has a label."""
    seconds: Seconds


class Counts(Record):
    """Clips by role, and classes."""

    labeled: NonNegativeInt
    unlabeled: NonNegativeInt
    val: NonNegativeInt
    test: NonNegativeInt
    classes: NonNegativeInt


class Result(Record):
    """The final figures of a run: result.json."""

    method: str
    encoder: str
    seed: int
    labeled_fraction: float
    """Labeled clips among the training clips of known label."""
    labeled_asked: float | None
    """The share that was asked for; None where a split file or the default said which."""
    counts: Counts
    classes: tuple[str, ...]
    labeled_per_class: tuple[int, ...]
    groups: tuple[str, ...] = ()
    """Of the classes; empty where these have none."""
    test: Figures | None
    """None where no test clip has a label; so it is with the next two."""
    val: Figures | None
    unlabeled: Figures | None
    """Of the unlabeled clips whose label is known, which stayed hidden until here."""
    parameters: int
    steps: int
    seconds: Seconds
    versions: dict[str, str]
    digests: dict[str, str]
    """Of the index and the split."""

    @model_validator(mode="after")
    def _of_the_same_classes(self) -> Self:
        return _of_one_length(self, "classes", "labeled_per_class", *["groups"] * bool(self.groups))

    def to_frame(self) -> pd.DataFrame:
        """Returns one row: what was trained, and each figure by role, such as test_top1 and unlabeled_macro_f1."""
        row: dict[str, Any] = {name: getattr(self, name) for name in ("method", "encoder", "seed", "labeled_fraction")}
        row |= {f"{role}_clips": getattr(self.counts, role) for role in ("labeled", "unlabeled", "val", "test")}
        for role in ("test", "val", "unlabeled"):
            found: Figures | None = getattr(self, role)
            row |= {f"{role}_{name}": getattr(found, name, None) for name in FIGURES}
        return pd.DataFrame([row | {"steps": self.steps, "seconds": self.seconds.total}])


_Read = TypeVar("_Read", bound=Record)


def _of_one_length(record: _Read, first: str, *others: str) -> _Read:
    """Returns the record, whose tuples are of one length each."""
    expected = len(getattr(record, first))
    for name in others:
        if len(getattr(record, name)) != expected:
            raise ValueError(f"{name} has {len(getattr(record, name))} entries, expected {expected} as in {first}")
    return record


def rounds_frame(rounds: Sequence[Round]) -> pd.DataFrame:
    """Returns a row per round: loss, figures of the watched clips, precision and coverage of the labels, seconds."""
    rows = []
    for line in rounds:
        row: dict[str, Any] = {"round": line.round, "warm_up": line.warm_up, "loss": line.loss["total"]}
        watched = line.watched
        row |= {f"{watched.role}_{name}": getattr(watched.figures, name) for name in MAIN_FIGURES} if watched else {}
        for kind, labels in (("pseudo", line.pseudo), ("online", line.online)):
            row |= {f"{kind}_{name}": getattr(labels, name, None) for name in ("precision", "coverage")}
        rows.append(row | {"seconds": line.seconds.total})
    return pd.DataFrame(rows)
