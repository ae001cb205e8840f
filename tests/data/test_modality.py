"""Which kind of clips a file has, and what a new kind needs: a record, and no other file changes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

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
    more: dict[str, Any] = {"examine": lambda _: Examined(4, "a feature"), "suffixes": ending, "scanned": ending}
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
    found = check(index, processes=1)
    assert [(finding.id, finding.problem) for finding in found] == [("wave/c.npy", "other kind")]


def test_videos_for_a_trained_model_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", [np.full((48, 64, 3), 9 * n, dtype=np.uint8) for n in range(20)])
    clips = {n: Clip(str(n), path, start=n / 5, end=n / 5 + 0.8) for n in range(6)}
    settings = VideoInput.model_validate({"frames": 4, "size": 32, "cache_dir": str(tmp_path / "cache")})
    video, temporary = MODALITIES["video"], tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with video.lend_views({0: clips[3]}, settings, (3, 4, 32, 32)) as views:
        alone = view_of(views, 0, "center", (0,))
    assert not list(temporary.glob("aplt-*"))
    with video.lend_views(clips, settings, (3, 4, 32, 32)) as views:
        assert len(list(temporary.rglob("*.safetensors"))) == 1  # of the whole file
        monkeypatch.setattr("aplt.data.cache.decode", None)
        assert torch.equal(view_of(views, 3, "center", (0,)), alone)
    assert not list(temporary.glob("aplt-*"))
    assert not (tmp_path / "cache").exists()
    monkeypatch.undo()
    view_of(video.make_views(clips, settings, None), 0, "center", (0,))
    assert (tmp_path / "cache").exists()
