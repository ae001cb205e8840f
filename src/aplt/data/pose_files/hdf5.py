"""HDF5 files: SLEAP's .slp and its analysis files, and DeepLabCut's tables."""

import json
import multiprocessing
import sys
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import numpy as np

from aplt.data.pose_files import deeplabcut
from aplt.data.pose_files.tracked import Tracked, followed, in_time
from aplt.data.pose_files.unpickle import unpickled
from aplt.reference import installed

PANDAS = "df_with_missing"
"""Where DeepLabCut has pandas put its table, and others in its name."""
MATLAB = ("track", "xy", "node", "frame")
"""The axes of an analysis file that does not name them."""
PREDICTED = 1
"""The type of an instance in SLEAP's files that no person has placed."""
PATIENCE, BYTES = 5, 1_000_000
"""Seconds of computing that a file has, and bytes for which it has one more."""


def read_hdf5(path: Path) -> Tracked:
    """Returns what a file of one of these tools holds.

    HDF5's library crashes on some damaged files, and comes to no end with others: it works in a process of its own.
    """
    if sys.platform != "linux":  # elsewhere a process takes a second to begin
        return _read(path)
    receive, send = multiprocessing.Pipe(duplex=False)
    seconds = PATIENCE + path.stat().st_size // BYTES
    process = multiprocessing.get_context("fork").Process(target=_read_aside, args=(path, seconds, send), daemon=True)
    process.start()
    send.close()
    with receive:
        try:
            found = receive.recv()
        except EOFError as error:
            raise ValueError("HDF5's library crashes on it, or does not come to an end") from error
        finally:
            process.join()
    if isinstance(found, Exception):
        raise found
    return cast(Tracked, found)


def _read_aside(path: Path, seconds: int, send: Connection) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # the system ends it then
    try:
        found: Tracked | Exception = _read(path)
    except Exception as error:  # noqa: BLE001 - raised again by who waits for it
        found = error
    send.send(found)


def _read(path: Path) -> Tracked:
    with installed("h5py", "pose-files").File(path, "r") as file:
        readers = {"pred_points": _sleap, "tracks": _sleap_analysis, PANDAS: _deeplabcut}
        found = next((name for name in readers if name in file), None)
        if found is None:
            names = ", ".join(sorted(file)[:5]) or "nothing"
            raise ValueError(f"expected SLEAP's 'pred_points' or 'tracks' or DeepLabCut's '{PANDAS}', found {names}")
        return readers[found](file)


def _deeplabcut(file: Any) -> Tracked:
    group = file[PANDAS]
    if "table" in group:
        # The columns' names are a pickle, which pandas would run.
        columns = unpickled(BytesIO(bytes(group["table"].attrs["values_block_0_kind"])))
        return deeplabcut.tracked(columns, group["table"]["values_block_0"])
    levels = range(int(group.attrs["block0_items_nlevels"]))
    names = ((group[f"block0_items_level{k}"][()], group[f"block0_items_label{k}"][()]) for k in levels)
    columns = list(zip(*([name.decode() for name in found[place]] for found, place in names), strict=True))
    return deeplabcut.tracked(columns, group["block0_values"][()])


def _sleap_analysis(file: Any) -> Tracked:
    tracks, order = file["tracks"], ("track", "frame", "node")
    axes = json.loads(tracks.attrs.get("dims", json.dumps(MATLAB)))
    flat = [axis for axis in axes if axis != "xy"]
    points = tracks[()].transpose([axes.index(axis) for axis in (*order, "xy")])
    sure = None
    if "point_scores" in file:
        sure = file["point_scores"][()].transpose([flat.index(axis) for axis in order])
        # What somebody has placed, or corrected, has no score.
        sure = np.where(np.isnan(sure) & np.isfinite(points).all(axis=-1), 1.0, sure)
    return Tracked("SLEAP", points, sure, tuple(name.decode() for name in file["node_names"][()]))


def _sleap(file: Any) -> Tracked:
    notes = json.loads(file["metadata"].attrs["json"])
    joints = tuple(str(notes["nodes"][node["id"]]["name"]) for node in notes["skeletons"][0]["nodes"])
    frames, persons = file["frames"][()], file["instances"][()]
    if len(videos := set(frames["video"].tolist())) > 1:
        raise ValueError(f"expected the frames of one video, found those of {len(videos)}")
    placed, predicted = file["points"][()], file["pred_points"][()]
    seen = []
    for frame in frames:
        within = _shown(persons[frame["instance_id_start"] : frame["instance_id_end"]])
        of_kind = ((placed, predicted)[int(person["instance_type"] == PREDICTED)] for person in within)
        ends = zip(of_kind, within["point_id_start"], within["point_id_end"], strict=True)
        seen.append((int(frame["frame_idx"]), [_points(points[begin:end]) for points, begin, end in ends]))
    return Tracked("SLEAP", *followed(in_time(seen)), joints)


def _shown(within: np.ndarray) -> np.ndarray:
    """Returns who is seen in a frame: no prediction that somebody has corrected, known by its track or by its number.

    As SLEAP itself shows it (LabeledFrame.unused_predictions).
    """
    predicted = within["instance_type"] == PREDICTED
    by = ("track", "track") if (within["track"] >= 0).any() else ("instance_id", "from_predicted")
    corrected = within[~predicted][by[1]]
    shown: np.ndarray = within[~(predicted & np.isin(within[by[0]], corrected[corrected >= 0]))]
    return shown


def _points(rows: np.ndarray) -> np.ndarray:
    sure = rows["score"] if "score" in (rows.dtype.names or ()) else np.ones(len(rows))  # placed by hand
    joints = np.stack([rows["x"], rows["y"], sure], axis=1).astype(np.float64)
    joints[~rows["visible"].astype(bool)] = np.nan
    return joints
