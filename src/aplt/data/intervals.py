"""Which frames of a video a clip consists of, by when they are on screen."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from aplt.clips import Clip
from aplt.data.ends import ends_early
from aplt.data.files import ClipError

# Bounds that were rounded when they were written into a table still mean the frame next to them.
GRACE = 0.005
CUT = "the file is truncated: its bytes end early"

_Shown = TypeVar("_Shown")


@dataclass(frozen=True)
class Timeline:
    """When the frames of a whole file are on screen, in its own time; what `rows` cuts clips by."""

    appears: np.ndarray
    """[F] float64, in seconds."""
    ends: np.ndarray
    """[F] float64, in seconds."""
    announced: float | None
    """When the last frame ends by the file's header; None: it does not say."""

    def rows(self, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
        """Returns which frames a clip of the file consists of, and when they appear, in seconds from its start."""
        origin = self.appears[0]
        # From the frame before the one that is on screen when the clip starts.
        first = max(0, int(np.searchsorted(self.appears, origin + (clip.start or 0.0))) - 2)
        shown = zip(self.appears[first:], self.ends[first:], range(first, len(self.appears)), strict=True)
        found = list(interval(clip, shown, origin, self.announced))
        return np.array([row for _, row in found]), np.array([time for time, _ in found])


def nearest_frames(times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns for each wanted moment [T] the index of the frame that is on screen then.

    Args:
        times: When each frame appears [F], in seconds, rising.
        wanted: Moments [T] in seconds; those before the first frame get the first.
    """
    # A microsecond more, so that a frame's own time, computed in another way, finds that frame.
    shown = np.searchsorted(times, wanted + 1e-6, side="right") - 1
    return np.clip(shown, 0, len(times) - 1)


def interval(
    clip: Clip,
    timeline: Iterator[tuple[float, float, _Shown]],
    origin: float,
    announced: float | None,
) -> Iterator[tuple[float, _Shown]]:
    """Yields (time from the clip's start, frame) for the frames on screen between `start` and `end`.

    `origin` is when the video's first frame appears and `announced` when its last one ends by the header.
    """
    start = clip.start or 0.0
    length = math.inf if clip.end is None else clip.end - start
    wanted = f"the interval {start:g}-{'end' if clip.end is None else f'{clip.end:g}'} s"
    # A frame waits until the next one shows whether it is still on screen when the clip starts.
    waiting: tuple[float, _Shown] | None = None
    some = False
    until, longest, grace = -math.inf, 0.0, GRACE
    for appears, ends, frame in timeline:
        time = appears - origin - start
        # Less for high-speed cameras, whose frames are as short as the grace.
        grace = min(GRACE, (ends - appears) / 4)
        if waiting is not None and time > grace:
            some = True
            yield max(waiting[0], 0.0), waiting[1]
        elif not some:  # what is before the interval, however much of it was decoded, does not count
            longest = 0.0
        longest = max(longest, ends - appears)
        waiting = None
        if time >= length - grace:
            if not some:
                raise ClipError(clip, "outside", f"{wanted} holds no frame")
            return
        waiting, until = (time, frame), ends
    if ends_early(clip.path):
        raise ClipError(clip, "broken", f"{CUT}, after {until - origin:.2f} s")
    # The last frame's own duration often is a guess; it may be held until the end that is announced.
    lasts = max(until, announced or until) - origin
    # What containers announce is rounded.
    slack = max(0.3, 2 * longest)
    if waiting is not None and lasts - start > grace:
        some = True
        yield max(waiting[0], 0.0), waiting[1]
    if not some:
        raise ClipError(clip, "outside", f"{wanted} lies outside of the video, which lasts {lasts:.2f} s")
    if length < math.inf and lasts - start < length - slack:
        raise ClipError(clip, "outside", f"{wanted} ends outside of the video, which lasts {lasts:.2f} s")
