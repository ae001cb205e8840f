"""Moments of clips: from the beginning to the end, and as they are seen."""

from pathlib import Path

import numpy as np
import pytest

from aplt.clips import Clip
from aplt.data.files import ClipError
from aplt.data.stills import moments, stills
from tests.data.videos import write_video


@pytest.mark.parametrize(("start", "end"), [(None, None), (0.4, 1.2)])
def test_stills_are_of_the_middles_of_equal_parts(start: float | None, end: float | None, tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 50, rate=25)
    whole = stills(Clip("a", path), 50, 32)
    found = stills(Clip("a", path, start=start, end=end), 4, 32)
    first, frames = (10, 20) if start else (0, 50)
    for k, picture in enumerate(found):
        middle = first + (k + 0.5) * frames / 4
        nearest = int(np.argmin([np.abs(picture.astype(int) - one).mean() for one in whole]))
        assert abs(nearest - middle) <= 1.5


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
    assert len(found.bones) == 19  # Kinect's
    np.save(tmp_path / "b.npy", points[:, :6])
    assert moments(Clip("b", tmp_path / "b.npy"), 30).bones == []
    assert len(moments(Clip("b", tmp_path / "b.npy"), 30).points) == 9
    with pytest.raises(ClipError, match="no such file"):
        moments(Clip("c", tmp_path / "c.npy"), 3)
