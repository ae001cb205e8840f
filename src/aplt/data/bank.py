"""A bank: a folder of frozen features beside the clips.csv that says what their rows are; free of torch.

Features are one file, features.npy or features.safetensors, or the shards features-00001-of-00022.safetensors. Rows are
those of clips.csv, in its order; an index elsewhere may point to them, see POINTERS. An array is [N, D], one view a
clip, or [N, views, D], whose first view is the clip's own. `aplt embed` writes three arrays: center [N, D], weak and
strong [N, views, D], and bank.json, which says how they were made.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from safetensors import SafetensorError, safe_open

from aplt.clips import Clip, ClipIndex
from aplt.display import counted
from aplt.errors import InputError
from aplt.storage import naming, read_json, reason

SHARD = re.compile(r"features-(\d{5})-of-(\d{5})\.safetensors")
PARTS: tuple[Literal["center", "weak", "strong"], ...] = ("center", "weak", "strong")
TYPES = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64"}
"""Of features: NumPy's names and those of safetensors."""
RECORD = "bank.json"
POINTERS = ("features", "features_row")
"""Columns of an index elsewhere whose clips are rows of a bank: its folder, and which row, from 1 on."""
SAMPLES = 16
Shape = tuple[int, ...]


def shard(folder: Path, number: int, count: int) -> Path:
    """Returns the file of a shard; numbers begin at 0."""
    return folder / f"features-{number + 1:05d}-of-{count:05d}.safetensors"


def feature_files(folder: Path) -> list[Path]:
    """Returns the files of features in a folder in the order of their rows; empty: it is no bank.

    Raises:
        InputError: there are several that could be meant, or a shard is missing.
    """
    single = [path for path in (folder / "features.npy", folder / "features.safetensors") if path.is_file()]
    shards = sorted(path for path in folder.glob("features-*.safetensors") if SHARD.fullmatch(path.name))
    if len(single) > 1 or (single and shards):
        raise InputError(f"{folder}: holds both {single[0].name} and {(single[1:] or shards)[0].name}; remove one")
    if not shards:
        if not single and (folder / RECORD).is_file():
            raise InputError(f"{folder}: no features in it yet; continue with the same `aplt embed`")
        return single
    count = int(shards[0].stem.rpartition("-")[2])
    whole = [shard(folder, number, count) for number in range(count)]
    for path in whole:
        if path not in shards:
            raise InputError(
                f"{path}: no such file, so the features are not whole; continue with the same `aplt embed`"
            )
    if len(shards) > count:
        raise InputError(f"{folder}: holds shards of two banks; remove one")
    return whole


def shapes(path: Path) -> dict[str, Shape]:
    """Returns the shape of each array in a file of features: of center, weak and strong, or of one without a name, "".

    Raises:
        InputError: the file is damaged, or an array is no table of floating-point numbers.
    """
    try:
        if path.suffix == ".npy":
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            found = {"": (tuple(array.shape), str(array.dtype))}
        else:
            with safe_open(path, framework="np") as stored:
                slices = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118 - not a mapping
                found = {name: (tuple(one.get_shape()), one.get_dtype()) for name, one in slices.items()}
    except (OSError, ValueError, TypeError, EOFError, SafetensorError) as error:
        raise InputError(f"{path}: damaged, or not an array of numbers ({reason(error)})") from error
    if len(found) == 1 and set(found) != {"center"}:
        found = {"": next(iter(found.values()))}
    elif set(found) != set(PARTS):
        raise InputError(f"{path}: expected one array, or {', '.join(PARTS)}; found {', '.join(found) or 'none'}")
    for name, (shape, dtype) in found.items():
        where = f"{path}: {f'{name} ' * bool(name)}is {dtype} {list(shape)}"
        if dtype not in (*TYPES, *TYPES.values()):
            raise InputError(f"{where}, expected floating-point numbers")
        if len(shape) not in ((2,) if name == "center" else (3,) if name else (2, 3)) or 0 in shape:
            raise InputError(f"{where}, expected {'[N, D]' if name == 'center' else '[N, D] or [N, views, D]'}")
    return {name: shape for name, (shape, _) in found.items()}


def rows_of(files: Iterable[Path]) -> int:
    """Returns how many rows the features in all files have; refuses arrays that do not fit each other."""
    rows, size = 0, 0
    for path in files:
        found = list(shapes(path).values())
        lengths, sizes = {shape[0] for shape in found}, {shape[-1] for shape in found} | ({size} - {0})
        if len(lengths) > 1 or len(sizes) > 1:
            raise InputError(f"{path}: its arrays do not fit each other or the files before it; found {found}")
        rows, size = rows + found[0][0], found[0][-1]
    return rows


def require_rows(folder: Path, files: Iterable[Path], index: ClipIndex) -> None:
    """Refuses features that are not one row for each clip of the index."""
    rows = rows_of(files)
    if rows != len(index):
        raise InputError(f"{folder}: the features have {counted(rows, 'row')}, but clips.csv has {len(index):,d}")
    if (folder / RECORD).is_file() and read_json(folder / RECORD).get("ids") != ids_digest(index):
        raise InputError(f"{folder / RECORD}: the rows of clips.csv are no longer those embedded, in that order")


def require_in_bank(index: ClipIndex, where: Path) -> None:
    """Refuses an index with POINTERS to what are not rows of one bank."""
    folder, *others = banks_of(index)
    if others:
        raise InputError(f"{where}: points to features in {folder} and in {others[0]}; expected one folder")
    if not (files := feature_files(folder)):
        raise InputError(f"{where}: {folder} {'holds no features' if folder.is_dir() else 'is no folder'}")
    rows = rows_of(files)
    for number, clip in enumerate(index, start=1):
        if not 0 <= clip.row < rows:
            raise InputError(
                f"{where} row {number}: features_row is {clip.row + 1}, expected 1 to {rows:,d}, the rows of {folder}"
            )


def ids_digest(index: ClipIndex) -> str:
    """Returns the SHA-256 over the ids of all clips, in order."""
    return hashlib.sha256("\n".join(clip.id for clip in index).encode()).hexdigest()


def features_digest(index: ClipIndex) -> str:
    """Returns a SHA-256 over the sizes of the files of features and parts of each: another encoder's differ.

    Of an index with POINTERS over its rows, too; of any other these are the positions.
    """
    found = hashlib.sha256()
    for path in (path for folder in banks_of(index) for path in feature_files(folder)):
        size = path.stat().st_size
        found.update(str(size).encode())
        with naming(path), path.open("rb") as stream:
            for number in range(SAMPLES):
                stream.seek(size * number // SAMPLES)
                found.update(stream.read(1024))
    rows = np.array([clip.row for clip in index])
    if (rows != np.arange(len(rows))).any():
        found.update(rows.astype("<i8").tobytes())
    return found.hexdigest()


def banks_of(clips: Iterable[Clip]) -> list[Path]:
    """Returns the folders of features that stand for clips, each once."""
    return list(dict.fromkeys(clip.bank for clip in clips if clip.bank is not None))
