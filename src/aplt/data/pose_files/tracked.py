"""What a pose file says, whatever tool wrote it; and from persons seen in each frame to persons followed over time."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SPARSE = 4
"""Times as many frames as there are any entries for, up to which frames without one are frames of nobody."""
LAST_NUMBER = re.compile(r"\d+(?=[^\d/\\]*(?:\.\w+)?$)")
"""That of the frame, in the name of its image."""
NOWHERE = 1e9
"""A distance beyond all others."""


@dataclass(frozen=True)
class Tracked:
    """The content of a pose file."""

    tool: str
    """What it is called in a sentence; "" for plain arrays."""
    points: np.ndarray
    """[T, V, C] or [P, T, V, C]; NaN: not seen. Who is absent is all zeros."""
    confidence: np.ndarray | None = None
    """The same shape but for C; 0: not seen, None: the file says nothing of it."""
    joints: tuple[str, ...] = ()
    """The joints' names, where the file has them."""
    remark: str = ""
    """What else is to be known of how it is read."""
    fps: float | None = None
    """Frames a second, where the file says it."""


def detection(values: Any, dimensions: int = 2) -> np.ndarray:
    """Returns one person's joints [V, C + 1] of coordinates and confidences in any nesting; 0, 0 is not seen."""
    joints: np.ndarray = np.array(values, dtype=np.float64).reshape(-1, dimensions + 1)
    joints[~joints[:, :dimensions].any(axis=1) | (joints[:, -1] == 0)] = np.nan
    return joints


def in_time(entries: Iterable[tuple[Any, Sequence[np.ndarray]]]) -> list[list[np.ndarray]]:
    """Returns who is seen in each frame, of entries (number or file name of the frame, persons in it), in their order.

    Frames without an entry, as tools leave out those of nobody, are empty.
    """
    frames: dict[int, list[np.ndarray]] = {}
    videos: set[str] = set()
    for at, persons in entries:
        videos.add(LAST_NUMBER.sub("", at) if isinstance(at, str) else "")
        frames.setdefault(_number(at), []).extend(persons)
    if len(videos) > 1:
        raise ValueError(f"expected the frames of one video, found names that differ: {', '.join(sorted(videos)[:2])}")
    numbers = sorted(frames)
    step = int(np.gcd.reduce(np.diff(np.array(numbers, dtype=object)))) if len(numbers) > 1 else 1
    whole: Sequence[int] = range(numbers[0], numbers[-1] + 1, step) if numbers else range(0)
    if numbers and (numbers[-1] - numbers[0]) // step >= SPARSE * len(numbers):
        whole = numbers  # names of images, not of frames in turn
    return [frames.get(number, []) for number in whole]


def _number(at: Any) -> int:
    digits = re.findall(r"\d+", Path(at).stem)[-1:] if isinstance(at, str) else [at]
    if not digits or not isinstance(digits[0], str | int | float):
        raise ValueError(f"expected a frame's number or an image's name that ends in one, found {at!r:.100}")
    return int(digits[0])


def followed(frames: Sequence[Sequence[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Returns persons [P, T, V, C] and confidences [P, T, V] of what is seen in each frame: detections [V, C + 1].

    A person is who is nearest to where they were last. First is who is seen most and most surely. There are as many as
    are seen at once; who is not seen yet, or no more, is all zeros.
    """
    from scipy.optimize import linear_sum_assignment  # reading an index does without scipy

    frames = [[one for one in frame if not np.isnan(one).all()] for frame in frames]
    shapes = sorted({one.shape for frame in frames for one in frame})
    if not shapes:
        raise ValueError("nobody is seen in any frame")
    if len(shapes) > 1:
        found = " and ".join(str(joints) for joints, _ in shapes)
        raise ValueError(f"expected persons with the same joints in all frames, found {found}")
    persons = max(map(len, frames))
    whole = np.full((persons, len(frames), *shapes[0]), np.nan)
    last = np.full((persons, 1, 2), np.nan)
    for at, frame in enumerate(frames):
        if frame:
            seen = np.stack(frame)
            centers = np.nanmean(seen[..., :2], axis=1)
            away = np.nan_to_num(np.linalg.norm(last - centers, axis=2), nan=NOWHERE, posinf=NOWHERE)
            who, which = linear_sum_assignment(away)
            whole[who, at], last[who, 0] = seen[which], centers[which]
    whole = whole[np.argsort(-np.nansum(whole[..., -1], axis=(1, 2)), kind="stable")]
    for person in whole:
        times = np.flatnonzero(~np.isnan(person).all(axis=(1, 2)))
        for absent in (person[: times[0]], person[times[-1] + 1 :]):
            absent[:] = 0
            absent[..., -1] = 1  # absent, not lost: that would be filled
    return whole[..., :-1], whole[..., -1]
