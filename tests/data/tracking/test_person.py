"""The main person: followed through frames in any order of detections, with their own hands."""

import numpy as np
import pytest

from aplt.data.tracking.landmarks import Landmarks
from aplt.data.tracking.person import follow
from aplt.topology import topology_of
from tests.data.tracking.fake import body, hand, seen

WIDTH, HEIGHT = 200, 100


def centers(frames: list[Landmarks]) -> np.ndarray:
    """Returns where the main person is [T], by the nose; NaN where not seen."""
    return follow(frames, WIDTH, HEIGHT, hands=False)[:, 0, 0]


def test_the_large_person_in_the_middle_is_followed_whatever_the_order_of_detections() -> None:
    frames = []
    for number in range(12):
        both = [body(100 + number), body(20 + 12 * number, size=15)]  # who walks by, through the main person
        frames.append(seen(*(both if number % 2 else both[::-1])))
    np.testing.assert_allclose(centers(frames), 100 + np.arange(12), atol=1e-3)


def test_the_smaller_person_is_followed_who_is_there_all_the_time() -> None:
    frames = [seen(body(100, size=30), *([body(40, size=45)] if number < 2 else [])) for number in range(10)]
    np.testing.assert_allclose(centers(frames), 100, atol=1e-3)


def test_who_is_lost_is_not_replaced_by_another_person_and_is_found_again() -> None:
    frames = [seen(body(190, size=25), *([] if number in (4, 5) else [body(100 + number)])) for number in range(10)]
    found = centers(frames)
    assert np.flatnonzero(np.isnan(found)).tolist() == [4, 5]
    np.testing.assert_allclose(found[6:], 100 + np.arange(6, 10), atol=1e-3)


def test_a_false_body_elsewhere_is_no_movement() -> None:
    frames = [seen(body(180 if number == 3 else 60)) for number in range(8)]
    found = centers(frames)
    assert np.isnan(found[3])
    np.testing.assert_allclose(np.delete(found, 3), 60, atol=1e-3)


def test_who_left_long_ago_takes_nobody_elses_body() -> None:
    """Nor does a second detection of the same person push them to the place of who has left."""
    gone = [body(130)]
    moves = [90.0, 93.0] * 20
    frames = [seen(body(x, size=50), *(gone if number < 2 else [])) for number, x in enumerate(moves)]
    frames[20] = seen(body(97, size=50), body(90, size=50))
    np.testing.assert_allclose(centers(frames), moves, atol=1e-3)


def test_after_some_frames_a_person_may_be_found_far_away() -> None:
    frames = [seen(*([] if 4 <= number < 8 else [body(40 if number < 4 else 160)])) for number in range(12)]
    assert np.flatnonzero(np.isnan(centers(frames))).tolist() == [4, 5, 6, 7]


def test_joints_that_are_guessed_are_not_seen() -> None:
    guessed = body(100)
    guessed[25:, 2] = 0
    found = follow([seen(guessed)], WIDTH, HEIGHT, hands=False)
    assert np.isnan(found[0, 25:, :2]).all()
    assert (found[0, 25:, 2] == 0).all()
    np.testing.assert_allclose(found[0, :25], guessed[:25], rtol=1e-6)


def test_nobody_at_all() -> None:
    found = follow([seen(), seen(hands=(hand(1, 1),), sides=("left",))], WIDTH, HEIGHT, hands=True)
    assert found.shape == (2, 75, 3)
    assert np.isnan(found[..., :2]).all()
    assert not found[..., 2].any()


@pytest.mark.parametrize("sides", [("left", "right"), ("right", "left"), ("right", "right")])
def test_hands_belong_to_the_nearest_wrist_whatever_they_look_like(sides: tuple) -> None:  # type: ignore[type-arg]
    person = body(100)
    left, right = hand(*(person[15, :2] + 2)), hand(*(person[16, :2] - 1))
    stranger = hand(20, 20)
    frame = seen(person, hands=(stranger, right, left), sides=("left", *sides))
    found = follow([frame], WIDTH, HEIGHT, hands=True)[0]
    np.testing.assert_allclose(found[33:54], left, rtol=1e-5)
    np.testing.assert_allclose(found[54:], right, rtol=1e-5)
    known = topology_of(75, 2)
    assert known is not None
    assert (known.joints[33], known.joints[54]) == ("left hand", "right hand")
    assert (known.joints[15], known.joints[16]) == ("left wrist", "right wrist")


def test_folded_hands_are_told_apart_by_what_they_look_like() -> None:
    person = body(100)
    person[16, :2] = person[15, :2] + (1, 0)
    middle = person[15, :2] + (0.5, 0)
    one, other = hand(*(middle + (0.2, 0))), hand(*(middle - (0.2, 0)))
    found = follow([seen(person, hands=(one, other), sides=("left", "right"))], WIDTH, HEIGHT, hands=True)[0]
    np.testing.assert_allclose(found[33:54], one, rtol=1e-5)
    np.testing.assert_allclose(found[54:], other, rtol=1e-5)


def test_one_hand_of_two() -> None:
    person = body(100)
    found = follow([seen(person, hands=(hand(*person[16, :2]),), sides=("left",))], WIDTH, HEIGHT, hands=True)[0]
    assert np.isnan(found[33:54, 0]).all()
    assert np.isfinite(found[54:, 0]).all()


def test_a_hand_at_one_of_two_near_wrists_belongs_there_whatever_it_looks_like() -> None:
    person = body(100)
    person[16, :2] = person[15, :2] + (6, 0)
    found = follow([seen(person, hands=(hand(*person[15, :2]),), sides=("right",))], WIDTH, HEIGHT, hands=True)[0]
    assert np.isfinite(found[33:54, 0]).all()
    assert np.isnan(found[54:, 0]).all()


def test_a_hand_far_from_both_wrists_is_somebody_elses() -> None:
    person = body(100)
    found = follow([seen(person, hands=(hand(*(person[15, :2] + 15)),), sides=("left",))], WIDTH, HEIGHT, hands=True)[0]
    assert np.isnan(found[33:, 0]).all()
