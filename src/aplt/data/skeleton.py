"""Skeleton sequences: read from files of any tool, with gaps filled, and normalized to the body."""

import struct
import zlib
from dataclasses import dataclass, replace
from lzma import LZMAError
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np

from aplt.clips import Clip
from aplt.data.files import ClipError, Problem, naming, require_file
from aplt.data.pose_files import FOLDER, READERS
from aplt.display import counted
from aplt.errors import InputError, suggest
from aplt.storage import is_folder, reason
from aplt.topology import topology_named, topology_of

MOST_PERSONS = 16  # in one clip
NO_RATE = "the file says no frame rate, so it has no seconds; save it as .npz with the frames a second as 'fps'"
COLLAPSED = 0.05
"""The share of a body's usual size that is none any more: bodies that crouch or walk away stay well above it."""
ROUNDING = 1e-6
"""The share of coordinates up to which differences between them are rounding."""
OFTEN = 0.1
"""The share of frames from which a collapsed body is worth a word."""
LARGEST = 1e15
"""What larger coordinates are cut to: they are no position, and the arithmetic of float32 ends soon beyond it."""
FAR = 100.0
"""The largest coordinate in units of the body's size: more than a person of 80 pixels has who crosses a wide screen."""
# What numpy, zipfile and json raise on damaged bytes. A bug in a reader, such as an AttributeError, is not among them.
UNREADABLE = (
    ArithmeticError,
    BadZipFile,
    EOFError,
    LookupError,
    LZMAError,
    MemoryError,
    OSError,
    RuntimeError,
    TokenError,
    TypeError,
    UserWarning,  # of a text without numbers, made an error below
    ValueError,
    struct.error,
    zlib.error,
)


Found = tuple[np.ndarray, np.ndarray, float | None]
"""What a reader returns: points, confidences, frames a second."""


@dataclass(frozen=True)
class Poses:
    """What a tracker saw: the persons' joints, and how sure it was of each."""

    points: np.ndarray
    """[P, T, V, C] float32, with gaps filled over time; NaN where a coordinate is never seen."""
    confidence: np.ndarray
    """[P, T, V] float32 from 0 to 1; 0 where a joint is not seen, 1 where the file says nothing else."""
    joints: tuple[str, ...] = ()
    """The joints' names, where the file has them: in the order and words of a known skeleton, or the file's own."""
    tool: str = ""
    """What wrote the file, as far as it says."""
    remark: str = ""
    """What else is to be known of how it is read."""
    fps: float | None = None
    """Frames a second; None where the file does not say."""


def read_clip(clip: Clip) -> Poses:
    """Returns a clip's poses; see `read_skeleton`.

    Raises:
        ClipError: the file is missing, empty or unreadable, or the clip an interval that it does not have.
    """
    return cut(clip, read_file(clip))


def read_file(clip: Clip) -> Poses:
    """Returns the poses of the whole file that a clip is of.

    Raises:
        ClipError: the file is missing, empty or unreadable.
    """
    if not is_folder(clip.path):
        require_file(clip)
    with naming(clip):
        try:
            return read_skeleton(clip.path)
        except InputError as error:
            raise ClipError(clip, "broken", str(error).removeprefix(f"{clip.path}: ")) from error


def cut(clip: Clip, file: Poses) -> Poses:
    """Returns a clip's poses of those in its file: the frames from `start` on and before `end`.

    Raises:
        ClipError: the clip is an interval, and the file has no frame rate or ends before it does.
    """
    if clip.start is None and clip.end is None:
        return file
    if file.fps is None:
        raise ClipError(clip, "outside", NO_RATE)
    frames = file.points.shape[1]
    first = round((clip.start or 0.0) * file.fps)
    last = frames if clip.end is None else max(first + 1, round(clip.end * file.fps))
    if last > frames + 1 or first >= frames:  # bounds that were rounded may be a frame too long
        interval = f"the interval {clip.start or 0:g}-{'end' if clip.end is None else f'{clip.end:g}'} s"
        raise ClipError(clip, "outside", f"{interval} lies outside of the file, which lasts {frames / file.fps:.2f} s")
    return replace(file, points=file.points[:, first:last], confidence=file.confidence[:, first:last])


