"""Moments of clips: from the beginning to the end, and as they are seen."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from aplt.clips import Clip
from aplt.data.files import ClipError
from aplt.data.stills import moments, stills
from tests.data.videos import number_of, write_video


@pytest.mark.parametrize(
    ("start", "end", "rate", "frames"), [(None, None, 10, [3, 9, 15, 21]), (0.4, 1.2, 20, [10, 14, 18, 22])]
)
def test_stills_are_of_the_middles_of_equal_parts(
    start: float | None, end: float | None, rate: int, frames: list[int], tmp_path: Path
) -> None:
    clip = Clip("a", write_video(tmp_path / "a.avi", 24, rate=rate), start=start, end=end)
    found = [number_of(picture) for picture in stills(clip, 4, 48)]
    assert np.abs(np.subtract(found, frames)).max() <= 1  # time stamps are rounded


def test_few_frames_are_shown_again(tmp_path: Path) -> None:
    assert len(stills(Clip("a", write_video(tmp_path / "a.avi", 2)), 4, 32)) == 4


def test_moments_of_a_skeleton(tmp_path: Path) -> None:
    points = np.zeros((9, 20, 3))
    points[..., 1] = np.arange(20)  # upward
    points[:, 0, 0] = np.arange(9)
    np.save(tmp_path / "a.npy", points + 5)
    found = moments(Clip("a", tmp_path / "a.npy"), 3)
    assert found.points.shape == (3, 1, 20, 2)
    assert np.abs(found.points).max() <= 1
    assert (np.diff(found.points[:, 0, 0, 0]) > 0).all()
    assert (np.diff(found.points[0, 0, 1:, 1]) < 0).all()  # downward
    assert Counter(found.sides) == {"left": 8, "right": 8, None: 5}
    assert len(found.bones) == 19 + 2  # Kinect's bones, and a line across the shoulders and the hips
    np.save(tmp_path / "b.npy", points[:, :6])
    assert moments(Clip("b", tmp_path / "b.npy"), 30).bones == []
    assert len(moments(Clip("b", tmp_path / "b.npy"), 30).points) == 9
    with pytest.raises(ClipError, match="no such file"):
        moments(Clip("c", tmp_path / "c.npy"), 3)
