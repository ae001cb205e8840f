"""Tiny videos that tests write themselves: frame n is a gray of level 8 n (from n = 32 on again), one corner white."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from aplt.clips import Clip

RATE = 10
# Codecs and pixel formats that keep the levels apart, by file name suffix.
CODECS = {
    ".mp4": ("libx264", "yuv420p"),
    ".mov": ("libx264", "yuv420p"),
    ".ts": ("libx264", "yuv420p"),
    ".mkv": ("ffv1", "bgr0"),
    ".webm": ("libvpx-vp9", "yuv420p"),
    ".avi": ("mjpeg", "yuvj420p"),
    ".mpg": ("mpeg2video", "yuv420p"),
    ".flv": ("flv1", "yuv420p"),
    ".h264": ("libx264", "yuv420p"),
}
# Others, which blur the levels or know certain frame rates only.
MORE_CODECS = {
    ".m2ts": ("libx264", "yuv420p"),
    ".vob": ("mpeg2video", "yuv420p"),
    ".ogv": ("libvpx", "yuv420p"),
    ".gif": ("gif", "rgb8"),
    ".wmv": ("wmv2", "yuv420p"),
    ".asf": ("wmv2", "yuv420p"),
    ".mxf": ("mpeg2video", "yuv420p"),
}
FAST = {
    "libx264": {"preset": "ultrafast", "crf": "5"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}
# Display matrices (a, b, c, d) of phones: clockwise turns for display.
TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def picture(number: int, width: int, height: int) -> np.ndarray:
    """Returns frame `number` [H, W, 3]: its upper left quarter's quarter is white."""
    pixels = np.full((height, width, 3), number % 32 * 8, dtype=np.uint8)
    pixels[: height // 4, : width // 4] = 255
    return pixels


def number_of(pixels: np.ndarray) -> int:
    """Returns which frame an upright image [H, W, 3] shows, by its lower right pixels."""
    return round(float(pixels[-3:, -3:].mean()) / 8)


def write_video(
    path: Path,
    frames: int | Sequence[np.ndarray] = 12,
    *,
    size: tuple[int, int] = (64, 48),
    rate: int = RATE,
    pixel_format: str | None = None,
    ticks: Sequence[int] | None = None,
    key_every: int | None = None,
    turn: int = 0,
    aspect: int = 1,
    sound: float = 0.0,
    muxer: dict[str, str] | None = None,
) -> Path:
    """Writes a video and returns its path; the suffix says the container and codec.

    `frames` is how many pictures, or the pictures themselves; `ticks` are the frames' times in units of 1 / rate;
    `turn` is the clockwise turn that an .mp4 asks for, in
    degrees; `sound` is the length of a silent audio track in seconds.
    """
    codec, usual_format = (CODECS | MORE_CODECS)[path.suffix]
    pictures = [picture(number, *size) for number in range(frames)] if isinstance(frames, int) else frames
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", container_options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=FAST.get(codec, {}))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width, height
        stream.pix_fmt = pixel_format or usual_format
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        if key_every is not None:
            stream.codec_context.gop_size = key_every
        _add_sound(container, sound)
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = ticks[number] if ticks else number
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    if turn:
        set_matrix(path, TURNS[turn])
    return path


def write_sound(path: Path, *, cover: bool = False) -> Path:
    """Writes an .mp4 with sound only, or with a cover picture besides."""
    with av.open(str(path), "w") as container:
        if cover:
            stream = container.add_stream("mjpeg", rate=1)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
            stream.disposition = Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(picture(5, 32, 32), "rgb24")
            frame.pts = 0
        _add_sound(container, 1.0)
        if cover:
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


def write_text(path: Path) -> Path:
    """Writes what is no video whatever its name says."""
    path.write_text("this is not a video\n" * 40)
    return path


def cut(path: Path, share: float) -> Path:
    """Keeps the first share of a file's bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def clip_of(path: Path, start: float | None = None, end: float | None = None) -> Clip:
    """Returns the clip of a file or of an interval of it, named like the file."""
    return Clip(id=path.stem, path=path, start=start, end=end)


def _add_sound(container: OutputContainer, seconds: float) -> None:
    if not seconds:
        return
    stream = container.add_stream("aac", rate=44100)
    for begin in range(0, int(seconds * 44100), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), "fltp", "mono")
        frame.rate, frame.pts = 44100, begin
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def set_matrix(path: Path, matrix: tuple[float, float, float, float]) -> Path:
    """Patches the display matrix of the only track's header (tkhd, version 0): nine numbers, 16.16 and 2.30."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44
    a, b, c, d = (int(number * 65536) for number in matrix)
    content[at : at + 36] = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()
    path.write_bytes(content)
    return path
