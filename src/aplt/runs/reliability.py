"""How far a score can be trusted, measured on clips that training never saw."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from aplt.clips import UNKNOWN

FEWEST = 30  # held-out clips with a known label below which no reliability is claimed


@dataclass(frozen=True)
class HeldOut:
    """The predictions of clips that training never saw, and whose label is known."""

    score: np.ndarray
    """That of the best class of each [m]."""
    right: np.ndarray
    """Whether it is the true one [m]."""


def measured_reliability(score: np.ndarray, held_out_score: np.ndarray, held_out_truth: np.ndarray) -> np.ndarray:
    """Returns for each row of score [n, K] how often predictions with such a best score are right, NaN if unknown.

    Measured on held-out clips [m, K] and their labels [m], -1 where unknown.
    """
    known = held_out_truth != UNKNOWN
    right = held_out_score[known].argmax(axis=1) == held_out_truth[known]
    return reliability_of(score.max(axis=1), HeldOut(held_out_score[known].max(axis=1), right))


def reliability_of(score: np.ndarray, held_out: HeldOut) -> np.ndarray:
    """Returns for each score [n] of a best class how often it is right with such a score, NaN if unknown.

    An isotonic regression (scikit-learn) of being right on the best score, over the held-out clips: the higher the
    score, the higher or equal the reliability.
    """
    if len(held_out.score) < FEWEST or not len(score):
        return np.full(len(score), np.nan)
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    curve.fit(held_out.score, held_out.right.astype(np.float64))
    found: np.ndarray = curve.predict(score)
    return found
