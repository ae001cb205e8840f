"""The frame cache: each clip decoded once, its frames kept as JPEGs that any of them can be read from alone.

Entries (see aplt.data.frames) are named by the content they were made from, so a changed video gets a new one, a moved
video keeps its own, and the folder may be deleted at any time. An entry is of a whole file or of an interval. Any clip
of a whole file is cut from its entry; so a file with many clips is decoded once.
"""

import hashlib
import json
import os
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import safetensors
from torch import Tensor

from aplt.clips import Clip
from aplt.data.files import ClipError, by_file, content_digest, require_file
from aplt.data.frames import Jpegs, jpegs, write_entry
from aplt.data.intervals import Timeline
from aplt.data.video import about_seconds, announced_end, decode, decode_file, decode_lazily, packet_times
from aplt.errors import InputError
from aplt.parallel import in_processes
from aplt.storage import atomic, read_json, sweep, write_json

Choose = Callable[[np.ndarray], list[int]]
"""From the times of a clip's frames [F], in seconds and rising, to the numbers of those wanted; the same each time."""
HOUR = 3600.0
DAMAGED = (OSError, ValueError, LookupError, TypeError, OverflowError, SystemError, safetensors.SafetensorError)
"""What reading an entry raises that is damaged: no JPEG, part of one, one of another size, or wrong places of them."""
FORMAT = 2
"""Part of every entry's name: raise it when decoding gives other frames than before."""
WHOLE = 0.5
"""Share of a file that its clips last together from which it is decoded whole, and not each of them by itself."""


class DecodedVideos:
    """Frames without a cache: a clip is decoded each time it is opened.

    Its frames are held as JPEGs, too: a long clip fits into memory, and a model sees the same pixels whether the
    cache is on or off. Intervals are cut from files that `files` has whole.
    """

    def __init__(self, short_side: int, quality: int, files: "FrameCache | None" = None) -> None:
        self._short_side, self._quality, self._files = short_side, quality, files

    def read(self, clip: Clip, choose: Choose) -> Tensor:
        """Returns the frames of a clip that `choose` takes, `short_side` pixels at the shorter side, or fewer.

        Of a whole file only these are made into pictures.
        """
        guess = None if _is_interval(clip) else packet_times(clip)
        if guess is not None:
            rows = choose(guess)
            made, place = np.unique(rows, return_inverse=True)
            times, some = _compress_some(clip, self._short_side, self._quality, set(made.tolist()))
            if choose(times) == rows:
                return some.read(place.tolist())
        kept = self._files.load(clip) if self._files is not None and _is_interval(clip) else None
        frames = kept or _compress(clip, self._short_side, self._quality)
        return frames.read(choose(frames.times))


