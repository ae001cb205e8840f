"""The center view of frames is, pixel for pixel, what the libraries' own transforms make of them."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.models import get_model_weights
from torchvision.transforms import v2

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.cache import Choose
from aplt.data.video_views import Drawn, Pixels, VideoViews, cached_side, transform
from aplt.data.views import KINDS
from aplt.models import hf_nets, timm_nets, torchvision_nets
from tests.data.one_view import view_of

FRAMES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 60, 80), dtype=np.uint8))
"""Noise, in which every smoothing and every shift by a pixel shows."""
LARGE = v2.functional.resize(FRAMES, [270, 360], antialias=True)


def ours(prepared: dict[str, Any], frames: Tensor = LARGE) -> Tensor:
    """Returns the center view [T, 3, size, size] of frames prepared in this way."""
    settings = VideoInput.model_validate(prepared)
    pixels = transform(settings, "center")(frames).transpose(0, 1)
    return Pixels(pixels[None], (Drawn(),), settings.mean, settings.deviation).finished()[0].transpose(0, 1)


def require_alike(prepared: dict[str, Any], expected: Tensor, most: int) -> None:
    """Requires equality to `most` levels of 255, mostly to none, and that any other choice differs by more."""
    level = 1 / 255 / torch.tensor(prepared["deviation"])[:, None, None]
    apart = (ours(prepared) - expected).abs() / level
    assert apart.max() < most + 0.01
    assert apart.mean() < 0.25
    others = [{"interpolation": "nearest"}, {"crop": prepared["crop"] - 0.01}, {"mean": (0.3, 0.3, 0.3)}]
    for other in [*others, {"antialias": not prepared.get("antialias", True)}, {"aspect": 1.2}]:
        assert ((ours(prepared | other) - expected).abs() / level).mean() > 0.4, other


@pytest.mark.parametrize("name", ["resnet18", "resnet50", *torchvision_nets.TIMES])
def test_as_torchvision(name: str) -> None:
    for weights in get_model_weights(name):
        theirs = weights.transforms()(LARGE)
        theirs = theirs.transpose(0, 1) if name in torchvision_nets.TIMES else theirs
        # Their transforms resize in floating point, ours in whole numbers, and both round.
        require_alike(dict(torchvision_nets.published(name)[weights.name].input), theirs, most=1)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "vit_tiny_patch16_224", "resnet18", "convnext_tiny.in12k"])
def test_as_timm(name: str) -> None:
    timm = pytest.importorskip("timm")
    how = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    theirs = timm.data.create_transform(**how)
    expected = torch.stack([theirs(v2.functional.to_pil_image(frame)) for frame in LARGE])
    require_alike(timm_nets.prepared(how), expected, most=2)  # Pillow rounds twice


@pytest.mark.parametrize("name", ["VideoMAE", "Timesformer", "Vivit", "VJEPA2"])
def test_as_transformers(name: str) -> None:
    transformers = pytest.importorskip("transformers")
    how = getattr(transformers, f"{name}VideoProcessor")()
    (theirs,) = how([LARGE], return_tensors="pt").values()
    # They fold the division by 255 into mean and deviation: the same to six digits.
    torch.testing.assert_close(ours(hf_nets.prepared(how)), theirs[0], atol=2e-5, rtol=0)


def test_as_the_image_processors_that_older_folders_name() -> None:
    transformers = pytest.importorskip("transformers")
    for name, most in (("VideoMAE", 2e-5), ("Vivit", 1.01 * 2 / 255 / 0.5)):  # ViViT's resizes with Pillow
        older = getattr(transformers, f"{name}ImageProcessor")()
        theirs = older(list(LARGE.permute(0, 2, 3, 1).numpy()), return_tensors="pt")["pixel_values"][0]
        prepared = hf_nets.prepared(getattr(transformers, f"{name}VideoProcessor")())
        assert (ours(prepared) - theirs).abs().max() <= most


class Ramp:
    """Stands for the frames of a clip of ten seconds: each of ten a second has its number as its level."""

    def read(self, _: Clip, choose: Choose) -> Tensor:
        rows = choose(np.arange(100) / 10)
        return torch.tensor(rows, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 20, 24).contiguous()


def numbers(kind: Any, key: int, **change: Any) -> list[int]:
    """Returns the numbers of the frames in a view."""
    still = {
        "size": 16,
        "frames": 5,
        "mean": (0, 0, 0),
        "deviation": (1, 1, 1),
        "strong_operations": 0,
        "strong_erase": 0,
    }
    views = VideoViews({0: Clip("a", path=None)}, VideoInput.model_validate(still | {"cache": False} | change))  # type: ignore[arg-type]
    views._videos = Ramp()  # type: ignore[assignment]
    return [round(level) for level in (view_of(views, 0, kind, (key,))[0, :, 8, 8] * 255).tolist()]


def test_frames_a_second() -> None:
    assert numbers("center", 0) == [10, 30, 50, 70, 90]
    assert numbers("center", 0, rate=2.5) == [42, 46, 50, 54, 58]  # two seconds in the middle of ten
    assert numbers("center", 0, rate=0.1) == [10, 30, 50, 70, 90]  # fifty seconds do not fit into ten
    firsts = set()
    for key in range(20):
        weak = numbers("weak", key, rate=2.5)
        assert set(np.diff(weak)) <= {3, 4, 5}
        firsts.add(weak[0])
        assert min(numbers("strong", key, rate=2.5)) >= 0
    assert min(firsts) < 20
    assert max(firsts) > 60  # anywhere in the clip


def test_frames_are_kept_large_enough_to_be_cropped_from() -> None:
    assert cached_side(VideoInput(size=112, crop=0.875)) == cached_side(VideoInput(size=112)) == 128
    assert cached_side(VideoInput(size=112, crop=0.5)) == 224


def test_what_is_squeezed_is_squeezed_in_every_view() -> None:
    """A square in the middle of a wide frame gets as narrow as the frame."""
    frames = torch.zeros(1, 3, 40, 80, dtype=torch.uint8)
    frames[:, :, 10:30, 30:50] = 255
    settings = VideoInput(size=40, aspect=1.0, weak_crop=1.0, strong_crop=1.0, strong_operations=0, strong_erase=0)
    for kind in KINDS:
        view = transform(settings, kind)(frames)[0, 0] > 0
        height, width = view.any(dim=1).sum(), view.any(dim=0).sum()
        assert 0.3 < width / height < 0.75
