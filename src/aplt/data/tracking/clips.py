"""A skeleton file for each clip of an index of videos, and the table of these files."""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from aplt.clips import Clip
from aplt.data.files import ClipError, content_digest, slug
from aplt.data.index import VIDEO, read_rows, to_index
from aplt.data.modality import modality_of
from aplt.data.tracking.landmarks import BODY_JOINTS, Landmarks, Tracker
from aplt.data.tracking.person import follow
from aplt.data.video import decode_lazily
from aplt.display import counted
from aplt.errors import InputError
from aplt.parallel import in_processes
from aplt.storage import read_arrays, read_table, seen_from, sweep, write_arrays, write_csv

_Frame = TypeVar("_Frame")

FILE_COLUMNS = ("path", "id", "frames", "body", "hands")  # what a table of poses begins with
FORMAT = 1
"""Part of what a file is made from: raise it when the same landmarks give other files."""
HOUR = 3600.0
DARK, LIT = 64, 110
"""The mean level of frames below which trackers find few people, and the one that such frames are brought to."""


def track_index(
    source: Path,
    output: Path,
    tracker: Tracker,
    *,
    rate: float | None = None,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Tracks the clips of an index, writes the table of their skeletons, and returns it with the column `error`.

    The table has the columns of the index but `start` and `end`, as a file holds its clip's interval alone, and the
    column `video`, by which the clips of one video stay together. A clip that
    cannot be read is in the returned table only, with the reason; the files are in a folder named like `output`, and
    those that are there already, and whole, are not made again. Other arguments are those of `aplt.pose`.
    """
    rows, root, where = read_rows(source)
    index = to_index(rows, root, where, needed=("path",))
    if (kind := modality_of(index)).name != "video":
        raise InputError(f"{source}: expected videos to track, found {kind.many}")
    folder = output.absolute().parent / output.stem
    if any(folder in (path := clip.path.absolute()).parents for clip in index):
        raise InputError(f"{folder}: the skeletons would lie among the clips, as in {path}; give another name with -o")
    if source.is_dir() and source.absolute() in output.absolute().parents:
        raise InputError(f"{output}: the skeletons would lie among the clips of {source}; give another place with -o")
    if not output.suffix:
        raise InputError(f"{output}: expected a name with an ending, such as {output}.csv; its folder is named without")
    if output.exists():
        ids = {clip.id for clip in index}
        gone = [id_ for id_ in read_table(output, needed=("id",))["id"] if id_ not in ids]
        if gone:
            why = f"has the poses of {counted(len(gone), 'clip')} that {source} lacks, such as {gone[0]}"
            raise InputError(f"{output}: {why}; remove it, or give another name with -o")
    sweep([folder], abandoned=HOUR)
    track = partial(_track, output=output, tracker=tracker, rate=rate)
    if progress is not None:
        progress(0, len(index))  # the first clips may take a while
    found = list(in_processes(track, index.clips, processes, progress))
    others = rows.drop(columns=[*FILE_COLUMNS, VIDEO, "start", "end", "error"], errors="ignore").reset_index(drop=True)
    table = pd.DataFrame(found, columns=[*FILE_COLUMNS, VIDEO, "error"]).astype({"frames": "Int64"}).join(others)
    good = table["error"] == ""
    if good.any():
        write_csv(output, table[good].drop(columns="error"))
    return table


def _track(clip: Clip, *, output: Path, tracker: Tracker, rate: float | None) -> dict[str, Any]:
    """Returns a clip's row of the table, once its skeleton file is there; or its id and why it cannot be read."""
    folder = output.absolute().parent / output.stem
    name = f"{slug(clip.id)}-{hashlib.sha256(clip.id.encode()).hexdigest()[:8]}.npz"
    try:
        content = content_digest(clip)
        made_from = json.dumps([FORMAT, content, clip.start or 0.0, clip.end, rate, tracker.made_from])
        arrays = _stored(folder / name, made_from)
        if arrays is None:
            arrays = _skeleton(clip, tracker, rate) | {"made_from": np.array(made_from)}
            write_arrays(folder / name, arrays)
    except ClipError as error:
        return {"id": clip.id, "error": str(error)}
    seen = np.isfinite(arrays["skeleton"][0]).all(axis=-1) & arrays["skeleton"][0].any(axis=-1)
    body, hands = (float(part.any(axis=1).mean().round(4)) for part in np.split(seen, [BODY_JOINTS], axis=1))
    row = (f"{folder.name}/{name}", clip.id, len(seen), body, hands if tracker.hands else None)
    film = seen_from(clip.video or clip.path, output)
    return dict(zip(FILE_COLUMNS, row, strict=True)) | {VIDEO: film, "error": ""}


def _stored(path: Path, made_from: str) -> dict[str, np.ndarray] | None:
    """Returns the arrays in a file if it is there, whole, and made from the same; else None."""
    try:
        arrays = read_arrays(path)
    except (InputError, FileNotFoundError):
        return None
    whole = {"skeleton", "made_from"} <= arrays.keys() and arrays.get("fps", 1.0) > 0
    return arrays if whole and arrays["made_from"] == made_from else None


def _skeleton(clip: Clip, tracker: Tracker, rate: float | None) -> dict[str, np.ndarray]:
    """Returns the arrays of a clip's file.

    `skeleton` [1, T, V, 2] is in pixels of the upright frame, NaN where not seen and all 0 where nobody ever is;
    `confidence` [1, T, V] is there unless nobody is; `fps`, `tool` and `topology` say what they are.
    """
    times: list[float] = []
    frames: list[Landmarks] = []
    height = width = 0
    with tracker.open() as see:
        for time, picture in thinned(decode_lazily(clip), rate):
            frame = picture()
            height, width = frame.shape[:2]
            times.append(time)
            frames.append(see(_lit(frame), time))
    joints = follow(frames, width, height, hands=tracker.hands)[None]
    seen = {"skeleton": joints[..., :2], "confidence": joints[..., 2]}
    if not seen["confidence"].any():
        seen = {"skeleton": np.zeros_like(seen["skeleton"])}
    if len(times) > 1:  # of one frame nobody knows
        seen["fps"] = np.array(1 / float(np.mean([after - before for before, after in pairwise(times)])))
    topology = f"mediapipe-{joints.shape[2]}"
    return seen | {"tool": np.array(tracker.tool), "topology": np.array(topology)}


def thinned(frames: Iterator[tuple[float, _Frame]], rate: float | None) -> Iterator[tuple[float, _Frame]]:
    """Yields the first frame of each part of the clip that lasts 1 / rate seconds."""
    part = -1
    for time, frame in frames:
        # A microsecond more, for times that are computed by division.
        if rate is None or int((time + 1e-6) * rate) > part:
            part = int((time + 1e-6) * (rate or 0))
            yield time, frame


def _lit(frame: np.ndarray) -> np.ndarray:
    """Returns a frame as the tracker sees it: brightened where it is dark."""
    mean = float(frame.mean())
    if mean >= DARK:
        return frame
    return np.clip(frame * np.float32(LIT / max(mean, 1.0)), 0, 255).astype(np.uint8)