class FrameCache:
    """Frames as JPEGs on disk below `root`, `short_side` pixels at the shorter side, or fewer: never enlarged."""

    def __init__(self, root: Path, *, short_side: int, quality: int) -> None:
        self._root, self._short_side, self._quality = root, short_side, quality
        self._digests: dict[Path, tuple[list[int], str]] = {}

    def __getstate__(self) -> dict[str, object]:
        # Each task of a process takes the cache along: what it remembers of all other files stays here.
        return self.__dict__ | {"_digests": {}}

    def read(self, clip: Clip, choose: Choose) -> Tensor:
        """Returns the frames of a clip that `choose` takes; one that is not there, or is damaged, is decoded first."""
        frames = self.load(clip) or self.renew(clip)
        with suppress(*DAMAGED):
            return frames.read(choose(frames.times))
        frames = self.renew(clip)
        return frames.read(choose(frames.times))

    def build(
        self,
        clips: Sequence[Clip],
        *,
        processes: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Decodes and stores the clips that are not there yet, file by file, in as many processes as there are cores.

        `progress` is called with (clips done, clips in all), from (those there already, all) on.

        Raises:
            ClipError: a clip that cannot be decoded, the first of them where no two are of one file; those of files
                before its own are stored.
        """
        with suppress(OSError):  # what can only be read keeps what kills left in it
            sweep(self._root.glob("*/*/"), abandoned=HOUR)
        # Of several clips of a file each is looked at, for an interval may lie outside of a video that is there.
        missing = [some for some in by_file(clips) if len(some) > 1 or not self._is_known(some[0])]
        done = len(clips) - sum(map(len, missing))
        if progress is not None:
            progress(done, len(clips))
        with closing(in_processes(self.store, missing, processes)) as stored:
            for some, _ in zip(missing, stored, strict=True):
                done += len(some)
                if progress is not None:
                    progress(done, len(clips))

    def store(self, clips: Sequence[Clip]) -> None:
        """Decodes clips of one file and stores their frames, unless readable entries are there."""
        self.store_file(clips)
        for clip in clips:
            if self.load(clip) is None:
                self.renew(clip)

    def store_file(self, clips: Sequence[Clip]) -> None:
        """Decodes and stores the file that these clips are of as a whole, where that is worth it.

        A file that cannot be decoded to its end is left to its clips, as is one of which they are but a small part.
        """
        whole = _whole(clips[0])
        with suppress(ClipError):
            if _are_most(clips) and self._file(whole) is None:
                self.renew(whole)

    def load(self, clip: Clip) -> Jpegs | None:
        """Returns the stored frames, or None when there are none or their file is damaged.

        Raises:
            ClipError: the clip is no part of its file, which is there as a whole.
        """
        path = self._entry(clip)
        with suppress(*DAMAGED):
            # Not as a context manager: the slice is read from later, and the file closed with it.
            entry = safetensors.safe_open(path, framework="np")
            frames = Jpegs(entry.get_tensor("time"), entry.get_tensor("offset"), entry.get_slice("jpeg"))
            if len(frames.times) == len(frames.offset) - 1:
                return frames
        file = self._file(clip) if _is_interval(clip) else None
        if file is None:
            return None
        frames, timeline = file
        rows, times = timeline.rows(clip)  # which follow each other
        return Jpegs(times, frames.offset[rows[0] : rows[-1] + 2], frames.jpeg)

    def _file(self, clip: Clip) -> tuple[Jpegs, Timeline] | None:
        """Returns the frames of the whole file that a clip is of, or None as `load` does, and when they are shown."""
        path = self._entry(_whole(clip))
        try:
            entry = safetensors.safe_open(path, framework="np")
            appears, ends, (announced,) = map(entry.get_tensor, ("appears", "ends", "announced"))
            frames = Jpegs(entry.get_tensor("time"), entry.get_tensor("offset"), entry.get_slice("jpeg"))
            timeline = Timeline(appears, ends, None if np.isnan(announced) else float(announced))
            whole = len(appears) == len(ends) == len(frames.offset) - 1 > 0 and (np.diff(appears) > 0).all()
        except DAMAGED:
            return None
        return (frames, timeline) if whole else None

    def renew(self, clip: Clip) -> Jpegs:
        """Decodes the clip, stores its frames in place of whatever is there, and returns them."""
        with self._writing(), atomic(self._entry(clip)) as stream:
            if _is_interval(clip):
                write_entry(stream, jpegs(clip, decode(clip, short_side=self._short_side), self._quality), None)
            else:
                whole = jpegs(clip, decode_file(clip, short_side=self._short_side), self._quality)
                write_entry(stream, whole, announced_end(clip))
        # Another may have deleted it since.
        return self.load(clip) or _compress(clip, self._short_side, self._quality)

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
        digest = content_digest(clip)
        with self._writing():
            write_json(self._memo(clip.path), {"state": state, "sha256": digest})
        return digest

    def _remembered(self, path: Path) -> str | None:
        state = _state(path)
        state_then, digest = self._digests.get(path, (None, ""))
        if state_then == state:
            return digest
        try:
            memo = read_json(self._memo(path))
        except (OSError, InputError):
            return None
        stored = memo.get("sha256")
        if memo.get("state") != state or not isinstance(stored, str):
            return None
        self._digests[path] = state, stored
        return stored

    def _memo(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
        return self._root / "digests" / name[:2] / f"{name}.json"


def _is_interval(clip: Clip) -> bool:
    return bool(clip.start) or clip.end is not None


def _whole(clip: Clip) -> Clip:
    return Clip(id=clip.id, path=clip.path)


def _are_most(clips: Sequence[Clip]) -> bool:
    """Returns whether it takes no longer to decode the clips' file once than each of several clips by itself."""
    if len(clips) == 1:
        return False
    whole = about_seconds(_whole(clips[0]))
    return whole is None or sum(about_seconds(clip) or whole for clip in clips) >= WHOLE * whole


def _compress(clip: Clip, short_side: int, quality: int) -> Jpegs:
    """Returns the clip's frames, each compressed as soon as it is decoded."""
    return _compressed(clip, decode(clip, short_side=short_side), quality)


def _compress_some(clip: Clip, short_side: int, quality: int, rows: Container[int]) -> tuple[np.ndarray, Jpegs]:
    """Returns the times of all of the clip's frames, and those of these numbers."""
    times: list[float] = []

    def wanted() -> Iterator[tuple[float, np.ndarray]]:
        for number, (time, picture) in enumerate(decode_lazily(clip, short_side=short_side)):
            times.append(time)
            if number in rows:
                yield time, picture()

    some = _compressed(clip, wanted(), quality)
    return np.array(times), some


def _compressed(clip: Clip, frames: Iterator[tuple[float, np.ndarray]], quality: int) -> Jpegs:
    times: list[float] = []
    offset = [0]
    jpeg = bytearray()
    for (time,), picture in jpegs(clip, frames, quality):
        jpeg += picture
        times.append(time)
        offset.append(len(jpeg))
    return Jpegs(np.array(times), np.array(offset, dtype=np.int64), np.frombuffer(jpeg, dtype=np.uint8))


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
