"""Means and paired tests against numbers worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from aplt.comparison.paired import all_differences, holm, rank_test_p, spread, t_test_p, with_tests
from aplt.report.words import Spread


def rows(accuracies: dict[str, list[float]], dataset: str = "a", labeled: float = 0.1) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"dataset": dataset, "fold": "", "method": method, "labeled": labeled, "seed": seed, "top1": value}
            for method, values in accuracies.items()
            for seed, value in enumerate(values)
        ]
    )


def test_spread_is_of_the_sample() -> None:
    found = Spread.of([0.6, 0.7, 0.8, math.nan])
    assert found is not None
    assert [found.mean, found.deviation] == pytest.approx([0.7, 0.1])
    assert found.count == 3
    assert found.text() == "70.0 ± 10.0"
    assert Spread.of([0.5]) == Spread(0.5, None, 1)
    assert Spread(0.5, None, 1).text() == "50.0"
    assert Spread.of([math.nan]) is None
    of_one = spread(rows({"x": [0.2, 0.4], "y": [0.9]}), "top1", method="x")
    assert of_one is not None
    assert [of_one.mean, of_one.deviation] == pytest.approx([0.3, math.sqrt(0.02)])


def test_t_test_by_hand() -> None:
    # Mean 2, deviation 1: t = 2 sqrt(3) with two degrees of freedom, of which the distribution has a closed form.
    t = 2 * math.sqrt(3)
    assert t_test_p(np.array([0.01, 0.02, 0.03])) == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert t_test_p(np.array([0.02])) is None
    assert t_test_p(np.array([0.02, 0.02])) is None


def test_rank_test_by_hand() -> None:
    # All of n differences on one side: 2 of the 2^n patterns of signs are as extreme.
    assert rank_test_p(np.array([0.01, 0.02, 0.03])) == pytest.approx(2 / 8)
    assert rank_test_p(np.array([0.01, 0.02, 0.03, 0.04, 0.05])) == pytest.approx(2 / 32)
    # Ranks 1, 2, 4 against 3: sums of at most 3 arise from 5 of 16 patterns.
    assert rank_test_p(np.array([0.01, 0.02, -0.03, 0.04])) == pytest.approx(2 * 5 / 16)
    assert rank_test_p(np.array([0.0, 0.0, 0.0])) is None
    assert rank_test_p(np.array([0.01])) is None


def test_only_matched_cells_count() -> None:
    table = rows({"ours": [0.70, 0.72, 0.74], "other": [0.69, 0.72, 0.71, 0.10], "third": [math.nan] * 3})
    (one,) = all_differences(table, "ours", ["ours", "other", "third", "missing"], "top1")
    assert (one.other, one.won, one.gain.count) == ("other", 2, 3)
    assert one.gain.mean == pytest.approx((0.01 + 0.0 + 0.03) / 3)
    # The tie drops out of the ranks; two of one side remain.
    assert with_tests([one], [True], 1)[0].rank_test == pytest.approx(2 / 4)


def test_a_difference_of_rounding_is_a_tie() -> None:
    table = rows({"ours": [0.1 + 0.2, 0.5], "other": [0.3, 0.5]})
    (one,) = with_tests(all_differences(table, "ours", ["other"], "top1"), [True], 1)
    assert (one.won, one.gain.mean, one.t_test, one.rank_test) == (0, 0.0, None, None)


def test_by_share_and_over_all() -> None:
    first = rows({"ours": [0.5, 0.6], "other": [0.4, 0.5]})
    second = rows({"ours": [0.8, 0.9], "other": [0.9, 0.7]}, "b", 0.5)
    bound = rows({"upper bound": [1.0]}, labeled=1.0)
    found = all_differences(pd.concat([first, second, bound]), "ours", ["other"], "top1")
    assert [(one.group, one.won, one.gain.count) for one in found] == [
        (("a", 0.1), 2, 2),
        (("b", 0.5), 1, 2),
        (None, 3, 4),
    ]
    assert found[-1].gain.mean == pytest.approx(0.075)
    assert len(all_differences(first, "ours", ["other"], "top1")) == 1


def test_shares_are_no_repetitions() -> None:
    few = rows({"ours": [0.50, 0.60], "other": [0.40, 0.62]})
    many = rows({"ours": [0.80, 0.90], "other": [0.70, 0.86]}, labeled=0.5)
    one = all_differences(pd.concat([few, many]), "ours", ["other"], "top1")[-1]
    assert (one.group, one.won, one.gain.count) == (None, 2, 2)
    assert one.gain.mean == pytest.approx((0.10 + 0.01) / 2)
    assert one.each == pytest.approx([0.10, 0.01])


def test_cells_are_matched_by_seed_in_whatever_order_they_stand() -> None:
    table = rows({"ours": [0.9, 0.5, 0.7], "other": [0.6, 0.4, 0.65]})
    table = table[(table["method"] != "other") | (table["seed"] != 1)]  # not done yet
    mixed = table.iloc[[4, 2, 0, 3, 1]]
    (one,) = all_differences(mixed, "ours", ["other"], "top1")
    assert one.each == pytest.approx([0.3, 0.05])


def test_folds_are_repetitions_and_never_mixed() -> None:
    first = rows({"ours": [0.9, 0.5], "other": [0.6, 0.4]}).assign(fold="1")
    second = rows({"ours": [0.3, 0.8], "other": [0.4, 0.4]}).assign(fold="2")
    few = pd.concat([second, first[::-1]])
    many = few.assign(labeled=0.5, top1=few["top1"] * 0.5)
    by_share, _, over_all = all_differences(pd.concat([few, many]), "ours", ["other"], "top1")
    assert (by_share.group, by_share.won, by_share.gain.count) == (("a", 0.1), 3, 4)
    assert by_share.each == pytest.approx([0.3, 0.1, -0.1, 0.4])
    assert (over_all.group, over_all.won, over_all.gain.count) == (None, 3, 4)
    assert over_all.each == pytest.approx([0.75 * gain for gain in (0.3, 0.1, -0.1, 0.4)])


def test_holm_by_hand() -> None:
    # 0.01 * 4, 0.02 * 3; 0.03 * 2 and 0.04 * 1 are no less than those before.
    assert holm(np.array([0.04, 0.01, 0.03, 0.02]), 4) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.7, 0.6]), 2) == pytest.approx([1, 1])
    # Of 10 planned: 0.01 * 10; 0.02 * 9.
    assert holm(np.array([0.02, 0.01]), 10) == pytest.approx([0.18, 0.1])


def test_all_t_tests_that_are_told_are_corrected_together() -> None:
    table = rows({"ours": [0.5, 0.6, 0.7], "near": [0.4, 0.58, 0.61], "far": [0.1, 0.3, 0.29], "same": [0.4, 0.5, 0.6]})
    found = all_differences(table, "ours", ["near", "far", "same"], "top1")
    alone, untold, _ = with_tests(found, [True, False, True], 3)
    assert alone.t_test is not None
    assert alone.t_test == t_test_p(alone.each)
    assert alone.holm == pytest.approx(3 * alone.t_test)
    assert (untold.t_test, untold.rank_test, untold.holm) == (None, None, None)
    near, far, same = with_tests(found, [True] * 3, 3)
    assert far.t_test is not None
    assert near.t_test is not None
    assert far.holm == pytest.approx(3 * far.t_test)
    assert near.holm == pytest.approx(2 * near.t_test)
    assert (same.t_test, same.holm) == (None, None)
