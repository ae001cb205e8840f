"""Arrays of numpy, of a tool that they do not name."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from aplt.data.pose_files.tracked import Tracked

LARGEST = 1 << 30
"""Bytes of an array in an archive: an hour of 25 joints at 30 frames a second has 65 million in double precision."""
MAGIC = b"\x93NUMPY"
PIXELS = 10.0
"""A coordinate beyond which it is one of a picture, where a third from 0 to 1 is no depth: no person is as far in
meters or body sizes who is as flat."""


def read_arrays(path: Path) -> Tracked:
    """Returns one array or that named "skeleton", with one named "confidence" if there is one."""
    with path.open("rb") as stream:  # numpy leaves the file open where the archive is damaged
        start = stream.read(len(MAGIC))
        if start != MAGIC and not start.startswith(b"PK"):  # NumPy would advise to unpickle it
            raise ValueError(f"it is no array of NumPy's, which begins otherwise than with {start!r}")
        stream.seek(0)
        loaded = np.load(stream, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return _split(loaded)
        fps = _rate(loaded["fps"]) if "fps" in loaded.files else None
        others = [name for name in loaded.files if name != "fps"]
        name = others[0] if len(others) == 1 else "skeleton"
        if name not in loaded.files:
            raise ValueError(f"expected one array or one named 'skeleton', found {', '.join(loaded.files) or 'none'}")
        size = max((info.file_size for info in loaded.zip.infolist()), default=0)
        if size > LARGEST:  # a few megabytes may be packed terabytes
            raise ValueError(f"unpacked it has {size:,d} bytes, expected at most {LARGEST:,d}")
        points: np.ndarray = loaded[name]
        found = Tracked("", points, loaded["confidence"]) if "confidence" in loaded.files else _split(points)
        return replace(found, fps=fps)


def _rate(array: np.ndarray) -> float:
    fps = float(array.item()) if array.size == 1 else math.nan
    if not 0 < fps < math.inf:
        raise ValueError(f"expected a number of frames a second as 'fps', found {array}")
    return fps


def _split(points: np.ndarray) -> Tracked:
    """Returns an array, its third channel taken for what it must be: a depth, or the confidence."""
    if points.shape[-1:] != (3,) or points.dtype.kind not in "fiu":
        return Tracked("", points)
    finite = np.isfinite(points)
    third = points[..., 2][finite[..., 2]]
    others = np.abs(points[..., :2][finite[..., :2]])
    if not third.size or not others.size or third.min() < 0 or third.max() > 1 or not third.any():
        return Tracked("", points)
    if others.max() > PIXELS:
        remark = "the third channel, always within 0 and 1 beside pixels, is the confidence"
        return Tracked("", points[..., :2], points[..., 2], remark=remark)
    remark = (
        "the third channel is taken for a depth; it is always within 0 and 1, so if it is a confidence, save it in an "
        ".npz as 'confidence' beside the others as 'skeleton'"
    )
    return Tracked("", points, remark=remark)
