"""Windows of a recording become events."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.runs.timeline import Reading, cell_scores, find_events, likeliest

NAMES = ["nod", "nothing", "wave"]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.floats(0, 3), st.integers(0, 99))
def test_no_other_sequence_is_likelier(count: int, states: int, change: float, seed: int) -> None:
    score = np.log(np.random.default_rng(seed).random((count, states)))

    def value(path: tuple[int, ...]) -> float:
        changes = sum(a != b for a, b in pairwise(path))
        return float(sum(score[t, k] for t, k in enumerate(path)) - change * changes)

    found = tuple(likeliest(score, change).tolist())
    assert value(found) == pytest.approx(max(map(value, product(range(states), repeat=count))))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 2.0), st.floats(0.25, 1.0), st.floats(2.0, 9.0), st.integers(0, 99))
def test_a_cell_is_the_mean_of_the_windows_over_it(window: float, share: float, seconds: float, seed: int) -> None:
    step = window * share
    rng = np.random.default_rng(seed)
    spans = [(start, start + window) for start in np.arange(0, seconds - window, step)] + [(seconds - window, seconds)]
    score = rng.random((len(spans), 2))
    found = cell_scores(spans, score, seconds, step)
    assert len(found) == int(np.ceil(seconds / step - 1e-6))
    for cell, row in enumerate(found):
        moments = np.linspace(cell * step, min((cell + 1) * step, seconds), 202)[1:-1]
        over = np.array([[start <= moment < end for start, end in spans] for moment in moments])
        weight = over.mean(axis=0)
        np.testing.assert_allclose(row, weight @ score / weight.sum(), atol=0.02)


def scores(*best: int) -> np.ndarray:
    rows = np.full((len(best), 3), 0.1)
    rows[range(len(best)), best] = 0.8
    return rows


def test_cells_of_a_class_are_an_event() -> None:
    found = find_events(scores(1, 0, 0, 1, 2, 2, 2), 3.3, NAMES, Reading(1.0, 0.5))
    assert [event[:3] for event in found] == [(0.5, 1.5, "nod"), (2.0, 3.3, "wave")]
    assert [event[3] for event in found] == pytest.approx([0.8, 0.8])


def test_what_a_change_costs_decides_on_flicker() -> None:
    score = scores(0, 0, 1, 0, 0)
    cells = [len(find_events(score, 5.0, NAMES, Reading(2.0, 1.0, change=change))) for change in (0.5, 1.5)]
    assert cells == [2, 1]


def test_a_class_must_beat_the_threshold() -> None:
    score = scores(0, 0, 2, 2)
    score[2:] = [0.3, 0.3, 0.4]
    assert len(find_events(score, 4.0, NAMES, Reading(2.0, 1.0, change=0))) == 2
    assert len(find_events(score, 4.0, NAMES, Reading(2.0, 1.0, change=0, threshold=0.5))) == 1
    # A model without a class for nothing has a threshold of its own.
    assert len(find_events(score, 4.0, ["nod", "shake", "wave"], Reading(2.0, 1.0, change=0))) == 1


def test_what_no_window_could_be_scored_of_makes_no_event() -> None:
    score = scores(0, 0, 0, 0)
    score[1:3] = np.nan
    for names in (NAMES, ["nod", "shake", "wave"]):
        found = find_events(score, 4.0, names, Reading(2.0, 1.0, change=0.1))
        assert [event[:2] for event in found] == [(0.0, 1.0), (3.0, 4.0)]
