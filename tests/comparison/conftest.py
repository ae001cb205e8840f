"""Clips, a finished study of them, and what is trained."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from aplt.rundir import RunDir
from aplt.runs.begin import train_or_reuse
from tests.comparison.fake_comparison import fake_comparison
from tests.comparison.studies import study_of
from tests.runs.clips import write_clips


@pytest.fixture(scope="package")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="package")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "whole"
    study_of(clips, path).run()
    return path


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_comparison(tmp_path_factory.mktemp("made up") / "study")


@pytest.fixture
def study(made_up: Path, tmp_path: Path) -> Path:
    """A comparison's folder as trainings would leave it."""
    return shutil.copytree(made_up, tmp_path / "study")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of the cells that are trained, not reused, in their order."""
    names: list[str] = []

    def train(config: Any, run: RunDir, made_of: dict[str, str]) -> Any:
        names.append("/".join(run.path.parts[-3:]))
        return train_or_reuse(config, run, made_of)

    monkeypatch.setattr("aplt.comparison.work.train_or_reuse", train)
    return names
