"""Weak and strong views of skeleton sequences: mirroring, rotation, shear, scale, joint masking, crop and warp, noise.

The second coordinate is taken for the vertical, as Kinect has it: views turn about it most. The last channel is the
tracker's confidence in each joint, which goes through time with it and is 0 for joints that a view hides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aplt.clips import Clip
from aplt.config import SkeletonInput
from aplt.data.bodies import normalize
from aplt.data.files import ClipError
from aplt.data.modality import ClipShape
from aplt.data.skeleton import MOST_PERSONS, Poses, cut, in_order, read_file
from aplt.data.views import CPU, Kind, Request
from aplt.display import counted
from aplt.errors import InputError
from aplt.topology import pairs_of, topology_of

SOON_AGAIN = 1024
"""Sequences that are kept where clips are predicted or embedded: some views of a clip follow each other soon."""


@dataclass(frozen=True)
class Limits:
    """How far views of a kind are from their clip: the settings of that name in aplt.config.SkeletonInput."""

    turn: float
    tilt: float
    noise: float
    crop: float
    shear: float = 0.0
    scale: float = 0.0
    mask: float = 0.0
    shift: float = 0.0
    warp: float = 0.0


class SkeletonViews:
    """Views [C + 1, T, V, P] of skeleton clips, which are read once and kept.

    Without `clip_shape` all are read at once, since the number of persons is the largest; with it (that of a trained
    model) each is read when it is asked for.
    """

    at_once = 64  # as many as fit into the memory of small cards

    def __init__(self, clips: Mapping[int, Clip], settings: SkeletonInput, clip_shape: ClipShape | None = None) -> None:
        self._clips, self._settings = clips, settings
        self._sequences: dict[int, np.ndarray] = {}
        self._most = len(clips) if clip_shape is None else SOON_AGAIN
        self._last: tuple[Path, Poses] | None = None
        self.joints = settings.joints
        if clip_shape is None:
            first = self._poses(clips[next(iter(clips))])
            _, _, joints, channels = first.points.shape
            self.joints = self.joints or first.joints
            self.clip_shape = (channels + 1, settings.frames, joints, MOST_PERSONS)
            persons = max(len(self._sequence(position)) for position in clips)
            clip_shape = (*self.clip_shape[:3], persons)
        known = topology_of(clip_shape[2], clip_shape[0] - 1)
        usual = pairs_of(self.joints) if self.joints else known.pairs if known else ()
        self._mirror = usual if settings.mirror is None else settings.mirror
        outside = [joint for pair in self._mirror for joint in pair if not 0 <= joint < clip_shape[2]]
        if outside:
            raise InputError(
                f"setting 'input.mirror' names joint {outside[0]}, but the clips have {counted(clip_shape[2], 'joint')}"
            )
        self.clip_shape = clip_shape
        own = {kind: {name: value for name, value in settings if name.startswith(kind)} for kind in ("weak", "strong")}
        self._limits = {
            kind: Limits(settings.turn, **{name.removeprefix(f"{kind}_"): value for name, value in some.items()})
            for kind, some in own.items()
        }

    def __call__(self, kind: Kind, requests: Sequence[Request], _: torch.device = CPU) -> Tensor:
        """Returns n views of a kind [n, C + 1, T, V, P]; see aplt.data.views."""
        sequences = [self._sequence(request.position) for request in requests]
        if kind == "center":
            times = np.linspace(0, 1, self._settings.frames)[None].repeat(len(requests), axis=0)
            views = resampled(sequences, times, self.clip_shape[3])
        else:
            views = self._varied(sequences, self._limits[kind], [request.key for request in requests])
        return torch.from_numpy(views.transpose(0, 4, 2, 3, 1).copy())

    def _varied(self, sequences: Sequence[np.ndarray], limits: Limits, keys: Sequence[tuple[int, ...]]) -> np.ndarray:
        """Returns views [n, P, T, V, C + 1], each drawn by its own key, in steps that do one thing to all of them."""
        size, frames, joints, persons = self.clip_shape
        channels, count = size - 1, len(keys)
        streams = [np.random.default_rng(key) for key in keys]
        drawn = np.stack([rng.random(7 + channels * (channels + 1) + joints) for rng in streams])
        mirror, length, start, bend, angles, shear, scale, hide = np.split(
            drawn, np.cumsum([1, 1, 1, 1, 3, channels * channels, channels]), axis=1
        )
        views = resampled(sequences, times_of(frames, length, start, bend, limits), persons)
        if self._mirror:
            views = np.where((mirror < 0.5)[:, :, None, None, None], mirrored(views, self._mirror), views)
        change = rotation(2 * angles - 1, channels, limits)
        if limits.shear or limits.scale:
            sheared = limits.shear * (2 * shear - 1).reshape(-1, channels, channels)
            sheared[:, range(channels), range(channels)] = 1
            change = change @ sheared * (1 + limits.scale * (2 * scale - 1))[:, None]
        flat = views[..., :channels].reshape(count, -1, channels) @ change.astype(np.float32)
        points = flat.reshape(count, persons, frames, joints, channels)
        # Who is absent stays at the origin.
        there = np.arange(persons) < np.array([len(sequence) for sequence in sequences])[:, None]
        moved = np.zeros_like(points)
        for rng, one, present in zip(streams, moved, there, strict=True):
            noise = rng.standard_normal((np.count_nonzero(present), frames, joints, channels), dtype=np.float32)
            shift = rng.standard_normal((joints, channels), dtype=np.float32)
            one[present] = np.float32(limits.noise) * noise + np.float32(limits.shift) * shift
        points += moved
        hidden = hide < limits.mask
        hidden &= ~hidden.all(axis=1, keepdims=True)
        if hidden.any():
            gone = hidden[:, None, None, :, None]
            center = points.sum(axis=3, keepdims=True, where=~gone) / (~gone).sum(
                axis=3, keepdims=True, dtype=np.float32
            )
            points = np.where(gone, center, points)
            views[..., channels] *= ~hidden[:, None, None]
        views[..., :channels] = points
        return views

    def _poses(self, clip: Clip) -> Poses:
        """Returns a clip's poses; the file read last is kept, for clips of one file follow each other."""
        if self._last is None or self._last[0] != clip.path:
            self._last = clip.path, read_file(clip)
        return cut(clip, self._last[1])

    def _sequence(self, position: int) -> np.ndarray:
        if position not in self._sequences:
            poses = in_order(self._poses(self._clips[position]), self.joints, self._clips[position])
            sequence = np.concatenate([normalize(poses.points), poses.confidence[..., None]], axis=3)
            channels, _, joints, persons = self.clip_shape
            if len(sequence) > persons:  # who is absent all the time is nobody
                sequence = sequence[sequence.any(axis=(1, 2, 3))]
            if sequence.shape[2:] != (joints, channels) or len(sequence) > persons:
                clip = self._clips[position]
                why = (
                    f"expected {_joints(joints, channels - 1)} and at most {counted(persons, 'person')}, "
                    f"found {_joints(sequence.shape[2], sequence.shape[3] - 1)} and {counted(len(sequence), 'person')}"
                )
                raise ClipError(clip, "other kind", why)
            self._sequences[position] = sequence
            if len(self._sequences) > self._most:
                del self._sequences[next(iter(self._sequences))]
        return self._sequences[position]


