"""PYSKL's annotations: all clips of a data set in one pickle, as MA-52's poses and NTU's are published."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aplt.data.formats.source import Source
from aplt.data.pose_files.unpickle import Packed, unpickled
from aplt.errors import InputError
from aplt.storage import reason, write_arrays

SUBJECTS = (r"S\d{3}C\d{3}(P\d{3})R\d{3}A\d{3}", r"(\d{4})_\d{2}_\d{4}")
"""How NTU and MA-52 name clips; the group is the subject."""


def pyskl(source: Source) -> pd.DataFrame:
    """PYSKL's and MA-52's annotation pickles: FILE.pkl; each clip is written as one .npz in a folder named after -o.

    Labels are the file's numbers. Its first protocol becomes the column `split`, others columns of their own names.

    Raises:
        InputError: the file holds anything but arrays and plain values, or no annotations, or the folder is not empty.
    """
    file, folder = source.path, source.output.with_suffix("")
    try:
        with file.open("rb") as stream:
            content = unpickled(stream)
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: unreadable ({reason(error)})") from error
    content = content if isinstance(content, dict) else {"annotations": content}
    annotations, protocols = content.get("annotations"), _protocols(content.get("split"))
    if not isinstance(annotations, list) or not annotations:
        raise InputError(f"{file}: expected PYSKL's {{'split': .., 'annotations': [..]}}, found {_found(content)}")
    if folder.exists() and any(folder.iterdir()):
        raise InputError(
            f"{folder}: is not empty; the clips are written there, so remove it or give another name with -o"
        )
    try:
        rows = [
            _written(one, f"{file}: annotation {number}", folder, protocols)
            for number, one in enumerate(annotations, 1)
        ]
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)  # half of them would be in the way of the next try
        raise
    table = pd.DataFrame(rows)
    return table if table["subject"].any() else table.drop(columns="subject")


def _written(annotation: Any, at: str, folder: Path, protocols: dict[str, dict[str, str]]) -> dict[str, str]:
    """Writes a clip's arrays into the folder, and returns its row."""
    name, arrays = _clip(annotation, at)
    path = folder / f"{name}.npz"
    if Path(name).name != name or path.exists():
        raise InputError(f"{at}: its frame_dir {name!r:.80} is no file name, or that of another")
    write_arrays(path, arrays)
    subject = next((match[1] for pattern in SUBJECTS if (match := re.fullmatch(pattern, name))), "")
    label = annotation.get("label", "")
    row = {"path": str(path.resolve()), "label": str(label), "id": name, "subject": subject}
    return row | {protocol: parts.get(name, "") for protocol, parts in protocols.items()} | row


def _clip(annotation: Any, at: str) -> tuple[str, dict[str, np.ndarray]]:
    """Returns a clip's name, and its arrays as an .npz has them; a joint at 0, 0 is not seen."""
    values = annotation if isinstance(annotation, dict) else {}
    name, points, scores = (values.get(key) for key in ("frame_dir", "keypoint", "keypoint_score"))
    points = points.values if isinstance(points, Packed) else None
    if not isinstance(name, str) or points is None or points.ndim != 4:
        raise InputError(f"{at}: expected a frame_dir and a keypoint [M, T, V, C], found {_found(annotation)}")
    points = points.astype(np.float32)
    there = (points != 0).any(axis=(2, 3), keepdims=True)[..., 0]  # who is absent is all zeros
    points[(points == 0).all(axis=3) & there] = np.nan
    sure = scores.values if isinstance(scores, Packed) else None
    sure = np.ones(points.shape[:3], dtype=np.float32) if sure is None else sure.astype(np.float32)
    if sure.shape != points.shape[:3]:
        raise InputError(f"{at}: expected a keypoint_score {list(points.shape[:3])}, found {list(sure.shape)}")
    return name, {"skeleton": points, "confidence": np.where(there, sure, 1)}


def _protocols(split: Any) -> dict[str, dict[str, str]]:
    """Returns each protocol's roles by clip, of parts named such as xsub_train and xsub_val; the first is `split`.

    What PYSKL calls val is what its figures come from: the test clips.
    """
    protocols: dict[str, dict[str, str]] = {}
    for name, clips in split.items() if isinstance(split, dict) else ():
        named = re.fullmatch(r"(.*?)_?(train|val|test)(\d*)", str(name))
        if named and isinstance(clips, list):
            parts = protocols.setdefault(named[1] + named[3], {})
            parts.update((str(clip), "train" if named[2] == "train" else "test") for clip in clips)
    return dict(zip(("split", *list(protocols)[1:]), protocols.values(), strict=False))


def _found(value: Any) -> str:
    return f"the keys {', '.join(map(str, value))[:80]}" if isinstance(value, dict) else f"a {type(value).__name__}"
