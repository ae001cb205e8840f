"""Events against events, by the definition and on frames."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.data.recordings import events_table
from aplt.runs.segmental import IOU, Compared, event_figures

Event = tuple[float, float, str]
FRAMES = 40


def table(events: list[Event]) -> pd.DataFrame:
    return events_table(("a.mp4", *event) for event in events)


def naive_f1(recordings: list[tuple[list[Event], list[Event]]], least: float) -> float:
    right = wrong = missed = 0
    for predicted, truth in recordings:
        used: set[int] = set()
        for start, end, label in predicted:
            best, where = 0.0, None
            for number, (first, last, name) in enumerate(truth):
                both = len({*range(int(start), int(end))} & {*range(int(first), int(last))})
                either = len({*range(int(start), int(end))} | {*range(int(first), int(last))})
                if name == label and both / either > best:
                    best, where = both / either, number
            if where is not None and best >= least and where not in used:
                used.add(where)
                right += 1
            else:
                wrong += 1
        missed += len(truth) - len(used)
    return 2 * right / (2 * right + wrong + missed) if right + wrong + missed else 1.0


def naive_accuracy(recordings: list[tuple[list[Event], list[Event]]]) -> float:
    same = 0
    for pair in recordings:
        frames = []
        for events in pair:
            line = [""] * FRAMES
            for start, end, label in events:
                line[int(start) : int(end)] = [label] * int(end - start)
            frames.append(line)
        same += sum(one == other for one, other in zip(*frames, strict=True))
    return same / (FRAMES * len(recordings))


def in_a_row(drawn: list[tuple[int, int, str]]) -> list[Event]:
    events, now = [], 0
    for gap, length, label in drawn:
        start, end = now + gap, now + gap + length
        if end <= FRAMES:
            events.append((float(start), float(end), label))
        now = end
    return events


EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6), st.sampled_from("abc")), max_size=8).map(in_a_row)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(EVENTS, EVENTS), min_size=1, max_size=3))
def test_figures_are_those_of_the_definition(recordings: list[tuple[list[Event], list[Event]]]) -> None:
    found = event_figures([Compared(table(p), table(t), 0.0, FRAMES) for p, t in recordings])
    for least in IOU:
        assert found.f1[least] == pytest.approx(naive_f1(recordings, least))
    assert found.frame_accuracy == pytest.approx(naive_accuracy(recordings))
    assert found.per_class["events"].sum() == sum(len(truth) for _, truth in recordings)
    for name, row in found.per_class.set_index("class").iterrows():
        own = [([e for e in p if e[2] == name], [e for e in t if e[2] == name]) for p, t in recordings]
        assert row["f1_50"] == pytest.approx(naive_f1(own, 0.5))


def test_by_hand() -> None:
    truth = table([(0, 4, "nod"), (10, 12, "wave")])
    predicted = table([(0, 3, "nod"), (3, 4, "nod"), (10, 12, "nod")])
    found = event_figures([Compared(predicted, truth, 0, 20)])
    assert found.f1 == {k: pytest.approx(2 / (2 + 2 + 1)) for k in IOU}
    assert found.frame_accuracy == pytest.approx((4 + 14) / 20)


def test_a_predicted_event_finds_one_true_event() -> None:
    truth = table([(0, 4, "nod"), (5, 10, "nod")])
    found = event_figures([Compared(table([(0, 10, "nod")]), truth, 0, 10)])
    assert found.f1 == {0.1: pytest.approx(2 / 3), 0.25: pytest.approx(2 / 3), 0.5: pytest.approx(2 / 3)}


def test_only_the_part_that_is_compared_counts() -> None:
    truth, predicted = table([(0, 4, "nod"), (8, 12, "nod")]), table([(9, 12, "nod")])
    found = event_figures([Compared(predicted, truth, 10.0, 20.0)])
    assert found.f1[0.5] == 1
    assert found.frame_accuracy == 1
    assert found.seconds == 10


def test_of_overlapping_events_the_later_counts_in_time() -> None:
    truth = table([(0, 10, "nod"), (4, 6, "wave")])
    assert event_figures([Compared(table([(0, 10, "nod")]), truth, 0, 10)]).frame_accuracy == pytest.approx(0.8)


def test_nothing_is_right_where_nothing_happens() -> None:
    empty = table([])
    found = event_figures([Compared(empty, empty, 0, 5)])
    assert (found.f1[0.5], found.frame_accuracy) == (1, 1)
    assert event_figures([Compared(table([(0, 1, "nod")]), empty, 0, 5)]).f1[0.1] == 0
    assert np.isclose(event_figures([Compared(table([(0, 1, "nod")]), empty, 0, 5)]).frame_accuracy, 0.8)
