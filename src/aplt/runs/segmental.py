"""Events against events: segmental F1 and frame accuracy.

Segmental F1@k (C. Lea, M. D. Flynn, R. Vidal, A. Reiter, G. D. Hager: Temporal Convolutional Networks for Action
Segmentation and Detection, CVPR 2017): each predicted event, in order of time, is compared with the true events of its
class. If the largest IoU (seconds in both over seconds in either) is at least k, and that event has not been found
already, it is a true positive, otherwise a false one; true events that are not found are false negatives.
F1 = 2 TP / (2 TP + FP + FN), of the events of all recordings and classes together.

Frame accuracy is the share of time in which prediction and truth are the same class, or both none. Where events of a
recording overlap, the one that starts last counts. It is measured in time and not by frames, so no rate enters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

IOU = (0.1, 0.25, 0.5)


@dataclass(frozen=True)
class Compared:
    """The predicted and the true events of a recording, or of the part from `start` to `end`, in seconds."""

    predicted: pd.DataFrame
    truth: pd.DataFrame
    start: float
    end: float


@dataclass(frozen=True)
class EventFigures:
    """How well the events of recordings were found."""

    seconds: float
    f1: dict[float, float]
    """Segmental F1 by the least IoU."""
    frame_accuracy: float
    per_class: pd.DataFrame
    """A row per class: class, events (true ones), predicted, and f1_10, f1_25, f1_50."""


def event_figures(recordings: Sequence[Compared]) -> EventFigures:
    """Returns the figures of recordings together; events are cut at the ends of the parts that are compared."""
    pairs = [(_within(one.predicted, one), _within(one.truth, one)) for one in recordings]
    names = sorted({name for pair in pairs for events in pair for name in events["label"]})
    counts = {k: {name: np.zeros(3, dtype=np.int64) for name in names} for k in IOU}
    for predicted, truth in pairs:
        for name in names:
            made, true = (events[["start", "end"]][events["label"] == name].to_numpy() for events in (predicted, truth))
            for k in IOU:
                counts[k][name] += _matched(made, true, k)
    right = sum(_agreed(*pair, one.start, one.end) for pair, one in zip(pairs, recordings, strict=True))
    seconds = sum(one.end - one.start for one in recordings)
    rows = []
    for name in names:
        found, false, missed = counts[IOU[0]][name]
        rows.append([name, found + missed, found + false, *(_f1(counts[k][name]) for k in IOU)])
    columns = ["class", "events", "predicted", *(f"f1_{100 * k:.0f}" for k in IOU)]
    f1 = {k: _f1(sum(counts[k].values(), np.zeros(3, dtype=np.int64))) for k in IOU}
    return EventFigures(seconds, f1, right / seconds, pd.DataFrame(rows, columns=columns))


def _within(events: pd.DataFrame, part: Compared) -> pd.DataFrame:
    """Returns the events as far as they lie in a part of the recording, by their start."""
    cut = events.assign(start=events["start"].clip(lower=part.start), end=events["end"].clip(upper=part.end))
    return cut[cut["start"] < cut["end"]].sort_values("start", kind="stable")


def _matched(predicted: np.ndarray, truth: np.ndarray, least: float) -> np.ndarray:
    """Returns how many predicted spans [P, 2] of a class are right, how many wrong, and how many [Q, 2] are missed."""
    found = np.zeros(len(truth), dtype=bool)
    for start, end in predicted if len(truth) else ():
        both = np.clip(np.minimum(end, truth[:, 1]) - np.maximum(start, truth[:, 0]), 0, None)
        iou = both / (end - start + truth[:, 1] - truth[:, 0] - both)
        found[iou.argmax()] |= iou.max() >= least
    return np.array([found.sum(), len(predicted) - found.sum(), (~found).sum()])


def _f1(counts: np.ndarray) -> float:
    right, wrong, missed = counts.tolist()
    return 2 * right / (2 * right + wrong + missed) if right + wrong + missed else 1.0


def _agreed(predicted: pd.DataFrame, truth: pd.DataFrame, start: float, end: float) -> float:
    """Returns the seconds in which both say the same."""
    bounds = [events[name].to_numpy() for events in (predicted, truth) for name in ("start", "end")]
    edges = np.unique(np.concatenate([[start, end], *bounds]))
    middle = (edges[1:] + edges[:-1]) / 2
    same = _label_at(predicted, middle) == _label_at(truth, middle)
    return float(np.diff(edges)[same].sum())


def _label_at(events: pd.DataFrame, moments: np.ndarray) -> np.ndarray:
    """Returns the label at each moment, "" where there is no event; events are in the order of their start."""
    labels = np.full(len(moments), "", dtype=object)
    for start, end, label in zip(events["start"], events["end"], events["label"], strict=True):
        labels[(moments >= start) & (moments < end)] = label
    return labels
