"""Views of videos: clip-consistent, pure functions of their key, the right frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.video_views import VideoViews, cached_side, moments, normalize_brightness
from tests.data.one_view import view_of
from tests.data.videos import write_video

MEAN, DEVIATION = VideoInput().mean, VideoInput().deviation


def still(shape: tuple[int, int] = (48, 64), frames: int = 12) -> list[np.ndarray]:
    """Returns equal frames with a bright box on the left, so that flips and crops show."""
    image = np.full((*shape, 3), 60, dtype=np.uint8)
    image[8:24, 4:20] = (220, 160, 40)
    return [image] * frames


def views(tmp_path: Path, frames: list[np.ndarray], **change: Any) -> VideoViews:
    path = write_video(tmp_path / "a.mp4", frames)
    settings = VideoInput.model_validate({"frames": 4, "size": 32, "cache_dir": str(tmp_path / "cache"), **change})
    return VideoViews({0: Clip("a", path)}, settings)


@pytest.mark.parametrize("kind", ["center", "weak", "strong"])
def test_one_draw_for_all_frames_of_a_clip(kind: Any, tmp_path: Path) -> None:
    made = views(tmp_path, still())
    for key in range(6):
        view = view_of(made, 0, kind, (key,))
        assert view.shape == made.clip_shape == (3, 4, 32, 32)
        assert view.dtype == torch.float32
        # All frames of this film are equal, so all frames of a view of it are, too.
        assert (view - view[:, :1]).abs().max() < 0.2


def test_pure_functions_of_their_key_whatever_the_global_state(tmp_path: Path) -> None:
    made = views(tmp_path, still())
    for kind in ("weak", "strong"):
        torch.manual_seed(1)
        first = view_of(made, 0, kind, (3, 4))
        torch.manual_seed(2)
        before = torch.random.get_rng_state()
        same, other = view_of(made, 0, kind, (3, 4)), view_of(made, 0, kind, (3, 5))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)
        assert torch.equal(torch.random.get_rng_state(), before)  # and nothing else is disturbed


def test_cache_on_or_off_gives_the_same_view(tmp_path: Path) -> None:
    cached, decoded = views(tmp_path, still()), views(tmp_path, still(), cache=False)
    for kind in ("center", "weak", "strong"):
        assert torch.equal(view_of(cached, 0, kind, (1,)), view_of(decoded, 0, kind, (1,)))


def box_side(view: torch.Tensor) -> str:
    """Returns the side of the frame that the bright box is on."""
    light = view[0, 0]
    return "left" if light[:, :16].mean() > light[:, 16:].mean() else "right"


def test_flips_can_be_switched_off(tmp_path: Path) -> None:
    flipping = views(tmp_path, still(), weak_crop=1.0)
    assert {box_side(view_of(flipping, 0, "weak", (key,))) for key in range(12)} == {"left", "right"}
    steady = views(tmp_path, still(), weak_crop=1.0, flip=False)
    assert {box_side(view_of(steady, 0, "weak", (key,))) for key in range(12)} == {"left"}


def test_strong_varies_more_than_weak(tmp_path: Path) -> None:
    made = views(tmp_path, still(), flip=False)
    center = view_of(made, 0, "center", (0,))
    weak, strong = (
        np.mean([float((view_of(made, 0, kind, (i,)) - center).square().mean()) for i in range(12)])
        for kind in ("weak", "strong")
    )
    assert 0 < weak < strong


def test_frames_are_spread_over_the_clip_in_order(tmp_path: Path) -> None:
    ramp = [np.full((32, 32, 3), 20 + 10 * t, dtype=np.uint8) for t in range(20)]
    made = views(tmp_path, ramp, strong_operations=0, strong_erase=0.0)
    center = view_of(made, 0, "center", (0,))[0].mean(dim=(1, 2)) * DEVIATION[0] + MEAN[0]
    # One frame from the middle of each quarter of 20: frames 2, 7, 12, 17.
    np.testing.assert_allclose(center.numpy() * 255, [40, 90, 140, 190], atol=6)
    for kind in ("weak", "strong"):
        for key in range(8):
            levels = view_of(made, 0, kind, (key,))[0].mean(dim=(1, 2))
            assert (levels.diff() > 0).all()


def test_moments_rise_and_stay_inside() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = moments(8, rng.random(), 0.9, rng)
        assert (np.diff(found) > 0).all()
        assert found[0] >= 0
        assert found[-1] < 1


def test_dark_films_are_brightened_as_a_whole(tmp_path: Path) -> None:
    dark = [(frame * 0.1).astype(np.uint8) for frame in still()]
    kept, lit = views(tmp_path, dark), views(tmp_path, dark, brightness="normalize")
    level = [float(view_of(v, 0, "center", (0,))[0].mean()) * DEVIATION[0] + MEAN[0] for v in (kept, lit)]
    assert level[0] < 0.1
    assert 0.3 < level[1] < 0.6
    frames = torch.randint(0, 60, (3, 3, 8, 8), dtype=torch.uint8)
    assert (normalize_brightness(frames).float().flatten()[frames.flatten().argsort()].diff() >= 0).all()
    for level_ in (0, 255):  # black and white have no gamma
        assert normalize_brightness(torch.full((1, 3, 2, 2), level_, dtype=torch.uint8)).unique().numel() == 1


def test_small_and_long_films(tmp_path: Path) -> None:
    tiny = views(tmp_path, still((20, 30), frames=1))
    assert view_of(tiny, 0, "center", (0,)).shape == (3, 4, 32, 32)
    assert view_of(tiny, 0, "strong", (0,)).isfinite().all()
    assert cached_side(VideoInput(size=32)) == 38
