"""A trained model on recordings: windows scored, smoothed, and merged into events.

1. Windows of a fixed length, one every `stride` seconds, are scored as clips; one more ends with the recording.
2. Time is divided into cells of `stride` seconds. A cell's class probabilities are the mean of those of the windows
   that overlap it, weighted by the overlap.
3. Each cell is given a class, by the sequence of classes k_t with the largest sum of log p_t(k_t), less `change` for
   each change of class (Viterbi's algorithm). "No event" is one of the classes: its probability is that of the model's
   class for it, if it has one, and never less than `threshold`.
4. Cells of one class that follow each other are an event. Its score is the mean of their probabilities of the class.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from aplt.clips import Clip
from aplt.data.modality import MODALITIES
from aplt.data.recordings import FINEST, events_table, windows
from aplt.errors import InputError
from aplt.models.recognizer import Recognizer
from aplt.runs.predict import score_each
from aplt.runs.reliability import HeldOut, reliability_of

LEAST = 1e-4
"""The least probability that a class is taken to have: a network is never surer than that."""


@dataclass(frozen=True)
class Reading:
    """How recordings are read."""

    window: float
    """Seconds."""
    stride: float
    """Seconds."""
    none: str = "nothing"
    """The class of what is no event; of no account where the model has none of that name."""
    threshold: float | None = None
    """By default 0 where the model has such a class, otherwise 0.5."""
    change: float = 1.0
    """What a change of class costs, in nats."""


@dataclass(frozen=True)
class Recording:
    """A recording, or a part of one, and what happens in it."""

    clip: Clip
    seconds: float
    events: pd.DataFrame
    """See aplt.data.recordings; times are those of the file."""


def read_recordings(
    model: Recognizer, clips: Sequence[Clip], reading: Reading, held_out: HeldOut | None = None
) -> tuple[list[Recording], list[str]]:
    """Returns the recordings that can be read, with their events, and why others, or parts of them, cannot.

    `clips` may be intervals of recordings; one that is shorter than the window is a window. By the `held_out` clips the
    reliability of a score is measured.
    """
    source = model.input if model.embedder is None else model.embedder.settings.input.model_dump()
    modality = MODALITIES[str(source["kind"])]
    lengths: dict[int, float] = {}
    errors: list[str] = []
    parts: list[Clip] = []
    owner: list[int] = []
    for place, clip in enumerate(clips):
        try:
            lengths[place] = modality.seconds(clip)
        except InputError as error:
            errors.append(str(error))
            continue
        cut = _windows(clip, lengths[place], reading)
        parts += cut
        owner += [place] * len(cut)
    scored, failed = score_each(model, parts)
    errors += dict.fromkeys(map(str, failed.values()))
    owners = np.array(owner, dtype=np.int64)[scored.position]
    found = []
    for place, length in lengths.items():
        clip, own = clips[place], owners == place
        if not own.any():
            continue
        start = clip.start or 0.0
        spans = [
            ((parts[k].start or 0.0) - start, length if (end := parts[k].end) is None else end - start)
            for k in scored.position[own]
        ]
        score = cell_scores(spans, scored.score[own], length, reading.stride)
        rows = find_events(score, length, model.class_names, reading)
        table = events_table((str(clip.path), start + first, start + last, *more) for first, last, *more in rows)
        reliability = np.nan if held_out is None else reliability_of(table["score"].to_numpy(), held_out).value
        found.append(Recording(clip, length, table.assign(reliability=reliability)))
    return found, errors


def cell_scores(spans: Sequence[tuple[float, float]], score: np.ndarray, seconds: float, step: float) -> np.ndarray:
    """Returns class probabilities [T, K] of cells of `step` seconds; NaN where no window was scored.

    Args:
        spans: Start and end of each of n windows, in seconds.
        score: Their class probabilities [n, K].
        seconds: How long the recording is; the last cell may be shorter.
        step: Seconds of a cell.
    """
    count = max(1, math.ceil(seconds / step - FINEST))
    edges = np.minimum(np.arange(count + 1) * step, seconds)
    total, weight = np.zeros((count, score.shape[1])), np.zeros(count)
    for (start, end), one in zip(spans, score, strict=True):
        first, last = max(0, int(start / step) - 1), int(end / step) + 2
        low, high = edges[:-1][first:last], edges[1:][first:last]
        overlap = np.clip(np.minimum(high, end) - np.maximum(low, start), 0, None)
        overlap[overlap < FINEST] = 0
        total[first:last] += overlap[:, None] * one
        weight[first:last] += overlap
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = total / weight[:, None]
    return mean


def find_events(
    score: np.ndarray, seconds: float, class_names: Sequence[str], reading: Reading
) -> list[tuple[float, float, str, float]]:
    """Returns (start, end, class, score) of the events in cells of the class probabilities [T, K], in order."""
    nothing = class_names.index(reading.none) if reading.none in class_names else len(class_names)
    has_none = nothing < len(class_names)
    threshold = (0.0 if has_none else 0.5) if reading.threshold is None else reading.threshold
    unseen = np.isnan(score).any(axis=1)
    seen = np.where(unseen[:, None], 0.0, score)
    states = seen if has_none else np.concatenate([seen, np.zeros((len(seen), 1))], axis=1)
    states[:, nothing] = np.where(unseen, 1.0, np.maximum(states[:, nothing], threshold))
    best = likeliest(np.log(np.maximum(states, LEAST)), reading.change)
    edges = np.flatnonzero(np.diff(best, prepend=-1, append=-1))
    events = []
    for first, last in pairwise(edges.tolist()):
        label = int(best[first])
        if label != nothing:
            end = min(last * reading.stride, seconds)
            events.append((first * reading.stride, end, class_names[label], float(seen[first:last, label].mean())))
    return events


def likeliest(log_score: np.ndarray, change: float) -> np.ndarray:
    """Returns the sequence [T] with the largest sum of log scores [T, S], less `change` for each change."""
    count, states = log_score.shape
    came_from = np.empty((count, states), dtype=np.int64)
    best = np.zeros(states)
    for moment, row in enumerate(log_score):
        other = int(best.argmax())
        stays = best >= best[other] - change
        came_from[moment] = np.where(stays, np.arange(states), other)
        best = np.where(stays, best, best[other] - change) + row
    path = np.empty(count, dtype=np.int64)
    state = int(best.argmax())
    for moment in range(count - 1, -1, -1):
        path[moment] = state
        state = int(came_from[moment, state])
    return path


def _windows(clip: Clip, seconds: float, reading: Reading) -> list[Clip]:
    """Returns the windows of a recording as clips; the last one ends with it."""
    if seconds <= reading.window + FINEST:
        return [clip]
    spans = windows(0.0, seconds, reading.window, reading.stride)
    if spans[-1][1] < seconds - FINEST:
        spans.append((seconds - reading.window, seconds))
    start = clip.start or 0.0
    return [
        Clip(f"{clip.id}#{start + first:.3f}-{start + last:.3f}", clip.path, start=start + first, end=start + last)
        for first, last in spans
    ]
