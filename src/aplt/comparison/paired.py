"""Means over seeds, and differences of a method to others cell by cell, from the rows of compare.csv."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from aplt.report.words import Spread

REPEATED = ["dataset", "fold", "seed"]
MATCHED = [*REPEATED, "labeled"]


@dataclass(frozen=True)
class Difference:
    """The reference's figure minus another method's in the same cell, over folds and seeds, or over all cells."""

    group: tuple[str, float] | None
    """The data set and share of labels; None: over all, each data set, fold and seed with the mean over its shares."""
    other: str
    won: int
    """How often the reference is strictly better."""
    level: int
    """How often neither is."""
    gain: Spread
    each: np.ndarray
    """The differences themselves."""
    t_test: float | None = None
    """p of the paired t-test; None where it is undefined, as for fewer than two differences, or not to be shown."""
    rank_test: float | None = None
    """p of Wilcoxon's signed-rank test."""
    holm: float | None = None
    """p of the t-test, corrected for how many of them are planned."""


def spread(rows: pd.DataFrame, figure: str, **where: Any) -> Spread | None:
    """Returns the spread of a column over the rows whose columns have these values."""
    # A page asks thousands of times: only the column itself is cut.
    chosen = np.ones(len(rows), dtype=bool)
    for column, value in where.items():
        chosen &= rows[column].to_numpy() == value
    return Spread.of(rows[figure].to_numpy(dtype=np.float64)[chosen])


def _differences(gains: pd.DataFrame, group: tuple[str, float] | None) -> list[Difference]:
    """Returns the differences to each method that shares a cell with the reference, of `gains` in the group's cells."""
    found = []
    for other, gain in zip(gains.columns, gains.to_numpy().T, strict=True):
        # Accuracies are ratios of counts: what differs by less than a clip in a billion is a tie.
        gain = gain[~np.isnan(gain)].round(9)
        known = Spread.of(gain)
        if known is not None:
            won, level = int((gain > 0).sum()), int((gain == 0).sum())
            found.append(Difference(group, other, won, level, known, gain))
    return found


def all_differences(rows: pd.DataFrame, reference: str, others: Sequence[str], figure: str) -> list[Difference]:
    """Returns the differences by data set and share and, where there are several of these, over all."""
    held = rows[rows["method"] == reference]
    groups = list(dict.fromkeys(zip(held["dataset"], held["labeled"], strict=True)))
    if not groups:
        return []
    wide = rows.pivot(index=MATCHED, columns="method", values=figure).astype(np.float64)
    present = [other for other in others if other != reference and other in wide]
    gains = wide[present].rsub(wide[reference], axis=0)
    place = list(zip(gains.index.get_level_values("dataset"), gains.index.get_level_values("labeled"), strict=True))
    found = [one for group in groups for one in _differences(gains[[at == group for at in place]], group)]
    if len(groups) > 1:
        # For one seed a larger share contains the smaller: shares are no repetitions.
        found += _differences(gains.groupby(level=REPEATED).mean(), None)
    return found


def with_tests(found: Sequence[Difference], chosen: Sequence[bool], planned: int) -> list[Difference]:
    """Returns the differences, those chosen with the p-values of their tests, corrected for how many are planned."""
    done = [
        replace(one, t_test=t_test_p(one.each), rank_test=rank_test_p(one.each)) if test else one
        for one, test in zip(found, chosen, strict=True)
    ]
    places = [place for place, one in enumerate(done) if one.t_test is not None]
    corrected = holm(np.array([done[place].t_test for place in places], dtype=np.float64), planned)
    for place, p in zip(places, corrected.tolist(), strict=True):
        done[place] = replace(done[place], holm=p)
    return done


def holm(p: np.ndarray, planned: int) -> np.ndarray:
    """Returns p-values corrected for the number of tests, whether or not these are independent.

    Of the planned tests those without a p-value count as the largest ones, so that what is shown before all are done is
    never less strict than at the end.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 1979.
    """
    order = p.argsort()
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * (planned - np.arange(len(p)))))
    return corrected


def t_test_p(gain: np.ndarray) -> float | None:
    """Returns the two-sided p of the paired t-test that differences have mean 0; None where all are equal."""
    if len(gain) < 2 or np.ptp(gain) == 0:
        return None
    from scipy.stats import ttest_rel  # takes seconds to import, and a page without tests needs it not

    return _finite(ttest_rel(gain, np.zeros_like(gain)).pvalue)


def rank_test_p(gain: np.ndarray) -> float | None:
    """Returns the two-sided p of Wilcoxon's signed-rank test; ties drop out. None where nothing is left of two."""
    if len(gain) < 2 or not gain.any():
        return None
    from scipy.stats import wilcoxon

    return _finite(wilcoxon(gain).pvalue)


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
