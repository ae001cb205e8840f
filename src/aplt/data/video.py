"""Decoding: a clip -> its frames and their times, of any container and codec that FFmpeg reads (through PyAV)."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from aplt.clips import Clip
from aplt.data.ends import ends_early
from aplt.data.files import ClipError, Examined, Problem, naming, require_file
from aplt.data.intervals import CUT, interval
from aplt.data.pictures import Pictures
from aplt.display import counted
from aplt.parallel import threads

# Where a seek lands behind the wanted time (MPEG streams have no index), start so many seconds earlier.
BACKWARD = (0.0, 10.0)
LEAP = 2.5
"""Times the usual pace after which a frame is held until others show whether its time stamp is right."""
MOST_LEAPING = 8
"""Frames in a row whose wrong time stamps are mended."""
STILL = 0.9
"""The share of a clip's time from which one frame on screen means that frames spread over the time are all the same."""
METADATA: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__.startswith("18.") else {}
"""How tags that are no text are read: later versions of PyAV let them never stop the opening of a file."""


def decode(clip: Clip, *, short_side: int | None = None) -> Iterator[tuple[float, np.ndarray]]:
    """Yields (time in seconds from the clip's start, RGB uint8 [H, W, 3]) for each frame, in order of presentation.

    Frames are upright (the file's display matrix is applied) and have square pixels; all have the size of the
    first. Holds a few frames at a time, whatever the clip's length.

    Args:
        clip: A video file, or an interval of one.
        short_side: Pixels of the shorter side after scaling; frames are never enlarged. None: as they are.

    Raises:
        ClipError: the file is missing, empty, no video or damaged, or the interval lies outside of the video; when
            the damage lies further on, the frames before it have been yielded.
    """
    for time, picture in decode_lazily(clip, short_side=short_side):
        yield time, picture()


def decode_lazily(clip: Clip, *, short_side: int | None = None) -> Iterator[tuple[float, Callable[[], np.ndarray]]]:
    """Yields what `decode` does, each picture as a function that makes it."""
    pictures: Pictures | None = None
    with _decoding(clip):
        for time, frame, aspect in _frames(clip):
            pictures = pictures or Pictures(aspect, short_side, frame)
            yield time, partial(_picture, clip, pictures, frame)


def _picture(clip: Clip, pictures: Pictures, frame: VideoFrame) -> np.ndarray:
    """Returns a frame's picture; it is made when the caller wants it, outside of the decoding of its clip."""
    with _decoding(clip):
        return pictures.of(frame)


def decode_file(clip: Clip, *, short_side: int | None = None) -> Iterator[tuple[float, float, np.ndarray]]:
    """Yields (when it appears, when it ends, picture) for each frame of a clip's whole file; else as `decode`.

    Both are in seconds of the file's own time.
    """
    whole = Clip(id=clip.id, path=clip.path)
    require_file(whole)
    with _decoding(whole), _open(whole) as (container, stream):
        timeline = _timeline(whole, container, stream)
        first = _first(whole, timeline)
        picture = Pictures(float(stream.sample_aspect_ratio or 1), short_side, first[2])
        for appears, ends, frame in chain([first], timeline):
            yield appears, ends, picture.of(frame)
        if ends_early(clip.path):
            raise ClipError(clip, "broken", CUT)


def packet_times(clip: Clip) -> np.ndarray | None:
    """Returns when the frames of a whole file appear, in seconds, as its packets say without being decoded.

    That is a guess, for decoders may drop or mend some. None where the packets do not say it.
    """
    require_file(clip)
    with _decoding(clip), _open(clip) as (container, stream):
        try:
            stamps = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        except av.FFmpegError:
            return None
        return (np.array(stamps) - stamps[0]) * float(stream.time_base or 1) if stamps else None


def announced_end(clip: Clip) -> float | None:
    """Returns when the last frame of a clip's file ends by its header, in its own time; None: it does not say."""
    with _decoding(clip), _open(clip) as (container, stream):
        return _announced_end(container, stream)


