"""What tells later clips that are of none of a model's classes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from aplt.errors import InputError
from aplt.runs.surroundings import MOST, SURROUNDINGS, Surroundings, load_surroundings
from tests.offline.test_novelty import clouds


def half(seed: int) -> tuple[Surroundings, torch.Tensor, torch.Tensor]:
    """Those of every second clip, the last class without labels, and the features and classes of the other clips."""
    feature, truth = clouds(seed)
    given = torch.rand(len(truth), generator=torch.Generator().manual_seed(seed)) < 0.4
    label = torch.where(given & (truth < 3), truth, -1)
    found, _ = Surroundings.of(feature[::2], label[::2], 3)
    return found, feature[1::2], truth[1::2]


def test_new_clips_of_a_kind_without_labels_stand_out_and_others_seldom() -> None:
    flagged, wrongly = [], []
    for seed in range(5):
        surroundings, feature, truth = half(seed)
        novelty = surroundings.novelty(feature)
        assert ((novelty >= 0) & (novelty <= 1)).all()
        flagged.append((novelty[truth == 3] >= 0.95).mean())
        wrongly.append((novelty[truth < 3] >= 0.95).mean())
    assert np.mean(flagged) > 0.9
    assert np.mean(wrongly) < 0.12


def test_a_clip_is_judged_alone() -> None:
    surroundings, feature, _ = half(0)
    together = surroundings.novelty(feature)
    assert np.allclose([surroundings.novelty(one[None])[0] for one in feature], together)
    assert surroundings.novelty(feature[:0]).shape == (0,)


def test_they_are_kept_whole_and_of_many_clips_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, feature, _ = half(0)
    whole.save(tmp_path)
    again = load_surroundings(tmp_path, 16)
    assert again is not None
    assert np.array_equal(again.novelty(feature), whole.novelty(feature))
    monkeypatch.setattr("aplt.runs.surroundings.MOST", 50)
    assert len(whole.clip) == 120 <= MOST
    some, *_ = half(0)
    assert len(some.clip) == 40  # every third
    assert np.corrcoef(some.novelty(feature), whole.novelty(feature))[0, 1] > 0.8


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("clip", None),
        ("clip", torch.empty(0, 12)),
        ("reach", torch.zeros(3)),
        ("mean", torch.zeros(15)),
        ("project", torch.full((16, 12), torch.nan)),
        ("usual", torch.zeros(2, 2)),
    ],
)
def test_a_file_of_others_is_refused(name: str, changed: torch.Tensor | None, tmp_path: Path) -> None:
    half(0)[0].save(tmp_path)
    stored = load_file(tmp_path / SURROUNDINGS)
    stored |= {name: changed} if changed is not None else {}
    if changed is None:
        del stored[name]
    save_file(stored, tmp_path / SURROUNDINGS)
    with pytest.raises(InputError, match=r"surroundings\.safetensors: "):
        load_surroundings(tmp_path, 16)


def test_a_damaged_file_is_refused_and_none_is_none(tmp_path: Path) -> None:
    assert load_surroundings(tmp_path, 16) is None
    (tmp_path / SURROUNDINGS).write_bytes(b"\xff" * 40)
    with pytest.raises(InputError, match=r"surroundings\.safetensors: not of this version"):
        load_surroundings(tmp_path, 16)


def test_directions_of_huge_numbers_leave_the_novelty_finite() -> None:
    own, feature = half(0)[:2]
    huge = replace(own, project=own.project * (3e38 / own.project.abs().max()))
    assert np.isfinite(huge.novelty(feature)).all()
