"""What tests ask of a frame cache."""

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from aplt.clips import Clip
from aplt.data import cache as module
from aplt.data.cache import DecodedVideos, FrameCache
from tests.data.videos import number_of


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "frames").rglob("*.safetensors"))


def numbers(videos: FrameCache | DecodedVideos, clip: Clip, rows: list[int]) -> list[int]:
    return [number_of(image.permute(1, 2, 0).numpy()) for image in videos.read(clip, lambda _: rows)]


def every(videos: FrameCache | DecodedVideos, clip: Clip) -> tuple[np.ndarray, Tensor]:
    """Returns the times [T] of a clip's frames, and all of them."""
    seen: list[np.ndarray] = []

    def choose(times: np.ndarray) -> list[int]:
        seen.append(times)
        return list(range(len(times)))

    frames = videos.read(clip, choose)
    return seen[-1], frames


def forbid(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(module, name, forbidden)
