"""Reading skeleton sequences: arrays, and the file formats of N-UCLA (JSON) and KARD (text)."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aplt.errors import InputError, suggest

KARD_JOINTS = 15


def read_skeleton(path: Path) -> np.ndarray:
    """Returns a sequence [P, T, V, C] float32 with gaps (NaN) filled over time.

    `.npy` and `.npz` hold [T, V, C] or [P, T, V, C]; an `.npz` has one array, or one named "skeleton".

    Raises:
        InputError: missing, unreadable, of another shape, or without a single finite coordinate.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{path}: skeletons are read from {', '.join(sorted(READERS))}{suggest(suffix, READERS)}")
    try:
        array = np.asarray(READERS[suffix](path), dtype=np.float32)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: unreadable as a skeleton ({' '.join(str(error).split())})") from error
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise InputError(f"{path}: expected an array [T, V, C] or [P, T, V, C], found shape {list(array.shape)}")
    return _fill_gaps(array[None] if array.ndim == 3 else array, path)


def _read_npz(path: Path) -> np.ndarray:
    with np.load(path, allow_pickle=False) as arrays:
        name = arrays.files[0] if len(arrays.files) == 1 else "skeleton"
        found: np.ndarray = arrays[name]
    return found


def _read_npy(path: Path) -> np.ndarray:
    found: np.ndarray = np.load(path, allow_pickle=False)
    return found


def _read_nucla(path: Path) -> np.ndarray:
    return np.array(json.loads(path.read_text())["skeletons"])


def _read_kard(path: Path) -> np.ndarray:
    return np.loadtxt(path).reshape(-1, KARD_JOINTS, 3)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".json": _read_nucla,
    ".txt": _read_kard,
}


def _fill_gaps(sequence: np.ndarray, path: Path) -> np.ndarray:
    """Returns the sequence with each missing coordinate interpolated over time, or 0 where it is never seen."""
    finite = np.isfinite(sequence)
    if finite.all():
        return sequence
    if not finite.any():
        raise InputError(f"{path}: holds no finite coordinate")
    frames = np.arange(sequence.shape[1])
    for person, joint, channel in np.argwhere(~finite.all(axis=1)):
        values, seen = sequence[person, :, joint, channel], finite[person, :, joint, channel]
        values[:] = np.interp(frames, frames[seen], values[seen]) if seen.any() else 0.0
    return sequence


def normalize(sequence: np.ndarray) -> np.ndarray:
    """Returns the sequence [P, T, V, C] moved and scaled to the body: in units of the first person's size.

    The origin is the first person's mean joint in its first frame, so that paths through space remain; the unit is
    the median over frames of the joints' mean distance from the body's center.
    """
    center = sequence[0].mean(axis=1, keepdims=True)
    size = float(np.median(np.linalg.norm(sequence[0] - center, axis=-1).mean(axis=1)))
    # A person who is absent is all zeros, and stays so at the origin.
    present = np.abs(sequence).sum(axis=(1, 2, 3), keepdims=True) > 0
    moved = np.where(present, sequence - center[:1], 0.0)
    return (moved / max(size, 1e-6)).astype(np.float32)