def seconds_of(clip: Clip) -> float:
    """Returns how long a clip is, by its file's header, or by decoding it where that does not say."""
    if clip.end is not None:
        return clip.end - (clip.start or 0.0)
    require_file(clip)
    with _decoding(clip), _open(clip) as (container, stream):
        timeline = _timeline(clip, container, stream)
        origin, until, _ = _first(clip, timeline)
        announced = _announced_end(container, stream)
        if announced is None:
            until = max((ends for _, ends, _ in timeline), default=until)
    return max(until, announced or until) - origin - (clip.start or 0.0)


def about_seconds(clip: Clip) -> float | None:
    """Returns how long a clip is, as far as its file's header tells without any decoding."""
    if clip.end is not None:
        return clip.end - (clip.start or 0.0)
    require_file(clip)
    with _decoding(clip), _open(clip) as (container, _):
        return container.duration / av.time_base - (clip.start or 0.0) if container.duration else None


def examine(clip: Clip) -> Examined:
    """Decodes a clip to its end and returns what that tells."""
    times, damaged = [], 0
    with _decoding(clip):
        for time, frame, _ in _frames(clip):
            times.append(time)
            damaged += frame.is_corrupt
    doubt: tuple[Problem, str] | None = None
    if damaged:
        doubt = "damaged", f"the decoder flags {damaged} of {counted(len(times), 'frame')} as damaged"
    elif len(times) > 2 and (longest := np.diff(times).max() / (times[-1] - times[0])) > STILL:
        why = f"one of {len(times)} frames is on screen {longest:.1%} of the time, by their time stamps"
        doubt = "still", why
    return Examined(len(times), "a video", doubt)


def frame_rate(clip: Clip) -> float:
    """Returns the mean number of frames a second that a clip's file says it has."""
    require_file(clip)
    with _open(clip) as (_, stream):
        if not stream.average_rate:
            raise ClipError(clip, "broken", "the file does not say how many frames a second has")
        return float(stream.average_rate)


@contextmanager
def _decoding(clip: Clip) -> Iterator[None]:
    """Makes what decoding raises the clip's error, which says so where the bytes of its file end early."""
    with naming(clip):
        try:
            yield
        except ClipError as error:
            damaged = error.problem in ("broken", "no video stream")
            if damaged and CUT not in error.why and ends_early(clip.path):
                raise ClipError(clip, "broken", f"{error.why}; {CUT}") from error
            raise


def _frames(clip: Clip) -> Iterator[tuple[float, VideoFrame, float]]:
    """Yields (time in seconds from the clip's start, frame as decoded, aspect of its pixels)."""
    require_file(clip)
    seeks = [back for back in BACKWARD if clip.start and clip.start > back]
    for back in (*seeks, None):
        with _open(clip) as (container, stream):
            timeline = _timeline(clip, container, stream)
            first = _first(clip, timeline)
            origin = first[0]
            if back is not None and clip.start is not None:
                timeline = _seek(clip, container, stream, origin + clip.start - back)
                sought = next(timeline, None)
                if sought is None or sought[0] > origin + clip.start:
                    continue
                first = sought
            aspect = float(stream.sample_aspect_ratio or 1)
            announced = _announced_end(container, stream)
            for time, frame in interval(clip, chain([first], timeline), origin, announced):
                yield time, frame, aspect
            return


def _first(clip: Clip, timeline: Iterator[tuple[float, float, VideoFrame]]) -> tuple[float, float, VideoFrame]:
    first = next(timeline, None)
    if first is None:
        raise ClipError(clip, "broken", "no frame could be decoded")
    return first


@contextmanager
def _open(clip: Clip) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens the clip's file and its video stream; says what FFmpeg finds wrong as a ClipError."""
    try:
        # The absolute path, because FFmpeg reads what comes before a colon as a protocol.
        container = av.open(str(clip.path.absolute()), mode="r", **METADATA)
    except av.FFmpegError as error:
        why = f"FFmpeg cannot read it as a video ({error.strerror})"
        raise ClipError(clip, "broken", why) from error
    with container:
        # An audio file's cover picture is stored as a video stream of one frame.
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise ClipError(clip, "no video stream", "the file has no video stream")
        stream = streams[0]
        # PyAV has no codec context where it has no decoder; its types do not say so.
        if getattr(stream, "codec_context", None) is None:
            raise ClipError(clip, "broken", "this build of FFmpeg has no decoder for its codec")
        stream.thread_type = "AUTO"
        # One thread in a loader's worker; all cores in a process of its own.
        stream.codec_context.thread_count = threads()
        yield container, stream


