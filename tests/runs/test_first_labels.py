"""The very first labels, of clips that no model has seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.runs.descriptors import described
from aplt.runs.suggest import Pool, coverage, suggest, typical
from tests.data.videos import write_video
from tests.runs.clips import write_clips


def unlabeled(clips: Path, **columns: Any) -> Path:
    """Returns an index of the same clips without labels."""
    path = clips.with_name(f"unlabeled-{'-'.join(columns)}.csv")
    pd.read_csv(clips).assign(label="", **columns).to_csv(path, index=False)
    return path


def groups(sizes: list[int], draw: np.random.Generator) -> np.ndarray:
    """Returns features [N, 3] in round groups far from each other."""
    return np.concatenate([10 * np.eye(3)[k] + draw.normal(0, 1, (size, 3)) for k, size in enumerate(sizes)])


def test_the_densest_place_of_each_group_the_largest_first() -> None:
    draw = np.random.default_rng(0)
    feature = groups([30, 60, 40], draw)
    chosen = typical(Pool(feature, np.empty((130, 0)), np.full(130, -1)), 3, draw)
    assert feature[chosen].argmax(axis=1).tolist() == [1, 2, 0]
    for place, center in zip(chosen, 10 * np.eye(3)[[1, 2, 0]], strict=True):
        away = np.linalg.norm(feature - center, axis=1)
        assert away[place] < np.quantile(away[away < 5], 0.25)


def test_groups_with_a_label_come_last_and_near_duplicates_too() -> None:
    draw = np.random.default_rng(0)
    feature = groups([30, 60, 40], draw)
    label = np.full(130, -1)
    label[30] = 0  # of the largest group
    assert set(feature[typical(Pool(feature, np.empty((130, 0)), label), 2, draw)].argmax(axis=1)) == {0, 2}
    twins = np.concatenate([np.repeat(feature[:1], 20, axis=0), feature[1:30]])
    chosen = typical(Pool(twins, np.empty((49, 0)), np.full(49, -1)), 25, draw)
    assert (chosen < 20).sum() == 1
    assert len(set(typical(Pool(twins, np.empty((49, 0)), np.full(49, -1)), 49, draw).tolist())) == 49


def test_first_clips_to_label(clips: Path) -> None:
    source = unlabeled(clips, split=["test"] * 24 + ["train"] * 24)
    found = suggest(source, 6)
    train = [clip.id for clip in read_index(source)][24:]
    assert len(found) == len(set(found["id"])) == 6
    assert set(found["id"]) <= set(train)
    assert set(suggest(source, 99, "random")["id"]) == set(train)
    labels = pd.read_csv(clips).set_index("path")["label"]
    assert {labels[id_] for id_ in found["id"]} == {"nod", "shake", "wave"}
    with pytest.raises(InputError, match="margin"):
        suggest(source, 6, "margin")


def test_descriptors_tell_movements_apart(tmp_path: Path) -> None:
    index = read_index(write_clips(tmp_path / "poses", 24))
    feature = described(index)
    distance = np.linalg.norm(feature[:, None] - feature, axis=2) + 1e9 * np.eye(24)
    assert (index.labels[distance.argmin(axis=1)] == index.labels).mean() > 0.8


def test_videos_and_banks_have_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APLT_CACHE", str(tmp_path / "cache"))
    for name in "ab":
        write_video(tmp_path / f"{name}.avi", 10, rate=25)
    assert described(read_index(tmp_path)).shape == (2, 2 * 4 * 8 * 8)
    bank = tmp_path / "bank"
    bank.mkdir()
    (bank / "clips.csv").write_text("path,label\n../a.avi,\n../b.avi,\n")
    np.save(bank / "features.npy", np.eye(2, 5, dtype=np.float32))
    feature = described(read_index(bank))
    assert feature.shape == (2, 5)
    assert feature[0, 0] > feature[1, 0]


def test_typical_clips_of_clips_that_all_have_a_label_are_none() -> None:
    pool = Pool(np.eye(5), np.empty((5, 0)), np.zeros(5, dtype=int))
    assert len(typical(pool, 2, np.random.default_rng(0))) == 0


def test_a_single_clip_is_suggested() -> None:
    pool = Pool(np.array([[1.0, 0.0]]), np.array([[0.6, 0.4]]), np.array([-1]))
    assert coverage(pool, 2, np.random.default_rng(0)).tolist() == [0]
