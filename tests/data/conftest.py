"""A frame cache, and a clip for it."""

from pathlib import Path

import pytest

from aplt.clips import Clip
from aplt.data.cache import FrameCache
from tests.data.videos import clip_of, write_video


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path / "cache", short_side=24, quality=92)


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return clip_of(write_video(tmp_path / "a.mkv", 12))
