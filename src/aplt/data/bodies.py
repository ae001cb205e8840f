"""Where the bodies of a skeleton sequence are and how large, and the sequence normalized to them."""

from dataclasses import dataclass

import numpy as np

from aplt.data.files import Problem
from aplt.display import counted

COLLAPSED = 0.05
"""The share of a body's usual size that is none any more: bodies that crouch or walk away stay well above it."""
ROUNDING = 1e-6
"""The share of coordinates up to which differences between them are rounding."""
OFTEN = 0.1
"""The share of frames from which a collapsed body is worth a word."""
FAR = 100.0
"""The largest coordinate in units of the body's size: more than a person of 80 pixels has who crosses a wide screen."""


@dataclass(frozen=True)
class Bodies:
    """Where the persons of a sequence are, and how large the one is by whom it is measured."""

    seen: np.ndarray
    """Who is seen when [P, T]; who is absent is all zeros then."""
    center: np.ndarray
    """The mean of each person's joints [P, T, 1, C], of those that are seen at all."""
    collapsed: np.ndarray
    """When all joints of a person who is seen are nearly on one point [P, T], as trackers leave those they lose."""
    first: int | None
    """The first person who is seen, and not collapsed all the time."""
    size: float
    """The median of their joints' mean distance from the center, while seen and not collapsed; 0: there is nobody."""


def bodies(sequence: np.ndarray) -> Bodies:
    """Returns where the persons of a sequence [P, T, V, C] are."""
    known = ~np.isnan(sequence)
    values = np.where(known, sequence, 0)
    seen = np.any(values != 0, axis=(2, 3))
    center = values.sum(axis=2, keepdims=True) / np.maximum(known.sum(axis=2, keepdims=True), 1).astype(np.float32)
    away = np.linalg.norm(np.where(known, values - center, 0), axis=-1)
    spread = away.sum(axis=2) / np.maximum(known.any(axis=-1).sum(axis=2), 1).astype(np.float32)
    collapsed = np.zeros_like(seen)
    for person, when in enumerate(seen):
        if when.any():
            # The largest but for a few outliers. Rounding leaves some of the coordinates' own size.
            usual = np.percentile(spread[person, when], 95, method="lower")
            least = np.maximum(COLLAPSED * usual, ROUNDING * np.abs(values[person]).max(axis=(1, 2)))
            collapsed[person] = when & (spread[person] <= least)
    standing = (seen & ~collapsed).any(axis=1)
    if not standing.any():
        return Bodies(seen, center, collapsed, None, 0.0)
    first = int(standing.argmax())
    size = float(np.median(spread[first][seen[first] & ~collapsed[first]]))
    return Bodies(seen, center, collapsed, first, size)


def normalize(sequence: np.ndarray) -> np.ndarray:
    """Returns the sequence [P, T, V, C] moved and scaled to the body: in units of the first person's size.

    The first person is the first who is seen at all, and not only as one point. The origin is their mean joint in the
    first frame that they are seen in, so that paths through space remain; the unit is the median, over the frames that
    they are seen in, of the joints' mean distance from the body's center. Joints never seen are at their person's
    center, like those that a strong view hides. Who is absent is all zeros, and stays so at the origin. No coordinate
    is more than `FAR` from the origin.
    """
    found = bodies(sequence)
    if found.first is None:
        return np.zeros_like(sequence, dtype=np.float32)
    origin = found.center[found.first, found.seen[found.first].argmax()]
    whole = np.where(np.isnan(sequence), found.center, sequence)
    moved = np.where(found.seen[..., None, None], whole - origin, 0.0)
    return np.clip((moved / max(found.size, 1e-6)).astype(np.float32), -FAR, FAR)


def far_from_zero(found: Bodies) -> bool:
    """Returns whether the bodies are that far from the origin that it is no place of a joint."""
    return bool(np.median(np.linalg.norm(found.center[found.seen], axis=-1)) > 2 * found.size)


def doubt_of(sequence: np.ndarray, found: Bodies) -> tuple[Problem, str] | None:
    """Returns what a tracker seems to have left in a sequence [P, T, V, C] that is no movement, and what of it."""
    if not found.seen.any():
        return "nobody", "nobody is seen in it: all coordinates are 0"
    lost, seen = found.collapsed.sum(axis=1), found.seen.sum(axis=1)
    worst = int((lost / np.maximum(seen, 1)).argmax())
    if lost[worst] > OFTEN * seen[worst]:
        why = f"all joints of a person are on one point in {lost[worst]} of {counted(int(seen[worst]), 'frame')}"
        return "collapsed", f"{why}: the tracker lost them"
    far = int((np.abs(normalize(sequence)) >= FAR).any(axis=(0, 2, 3)).sum())
    if far:
        why = f"in {far} of {counted(sequence.shape[1], 'frame')} a joint is {FAR:g} or more body sizes away"
        return "far off", f"{why}; it is cut off there"
    zero = (sequence == 0).all(axis=3) & found.seen[..., None]
    # Where the body is centered by one joint, that joint is at the origin rightly.
    if zero.any() and far_from_zero(found):
        joints, frames = int(zero.any(axis=(0, 1)).sum()), int(zero.any(axis=(0, 2)).sum())
        why = f"{counted(joints, 'joint')} are exactly 0 in {counted(frames, 'frame')}, far from the rest of the body"
        return "zeros", f"{why}; a joint that is not seen is written as NaN"
    return None
