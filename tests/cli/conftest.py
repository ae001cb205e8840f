"""Clips, and a run of them."""

from pathlib import Path

import pytest

from tests.runs.clips import write_clips
from tests.test_cli import QUICK, aplt


@pytest.fixture(scope="package")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="package")
def run(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    assert aplt("train", clips, "--labeled", "20%", "--seed", "3", "--name", "one", "--runs", runs, *QUICK) == 0
    return runs / "one"
