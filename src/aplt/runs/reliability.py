"""How far a score can be trusted, measured on clips that training never saw."""

import numpy as np
from sklearn.isotonic import IsotonicRegression

from aplt.clips import UNKNOWN

FEWEST = 30  # held-out clips with a known label below which no reliability is claimed


def measured_reliability(score: np.ndarray, held_out_score: np.ndarray, held_out_truth: np.ndarray) -> np.ndarray:
    """Returns for each row of score [n, K] how often predictions with such a best score are right, NaN if unknown.

    An isotonic regression (scikit-learn) of being right on the best score, over the held-out clips: the higher the
    score, the higher or equal the reliability.
    """
    known = held_out_truth != UNKNOWN
    if known.sum() < FEWEST:
        return np.full(len(score), np.nan)
    right = held_out_score[known].argmax(axis=1) == held_out_truth[known]
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    curve.fit(held_out_score[known].max(axis=1), right.astype(np.float64))
    found: np.ndarray = curve.predict(score.max(axis=1))
    return found
