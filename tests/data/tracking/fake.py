"""A tracker that reads from the pictures of tests/data/videos.py who is there, and bodies and hands to place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from aplt.data.tracking.landmarks import Landmarks, Tracker
from aplt.topology import Side
from tests.data.videos import number_of, picture

LIGHT = 10
RNG = np.random.default_rng(0)
SHAPE = np.concatenate([RNG.uniform(-0.5, 0.5, (33, 2)), np.full((33, 1), 0.9)], axis=1)
SHAPE[0, 0] = 0
SHAPE[15], SHAPE[16] = (0.5, 0.2, 0.9), (-0.5, 0.2, 0.9)  # the left hand is on the image's right
PALM = np.concatenate([RNG.uniform(0, 1, (21, 2)), np.full((21, 1), 0.8)], axis=1)
PALM[0, :2] = 0


def body(x: float, y: float = 50, size: float = 40) -> np.ndarray:
    """Returns a body [33, 3] around a place."""
    return SHAPE * (size, size, 1) + (x, y, 0)


def hand(x: float, y: float, size: float = 8) -> np.ndarray:
    """Returns a hand [21, 3] with its wrist at a place."""
    return PALM * (size, size, 1) + (x, y, 0)


def seen(*bodies: np.ndarray, hands: tuple[np.ndarray, ...] = (), sides: tuple[Side, ...] = ()) -> Landmarks:
    """Returns what is seen in one frame."""
    return Landmarks(np.array(bodies).reshape(-1, 33, 3), np.array(hands).reshape(-1, 21, 3), sides)


def pictures(count: int) -> list[np.ndarray]:
    """Returns frames that are not dark, for `follow_number`."""
    return [picture(LIGHT + number, 64, 48) for number in range(count)]


def follow_number(frame: np.ndarray, _: float) -> Landmarks:
    """Returns a body whose x is the number of one of `pictures`, with one hand up to 2; nobody in 5 and 6."""
    number = number_of(frame) - LIGHT
    if number in (5, 6):
        return seen()
    person = body(number, 24, 20)
    if number > 2:
        return seen(person)
    return seen(person, hands=(hand(*person[15, :2]),), sides=("right",))


def tracker(
    see: Callable[[np.ndarray, float], Landmarks] = follow_number, *, hands: bool = True, made_from: str = "fake"
) -> Tracker:
    """Returns a tracker that sees with a function."""

    @contextmanager
    def begin() -> Iterator[Callable[[np.ndarray, float], Landmarks]]:
        yield see

    return Tracker("fake", hands, made_from, begin)
