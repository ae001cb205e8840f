"""The examples run, on tiny clips."""

import importlib
import runpy
from pathlib import Path
from types import ModuleType

import pytest

import aplt
from tests.runs.clips import write_clips
from tests.synthetic.sketch import sketch
from tests.test_library import SHORT

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), 24)


def example(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module(name)


def test_own_encoder(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example("own_encoder", monkeypatch)
    settings = SHORT | {"encoder_settings": {"width": 8}}
    run = aplt.train(clips, encoder="own_encoder:GRU", runs=tmp_path, labeled=0.2, settings=settings)
    assert run.model.prototype.shape[1] == 16
    assert (aplt.predict(run, clips)["error"] == "").all()


def test_own_method(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example("own_method", monkeypatch)
    settings = SHORT | {"offline": {"alike": 0.5}}
    run = aplt.train(clips, method="own_method:NEAREST", runs=tmp_path, labeled=0.2, settings=settings)
    assert run.rounds["pseudo_coverage"].iloc[-1] > 0
    last = run.ledger[~run.ledger["given"]]
    assert (last["accepted"] == (last["distance"] <= 0.5)).all()


def test_ten_lines(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example("from_python", monkeypatch).main(str(clips), str(clips), runs=str(tmp_path), settings=SHORT)
    assert "test_top1" in capsys.readouterr().out


@pytest.mark.usefixtures("one_process")
def test_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (("QUICK", "1"), ("WALK", str(tmp_path)), ("CACHE", str(tmp_path / "cache"))):
        monkeypatch.setenv(f"APLT_{name}", value)
    monkeypatch.setattr("aplt.synthetic.dataset.render_clip", sketch)
    runpy.run_path(str(EXAMPLES / "walk.py"))
    page = tmp_path / "comparison" / "report.html"
    assert page.exists()
    assert f"page: {page}" in capsys.readouterr().out
