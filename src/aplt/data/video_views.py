"""Weak and strong views of videos: which frames, then torchvision's clip-consistent transforms.

Frames are cropped and flipped as uint8, where they were read. What is done to single pixels and to whole views comes
last, and on a GPU for all views of a batch: RandAugment, mean and deviation, the hidden box.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate
from torchvision.transforms import v2

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.augment import Operation, augmented, draw_operations
from aplt.data.cache import DecodedVideos, FrameCache
from aplt.data.files import by_file
from aplt.data.intervals import nearest_frames
from aplt.data.views import CPU, KINDS, Kind, Request
from aplt.display import bar
from aplt.parallel import in_processes
from aplt.storage import default_cache_dir

MID_GRAY = 0.45


def cached_side(settings: VideoInput) -> int:
    """Returns the shorter side of stored frames in pixels: a little more than a view, so that crops differ."""
    return max(math.ceil(settings.size * 8 / 7 / 2) * 2, _resized(settings))


def _resized(settings: VideoInput) -> int:
    """Returns the shorter side in pixels from which a center view is cropped."""
    return round(settings.size / settings.crop)


def resized_sides(settings: VideoInput) -> int | list[int]:
    """Returns the shorter side from which a center view is cropped, or height and width where they are squeezed."""
    short, aspect = _resized(settings), settings.aspect
    if aspect is None:
        return short
    return [short, round(short * aspect)] if aspect >= 1 else [round(short / aspect), short]


def frame_cache(settings: VideoInput) -> FrameCache:
    """Returns the cache that views with these settings read from."""
    root = Path(settings.cache_dir) if settings.cache_dir else default_cache_dir()
    return FrameCache(root, short_side=cached_side(settings), quality=settings.cache_quality)


def prepare(clips: Sequence[Clip], settings: VideoInput) -> None:
    """Decodes the clips that are not in the frame cache yet, unless the settings say not to."""
    if settings.cache:
        with bar("decoding clips", len(clips)) as progress:
            frame_cache(settings).build(clips, progress=progress.at)


@contextmanager
def lend_views(clips: Mapping[int, Clip], settings: VideoInput, _: object) -> Iterator["VideoViews"]:
    """Gives views of clips while the block runs; files with several of them are decoded once, and kept on disk.

    A clip that cannot be read is an error when it is opened, and not before.
    """
    side, quality = cached_side(settings), settings.cache_quality
    several = [some for some in by_file(list(clips.values())) if len(some) > 1]
    if not several:
        yield VideoViews(clips, settings, DecodedVideos(side, quality))
        return
    with tempfile.TemporaryDirectory(prefix="aplt-") as folder:
        files = FrameCache(Path(folder), short_side=side, quality=quality)
        with bar("decoding files", len(several)) as progress:
            list(in_processes(files.store_file, several, progress=progress.at))
        yield VideoViews(clips, settings, DecodedVideos(side, quality, files))


class VideoViews:
    """Views [3, T, size, size] of videos, read from the frame cache or decoded each time, as the settings say."""

    at_once = 64  # as many as fit into the memory of small cards

    def __init__(self, clips: Mapping[int, Clip], settings: VideoInput, videos: DecodedVideos | None = None) -> None:
        self._clips, self._settings = clips, settings
        self.clip_shape = (3, settings.frames, settings.size, settings.size)
        if videos is None and not settings.cache:
            videos = DecodedVideos(cached_side(settings), settings.cache_quality)
        self._videos = videos or frame_cache(settings)
        self._transforms = {kind: transform(settings, kind) for kind in KINDS}
        self._erase = v2.RandomErasing(scale=(0.02, 0.2))

    def __call__(self, kind: Kind, requests: Sequence[Request], device: torch.device = CPU) -> "Pixels":
        """Returns n views of a kind as uint8, and what is still to be done to them on the device."""
        parts = [self._one(kind, request) for request in requests]
        if device.type == "cpu":  # one way costs as much as the other, and here it keeps no training waiting
            parts = [part.varied() for part in parts]
        # In a loader process this stacks them in memory that the training process sees, too.
        pixels = default_collate([part.pixels[0] for part in parts])
        return replace(parts[0], pixels=pixels, drawn=tuple(drawn for part in parts for drawn in part.drawn))

    def _one(self, kind: Kind, request: Request) -> "Pixels":
        settings, rng = self._settings, np.random.default_rng(request.key)
        warp = settings.strong_warp if kind == "strong" else 0.0
        phase = 0.5 if kind == "center" else rng.random()
        wanted = moments(settings.frames, phase, warp, rng)
        begin = 0.5 if kind == "center" or settings.rate is None else rng.random()

        def chosen(times: np.ndarray) -> list[int]:
            last, others = float(times[-1]), len(times) - 1
            duration = last + (last / others if others else 1.0)  # the last frame is shown as long as the others
            length = duration if settings.rate is None else min(duration, settings.frames / settings.rate)
            found: list[int] = nearest_frames(times, wanted * length + (duration - length) * begin).tolist()
            return found

        frames = self._videos.read(self._clips[request.position], chosen)
        if settings.brightness == "normalize":
            frames = normalize_brightness(frames)
        drawn = Drawn()
        # torchvision's transforms draw from torch's global stream: seed it for this view, then put it back.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(rng.integers(2**63)))
            pixels: Tensor = self._transforms[kind](frames)
            if kind == "strong":
                drawn = self._draw(pixels)
        return Pixels(pixels.transpose(0, 1)[None], (drawn,), settings.mean, settings.deviation)

    def _draw(self, pixels: Tensor) -> "Drawn":
        settings = self._settings
        operations = draw_operations(settings.strong_operations, settings.strong_magnitude, settings.size)
        if torch.rand(1) >= settings.strong_erase:
            return Drawn(operations)
        box = self._erase.make_params([pixels])
        # Without a value it is the whole view, which is left as it is.
        return Drawn(operations, None if box["v"] is None else (box["i"], box["j"], box["h"], box["w"]))


@dataclass(frozen=True)
class Drawn:
    """What is to be done to the pixels of a view."""

    operations: tuple[Operation, ...] = ()
    box: tuple[int, int, int, int] | None = None
    """Top, left, height and width of what is hidden in all frames."""


@dataclass(frozen=True)
class Pixels:
    """Cropped views, and what is to be done to each; see `aplt.data.views.Unfinished`."""

    pixels: Tensor  # [n, 3, T, size, size] uint8
    drawn: tuple[Drawn, ...]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def pin_memory(self) -> "Pixels":
        """Returns them in memory that a device copies from while others work."""
        return replace(self, pixels=self.pixels.pin_memory())

    def to(self, device: torch.device, *, non_blocking: bool = False) -> "Pixels":
        """Returns them on a device."""
        return replace(self, pixels=self.pixels.to(device, non_blocking=non_blocking))

    def varied(self) -> "Pixels":
        """Returns them after their operations, rounded."""
        if not any(drawn.operations for drawn in self.drawn):
            return self
        pixels = self._varied().mul_(255).add_(0.5).to(torch.uint8)
        return replace(self, pixels=pixels, drawn=tuple(Drawn(box=drawn.box) for drawn in self.drawn))

    def finished(self) -> Tensor:
        """Returns the views, float32 [n, 3, T, size, size]."""
        views = self._varied()
        mean, deviation = (views.new_tensor(three)[:, None, None, None] for three in (self.mean, self.deviation))
        views.sub_(mean).div_(deviation)
        for view, drawn in zip(views, self.drawn, strict=True):
            if drawn.box is not None:
                top, left, height, width = drawn.box
                view[..., top : top + height, left : left + width] = 0
        return views

    def _varied(self) -> Tensor:
        """Returns them from 0 to 1, after their operations."""
        views = self.pixels.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)
        return augmented(views, [drawn.operations for drawn in self.drawn]).contiguous()


def transform(settings: VideoInput, kind: Kind) -> v2.Compose:
    """Returns what makes pixels [T, 3, size, size] of frames [T, 3, H, W], both uint8."""
    how = {"interpolation": v2.InterpolationMode(settings.interpolation), "antialias": settings.antialias}
    size, sides = (settings.size, settings.size), resized_sides(settings)
    if kind == "center":
        return v2.Compose([v2.Resize(sides, **how), v2.CenterCrop(size)])
    squeeze = [] if isinstance(sides, int) else [v2.Resize(sides, **how)]
    flip = [v2.RandomHorizontalFlip()] if settings.flip else []
    smallest = settings.weak_crop if kind == "weak" else settings.strong_crop
    return v2.Compose([*squeeze, v2.RandomResizedCrop(size, scale=(smallest, 1.0), **how), *flip])


def moments(frames: int, phase: float, warp: float, rng: np.random.Generator) -> np.ndarray:
    """Returns `frames` rising moments in [0, 1), one in each of `frames` equal parts, at `phase` of it.

    `warp` > 0 leaves out up to that share of the time at the ends and bends the rest.
    """
    even = (np.arange(frames) + phase) / frames
    if not warp:
        return even
    length = 1 - rng.uniform(0, warp)
    # Monotone: the sine's slope, 2 pi times its amplitude, stays below 1.
    bent = even + rng.uniform(-warp, warp) / (2 * np.pi) * np.sin(2 * np.pi * even)
    return np.asarray(rng.uniform(0, 1 - length) + length * bent)


def normalize_brightness(frames: Tensor) -> Tensor:
    """Returns uint8 frames [T, 3, H, W] with the gamma that brings their mean to a mid gray; one for all frames."""
    mean = float(frames.float().mean()) / 255
    gamma = math.log(MID_GRAY) / math.log(min(max(mean, 1 / 255), 254 / 255))
    table = (torch.linspace(0, 1, 256) ** gamma * 255).round().to(torch.uint8)
    # Looked up by NumPy, which takes uint8 for an index as it is: torch needs eight bytes per pixel for that.
    return torch.from_numpy(table.numpy()[frames.numpy()])