def read_skeleton(path: Path) -> Poses:
    """Returns the poses in a file, or in a folder of OpenPose's.

    Arrays are [T, V, C] or [P, T, V, C] with C = 2 or 3; an `.npz` has one, or one named "skeleton" and perhaps one
    named "confidence" of the same shape but for C, and a number "fps". NaN, or a confidence of 0: not seen. For others
    see `aplt.data.pose_files`.

    Raises:
        InputError: missing, unreadable, of another shape, or without a single finite coordinate.
    """
    suffix = FOLDER if is_folder(path) else path.suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{path}: skeletons are read from {', '.join(sorted(READERS))}{suggest(suffix, READERS)}")
    try:
        found = READERS[suffix](path)
        points = np.where(np.isinf(found.points), np.nan, found.points)
        points = np.clip(points, -LARGEST, LARGEST)
        array, confidence = (one.astype(np.float32, casting="same_kind") for one in (points, found.sure))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UNREADABLE as error:
        raise InputError(f"{path}: unreadable as a skeleton ({reason(error)})") from error
    if array.ndim not in (3, 4) or 0 in array.shape or array.shape[-1] not in (2, 3):
        expected = "an array [T, V, C] or [P, T, V, C] with C = 2 or 3"
        raise InputError(f"{path}: expected {expected}, found shape {list(array.shape)}{_turned(array.shape)}")
    if confidence.shape != array.shape[:-1]:
        shape = list(array.shape[:-1])
        raise InputError(f"{path}: expected confidences of shape {shape}, found {list(confidence.shape)}")
    if array.ndim == 3:
        array, confidence = array[None], confidence[None]
    joints = found.joints
    if named := topology_named(joints):
        known, order = named
        array, confidence, joints = array[:, :, order], confidence[:, :, order], known.joints
    confidence = np.clip(np.nan_to_num(confidence, nan=0.0), 0, 1)
    array[confidence == 0] = np.nan
    if not found.tool:  # the readers of tools know what these write
        array[_lost_at_zero(array)] = np.nan
    confidence[~np.isfinite(array).all(axis=-1)] = 0
    points = _fill_gaps(array, path)
    confidence[~points.any(axis=(2, 3))] = 0  # nobody is there
    return Poses(points, confidence, joints, found.tool, found.remark, found.fps)


def how_read(clip: Clip) -> str:
    """Returns in words what wrote a clip's file, which axis of it is taken for what, and what to do if that is wrong.

    Raises:
        ClipError: as `read_clip`.
    """
    found = read_clip(clip)
    persons, frames, joints, channels = shape = found.points.shape
    known = topology_of(joints, channels)
    whose = f" (the skeleton {known.name})" if known else ""
    if found.joints and (known is None or found.joints != known.joints):
        whose = f" named {', '.join(found.joints[:3])}{' and so on' * (joints > 3)}"
        if known:
            whose += f", with the bones of {known.name}, which has as many; encoder_settings.parents names others"
    who = (
        f"{counted(persons, 'person')} in {channels} dimensions, {counted(joints, 'joint')}{whose}, "
        f"{counted(frames, 'frame')}"
    )
    remark = f"; {found.remark}" if found.remark else ""
    turned = _turned(shape) if (persons, channels) == (3, 2) else ""
    return f"'{clip.id}' is read as {f'{found.tool}: ' if found.tool else ''}{who}{remark}{turned}"


def _turned(shape: tuple[int, ...]) -> str:
    """Returns what to do where an array of this shape has its coordinates first, as some programs write them."""
    axes = {3: ("[C, T, V]", "(1, 2, 0)"), 4: ("[C, T, V, P]", "(3, 1, 2, 0)")}
    if len(shape) not in axes or shape[0] not in (2, 3):
        return ""
    order, transposed = axes[len(shape)]
    return f"; if it is {order}, save array.transpose{transposed} instead"


def _lost_at_zero(sequence: np.ndarray) -> np.ndarray:
    """Returns which joints [P, T, V] of persons who are seen are exactly 0, as many tools write those they lose.

    Not where 0 is in or near the body, which may be centered by a joint.
    """
    zero: np.ndarray = (sequence == 0).all(axis=3) & np.nan_to_num(sequence).any(axis=(2, 3))[..., None]
    if zero.any() and not (sequence[~np.isnan(sequence)] >= 0).all():  # which it is in no picture
        zero &= _far_from_zero(bodies(np.where(zero[..., None], np.nan, sequence)))
    return zero


def _far_from_zero(found: "Bodies") -> bool:
    return bool(np.median(np.linalg.norm(found.center[found.seen], axis=-1)) > 2 * found.size)


def _fill_gaps(sequence: np.ndarray, path: Path) -> np.ndarray:
    """Returns the sequence with each missing coordinate interpolated over time, as it lies to the joints always seen.

    What is never seen stays NaN, and of a person who is never seen becomes 0.
    """
    finite = np.isfinite(sequence)
    if finite.all():
        return sequence
    if not finite.any():
        raise InputError(f"{path}: no finite coordinate in it")
    frames = np.arange(sequence.shape[1])
    for person, whole in zip(sequence, finite, strict=True):
        there = np.nan_to_num(person, nan=1.0).any(axis=(1, 2))
        steady = whole.all(axis=(0, 2))
        body = person[:, steady].mean(axis=1) if steady.any() else np.zeros_like(person[:, 0])
        for joint, channel in np.argwhere(~whole.all(axis=0)):
            values, lost = person[:, joint, channel], ~whole[:, joint, channel]
            seen = there & ~lost
            away = values - body[:, channel]
            values[lost] = (np.interp(frames, frames[seen], away[seen]) if seen.any() else np.nan * frames)[lost]
            values[lost] += body[lost, channel]
        if not whole.any():
            person[:] = 0
    return sequence


