"""Clips, a run of them that was not interrupted, and one that was."""

import shutil
from pathlib import Path

import pytest

from aplt.rundir import RunDir
from aplt.runs.begin import train
from tests.runs.clips import OFTEN, tiny_config, write_clips
from tests.runs.runs import interrupt


@pytest.fixture(scope="package")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="package")
def uninterrupted(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    run = RunDir(tmp_path_factory.mktemp("runs") / "whole")
    train(tiny_config(clips, **OFTEN), run)
    return run


@pytest.fixture(scope="package")
def first_half(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    run = RunDir(tmp_path_factory.mktemp("begun") / "run")
    interrupt(tiny_config(clips, **OFTEN), run, 2, 2)
    return run


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "runs" / "run")


@pytest.fixture
def begun(first_half: RunDir, run: RunDir) -> RunDir:
    """A run interrupted in its last round of three."""
    shutil.copytree(first_half.path, run.path)
    return run
