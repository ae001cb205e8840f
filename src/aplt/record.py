"""What a run leaves in numbers, typed: one writer, many readers. A figure is added here and nowhere else.

`Round` is a line of metrics.jsonl, `Result` is result.json. Free of torch, so that a copied folder can be read
anywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from aplt.clips import UNKNOWN


class Record(BaseModel):
    """A frozen group of figures; keys that it does not know, as of a later version, are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Predicted:
    """The clips of known label that a figure is made of: n of them, K classes."""

    truth: np.ndarray  # [n] int64
    ranked: np.ndarray  # [n, K] classes, best first

    @property
    def best(self) -> np.ndarray:
        """The predicted class [n]."""
        best: np.ndarray = self.ranked[:, 0]
        return best


@dataclass(frozen=True)
class Figure:
    """How a figure is called and computed; None where it would say nothing."""

    title: str
    compute: Callable[[Predicted], float | None]
    paired: bool = True
    """Whether comparisons test the differences in it."""


def _top1(clips: Predicted) -> float:
    return float((clips.best == clips.truth).mean())


def _top5(clips: Predicted) -> float | None:
    if clips.ranked.shape[1] <= 5:  # any answer would count
        return None
    return float((clips.ranked[:, :5] == clips.truth[:, None]).any(axis=1).mean())


def _macro_f1(clips: Predicted) -> float:
    from sklearn.metrics import f1_score  # slow to import, and readers need it not

    return float(f1_score(clips.truth, clips.best, average="macro", zero_division=0))


class ClassFigures(Record):
    """One class's figures."""

    name: str
    clips: NonNegativeInt
    precision: float
    recall: float
    f1: float


class FigureValues(Record):
    """The figures that are shown wherever figures are: each is a field, and this is the one place to add another.

    One that is added later has the default None, so that what was written before can be read.
    """

    top1: Annotated[float, Field(ge=0, le=1), Figure("top-1", _top1)]
    """Share of clips whose best class is right."""
    top5: Annotated[float | None, Figure("top-5", _top5, paired=False)] = None
    """Share of clips of which one of the five best classes is right; None with five classes or fewer."""
    macro_f1: Annotated[float, Figure("macro F1", _macro_f1)]
    """Mean F1 over the classes that the clips hold or that were predicted."""


class Figures(FigureValues):
    """How well clips of known label were named."""

    per_class: tuple[ClassFigures, ...]

    @classmethod
    def of(cls, truth: np.ndarray, score: np.ndarray, class_names: Sequence[str]) -> Self | None:
        """Returns the figures of scores [n, K] against labels [n]; None where no clip has a known label (not -1)."""
        from sklearn.metrics import precision_recall_fscore_support

        known = truth != UNKNOWN
        if not known.any():
            return None
        clips = Predicted(truth[known], rank(score[known]))
        classes = np.arange(len(class_names))
        each = precision_recall_fscore_support(clips.truth, clips.best, labels=classes, zero_division=0)
        per_class = tuple(
            ClassFigures(name=name, clips=int(count), precision=float(p), recall=float(r), f1=float(f))
            for name, p, r, f, count in zip(class_names, *each, strict=True)
        )
        return cls(**{name: figure.compute(clips) for name, figure in FIGURES.items()}, per_class=per_class)

    @property
    def clips(self) -> int:
        """How many clips they are of."""
        return sum(one.clips for one in self.per_class)

    def shown(self) -> dict[str, float]:
        """Returns the figures that exist by their titles, such as {'top-1': 0.61}."""
        found = {figure.title: getattr(self, name) for name, figure in FIGURES.items()}
        return {title: value for title, value in found.items() if value is not None}

    def to_frame(self) -> pd.DataFrame:
        """Returns a row per class: class, clips, precision, recall, f1."""
        rows = [one.model_dump() for one in self.per_class]
        return pd.DataFrame(rows, columns=list(ClassFigures.model_fields)).rename(columns={"name": "class"})


FIGURES: dict[str, Figure] = {
    name: figure
    for name, field in FigureValues.model_fields.items()
    for figure in field.metadata
    if isinstance(figure, Figure)
}
"""The figures by the name of their field."""


def rank(score: np.ndarray) -> np.ndarray:
    """Returns the classes of each row of score [n, K], best first; the lower number first among equals."""
    return np.argsort(-score, axis=1, kind="stable")


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
        return _of_one_length(self, "classes", "labeled_per_class")

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
    """Returns the record, whose tuples are of one length each.

    Raises:
        ValueError: they are not; names one.
    """
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
        row |= {f"{watched.role}_{name}": getattr(watched.figures, name) for name in FIGURES} if watched else {}
        for kind, labels in (("pseudo", line.pseudo), ("online", line.online)):
            row |= {f"{kind}_{name}": getattr(labels, name, None) for name in ("precision", "coverage")}
        rows.append(row | {"seconds": line.seconds.total})
    return pd.DataFrame(rows)
