"""Presets expand into plain settings under all others, and say what they are not for."""

from pathlib import Path
from typing import Any

import pytest

from aplt.config import RunConfig
from aplt.errors import InputError
from aplt.prepare import plan_comparison, prepare
from aplt.presets import PRESETS, over_preset
from aplt.runs.configure import effective_config
from aplt.settings import merge
from tests.runs.clips import write_clips


def expanded(preset: str, **own: Any) -> RunConfig:
    return effective_config(over_preset({"clips": "x"} | own, preset, "video"), "video", "test")


@pytest.mark.parametrize("name", PRESETS["video"])
def test_a_preset_is_plain_settings_of_a_run(name: str) -> None:
    config = expanded(name)
    whole, wanted = config.model_dump(mode="json"), PRESETS["video"][name]
    assert merge(whole, wanted) == whole
    assert effective_config(whole, "video", "its config.yaml") == config


def test_own_settings_go_before_the_presets() -> None:
    config = expanded("gpu", input={"size": 64}, train={"batch_labeled": 2}, encoder_weights=None)
    assert (config.input.model_dump()["size"], config.input.model_dump()["frames"]) == (64, 16)
    assert (config.train.batch_labeled, config.train.batch_unlabeled, config.encoder_weights) == (2, 16, None)


def test_another_encoder_does_without_the_presets_weights() -> None:
    config = expanded("gpu", encoder="tsm_tiny")
    assert (config.encoder, config.encoder_weights, config.train.precision) == ("tsm_tiny", None, "bf16")


def test_a_preset_beside_a_whole_config_is_refused() -> None:
    whole = expanded("laptop").model_dump(mode="json")
    with pytest.raises(InputError, match="preset 'gpu' would change nothing"):
        over_preset(whole, "gpu", "video")


def test_unknown_presets_and_clips_without_any(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown preset 'cluster'; expected one of: gpu, gpu_large, laptop"):
        over_preset({}, "cluster", "video")
    clips = write_clips(tmp_path, clips=2)
    with pytest.raises(InputError, match="preset 'gpu': there are none for skeleton clips"):
        prepare(clips, {}, settings={}, preset="gpu", seed=None, name=None, runs=tmp_path)


def test_a_comparison_keeps_the_name_and_its_cells_the_settings(tmp_path: Path) -> None:
    from aplt.comparison.cells import plan_cells
    from aplt.comparison.record import CompareDir

    rows = "".join(f"{n}.mp4,{'ab'[n % 2]}\n" for n in range(20))
    (tmp_path / "clips.csv").write_text(f"path,label\n{rows}")
    for n in range(20):
        (tmp_path / f"{n}.mp4").touch()
    variants = {"small": {"settings": {"encoder": "tsm_tiny", "encoder_settings": {"width": 8}}}}
    options = {"preset": "gpu", "seeds": "1", "variants": variants, "upper_bound": False, "methods": ["supervised"]}
    settings = {"train": {"batch_unlabeled": 8, "layer_decay": 1.0}}
    plan, folder = plan_comparison(tmp_path / "clips.csv", options, settings, tmp_path / "out")
    assert plan.preset == "gpu"
    found = {cell.key.method: cell.config for cell in plan_cells(plan, CompareDir(folder.path))}
    assert found["supervised"].encoder_weights == "KINETICS400_V1"
    assert (found["small"].encoder, found["small"].encoder_weights) == ("tsm_tiny", None)
    for config in found.values():
        assert (config.train.batch_labeled, config.train.batch_unlabeled, config.train.layer_decay) == (8, 8, 1.0)
    # A round's steps are those of the preset's batches: ten rounds of 3,000 steps.
    assert {config.train.steps_per_round for config in found.values()} == {300}
