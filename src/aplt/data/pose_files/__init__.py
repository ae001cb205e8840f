"""Pose files of other tools: a path -> what the tool saw. One file per family; what a file is, its content says.

A reader is one function: path -> Tracked. It raises what its libraries raise on damaged bytes, and a ValueError that
says what was expected and found.
"""

import re
from collections.abc import Callable
from pathlib import Path

from aplt.data.pose_files.arrays import read_arrays
from aplt.data.pose_files.deeplabcut import read_csv
from aplt.data.pose_files.hdf5 import read_hdf5
from aplt.data.pose_files.json_files import FRAME, read_json, read_openpose
from aplt.data.pose_files.pose_format import read_pose
from aplt.data.pose_files.text import read_ntu, read_text
from aplt.data.pose_files.tracked import Tracked
from aplt.storage import naming

FOLDER = "a folder of OpenPose's"
"""In place of the ending of a folder that is a clip."""
READERS: dict[str, Callable[[Path], Tracked]] = {
    FOLDER: read_openpose,
    ".csv": read_csv,
    ".h5": read_hdf5,
    ".json": read_json,
    ".npy": read_arrays,
    ".npz": read_arrays,
    ".pose": read_pose,
    ".skeleton": read_ntu,
    ".slp": read_hdf5,
    ".txt": read_text,
}
BEGINNINGS = {
    ".csv": re.compile(rb"scorer,"),
    ".h5": re.compile(rb"\x89HDF\r\n"),
    ".json": re.compile(rb'.*"(keypoints|instances|instance_info|x|\w*landmarks?)"\s*:', re.DOTALL | re.IGNORECASE),
}
"""How files begin that are poses, of endings that many others have."""


def clip_at(path: Path) -> Path | None:
    """Returns the clip that a file with an ending of many is or belongs to; None if it is not plainly of one."""
    if FRAME.fullmatch(path.name):
        return path.parent
    begins = BEGINNINGS.get(path.suffix.lower())
    if begins is None or (path.suffix == ".h5" and path.with_suffix(".csv").exists()):  # DeepLabCut writes both
        return None
    with naming(path), path.open("rb") as stream:
        return path if begins.match(stream.read(4096)) else None
