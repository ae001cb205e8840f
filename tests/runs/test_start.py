"""Runs that start from weights: these are in the network when it begins to learn, and are needed no more after that."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aplt.config import RunConfig, VideoInput
from aplt.rundir import RunDir
from aplt.runs.begin import resume, train, train_or_reuse
from aplt.runs.outcome import remark_on_weights
from tests.runs.clips import tiny_config
from tests.runs.runs import interrupt, same_run, weights

SHORT = {"rounds": 2, "warm_up_rounds": 1, "steps_per_round": 2}


@pytest.fixture
def start(first_half: RunDir, tmp_path: Path) -> Path:
    """Weights that another run has kept."""
    state = load_file(first_half.checkpoint)
    file = tmp_path / "start.pth"
    encoder = {name.removeprefix("student."): value for name, value in state.items() if name.startswith("student.")}
    torch.save({"state_dict": encoder}, file)
    return file


def test_a_run_begins_with_the_weights(clips: Path, start: Path, run: RunDir) -> None:
    barely = SHORT | {"learning_rate": 1e-12}
    train(tiny_config(clips, train=barely, encoder_weights=str(start)), run)
    given = torch.load(start, weights_only=True)["state_dict"]
    learned = [name for name in given if name.startswith("encoder.") and name.endswith((".weight", ".bias"))]
    assert learned
    for name in learned:
        torch.testing.assert_close(weights(run)[name], given[name], atol=1e-6, rtol=0)


def test_it_is_resumed_without_them_and_never_begun_without_them(clips: Path, start: Path, tmp_path: Path) -> None:
    config = tiny_config(clips, train=SHORT, encoder_weights=str(start))
    whole, cut, other = (RunDir(tmp_path / name) for name in ("whole", "cut", "other"))
    train(config, whole)
    interrupt(config, cut, 1, 0)
    interrupt(tiny_config(clips, train=SHORT | {"seed": 2}), other, 1, 0)
    train_or_reuse(config, other)  # over another run, whose checkpoint lies there
    assert same_run(other, whole)
    start.unlink()
    resume(cut)
    assert same_run(cut, whole)


def test_a_run_on_videos_from_random_weights_says_so(clips: Path) -> None:
    skeletons = tiny_config(clips)
    videos = RunConfig(clips=clips, encoder="tsm_resnet18", input=VideoInput())
    assert remark_on_weights(skeletons) == ""
    assert remark_on_weights(videos).startswith("tsm_resnet18 starts from random weights")
    assert "--encoder-weights" in remark_on_weights(videos)
    assert remark_on_weights(videos.model_copy(update={"encoder_weights": "DEFAULT"})) == ""
