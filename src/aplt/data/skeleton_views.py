"""Weak and strong views of skeleton sequences: mirroring, rotation, shear, scale, joint masking, crop and warp, noise.

The second coordinate is taken for the vertical, as Kinect has it: views turn about it most. The last channel is the
tracker's confidence in each joint, which goes through time with it and is 0 for joints that a view hides.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from aplt.clips import Clip
from aplt.config import SkeletonInput
from aplt.data.files import ClipError
from aplt.data.skeleton import MOST_PERSONS, normalize, read_clip
from aplt.display import counted
from aplt.errors import InputError
from aplt.topology import pairs_of, topology_of


class SkeletonViews:
    """Views of skeleton clips, which are read once and kept.

    Without `clip_shape` all are read at once, since the number of persons is the largest; with it (that of a trained
    model) each is read when it is asked for.
    """

    def __init__(
        self, clips: Mapping[int, Clip], settings: SkeletonInput, clip_shape: tuple[int, int, int, int] | None = None
    ) -> None:
        self._clips, self._settings = clips, settings
        self._sequences: dict[int, np.ndarray] = {}
        names: tuple[str, ...] = ()
        if clip_shape is None:
            first = read_clip(clips[next(iter(clips))])
            _, _, joints, channels = first.points.shape
            names = first.joints
            self._clip_shape = (channels + 1, settings.frames, joints, MOST_PERSONS)
            persons = max(len(self._sequence(position)) for position in clips)
            clip_shape = (*self._clip_shape[:3], persons)
        known = topology_of(clip_shape[2], clip_shape[0] - 1)
        own = pairs_of(names) if names else known.pairs if known else ()
        self._mirror = own if settings.mirror is None else settings.mirror
        outside = [joint for pair in self._mirror for joint in pair if not 0 <= joint < clip_shape[2]]
        if outside:
            raise InputError(
                f"setting 'input.mirror' names joint {outside[0]}, but the clips have {counted(clip_shape[2], 'joint')}"
            )
        self._clip_shape = clip_shape

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """[C + 1, T, V, P]."""
        return self._clip_shape

    def __call__(self, position: int, kind: Literal["center", "weak", "strong"], key: Sequence[int]) -> Tensor:
        """Returns one view [C + 1, T, V, P]; see aplt.data.views."""
        sequence = self._sequence(position)
        if kind == "center":
            view = _resample(sequence, np.linspace(0, 1, self._settings.frames))
        else:
            draw = weak_view if kind == "weak" else strong_view
            rng = np.random.default_rng(key)
            if self._mirror and rng.random() < 0.5:
                sequence = mirrored(sequence, self._mirror)
            view = draw(sequence, self._settings, rng)
        absent = self._clip_shape[3] - len(view)
        if absent:
            view = np.concatenate([view, np.zeros((absent, *view.shape[1:]), dtype=np.float32)])
        return torch.from_numpy(view).permute(3, 1, 2, 0).contiguous()

    def _sequence(self, position: int) -> np.ndarray:
        if position not in self._sequences:
            poses = read_clip(self._clips[position])
            sequence = np.concatenate([normalize(poses.points), poses.confidence[..., None]], axis=3)
            channels, _, joints, persons = self._clip_shape
            if len(sequence) > persons:  # who is absent all the time is nobody
                sequence = sequence[sequence.any(axis=(1, 2, 3))]
            if sequence.shape[2:] != (joints, channels) or len(sequence) > persons:
                clip = self._clips[position]
                why = (
                    f"expected {counted(joints, 'joint')} of {channels - 1} coordinates and at most "
                    f"{counted(persons, 'person')}, "
                    f"found {sequence.shape[2]} of {sequence.shape[3] - 1} and {len(sequence)}"
                )
                raise ClipError(clip, "other kind", why)
            self._sequences[position] = sequence
        return self._sequences[position]


def mirrored(sequence: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Returns the sequence [P, T, V, C + 1] as in a mirror: first coordinate negated, left and right swapped."""
    order = np.arange(sequence.shape[2])
    for left, right in pairs:
        order[[left, right]] = right, left
    turned = sequence[:, :, order]
    turned[..., 0] *= -1
    return turned


