"""Reads skeleton sequences: arrays, and the files of N-UCLA (JSON) and KARD (text)."""

import json
import struct
import warnings
import zlib
from collections.abc import Callable
from lzma import LZMAError
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np

from aplt.clips import Clip
from aplt.data.files import ClipError, naming, require_file
from aplt.errors import InputError, suggest
from aplt.storage import reason

KARD_JOINTS = 15

MOST_PERSONS = 16  # in one clip
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


def read_clip(clip: Clip) -> np.ndarray:
    """Returns a clip's sequence; see `read_skeleton`.

    Raises:
        ClipError: the file is missing, empty or unreadable, or the clip is an interval of it.
    """
    require_file(clip)
    if clip.start is not None or clip.end is not None:
        why = "start and end are in seconds, which a skeleton sequence does not have; cut the file and leave them empty"
        raise ClipError(clip, "outside", why)
    with naming(clip):
        try:
            return read_skeleton(clip.path)
        except InputError as error:
            raise ClipError(clip, "broken", str(error).removeprefix(f"{clip.path}: ")) from error


def read_skeleton(path: Path) -> np.ndarray:
    """Returns a sequence [P, T, V, C] float32 with gaps (NaN) filled over time.

    `.npy` and `.npz` hold [T, V, C] or [P, T, V, C] with C = 2 or 3; an `.npz` has one array, or one named "skeleton".

    Raises:
        InputError: missing, unreadable, of another shape, or without a single finite coordinate.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{path}: skeletons are read from {', '.join(sorted(READERS))}{suggest(suffix, READERS)}")
    try:
        # A coordinate too large for float32 would pass for one that is not seen.
        with np.errstate(over="raise"):
            array = READERS[suffix](path).astype(np.float32, casting="same_kind")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UNREADABLE as error:
        raise InputError(f"{path}: unreadable as a skeleton ({reason(error)})") from error
    if array.ndim not in (3, 4) or 0 in array.shape or array.shape[-1] not in (2, 3):
        expected = "an array [T, V, C] or [P, T, V, C] with C = 2 or 3"
        raise InputError(f"{path}: expected {expected}, found shape {list(array.shape)}")
    return _fill_gaps(array[None] if array.ndim == 3 else array, path)


def _read_arrays(path: Path) -> np.ndarray:
    with path.open("rb") as stream:  # numpy leaves the file open where the archive is damaged
        loaded = np.load(stream, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        name = loaded.files[0] if len(loaded.files) == 1 else "skeleton"
        if name not in loaded.files:
            raise ValueError(f"expected one array or one named 'skeleton', found {', '.join(loaded.files) or 'none'}")
        found: np.ndarray = loaded[name]
        return found


def _read_nucla(path: Path) -> np.ndarray:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "skeletons" not in content:
        raise ValueError("expected an object with the key 'skeletons'")
    return np.array(content["skeletons"], dtype=np.float64)


def _read_kard(path: Path) -> np.ndarray:
    # numpy only warns of a file without numbers.
    with warnings.catch_warnings(action="error", category=UserWarning):
        return np.loadtxt(path).reshape(-1, KARD_JOINTS, 3)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    ".npy": _read_arrays,
    ".npz": _read_arrays,
    ".json": _read_nucla,
    ".txt": _read_kard,
}


def _fill_gaps(sequence: np.ndarray, path: Path) -> np.ndarray:
    """Returns the sequence with each missing coordinate interpolated over time, or 0 where it is never seen."""
    finite = np.isfinite(sequence)
    if finite.all():
        return sequence
    if not finite.any():
        raise InputError(f"{path}: no finite coordinate in it")
    frames = np.arange(sequence.shape[1])
    for person, joint, channel in np.argwhere(~finite.all(axis=1)):
        values, seen = sequence[person, :, joint, channel], finite[person, :, joint, channel]
        values[:] = np.interp(frames, frames[seen], values[seen]) if seen.any() else 0.0
    return sequence


def normalize(sequence: np.ndarray) -> np.ndarray:
    """Returns the sequence [P, T, V, C] moved and scaled to the body: in units of the first person's size.

    The first person is the first who is seen at all. The origin is their mean joint in the first frame that they are
    seen in, so that paths through space remain; the unit is the median, over the frames that they are seen in, of the
    joints' mean distance from the body's center. Who is absent is all zeros, and stays so at the origin.
    """
    present = np.any(sequence != 0, axis=(2, 3))  # [P, T]
    if not present.any():
        return np.zeros_like(sequence, dtype=np.float32)
    first = int(present.any(axis=1).argmax())
    center = sequence[first].mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(sequence[first] - center, axis=-1).mean(axis=1)
    size = float(np.median(sizes[present[first]]))
    moved = np.where(present[..., None, None], sequence - center[present[first].argmax()], 0.0)
    return (moved / max(size, 1e-6)).astype(np.float32)