def _joints(count: int, dimensions: int) -> str:
    known = topology_of(count, dimensions)
    return f"{counted(count, 'joint')} of {dimensions} coordinates{f' ({known.name})' if known else ''}"


def mirrored(views: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Returns views [..., V, C + 1] as in a mirror: first coordinate negated, left and right swapped."""
    order = np.arange(views.shape[-2])
    for left, right in pairs:
        order[[left, right]] = right, left
    turned = views[..., order, :]
    turned[..., 0] *= -1
    return turned


def times_of(frames: int, length: np.ndarray, start: np.ndarray, bend: np.ndarray, limits: Limits) -> np.ndarray:
    """Returns [n, frames] rising moments in [0, 1]: a window of at least `limits.crop`, bent by `limits.warp`.

    What is drawn is [n, 1], even in [0, 1).
    """
    length = limits.crop + (1 - limits.crop) * length
    even = np.linspace(0, 1, frames)
    # A sine added to a ramp stays monotone while its slope, 2 pi times its amplitude, is below 1.
    bent = even + limits.warp * (2 * bend - 1) / (2 * np.pi) * np.sin(2 * np.pi * even)
    moments: np.ndarray = start * (1 - length) + length * bent
    return moments


def resampled(sequences: Sequence[np.ndarray], times: np.ndarray, persons: int) -> np.ndarray:
    """Returns [n, persons, T, V, C + 1] of n sequences [P, T0, V, C + 1], interpolated linearly at their times [n, T].

    0 is the first frame, 1 the last. Persons who are missing are all zeros.
    """
    last = np.array([sequence.shape[1] - 1 for sequence in sequences])[:, None]
    at = times * last
    before = np.minimum(at.astype(np.int64), np.maximum(last - 1, 0))
    after = np.minimum(before + 1, last)
    ends = np.zeros((2, len(sequences), persons, times.shape[1], *sequences[0].shape[2:]), dtype=np.float32)
    for number, sequence in enumerate(sequences):
        ends[0, number, : len(sequence)] = sequence[:, before[number]]
        ends[1, number, : len(sequence)] = sequence[:, after[number]]
    share = (at - before).astype(np.float32)[:, None, :, None, None]
    views: np.ndarray = ends[0] * (1 - share) + ends[1] * share
    return views


def rotation(angles: np.ndarray, channels: int, limits: Limits) -> np.ndarray:
    """Returns rotations [n, C, C]: in the plane for 2D, about all three axes in turn for 3D.

    `angles` [n, 3] are shares of their limits from -1 to 1, of which the plane takes the first.
    """
    if channels == 2:
        (c,), (s,) = _cosine_sine(angles[:, :1] * limits.tilt)
        return np.array([[c, -s], [s, c]]).transpose(2, 0, 1)
    (cx, cy, cz), (sx, sy, sz) = _cosine_sine(angles * [limits.tilt, limits.turn, limits.tilt])
    one, nil = np.ones_like(cx), np.zeros_like(cx)
    x = np.array([[one, nil, nil], [nil, cx, -sx], [nil, sx, cx]])
    y = np.array([[cy, nil, sy], [nil, one, nil], [-sy, nil, cy]])
    z = np.array([[cz, -sz, nil], [sz, cz, nil], [nil, nil, one]])
    about_x, about_y, about_z = (turn.transpose(2, 0, 1) for turn in (x, y, z))
    turns: np.ndarray = about_x @ about_y @ about_z
    return turns


def _cosine_sine(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    radians = np.radians(degrees.T)
    return np.cos(radians), np.sin(radians)
