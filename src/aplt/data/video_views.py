"""Weak and strong views of videos: which frames, then torchvision's clip-consistent transforms."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.cache import DecodedVideos, FrameCache
from aplt.data.video import nearest_frames
from aplt.storage import default_cache_dir

# The statistics that torchvision's published ImageNet weights expect; near enough to Kinetics' own.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MID_GRAY = 0.45


def cached_side(settings: VideoInput) -> int:
    """Returns the shorter side of stored frames in pixels: a little more than a view, so that crops differ."""
    return math.ceil(settings.size * 8 / 7 / 2) * 2


def frame_cache(settings: VideoInput) -> FrameCache:
    """Returns the cache that views with these settings read from."""
    root = Path(settings.cache_dir) if settings.cache_dir else default_cache_dir()
    return FrameCache(root, short_side=cached_side(settings), quality=settings.cache_quality)


class VideoViews:
    """Views of videos, read from the frame cache or decoded each time."""

    def __init__(self, clips: Mapping[int, Clip], settings: VideoInput) -> None:
        self._clips = clips
        self._settings = settings
        self._videos = (
            frame_cache(settings) if settings.cache else DecodedVideos(cached_side(settings), settings.cache_quality)
        )
        finish = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION)]
        flip = [v2.RandomHorizontalFlip()] if settings.flip else []
        size = (settings.size, settings.size)
        self._transforms = {
            "center": v2.Compose([v2.Resize(settings.size, antialias=True), v2.CenterCrop(size), *finish]),
            "weak": v2.Compose(
                [v2.RandomResizedCrop(size, scale=(settings.weak_crop, 1.0), antialias=True), *flip, *finish]
            ),
            "strong": v2.Compose(
                [
                    v2.RandomResizedCrop(size, scale=(settings.strong_crop, 1.0), antialias=True),
                    *flip,
                    v2.RandAugment(
                        settings.strong_operations,
                        settings.strong_magnitude,
                        interpolation=v2.InterpolationMode.BILINEAR,
                    ),
                    *finish,
                    v2.RandomErasing(settings.strong_erase, scale=(0.02, 0.2)),
                ]
            ),
        }

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """[3, T, size, size]."""
        return (3, self._settings.frames, self._settings.size, self._settings.size)

    def __call__(self, position: int, kind: Literal["center", "weak", "strong"], key: Sequence[int]) -> Tensor:
        """Returns one view [3, T, size, size]; see aplt.data.views."""
        rng = np.random.default_rng(key)
        video = self._videos.open(self._clips[position])
        warp = self._settings.strong_warp if kind == "strong" else 0.0
        phase = 0.5 if kind == "center" else rng.random()
        wanted = moments(self._settings.frames, phase, warp, rng) * (video.times[-1] + _last_duration(video.times))
        frames = video.read(nearest_frames(video.times, wanted).tolist())
        if self._settings.brightness == "normalize":
            frames = normalize_brightness(frames)
        # torchvision's transforms draw from torch's global stream: seed it for this view, then put it back.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(rng.integers(2**63)))
            view: Tensor = self._transforms[kind](frames)
        return view.transpose(0, 1).contiguous()


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


def _last_duration(times: np.ndarray) -> float:
    """Returns how long the last frame is shown, in seconds: as long as the others on average."""
    return float(times[-1] / (len(times) - 1)) if len(times) > 1 else 1.0
