"""The frame cache: each clip decoded once, its frames kept as JPEGs that any of them can be read from alone.

An entry is one `.safetensors` file with `jpeg` (uint8, all JPEGs one after another), `offset` (int64 [F+1], where
each begins) and `time` (float64 [F], seconds). Entries are named by the content they were made from, so a changed
video gets a new one, a moved video keeps its own, and the folder may be deleted at any time.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import safetensors
import torch
from PIL import Image
from safetensors.numpy import save
from simplejpeg import decode_jpeg
from torch import Tensor

from aplt.clips import Clip
from aplt.data.files import ClipError, naming, require_file
from aplt.data.video import decode
from aplt.errors import InputError
from aplt.parallel import in_processes
from aplt.storage import atomic, file_digest, sweep, write_json

# Part of every entry's name: raise it when decoding gives other frames than before.
HOUR = 3600.0
DAMAGED = (OSError, ValueError, LookupError, TypeError, OverflowError, SystemError, safetensors.SafetensorError)
"""What reading an entry raises that is damaged: no JPEG, part of one, one of another size, or wrong places of them."""
FORMAT = 2


class Frames(Protocol):
    """The frames of one clip."""

    @property
    def times(self) -> np.ndarray:
        """When each frame appears [F] float64, in seconds from the clip's start, rising."""

    def read(self, rows: Sequence[int]) -> Tensor:
        """Returns frames by their number, in the order asked for: RGB uint8 [T, 3, H, W], channels last in memory."""


class _Bytes(Protocol):
    """A uint8 array, or one that stays on disk until a slice of it is asked for."""

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class _Jpegs:
    """Frames as JPEGs, in memory or in an entry."""

    times: np.ndarray
    offset: np.ndarray
    jpeg: _Bytes

    def read(self, rows: Sequence[int]) -> Tensor:
        images = [self._image(int(self.offset[row]), int(self.offset[row + 1])) for row in rows]
        # Stacked by NumPy, for torch starts its threads for so little and on busy cores waits long for them.
        return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)

    def _image(self, begin: int, end: int) -> np.ndarray:
        # Pillow, which wrote it, gives the same pixels but takes four times as long for so small an image.
        return np.asarray(decode_jpeg(self.jpeg[begin:end], colorspace="RGB"))


class DecodedVideos:
    """Frames without a cache: a clip is decoded each time it is opened.

    Its frames are held as JPEGs, too: a long clip fits into memory, and a model sees the same pixels whether the
    cache is on or off.
    """

    def __init__(self, short_side: int, quality: int) -> None:
        self._short_side, self._quality = short_side, quality

    def open(self, clip: Clip) -> Frames:
        """Returns the clip's frames, `short_side` pixels at the shorter side (or fewer: never enlarged).

        Raises:
            ClipError: the clip cannot be decoded.
        """
        return _compress(clip, self._short_side, self._quality)


