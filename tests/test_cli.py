"""The command line as a whole, and how tests run it."""

import json
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main

from aplt.cli.main import main
from tests.runs.clips import write_clips

QUICK = [
    *("--set", "encoder_settings={width: 8, blocks: 1}", "--set", "input.frames=8"),
    *("--set", "train={rounds: 2, warm_up_rounds: 1, steps_per_round: 2, batch_labeled: 4, batch_unlabeled: 6}"),
]


command_of = cache(typer.main.get_command)
"""What Typer makes of an app, each time anew unless it is kept."""


def aplt(*words: object) -> int:
    """Runs the command line; returns its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["aplt", *map(str, words)])
        patch.setattr(typer.main, "get_command", command_of)
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
    return 0


@pytest.mark.usefixtures("one_process")
def test_index_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clips(tmp_path / "data" / "nod", clips=3)
    (tmp_path / "data" / "nod" / "clips.csv").unlink()
    assert aplt("index", tmp_path / "data", "-o", tmp_path / "clips.csv") == 0
    assert "3 clips, 1 class, 0 clips without a label" in capsys.readouterr().out
    assert aplt("check", tmp_path / "clips.csv") == 0
    assert "3 clips checked, 0 with a problem" in capsys.readouterr().out
    (tmp_path / "data" / "nod" / "001.npy").write_bytes(b"")
    assert aplt("check", tmp_path / "clips.csv", "--json") == 1
    findings = json.loads(capsys.readouterr().out)
    assert [(finding["id"], finding["problem"]) for finding in findings] == [("nod/001.npy", "empty")]


def test_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("recipes") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[0] == "aplt_paper" and "arXiv 2504.07785" in line for line in lines)


def test_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("encoders", "tsm_resnet18", "tcn") == 0
    published, none = (line for line in capsys.readouterr().out.splitlines() if line.startswith(("tsm_", "tcn")))
    assert published.split()[1:4] == ["video", "11.2", "M"]  # the parameters of a ResNet-18 without its classifier
    assert "8 x 224 x 224" in published
    assert "IMAGENET1K_V1, DEFAULT (BSD-3-Clause)" in published
    assert none.split()[1] == "skeleton"
    assert none.endswith("-")
    assert aplt("encoders", "tsm_resnet18", "r3d_18", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["encoders"]["r3d_18"]["clip_shape"] == [3, 16, 112, 112]
    # Twice the multiplications that torchvision publishes for its ResNet-18 at this size, 8 frames, but its classifier.
    assert found["encoders"]["tsm_resnet18"]["flops"] == pytest.approx(2 * 8 * 1.814e9, rel=0.01)
    assert found["extras"].keys() == {"timm", "hf"}


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("--version") == 0
    assert capsys.readouterr().out == f"aplt {version('aplt')}\n"
    assert aplt("--help") == 0
    assert "--version" in capsys.readouterr().out
