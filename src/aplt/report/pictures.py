"""Pictures of clips in a page: a strip of frames or a drawn skeleton, few and small enough for a page to carry."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from aplt.report.html import Html, el

MOST = 40
MOST_BYTES = 1_500_000
"""Of all pictures in a page; what would exceed it is left out."""
SIDE = 100.0
"""Of the square that a skeleton is drawn in."""


@dataclass(frozen=True)
class Frames:
    """Frames of a video side by side."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Skeleton:
    """Persons at some moments."""

    points: np.ndarray
    """[T, P, V, 2], within -1 and 1, y downward."""
    bones: list[tuple[int, int]]
    """The joints that each goes between; without any the joints are drawn."""


@dataclass(frozen=True)
class Clips:
    """What a report may show of a run's clips."""

    picture: Callable[[str], Frames | Skeleton | str]
    """Returns a picture of the clip with an id, or in a sentence why there is none."""
    given: Mapping[str, str] = field(default_factory=dict)
    """The labels that the run was given, by id; empty where the index no longer says them."""
    missing: str | None = None
    """Why no clip has a picture, or no given label is known."""


class Album:
    """The pictures of one page, as many as it can carry."""

    def __init__(self, clips: Clips | None) -> None:
        self._clips, self._made, self._left = clips, 0, MOST_BYTES

    def show(self, id_: str) -> Html | None:
        """Returns a picture of a clip, or why there is none; None where the page is full, or has no pictures."""
        if self._clips is None or self._made >= MOST:
            return None
        found = self._clips.picture(id_)
        if isinstance(found, str):
            return el("small", found, class_="missing") if found else None
        spoken = f"The clip {id_} at moments from its beginning to its end"
        drawn = _skeleton(found, spoken) if isinstance(found, Skeleton) else _frames(found, spoken)
        if len(drawn) > self._left:
            return None
        self._made, self._left = self._made + 1, self._left - len(drawn)
        return drawn


def _frames(found: Frames, spoken: str) -> Html:
    source = f"data:image/jpeg;base64,{b64encode(found.jpeg).decode()}"
    return el("img", src=source, width=found.width, height=found.height, alt=spoken, class_="still")


def _skeleton(found: Skeleton, spoken: str) -> Html:
    count, persons = found.points.shape[:2]
    places = (found.points * 0.46 + 0.5) * SIDE + np.arange(count)[:, None, None, None] * (SIDE, 0)
    joined = found.bones or [(joint, joint) for joint in range(found.points.shape[2])]
    paths = []
    for person in range(persons):
        bones = (frame[[one, other]] for frame in places[:, person] for one, other in joined)
        line = "".join(f"M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" for (a, b), (c, d) in bones)
        paths.append(el("path", d=line, class_=f"s{person % 2}"))
    box = f"0 0 {count * SIDE:.0f} {SIDE:.0f}"
    return el("svg", *paths, class_="still", viewBox=box, role="img", aria_label=spoken)
