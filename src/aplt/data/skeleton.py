"""Skeleton sequences: read from files of any tool, with gaps filled."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from lzma import LZMAError
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np

from aplt.clips import Clip
from aplt.data.bodies import bodies, doubt_of, far_from_zero
from aplt.data.files import ClipError, Examined, naming, require_file
from aplt.data.pose_files import FOLDER, READERS
from aplt.display import counted
from aplt.errors import InputError, suggest
from aplt.storage import is_folder, reason
from aplt.topology import topology_named, topology_of

MOST_PERSONS = 16  # in one clip
NO_RATE = "the file says no frame rate, so it has no seconds; save it as .npz with the frames a second as 'fps'"
# What numpy, zipfile and json raise on damaged bytes. A bug in a reader, such as an AttributeError, is not among them.
UNREADABLE = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(BadZipFile, LZMAError, TokenError, struct.error, zlib.error),
    UserWarning,  # of a text without numbers, made an error
)
LARGEST = 1e15
"""What larger coordinates are cut to: they are no position, and the arithmetic of float32 ends soon beyond it."""


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


WITH_RATE = (".npz", ".pose")
"""The endings of files that may say their frames a second."""


def read_clip(clip: Clip) -> Poses:
    """Returns a clip's poses; see `read_skeleton`."""
    return cut(clip, read_file(clip))


def read_file(clip: Clip) -> Poses:
    """Returns the poses of the whole file that a clip is of."""
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


def in_order(poses: Poses, joints: Sequence[str], clip: Clip) -> Poses:
    """Returns a clip's poses with its joints in the order of these names; as they are where one has no names.

    Raises:
        ClipError: the clip has other joints.
    """
    if not joints or not poses.joints or poses.joints == tuple(joints):
        return poses
    if sorted(poses.joints) != sorted(joints):
        other = next((name for name in poses.joints if name not in joints), poses.joints[-1])
        found = f"found {counted(len(poses.joints), 'joint')}, '{other}' among them"
        raise ClipError(clip, "other kind", f"expected the joints {', '.join(joints)}, {found}")
    order = [poses.joints.index(name) for name in joints]
    return replace(
        poses, points=poses.points[:, :, order], confidence=poses.confidence[:, :, order], joints=tuple(joints)
    )


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
        sure = np.ones(points.shape[:-1]) if found.confidence is None else found.confidence
        array, confidence = (one.astype(np.float32, casting="same_kind") for one in (points, sure))
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
    """Returns in words what wrote a clip's file, which axis is taken for what, and what to do if that is wrong."""
    found = read_clip(clip)
    persons, frames, joints, channels = shape = found.points.shape
    known = topology_of(joints, channels)
    whose = f" (the skeleton {known.name})" if known else ""
    if found.joints and (known is None or found.joints != known.joints):
        whose = f" named {_some(found.joints)}"
        if known:
            whose += f", with the bones of {known.name}, which has as many; encoder_settings.parents names others"
    who = (
        f"{counted(persons, 'person')} in {channels} dimensions, {counted(joints, 'joint')}{whose}, "
        f"{counted(frames, 'frame')}"
    )
    remark = f"; {found.remark}" if found.remark else ""
    turned = _turned(shape) if (persons, channels) == (3, 2) else ""
    return f"'{clip.id}' is read as {f'{found.tool}: ' if found.tool else ''}{who}{remark}{turned}"


def about_seconds(clip: Clip) -> float | None:
    """Returns how long a clip is; None where its file has no frame rate."""
    if clip.path.suffix.lower() not in WITH_RATE:
        return None
    found = read_clip(clip)
    return None if found.fps is None else found.points.shape[1] / found.fps


def seconds_of(clip: Clip) -> float:
    """Returns how long a clip is."""
    seconds = about_seconds(clip)
    if seconds is None:
        raise ClipError(clip, "outside", NO_RATE)
    return seconds


def examine(clip: Clip) -> Examined:
    """Reads a clip and returns what that tells."""
    poses = read_clip(clip)
    sequence = poses.points
    _, frames, joints, channels = sequence.shape
    found = bodies(sequence)
    persons = int(found.seen.any(axis=1).sum())
    if persons > MOST_PERSONS:
        raise ClipError(clip, "other kind", f"has {persons} persons, expected at most {MOST_PERSONS}")
    kind = f"a skeleton of {counted(joints, 'joint')} in {channels} dimensions"
    if poses.joints:
        known = topology_of(joints, channels)
        # In any order, in which a training brings them; whole, since all of an index must be the same.
        own = ", ".join(sorted(poses.joints))
        kind += f" ({known.name if known and known.joints == poses.joints else own})"
    return Examined(frames, kind, doubt_of(sequence, found), found.size or None)


def _some(joints: Sequence[str]) -> str:
    return ", ".join(joints[:3]) + " and so on" * (len(joints) > 3)


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
        zero &= far_from_zero(bodies(np.where(zero[..., None], np.nan, sequence)))
    return zero


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
