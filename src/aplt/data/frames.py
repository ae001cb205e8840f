"""Frames as JPEGs: how they are made, read one by one, and laid out in an entry of the frame cache.

An entry is one `.safetensors` file with `jpeg` (uint8, all JPEGs one after another), `offset` (int64 [F+1], where
each begins) and `time` (float64 [F], seconds). That of a whole file also has its `Timeline`: `appears` and `ends`
(float64 [F]) and `announced` (float64 [1], NaN: not said).
"""

import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy as np
import torch
from PIL import Image
from simplejpeg import decode_jpeg
from torch import Tensor

from aplt.clips import Clip
from aplt.data.files import naming

HEADER = 1024
"""Bytes of an entry before its arrays: more than their names, types and places take."""


class _Bytes(Protocol):
    """A uint8 array, or one that stays on disk until a slice of it is asked for."""

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Jpegs:
    """The frames of a clip as JPEGs, in memory or in an entry."""

    times: np.ndarray
    """When each frame appears [F] float64, in seconds from the clip's start, rising."""
    offset: np.ndarray
    jpeg: _Bytes

    def read(self, rows: Sequence[int]) -> Tensor:
        """Returns frames by their number, in the order asked for: RGB uint8 [T, 3, H, W], channels last in memory."""
        pictures = (self.jpeg[int(self.offset[row]) : int(self.offset[row + 1])] for row in rows)
        # Pillow, which wrote them, gives the same pixels but takes four times as long for so small images.
        images = [np.asarray(decode_jpeg(picture, colorspace="RGB")) for picture in pictures]
        # Stacked by NumPy, for torch starts its threads for so little and on busy cores waits long for them.
        return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def jpegs(clip: Clip, frames: Iterator[Any], quality: int) -> Iterator[tuple[tuple[float, ...], bytes]]:
    """Yields (times, JPEG) for each of a clip's frames (*times, picture)."""
    with naming(clip):  # a JPEG has at most 65,500 pixels a side
        for *when, pixels in frames:
            with io.BytesIO() as stream:
                Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
                yield tuple(when), stream.getvalue()


def write_entry(stream: BinaryIO, frames: Iterator[tuple[tuple[float, ...], bytes]], announced: float | None) -> None:
    """Writes the entry of frames (times, JPEG), each as soon as it comes: those of an hour need not fit into memory.

    The times of an interval are (when it appears,), those of a whole file (when it appears, when it ends);
    `announced` is when the last one ends by the file's header, if it says that.
    """
    shown: list[tuple[float, ...]] = []
    offset = [0]
    stream.write(bytes(HEADER))
    for when, picture in frames:
        offset.append(offset[-1] + stream.write(picture))
        shown.append(when)
    appears, *ends = np.array(shown).T
    arrays = {"offset": np.array(offset, dtype=np.int64), "time": appears}
    if ends:
        arrays |= {"time": appears - appears[0], "appears": appears, "ends": ends[0]}
        arrays |= {"announced": np.array([math.nan if announced is None else announced])}
    # The other arrays are of eight bytes a number.
    size = offset[-1] + stream.write(bytes(-offset[-1] % 8))
    header = {"jpeg": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    for name, array in arrays.items():
        dtype = "F64" if array.dtype == np.float64 else "I64"
        header[name] = {"dtype": dtype, "shape": [len(array)], "data_offsets": [size, size + array.nbytes]}
        size += stream.write(array.astype(array.dtype.newbyteorder("<")).tobytes())
    stream.seek(0)
    stream.write((HEADER - 8).to_bytes(8, "little") + json.dumps(header).encode().ljust(HEADER - 8))