def weak_view(sequence: np.ndarray, settings: SkeletonInput, rng: np.random.Generator) -> np.ndarray:
    """Returns [P, frames, V, C + 1] from [P, T0, V, C + 1]: from another side, cropped in time, with slight noise."""
    view = _resample(sequence, _times(settings.frames, rng, crop=settings.weak_crop, warp=0.0))
    points = view[..., :-1]
    turn = _rotation(points.shape[3], settings.turn, settings.weak_tilt, rng)
    view[..., :-1] = _noise(points @ turn, settings.weak_noise, rng)
    return view


def strong_view(sequence: np.ndarray, settings: SkeletonInput, rng: np.random.Generator) -> np.ndarray:
    """Returns [P, frames, V, C + 1] from [P, T0, V, C + 1]: from another side, bent, with joints hidden."""
    times = _times(settings.frames, rng, crop=settings.strong_crop, warp=settings.strong_warp)
    view = _resample(sequence, times)
    points = view[..., :-1]
    joints, channels = points.shape[2:]
    turn = _rotation(channels, settings.turn, settings.strong_tilt, rng)
    shear = rng.uniform(-settings.strong_shear, settings.strong_shear, (channels, channels))
    np.fill_diagonal(shear, 1)
    scale = 1 + rng.uniform(-settings.strong_scale, settings.strong_scale, channels)
    points = _noise(points @ (turn @ shear * scale).astype(np.float32), settings.strong_noise, rng)
    points += np.float32(settings.strong_shift) * rng.standard_normal((1, 1, joints, channels), dtype=np.float32)
    hidden = rng.random(joints) < settings.strong_mask
    if 0 < np.count_nonzero(hidden) < joints:
        points[:, :, hidden] = points[:, :, ~hidden].mean(axis=2, keepdims=True)
        view[:, :, hidden, -1] = 0
    view[..., :-1] = points
    return view


def _times(frames: int, rng: np.random.Generator, *, crop: float, warp: float) -> np.ndarray:
    """Returns `frames` rising moments in [0, 1]: a window of at least `crop`, bent by `warp`."""
    length = rng.uniform(crop, 1)
    start = rng.uniform(0, 1 - length)
    even = np.linspace(0, 1, frames)
    # A sine added to a ramp stays monotone while its slope, 2 pi times its amplitude, is below 1.
    bend = rng.uniform(-warp, warp) / (2 * np.pi)
    return np.asarray(start + length * (even + bend * np.sin(2 * np.pi * even)))


def _resample(sequence: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns [P, len(times), V, C + 1], interpolated linearly at `times`: 0 the first frame, 1 the last."""
    last = sequence.shape[1] - 1
    at = times * last
    before = np.minimum(at.astype(np.int64), max(last - 1, 0))
    after = np.minimum(before + 1, last)
    share = (at - before).astype(np.float32)[:, None, None]
    resampled: np.ndarray = sequence[:, before] * (1 - share) + sequence[:, after] * share
    return resampled


def _rotation(channels: int, vertical: float, others: float, rng: np.random.Generator) -> np.ndarray:
    """Returns a random rotation [C, C] float32: in the plane for 2D, about all three axes in turn for 3D."""
    if channels == 2:
        (c,), (s,) = _cosine_sine(rng.uniform(-others, others, 1))
        return np.array([[c, -s], [s, c]], dtype=np.float32)
    limit = np.array([others, vertical, others])
    (cx, cy, cz), (sx, sy, sz) = _cosine_sine(rng.uniform(-limit, limit))
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: np.ndarray = x @ y @ z
    return rotation.astype(np.float32)


def _cosine_sine(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    radians = np.radians(degrees)
    return np.cos(radians), np.sin(radians)


def _noise(view: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    noisy: np.ndarray = view + np.float32(deviation) * rng.standard_normal(view.shape, dtype=np.float32)
    return noisy
