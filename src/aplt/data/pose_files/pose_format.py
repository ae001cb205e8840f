"""The .pose files of the package pose-format."""

from pathlib import Path

import numpy as np

from aplt.data.pose_files.tracked import Tracked
from aplt.reference import installed

LEFT_OUT = ("face", "world")
"""Parts that add nothing to the joints of body and hands: a face's mesh, and the body once more in meters."""


def read_pose(path: Path) -> Tracked:
    """Returns the joints of all parts but those left out, or of these if there are no others."""
    pose = installed("pose_format", "pose-files").Pose.read(path.read_bytes())
    parts = pose.header.components
    kept = [not any(word in part.name.lower() for word in LEFT_OUT) for part in parts]
    kept = kept if any(kept) else [True] * len(parts)
    joints = np.repeat(kept, [len(part.points) for part in parts])
    points = np.asarray(pose.body.data.data).swapaxes(0, 1)[:, :, joints]
    names = [tuple(part.points) for part, keep in zip(parts, kept, strict=True) if keep]
    # Joints of several parts are known by their number; a left and a right hand have the same names.
    sure = pose.body.confidence.swapaxes(0, 1)[:, :, joints]
    return Tracked("pose-format", points, sure, names[0] if len(names) == 1 else (), fps=float(pose.body.fps) or None)
