"""RandAugment for many clips at once: torchvision's operations and draws, each clip's own."""

from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.augment import OPERATIONS, augmented, draw_operations
from aplt.data.cache import Choose
from aplt.data.video_views import VideoViews, transform
from aplt.data.views import Request

FRAMES = v2.functional.resize(
    torch.from_numpy(np.random.default_rng(0).integers(40, 200, (3, 3, 9, 12), dtype=np.uint8)), [48, 64]
)
SIZE = 32
BILINEAR = v2.InterpolationMode.BILINEAR


class Film:
    """Stands for a cache whose clips have these frames, one a second."""

    def read(self, _: Clip, choose: Choose) -> torch.Tensor:
        return torch.index_select(FRAMES, 0, torch.tensor(choose(np.arange(3.0))))


def views_of(**change: Any) -> VideoViews:
    settings = VideoInput.model_validate({"frames": 3, "size": SIZE, "strong_warp": 0} | change)
    return VideoViews({0: Clip("a", path=None)}, settings, Film())  # type: ignore[arg-type]


@pytest.mark.parametrize("magnitude", [0, 9, 30])
def test_the_operations_are_those_of_torchvision(magnitude: int) -> None:
    pixels = v2.functional.resize(FRAMES, [SIZE, SIZE])
    theirs = v2.RandAugment(1, magnitude, interpolation=BILINEAR)
    seen = set()
    for seed in range(120):
        torch.manual_seed(seed)
        drawn = draw_operations(1, magnitude, SIZE)
        rest = torch.rand(1)
        seen.add(drawn[0])
        torch.manual_seed(seed)
        expected = theirs(pixels).float()
        assert torch.equal(rest, torch.rand(1))  # as many draws
        found = 255 * augmented(pixels.transpose(0, 1)[None] / 255, [drawn])[0].transpose(0, 1)
        # They round twice on the way, mostly down; on the edge of two levels of few that may decide.
        apart = (found - expected).abs()
        assert apart.mean() < 1.1, drawn
        assert (apart > 2).float().mean() < 0.01, drawn
    assert {name for name, _ in seen} == set(OPERATIONS)


def test_each_clip_of_a_batch_has_its_own_operations() -> None:
    clips = torch.rand(12, 3, 2, SIZE, SIZE)
    drawn = [draw_operations(2, 9, SIZE) for _ in clips]
    drawn[3] = drawn[5]
    alone = torch.cat([augmented(clip[None].clone(), [own]) for clip, own in zip(clips, drawn, strict=True)])
    torch.testing.assert_close(augmented(clips.clone(), drawn), alone)


def test_a_strong_view_is_what_torchvision_makes_of_the_same_draws() -> None:
    settings = VideoInput(frames=3, size=SIZE)
    finish = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(settings.mean, settings.deviation)]
    augment = v2.RandAugment(2, 9, interpolation=BILINEAR)
    erase = v2.RandomErasing(settings.strong_erase, scale=(0.02, 0.2))
    theirs = v2.Compose([transform(settings, "strong"), augment, *finish, erase])
    made, hidden = views_of(), 0
    for key in range(40):
        rng = np.random.default_rng((key,))
        rng.random()  # the phase
        torch.manual_seed(int(rng.integers(2**63)))
        expected = theirs(FRAMES).transpose(0, 1)
        view = made("strong", [Request(0, (key,))]).finished()[0]
        level = 1 / 255 / torch.tensor(settings.deviation)[:, None, None, None]
        assert ((view - expected).abs() / level).mean() < 2
        assert torch.equal(view[0] == 0, expected[0] == 0)
        hidden += bool((view == 0).all(dim=0).any())
    assert 8 < hidden < 32


@pytest.mark.parametrize("kind", ["center", "weak", "strong"])
def test_what_is_left_to_a_gpu_gives_the_same_views(kind: Any) -> None:
    made, requests = views_of(), [Request(0, (key,)) for key in range(10)]
    begun = made(kind, requests, torch.device("cuda"))
    assert begun.pixels.dtype == torch.uint8
    found, expected = begun.finished(), made(kind, requests).finished()
    level = 1 / 255 / torch.tensor(VideoInput().deviation)[:, None, None, None]
    assert found.shape == (10, *made.clip_shape)
    assert ((found - expected).abs() / level).max() < (0.51 if kind == "strong" else 1e-3)
