"""How often labels with such a score are right, measured on clips whose labels training never saw."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from aplt.rundir import RunDir
from aplt.storage import read_table

if TYPE_CHECKING:
    from sklearn.isotonic import IsotonicRegression

FEWEST = 30  # held-out clips with a known label below which no reliability is claimed
INTERVAL = 0.9  # the confidence of a reliability's interval
STARTS = 4  # thresholds at most that `promise` may begin at


@dataclass(frozen=True)
class HeldOut:
    """The predictions of clips that training never saw, and whose label is known."""

    score: np.ndarray
    """That of the best class of each [m]."""
    right: np.ndarray
    """Whether it is the true one [m]."""


@dataclass(frozen=True)
class Reliability:
    """How often labels with a clip's score are right [n], with the ends of a 90 % interval; NaN where unknown."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Promise:
    """A threshold of the score from which labels are right as often as asked, with the confidence asked."""

    threshold: float | None
    """None where the held-out clips carry no such promise."""
    held_out: int
    """Held-out clips with a score from the threshold on; without one, of all."""
    right: int
    """Those of them whose label is right."""


def held_out_of(run: RunDir) -> HeldOut:
    """Returns the clips by which a run measures reliability; none of a model's folder."""
    if not run.held_out.exists():
        return HeldOut(np.empty(0), np.empty(0, dtype=bool))
    table = read_table(run.held_out, needed=("truth", "label"), numbers=("score",))
    return HeldOut(table["score"].to_numpy(), (table["truth"] == table["label"]).to_numpy())


def reliability_of(score: np.ndarray, measured: HeldOut) -> Reliability:
    """Returns how often a best class with each score [n] is right; NaN with fewer than 30 held-out clips.

    The value is an inductive Venn-Abers predictor's (arXiv 1511.00213, eq. 7): two isotonic regressions of being right
    on the score, over the held-out clips and the clip itself, once as a wrong one and once as a right one, merged as
    p1 / (1 - p0 + p1). The interval is Clopper and Pearson's over the held-out clips that isotonic regression gives
    one value. Higher scores never have a lower value.
    """
    if len(measured.score) < FEWEST or not len(score):
        return Reliability(*np.full((3, len(score)), np.nan))
    order = np.argsort(measured.score, kind="stable")
    known, right = measured.score[order], measured.right[order].astype(np.float64)
    # Only the place among the held-out scores counts: at most 2 m + 1 are different.
    place = np.searchsorted(known, score, "left") + np.searchsorted(known, score, "right")
    asked, first, inverse = np.unique(place, return_index=True, return_inverse=True)
    ends = np.array([[_with(known, right, score[k], outcome) for outcome in (0.0, 1.0)] for k in first])
    value = ends[:, 1] / (1 - ends[:, 0] + ends[:, 1])

    level = _isotonic().fit_transform(known, right)
    _, block, count = np.unique(level, return_inverse=True, return_counts=True)
    wins = np.bincount(block, weights=right)
    rest = (1 - INTERVAL) / 2
    low = np.where(wins > 0, special.betaincinv(wins, count - wins + 1, rest), 0.0)
    high = np.where(wins < count, special.betaincinv(wins + 1, count - wins, 1 - rest), 1.0)
    mine = block[np.clip(asked // 2, 0, len(known) - 1)]
    return Reliability(value[inverse], np.minimum(low[mine], value)[inverse], np.maximum(high[mine], value)[inverse])


def _isotonic() -> "IsotonicRegression":
    from sklearn.isotonic import IsotonicRegression  # brings scipy.stats along, which only this needs

    return IsotonicRegression(y_min=0, y_max=1)


def _with(score: np.ndarray, right: np.ndarray, own: float, outcome: float) -> float:
    """Returns the isotonic value of a score that is added with an outcome."""
    curve = _isotonic()
    curve.fit(np.append(score, own), np.append(right, outcome))
    return float(curve.predict([own])[0])


def promise(measured: HeldOut, precision: float, confidence: float) -> Promise:
    """Returns the lowest threshold at and above which labels are right with this precision, at this confidence.

    Learn then test (arXiv 2110.01052): for thresholds from the strictest on, an exact binomial test that the precision
    is less; by the fallback procedure (Wiens 2003), which shares the error among a few thresholds to begin at and
    hands the share of each that is refused on to the next, so that the promise holds for the threshold chosen.
    """
    order = np.argsort(-measured.score, kind="stable")
    score, right = measured.score[order], np.cumsum(measured.right[order])
    last = np.append(score[1:] != score[:-1], True)  # of those with one score
    count = np.arange(1, len(score) + 1)
    starts = _starts(len(score), precision, 1 - confidence)
    own = (1 - confidence) / max(1, len(starts))
    chosen, share = None, 0.0
    for at in np.flatnonzero(last):
        begun = {start for start in starts if start <= at}
        starts -= begun
        share += len(begun) * own
        if share and special.bdtrc(right[at] - 1, count[at], precision) <= share:
            chosen = int(at)
        else:
            share = 0.0
    if chosen is None:
        return Promise(None, len(score), int(measured.right.sum()))
    return Promise(float(score[chosen]), chosen + 1, int(right[chosen]))


def fewest_for(precision: float, error: float) -> int:
    """Returns how many held-out clips a promise with this error needs if all of them are right."""
    return math.ceil(math.log(error) / math.log(precision))


def _starts(clips: int, precision: float, error: float) -> set[int]:
    """Returns after how many clips, less one, a test may begin: none before the first at which it could succeed."""
    found: set[int] = set()
    for many in range(1, STARTS + 1):
        fewest = fewest_for(precision, error / many)
        later = {math.ceil(fewest * 1.6**k) - 1 for k in range(many)}
        if max(later) < clips:
            found = later
    return found
