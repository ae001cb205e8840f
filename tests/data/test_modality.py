"""Which kind of clips a file has, and what a new kind needs: a record, and no other file changes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aplt.clips import Clip
from aplt.config import VideoInput
from aplt.data.check import check
from aplt.data.files import Examined
from aplt.data.index import read_index
from aplt.data.modality import MODALITIES, modality_of
from aplt.errors import InputError
from tests.data.one_view import view_of
from tests.data.videos import write_video


def kind(*names: str) -> str:
    return modality_of(Clip(name, Path(name)) for name in names).name


def test_by_file_names() -> None:
    assert kind("a.mp4", "b.xyz") == "video"
    assert kind("a.npy", "b.npz", "c.JSON") == "skeleton"
    with pytest.raises(InputError, match=r"'a\.mp4' is a video, 'b\.npy' is a skeleton"):
        kind("a.mp4", "b.npy")


@pytest.mark.parametrize("name", MODALITIES)
def test_records_agree_with_themselves(name: str) -> None:
    modality = MODALITIES[name]
    assert modality.name == modality.input.model_validate({}).model_dump()["kind"] == name
    assert modality.scanned <= modality.suffixes


def test_no_two_modalities_claim_a_file() -> None:
    suffixes = [suffix for modality in MODALITIES.values() for suffix in modality.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_another_kind_is_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ending = frozenset({".feature"})
    more: dict[str, Any] = {"examine": lambda _: Examined(1, "a feature"), "suffixes": ending, "scanned": ending}
    record = replace(MODALITIES["skeleton"], name="feature", one="a feature", many="features", **more)
    monkeypatch.setitem(MODALITIES, "feature", record)
    for name in ("nod/a.feature", "nod/b.feature", "wave/c.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    np.save(tmp_path / "wave" / "c.npy", np.arange(36.0).reshape(4, 3, 3) ** 2)
    index = read_index(tmp_path)
    assert [clip.id for clip in index] == ["nod/a.feature", "nod/b.feature", "wave/c.npy"]
    with pytest.raises(InputError, match=r"'nod/a\.feature' is a feature, 'wave/c\.npy' is a skeleton"):
        modality_of(index)
    found = check(index, min_frames=1, processes=1)
    assert [(finding.id, finding.problem) for finding in found] == [("wave/c.npy", "other kind")]


def no_cache(root: Path) -> bool:
    return not root.exists()


@pytest.mark.parametrize(("clip_shape", "expected"), [(None, Path.exists), ((3, 4, 32, 32), no_cache)])
def test_videos_for_a_trained_model_are_not_kept(
    tmp_path: Path, clip_shape: tuple[int, int, int, int] | None, expected: Callable[[Path], bool]
) -> None:
    clip = Clip("a", write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), dtype=np.uint8)] * 4))
    settings = VideoInput.model_validate({"frames": 4, "size": 32, "cache_dir": str(tmp_path / "cache")})
    view_of(MODALITIES["video"].make_views({0: clip}, settings, clip_shape), 0, "center", (0,))
    assert expected(tmp_path / "cache")