class FrameCache:
    """Frames kept on disk below `root`; see the module for how.

    Args:
        root: Folder of the cache, made when first written to.
        short_side: Pixels of the frames' shorter side; smaller videos are not enlarged.
        quality: JPEG quality, 1 to 100.
    """

    def __init__(self, root: Path, *, short_side: int, quality: int) -> None:
        self._root, self._short_side, self._quality = root, short_side, quality
        self._digests: dict[Path, tuple[list[int], str]] = {}

    def open(self, clip: Clip) -> Frames:
        """Returns the clip's frames; one that is not there, or is damaged, is decoded and stored first.

        Raises:
            ClipError: the clip cannot be decoded.
        """
        return _Stored(clip, self)

    def build(
        self,
        clips: Sequence[Clip],
        *,
        processes: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Decodes and stores the clips that are not there yet.

        Args:
            clips: Clips in any order.
            processes: How many decode at once; by default as many as there are cores.
            progress: Called with (clips done, clips in all), from (those there already, all) on.

        Raises:
            ClipError: the first of the clips that cannot be decoded; those before it are stored.
        """
        with suppress(OSError):  # what can only be read keeps what kills left in it
            sweep(self._root.glob("*/*/"), abandoned=HOUR)
        missing = [clip for clip in clips if not self._is_known(clip)]
        there = len(clips) - len(missing)
        if progress is not None:
            progress(there, len(clips))
        with closing(in_processes(self.store, missing, processes)) as stored:
            for done, _ in enumerate(stored, start=there + 1):
                if progress is not None:
                    progress(done, len(clips))

    def store(self, clip: Clip) -> None:
        """Decodes the clip and stores its frames, unless a readable entry is there.

        Raises:
            ClipError: the clip cannot be decoded.
        """
        if self.load(clip) is None:
            self.renew(clip)

    def load(self, clip: Clip) -> _Jpegs | None:
        """Returns the stored frames, or None when there are none or their file is damaged."""
        try:
            # Not as a context manager: the slice is read from later, and the file closed with it.
            entry = safetensors.safe_open(self._entry(clip), framework="np")
            return _Jpegs(entry.get_tensor("time"), entry.get_tensor("offset"), entry.get_slice("jpeg"))
        except (OSError, safetensors.SafetensorError):
            return None

    def renew(self, clip: Clip) -> _Jpegs:
        """Decodes the clip, stores its frames in place of whatever is there, and returns them."""
        frames = _compress(clip, self._short_side, self._quality)
        arrays = {"jpeg": frames.jpeg[:], "offset": frames.offset, "time": frames.times}
        with self._writing(), atomic(self._entry(clip)) as stream:
            stream.write(save(arrays))
        return frames

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hint = "set input.cache_dir or $APLT_CACHE to another folder, or switch it off with input.cache=false"
            raise InputError(f"{self._root}: the frame cache cannot be written ({error.strerror}); {hint}") from error

    def _is_known(self, clip: Clip) -> bool:
        """Whether the clip's file is one seen before, unchanged, and its entry exists; reads neither of them."""
        try:
            require_file(clip)
        except ClipError:
            return False
        return self._remembered(clip.path) is not None and self._entry(clip).is_file()

    def _entry(self, clip: Clip) -> Path:
        made_from = [FORMAT, self._digest(clip), clip.start or 0.0, clip.end, self._short_side, self._quality]
        name = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
        return self._root / "frames" / name[:2] / f"{name}.safetensors"

    def _digest(self, clip: Clip) -> str:
        """Returns the SHA-256 of the file's content, from memory or the memo when size and time are the same."""
        require_file(clip)
        known = self._remembered(clip.path)
        if known is not None:
            return known
        state = _state(clip.path)
        try:
            digest = file_digest(clip.path)
        except OSError as error:
            raise ClipError(clip, "broken", f"the file cannot be read ({error.strerror})") from error
        with self._writing():
            write_json(self._memo(clip.path), {"state": state, "sha256": digest})
        return digest

    def _remembered(self, path: Path) -> str | None:
        state = _state(path)
        state_then, digest = self._digests.get(path, (None, ""))
        if state_then == state:
            return digest
        try:
            memo = json.loads(self._memo(path).read_text())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(memo, dict) or memo.get("state") != state or not isinstance(memo.get("sha256"), str):
            return None
        self._digests[path] = state, memo["sha256"]
        return str(memo["sha256"])

    def _memo(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
        return self._root / "digests" / name[:2] / f"{name}.json"


class _Stored:
    """Frames of a cache's entry, made again when they turn out to be damaged."""

    def __init__(self, clip: Clip, cache: FrameCache) -> None:
        self._clip, self._cache = clip, cache
        self._frames = cache.load(clip) or cache.renew(clip)

    @property
    def times(self) -> np.ndarray:
        return self._frames.times

    def read(self, rows: Sequence[int]) -> Tensor:
        try:
            return self._frames.read(rows)
        except DAMAGED:
            self._frames = self._cache.renew(self._clip)
            return self._frames.read(rows)


def _compress(clip: Clip, short_side: int, quality: int) -> _Jpegs:
    """Returns the clip's frames, each compressed as soon as it is decoded."""
    times: list[float] = []
    offset = [0]
    jpeg = bytearray()
    with naming(clip):  # a JPEG has at most 65,500 pixels a side
        for time, pixels in decode(clip, short_side=short_side):
            with io.BytesIO() as stream:
                Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
                jpeg += stream.getbuffer()
            times.append(time)
            offset.append(len(jpeg))
    return _Jpegs(np.array(times), np.array(offset, dtype=np.int64), np.frombuffer(jpeg, dtype=np.uint8))


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
