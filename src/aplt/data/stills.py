"""Moments of a clip for the eye: the points of a skeleton to be drawn, pictures of a video."""

from dataclasses import dataclass

import numpy as np

from aplt.clips import Clip
from aplt.data.bodies import normalize
from aplt.data.skeleton import read_clip
from aplt.topology import Side, topology_of


@dataclass(frozen=True)
class Moments:
    """Persons of a skeleton clip at some moments."""

    points: np.ndarray
    """[T, P, V, 2], within -1 and 1, y downward."""
    bones: list[tuple[int, int]]
    """The joints that each goes between; none where no skeleton with so many joints is known."""
    sides: list[Side | None]
    """Of the body, where each bone is on one."""
    seconds: float | None
    """How long the clip is; None where its file does not say."""


def moments(clip: Clip, most: int) -> Moments:
    """Returns a skeleton clip at `most` moments from its beginning to its end; at all its frames if these are fewer."""
    found = read_clip(clip)
    body = normalize(found.points)
    _, frames, joints, channels = body.shape
    shown = np.linspace(0, frames - 1, min(most, frames)).round().astype(int)
    flat = np.clip(body[:, shown, :, :2], -8, 8)
    if channels == 3:
        flat = flat * (1, -1)  # in space y is upward
    low, high = flat.min(axis=(0, 1, 2)), flat.max(axis=(0, 1, 2))
    flat = (flat - (low + high) / 2) / max(float((high - low).max()) / 2, 1e-6)
    known = topology_of(joints, channels)
    lines = list(known.lines) if known else []
    sides = [known.side_of(line) for line in lines] if known else []
    return Moments(flat.transpose(1, 0, 2, 3), lines, sides, frames / found.fps if found.fps else None)


def stills(clip: Clip, number: int, short_side: int) -> list[np.ndarray]:
    """Returns pictures of a video clip at the middles of so many equal parts, RGB uint8 [H, W, 3]."""
    from aplt.data.video import decode, seconds_of  # FFmpeg, which skeletons can do without

    part = seconds_of(clip) / number
    found: list[np.ndarray] = []
    for time, picture in decode(clip, short_side=short_side):
        while len(found) < number and time >= (len(found) + 0.5) * part:
            found.append(picture)
        last = picture
        if len(found) == number:
            break
    return [*found, *[last] * (number - len(found))]  # which stays on screen to the end
