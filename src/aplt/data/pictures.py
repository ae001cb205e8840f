"""Decoded frames -> pictures as they are meant to be seen."""

import gc
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter


class Pictures:
    """Makes pictures of a video's frames: upright, with square pixels, and all of the size of the first."""

    def __init__(self, aspect: float, short_side: int | None, first: VideoFrame) -> None:
        self._size = _scaled(first, aspect, short_side)
        self._matrix = _display_matrix(first)
        # One for all frames: `frame.reformat` makes a scaler with threads for each.
        self._scaler = VideoReformatter()

    def of(self, frame: VideoFrame) -> np.ndarray:
        """Returns a frame as RGB uint8 [H, W, 3]."""
        scaled = self._scaler.reformat(frame, *self._size, format="rgb24", interpolation=Interpolation.AREA, threads=1)
        return np.ascontiguousarray(_shown(scaled.to_ndarray(), self._matrix))


def _scaled(frame: VideoFrame, aspect: float, short_side: int | None) -> tuple[int, int]:
    """Returns the width and height in square pixels after scaling."""
    width, height = frame.width * max(aspect, 1.0), frame.height / min(aspect, 1.0)
    scale = 1.0 if short_side is None else min(1.0, short_side / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _display_matrix(frame: VideoFrame) -> np.ndarray:
    """Returns where the file wants a step to the right and a step down in the stored picture to lead [2, 2]."""
    # Asking for a frame's side data ties it into a cycle. Frames would pile up until a garbage collection, so this is
    # asked of a copy of four pixels, and the collection of the youngest objects takes no time.
    found = _side_data(VideoReformatter().reformat(frame, 2, 2, format="gray", threads=1), "DISPLAYMATRIX")
    gc.collect(0)
    if found:
        # Rows (a, b, u), (c, d, v) and (x, y, w): (1, 0) becomes (a, b) and (0, 1) becomes (c, d).
        return np.frombuffer(found, np.int32).reshape(3, 3)[:2, :2]
    turn = np.radians(frame.rotation)  # counterclockwise, but down is where rows go
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def _side_data(frame: VideoFrame, kind: str) -> bytes:
    """Returns what a frame carries of a kind; nothing where PyAV does not know all kinds that it carries."""
    try:
        carried: Any = frame.side_data  # whose types know one kind only
        return bytes(carried[kind])
    except (KeyError, ValueError):
        return b""


def _shown(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Returns a stored picture [H, W, 3] as its display matrix wants it: turned by quarters, mirrored, or both."""
    (a, b), (c, d) = matrix.astype(np.float64)
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
