import re
from itertools import pairwise

import pytest

from aplt.report.charts import LETTER, WIDTH, Curve, line_chart, nice_ticks
from aplt.report.words import duration, number, percent, wilson


@pytest.mark.parametrize(
    ("rate", "count", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, table I: 81/263, 15/148, 0/20, 1/29.
    [
        (81 / 263, 263, 0.2553, 0.3662),
        (15 / 148, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1 / 29, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_equals_published_intervals(rate: float, count: int, low: float, high: float) -> None:
    assert wilson(rate, count) == pytest.approx((low, high), abs=5e-5)


def test_numbers_as_words() -> None:
    assert percent(0.6129) == "61.3\u00a0%"
    assert percent(None) == percent(float("nan")) == "–"  # noqa: RUF001
    assert number(1234567) == "1,234,567"
    assert [number(figure) for figure in (5921.3, 999.4, 99.96)] == ["5,921", "999", "100"]
    assert number(0.0020001) == "0.002"
    assert [duration(s) for s in (9.6, 45.2, 366, 12_000)] == ["9.6\u00a0s", "45\u00a0s", "6.1\u00a0min", "3.3\u00a0h"]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0), (0, 1), (0, 0.97), (0, 1e-9), (0, 41.7), (-3.2, 0), (0, 5e6), (0, 0.3)]
)
def test_ticks_span_the_values_and_are_few(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high - 1e-12
    assert ticks[0] < ticks[-1]
    assert 2 <= len(ticks) <= 7


def test_curve_of_one_round_and_of_a_value_far_away() -> None:
    alone = line_chart([Curve.of("a", [(0, 0.5)])], title="t", in_percent=True)
    assert "a, round 0: 50.0\u00a0%" in alone
    gaps = Curve.of("a", [(0, None), (1, float("nan")), (2, 0.25), (3, float("inf"))])
    assert gaps.points == [(2, 0.25)]


@pytest.mark.parametrize("values", [(0.7, 0.8), (1.0, 1.0)])
def test_an_axis_that_begins_near_the_curve(values: tuple[float, float]) -> None:
    curves = [Curve.of("a", list(enumerate(values, start=1)))]
    drawn = line_chart(curves, title="t", in_percent=True, from_zero=False)
    ticks = [float(text) for text in re.findall(r">([\d.]+)\u00a0%</text>", drawn)]
    assert len(ticks) > 1
    assert 60 < min(ticks) <= 100 * min(values)
    assert 100 * max(values) <= max(ticks) <= 100


@pytest.mark.parametrize("last", [2, 13, 25, 1000, 12_001, 10**12, 10**30])
def test_rounds_are_labeled_few_and_even_however_many(last: int) -> None:
    drawn = line_chart([Curve.of("a", [(1, 0.5), (last, 0.6)])], title="t", in_percent=True)
    found = re.findall(r'x="([\d.]+)" y="[\d.]+" text-anchor="middle">([\d,]+)<', drawn)
    labels = [int(text.replace(",", "")) for _, text in found]
    ends = [float(x) + 0.5 * LETTER * len(text) for x, text in found]
    assert 1 <= len(labels) <= 13
    assert max(ends) <= WIDTH
    assert all(one < float(x) - 0.5 * LETTER * len(text) for one, (x, text) in zip(ends, found[1:], strict=False))
    assert len({after - before for before, after in pairwise(labels)}) <= 1
