"""Skeletons as text: KARD's, and the .skeleton files of NTU RGB+D."""

import warnings
from pathlib import Path

import numpy as np

from aplt.data.trackers.tracked import Tracked, detection, followed

KARD_JOINTS = 15
BODY, JOINT = 10, 12
"""Numbers of a body, and of a joint: the first three are its place, the last says how it was found."""


def read_kard(path: Path) -> Tracked:
    """Returns the 15 joints of a KARD file."""
    # numpy only warns of a file without numbers.
    with warnings.catch_warnings(action="error", category=UserWarning):
        return Tracked("KARD", np.loadtxt(path).reshape(-1, KARD_JOINTS, 3))


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
    return Tracked("NTU", *followed(frames))
