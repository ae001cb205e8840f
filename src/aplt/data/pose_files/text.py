"""Skeletons as text: KARD's and MSR-Action3D's, and the .skeleton files of NTU RGB+D."""

import warnings
from pathlib import Path

import numpy as np

from aplt.data.pose_files.tracked import Tracked, detection, followed

KARD_JOINTS = 15
MSR_JOINTS = (
    ("right shoulder", "left shoulder", "shoulder center", "spine", "right hip", "left hip", "hip center")
    + ("right elbow", "left elbow", "right wrist", "left wrist", "right hand", "left hand", "right knee", "left knee")
    + ("right ankle", "left ankle", "right foot", "left foot", "head")
)
MSR_NUMBERS = 4
"""Of a joint: where it is, and how sure that is."""
BODY, JOINT = 10, 12
"""Numbers of a body, and of a joint: the first three are its place, the last says how it was found."""


def read_text(path: Path) -> Tracked:
    """Returns the joints of a KARD file, which has three numbers each, or of one of MSR-Action3D, which has four."""
    # numpy only warns of a file without numbers.
    with warnings.catch_warnings(action="error", category=UserWarning):
        numbers = np.loadtxt(path)
    if numbers.shape[-1] != MSR_NUMBERS:
        return Tracked("KARD", numbers.reshape(-1, KARD_JOINTS, 3))
    joints = numbers.reshape(-1, len(MSR_JOINTS), MSR_NUMBERS)
    return Tracked("MSR-Action3D", joints[..., :3], joints[..., 3], MSR_JOINTS)


def read_ntu(path: Path) -> Tracked:
    """Returns the Kinect's joints of an NTU file; the confidence is 0 where one is lost, 0.5 inferred, 1 tracked."""
    words = iter(path.read_text(encoding="ascii").split())
    frames: list[list[np.ndarray]] = []
    try:
        for _ in range(int(next(words))):
            frames.append([])
            for _ in range(int(next(words))):
                _ = [next(words) for _ in range(BODY)]
                joints = [[float(next(words)) for _ in range(JOINT)] for _ in range(int(next(words)))]
                frames[-1].append(detection([[x, y, z, state / 2] for x, y, z, *_, state in joints], dimensions=3))
    except StopIteration as error:
        raise ValueError(f"it ends within frame {len(frames)}") from error
    return Tracked("NTU RGB+D", *followed(frames))
