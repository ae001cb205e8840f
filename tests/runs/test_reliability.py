"""Reliability and promises, against known truth."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aplt.rundir import RunDir
from aplt.runs.reliability import INTERVAL, HeldOut, held_out_of, promise, reliability_of


def overconfident(clips: int, seed: int) -> HeldOut:
    """At score s only s^3 are right."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.4, 1, clips)
    return HeldOut(score, rng.random(clips) < score**3)


def test_reliability_is_measured_and_rises_with_the_score() -> None:
    asked = np.array([0.6, 0.8, 0.95])
    found = reliability_of(asked, overconfident(2000, 0))
    assert found.value == pytest.approx(asked**3, abs=0.1)
    assert (np.diff(found.value) >= 0).all()
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()


def test_thirty_clips_that_are_right_are_no_certainty() -> None:
    found = reliability_of(np.array([0.95]), HeldOut(np.linspace(0.9, 1, 30), np.ones(30, dtype=bool)))
    assert found.value[0] == pytest.approx(1 / (1 - 15 / 16 + 1))  # 15 of the 30 have a score up to 0.95
    assert found.low[0] == pytest.approx(0.05 ** (1 / 30))  # Clopper and Pearson, no failure
    assert found.high[0] == 1


def test_the_interval_is_the_exact_one_of_a_share() -> None:
    found = reliability_of(np.array([0.5]), HeldOut(np.full(40, 0.5), np.arange(40) < 31))
    expected = stats.binomtest(31, 40).proportion_ci(INTERVAL, method="exact")
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


def test_what_a_run_held_out(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.held_out.write_text("truth,label,score\na,a,0.9\na,b,0.4\n", encoding="utf-8")
    found = held_out_of(run)
    assert found.score.tolist() == [0.9, 0.4]
    assert found.right.tolist() == [True, False]


def test_too_few_held_out_clips_claim_nothing() -> None:
    found = reliability_of(np.array([0.5]), HeldOut(np.ones(29), np.ones(29, dtype=bool)))
    assert np.isnan([found.value, found.low, found.high]).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_whatever_is_asked_values_never_fall_with_the_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = HeldOut(rng.integers(0, 8, 40) / 8, rng.random(40) < 0.6)
    found = reliability_of(np.linspace(-0.1, 1.1, 50), held)
    assert (np.diff(found.value) >= -1e-12).all()
    assert ((found.value >= 0) & (found.value <= 1)).all()


def test_a_promise_by_hand() -> None:
    # One threshold to begin at needs 45 clips without a mistake: 0.95^45 < 0.1 <= 0.95^44.
    for clips, threshold in ((44, None), (45, 0.5)):
        found = promise(HeldOut(np.full(clips, 0.5), np.ones(clips, dtype=bool)), 0.95, 0.9)
        assert (found.threshold, found.held_out, found.right) == (threshold, clips, clips)
    assert promise(HeldOut(np.empty(0), np.empty(0, dtype=bool)), 0.95, 0.9).threshold is None
    assert promise(HeldOut(np.full(500, 0.5), np.arange(500) % 10 > 0), 0.95, 0.9).threshold is None


def test_a_promise_is_kept_as_often_as_it_says() -> None:
    # s^3 = p at and above which score? Uniform scores from t to 1 are right (1 - t^4) / (4 (1 - t)) of the time.
    kept, found = 0, 0
    for seed in range(60):
        threshold = promise(overconfident(2000, seed), 0.85, 0.9).threshold
        if threshold is not None:
            found += 1
            kept += (1 - threshold**4) / (4 * (1 - threshold)) >= 0.85
    assert found > 52
    assert kept >= 0.85 * found