@dataclass(frozen=True)
class Bodies:
    """Where the persons of a sequence are, and how large the one is by whom it is measured."""

    seen: np.ndarray
    """Who is seen when [P, T]; who is absent is all zeros then."""
    center: np.ndarray
    """The mean of each person's joints [P, T, 1, C], of those that are seen at all."""
    spread: np.ndarray
    """Their mean distance from it [P, T]."""
    collapsed: np.ndarray
    """When all joints of a person who is seen are nearly on one point [P, T], as trackers leave those they lose."""
    first: int | None
    """The first person who is seen, and not collapsed all the time."""
    size: float
    """The median of this person's spread while they are seen and not collapsed; 0 where there is nobody."""


def bodies(sequence: np.ndarray) -> Bodies:
    """Returns where the persons of a sequence [P, T, V, C] are."""
    known = ~np.isnan(sequence)
    values = np.where(known, sequence, 0)
    seen = np.any(values != 0, axis=(2, 3))
    center = values.sum(axis=2, keepdims=True) / np.maximum(known.sum(axis=2, keepdims=True), 1).astype(np.float32)
    away = np.linalg.norm(np.where(known, values - center, 0), axis=-1)
    spread = away.sum(axis=2) / np.maximum(known.any(axis=-1).sum(axis=2), 1).astype(np.float32)
    collapsed = np.zeros_like(seen)
    for person, when in enumerate(seen):
        if when.any():
            # The largest but for a few outliers. Rounding leaves some of the coordinates' own size.
            usual = np.percentile(spread[person, when], 95, method="lower")
            least = np.maximum(COLLAPSED * usual, ROUNDING * np.abs(values[person]).max(axis=(1, 2)))
            collapsed[person] = when & (spread[person] <= least)
    standing = (seen & ~collapsed).any(axis=1)
    if not standing.any():
        return Bodies(seen, center, spread, collapsed, None, 0.0)
    first = int(standing.argmax())
    size = float(np.median(spread[first][seen[first] & ~collapsed[first]]))
    return Bodies(seen, center, spread, collapsed, first, size)


def normalize(sequence: np.ndarray) -> np.ndarray:
    """Returns the sequence [P, T, V, C] moved and scaled to the body: in units of the first person's size.

    The first person is the first who is seen at all, and not only as one point. The origin is their mean joint in the
    first frame that they are seen in, so that paths through space remain; the unit is the median, over the frames that
    they are seen in, of the joints' mean distance from the body's center. Joints never seen are at their person's
    center, like those that a strong view hides. Who is absent is all zeros, and stays so at the origin. No coordinate
    is more than `FAR` from the origin.
    """
    found = bodies(sequence)
    if found.first is None:
        return np.zeros_like(sequence, dtype=np.float32)
    origin = found.center[found.first, found.seen[found.first].argmax()]
    whole = np.where(np.isnan(sequence), found.center, sequence)
    moved = np.where(found.seen[..., None, None], whole - origin, 0.0)
    return np.clip((moved / max(found.size, 1e-6)).astype(np.float32), -FAR, FAR)


def doubt_of(sequence: np.ndarray, found: Bodies) -> tuple[Problem, str] | None:
    """Returns what a tracker seems to have left in a sequence [P, T, V, C] that is no movement, and what of it."""
    if not found.seen.any():
        return "nobody", "nobody is seen in it: all coordinates are 0"
    lost, seen = found.collapsed.sum(axis=1), found.seen.sum(axis=1)
    worst = int((lost / np.maximum(seen, 1)).argmax())
    if lost[worst] > OFTEN * seen[worst]:
        why = f"all joints of a person are on one point in {lost[worst]} of {counted(int(seen[worst]), 'frame')}"
        return "collapsed", f"{why}: the tracker lost them"
    far = int((np.abs(normalize(sequence)) >= FAR).any(axis=(0, 2, 3)).sum())
    if far:
        why = f"in {far} of {counted(sequence.shape[1], 'frame')} a joint is {FAR:g} or more body sizes away"
        return "far off", f"{why}; it is cut off there"
    zero = (sequence == 0).all(axis=3) & found.seen[..., None]
    # Where the body is centered by one joint, that joint is at the origin rightly.
    if zero.any() and _far_from_zero(found):
        joints, frames = int(zero.any(axis=(0, 1)).sum()), int(zero.any(axis=(0, 2)).sum())
        why = f"{counted(joints, 'joint')} are exactly 0 in {counted(frames, 'frame')}, far from the rest of the body"
        return "zeros", f"{why}; a joint that is not seen is written as NaN"
    return None
