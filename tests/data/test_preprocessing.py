"""What is told of how clips become tensors: a program that follows it, without this one, makes the same of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aplt.clips import Clip
from aplt.config import SkeletonInput, VideoInput
from aplt.data.modality import MODALITIES
from tests import elsewhere
from tests.data.one_view import view_of
from tests.data.videos import write_video


@pytest.mark.parametrize(
    "settings",
    [{}, {"crop": 0.8, "rate": 6.0}, {"aspect": 1.5, "interpolation": "bicubic", "antialias": False}],
    ids=["plain", "cropped", "squeezed"],
)
def test_videos(settings: dict[str, Any], tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 13)
    input_ = VideoInput(frames=4, size=32, cache=False, **settings)
    modality = MODALITIES["video"]
    views = modality.make_views({0: Clip(id="a", path=tmp_path / "clip.mp4")}, input_, None)
    told = modality.preprocessing(input_, views.clip_shape)
    found = elsewhere.video(str(tmp_path / "clip.mp4"), told)
    expected = view_of(views, 0, "center", (0,)).numpy()
    assert found.shape == expected.shape
    # JPEG moves levels a little at the edges; a frame that is another one moves them all by 8 of 255.
    assert np.abs(found - expected).mean() < 0.5 * 8 / 255 / 0.23
    assert len(told["axes"]) == 4
    assert all("{" not in step for step in told["steps"])


@pytest.mark.parametrize("channels", [2, 3])
def test_skeletons(channels: int, tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(100, 9, (13, 5, channels)).astype(np.float32)
    np.save(tmp_path / "clip.npy", array)
    input_, modality = SkeletonInput(frames=8), MODALITIES["skeleton"]
    views = modality.make_views({0: Clip(id="a", path=tmp_path / "clip.npy")}, input_, None)
    found = elsewhere.skeleton(str(tmp_path / "clip.npy"), modality.preprocessing(input_, views.clip_shape))
    np.testing.assert_allclose(found, view_of(views, 0, "center", (0,)).numpy(), atol=1e-4)
