"""Figures of named clips: what they are called and how they are computed. A figure is added here and nowhere else.

Free of torch, like all that reads what a run leaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from aplt.clips import UNKNOWN


class Record(BaseModel):
    """A frozen group of figures; keys that it does not know, as of a later version, are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Predicted:
    """The clips of known label that a figure is made of: n of them, K classes."""

    truth: np.ndarray  # [n] int64
    score: np.ndarray  # [n, K] probabilities
    group: np.ndarray | None  # [K] int64, the group of each class; None where classes have none

    @cached_property
    def ranked(self) -> np.ndarray:
        """The classes of each clip [n, K], best first."""
        return rank(self.score)

    @property
    def best(self) -> np.ndarray:
        """The predicted class [n]."""
        best: np.ndarray = self.ranked[:, 0]
        return best

    @cached_property
    def by_class(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Precision, recall, F1 and number of clips of each class [K]; 0 where there is nothing to divide by."""
        from sklearn.metrics import precision_recall_fscore_support  # slow to import, and readers need it not

        classes = np.arange(self.score.shape[1])
        precision, recall, f1, clips = precision_recall_fscore_support(
            self.truth, self.best, labels=classes, zero_division=0
        )
        return precision, recall, f1, clips


@dataclass(frozen=True)
class Figure:
    """How a figure is called and computed; None where it would say nothing."""

    title: str
    compute: Callable[[Predicted], float | None]
    main: bool = True
    """Whether it is shown by round and compared; all others are of a run, and in its files."""
    paired: bool = True
    """Whether comparisons test the differences in it, if it is a main one."""
    share: bool = True
    """Whether it is written in percent."""

    def text(self, value: float) -> str:
        """Returns a value as it is written at a terminal."""
        return f"{value:.1%}" if self.share else f"{value:.3f}"


def _top1(clips: Predicted) -> float:
    return float((clips.best == clips.truth).mean())


def _top5(clips: Predicted) -> float | None:
    if clips.ranked.shape[1] <= 5:  # any answer would count
        return None
    return float((clips.ranked[:, :5] == clips.truth[:, None]).any(axis=1).mean())


def _macro_f1(clips: Predicted) -> float:
    _, _, f1, _ = clips.by_class
    return float(f1[np.union1d(clips.truth, clips.best)].mean())


def _balanced_accuracy(clips: Predicted) -> float:
    _, recall, _, _ = clips.by_class
    return float(recall[np.unique(clips.truth)].mean())


def _kappa(clips: Predicted) -> float | None:
    from sklearn.metrics import cohen_kappa_score

    if len(np.union1d(clips.truth, clips.best)) == 1:  # agreement by chance is certain
        return None
    return float(cohen_kappa_score(clips.truth, clips.best))


def _calibration_error(clips: Predicted) -> float:
    sure, right = clips.score.max(axis=1).astype(np.float64), clips.best == clips.truth
    bins = np.clip(np.ceil(sure * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=right - sure, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(sure))


def _of_groups(compute: Callable[[Predicted], float]) -> Callable[[Predicted], float | None]:
    """Returns a figure of the best class's group against the true class's."""

    def of_groups(clips: Predicted) -> float | None:
        if clips.group is None:
            return None
        best = np.eye(int(clips.group.max()) + 1)[clips.group[clips.best]]
        return compute(Predicted(clips.group[clips.truth], best, None))

    return of_groups


def _f1_mean(clips: Predicted) -> float | None:
    top1, macro = _GROUP_TOP1(clips), _GROUP_MACRO_F1(clips)
    if top1 is None or macro is None:
        return None
    return (top1 + macro + _top1(clips) + _macro_f1(clips)) / 4  # micro F1 is top-1


_GROUP_TOP1, _GROUP_MACRO_F1 = _of_groups(_top1), _of_groups(_macro_f1)
CALIBRATION_BINS = 15


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
    group_top1: Annotated[float | None, Figure("group top-1", _GROUP_TOP1)] = None
    """Share of clips whose best class is of the right group; None where classes have no groups, as are the next two."""
    group_macro_f1: Annotated[float | None, Figure("group macro F1", _GROUP_MACRO_F1, main=False)] = None
    """Mean F1 over groups."""
    f1_mean: Annotated[float | None, Figure("F1 mean", _f1_mean)] = None
    """Mean of macro and micro F1 of classes and of groups, as micro-action recognition has it (arXiv 2403.05234)."""
    balanced_accuracy: Annotated[float | None, Figure("balanced accuracy", _balanced_accuracy, main=False)] = None
    """Mean recall over the classes that the clips hold."""
    kappa: Annotated[float | None, Figure("Cohen's kappa", _kappa, main=False, share=False)] = None
    """Agreement beyond chance."""
    calibration_error: Annotated[float | None, Figure("calibration error", _calibration_error, main=False)] = None
    """Mean difference of score and accuracy over 15 equal ranges of scores, weighted by clips (arXiv 1706.04599)."""


class Figures(FigureValues):
    """How well clips of known label were named."""

    per_class: tuple[ClassFigures, ...]

    @classmethod
    def of(
        cls, truth: np.ndarray, score: np.ndarray, class_names: Sequence[str], groups: Sequence[str] = ()
    ) -> Self | None:
        """Returns the figures of scores [n, K] against labels [n]; None where no clip has a known label (not -1).

        `groups` names each class's, if classes have any.
        """
        known = truth != UNKNOWN
        if not known.any():
            return None
        group = np.unique(groups, return_inverse=True)[1] if groups else None
        clips = Predicted(truth[known], score[known], group)
        per_class = tuple(
            ClassFigures(name=name, clips=int(count), precision=float(p), recall=float(r), f1=float(f))
            for name, p, r, f, count in zip(class_names, *clips.by_class, strict=True)
        )
        return cls(**{name: figure.compute(clips) for name, figure in FIGURES.items()}, per_class=per_class)

    @property
    def clips(self) -> int:
        """How many clips they are of."""
        return sum(one.clips for one in self.per_class)

    def text(self, *, main: bool = True) -> str:
        """Returns the main figures, or the others, as they are written at a terminal."""
        return ", ".join(f"{figure.title} {figure.text(value)}" for figure, value in self.shown(main=main))

    def shown(self, *, main: bool = True) -> list[tuple[Figure, float]]:
        """Returns the main figures that exist, or the others, each with its value."""
        found = [(figure, getattr(self, name)) for name, figure in FIGURES.items() if figure.main == main]
        return [(figure, value) for figure, value in found if value is not None]

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
MAIN_FIGURES = {name: figure for name, figure in FIGURES.items() if figure.main}
"""Those that are shown by round and compared."""


def rank(score: np.ndarray) -> np.ndarray:
    """Returns the classes of each row of score [n, K], best first; the lower number first among equals."""
    return np.argsort(-score, axis=1, kind="stable")