def _timeline(clip: Clip, container: InputContainer, stream: VideoStream) -> Iterator[tuple[float, float, VideoFrame]]:
    """Yields (when it appears, when it ends, frame) in the file's own time in seconds, strictly rising.

    Frames whose time stamps leap ahead, while later ones do not, are put between their neighbors.
    """
    step = 1 / float(stream.guessed_rate or 25)
    now = -math.inf
    # Frames long after the one before, held until a later one shows whether they or the time have leapt.
    held: list[tuple[float, float, VideoFrame]] = []
    try:
        for stamp, shown, frame in _decoded(clip, container, stream):
            if held and stamp is not None and now < stamp < held[0][0]:
                pace = (stamp - now) / (len(held) + 1)
                for _, lasts, leapt in held:
                    now += pace
                    yield now, now + lasts, leapt
                held = []
            last = held[-1][0] if held else now
            # Raw streams have no time stamps and some muxers repeat or reset them: go on at the usual pace.
            if stamp is None:
                stamp = 0.0 if last == -math.inf else last + step
            held.append((stamp if stamp > last else last + step, shown or step, frame))
            if -math.inf < now < held[0][0] - LEAP * step and len(held) <= MOST_LEAPING:
                continue
            yield from _with_ends(held)
            now, held = held[-1][0], []
    except ClipError:
        yield from _with_ends(held)
        raise
    yield from _with_ends(held)


def _with_ends(held: list[tuple[float, float, VideoFrame]]) -> Iterator[tuple[float, float, VideoFrame]]:
    for appears, lasts, frame in held:
        yield appears, appears + lasts, frame


def _decoded(
    clip: Clip, container: InputContainer, stream: VideoStream
) -> Iterator[tuple[float | None, float | None, VideoFrame]]:
    """Yields (time stamp and duration in seconds as the file has them, frame)."""
    now = -math.inf
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise ClipError(clip, "broken", f"damaged or truncated {_after(now)}")
            for frame in packet.decode():
                stamp = frame.time if frame.pts is not None else None
                now = now if stamp is None else stamp
                shown = float(frame.duration * stream.time_base) if frame.duration and stream.time_base else None
                yield stamp, shown, frame
    except av.FFmpegError as error:
        raise ClipError(clip, "broken", f"damaged or truncated {_after(now)} ({error.strerror})") from error


def _seek(
    clip: Clip, container: InputContainer, stream: VideoStream, moment: float
) -> Iterator[tuple[float, float, VideoFrame]]:
    """Returns the timeline from the key frame before a moment; an empty one where the file cannot seek."""
    try:
        container.seek(round(moment / (stream.time_base or 1)), stream=stream)
    except av.FFmpegError:
        return iter(())
    return _timeline(clip, container, stream)


def _announced_end(container: InputContainer, stream: VideoStream) -> float | None:
    """Returns when the last frame ends by the container's header, in the file's own time; None: it does not say.

    MPEG streams have no such header: FFmpeg takes their duration from what is there.
    """
    kind = container.format.name
    if "mp4" in kind and stream.duration and stream.time_base:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if "avi" in kind and stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate)
    # A tag is free text: one of another form says nothing.
    tag = re.match(r"(\d{1,9}):(\d\d):(\d\d(\.\d*)?)", stream.metadata.get("DURATION", ""), re.ASCII)
    if "matroska" in kind and tag:
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
    # With sound, the container's duration may be the sound's.
    if ("matroska" in kind or "flv" in kind) and container.duration and len(container.streams) == 1:
        return container.duration / av.time_base
    return None


def _after(now: float) -> str:
    return "at its very start" if now == -math.inf else f"after {now:.2f} s"
