"""aplt demo, on a few clips and steps."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.cli import demo
from aplt.comparison.results import read_comparison
from aplt.settings import merge
from tests.synthetic.sketch import sketch
from tests.test_cli import aplt


def test_the_demo_is_a_comparison_and_shows_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"rounds": 2, "warm_up_rounds": 1, "steps": 2, "batch_labeled": 2, "batch_unlabeled": 2}
    plan, films = demo.demo_plan, demo.film_settings
    monkeypatch.setattr("aplt.synthetic.dataset.render_clip", sketch)
    monkeypatch.setattr(demo, "CLIPS", 48)
    monkeypatch.setattr(demo, "FILMS", 48)
    monkeypatch.setattr(demo, "SEEDS", 1)
    tiny = {"encoder_settings": {"width": 8}, "input": {"frames": 8}, "train": few}
    monkeypatch.setattr(demo, "demo_plan", lambda *one: merge(plan(*one), {"settings": tiny}))
    small = {"input": {"frames": 2, "size": 16}, "train": few | {"workers": 0}}
    monkeypatch.setattr(demo, "film_settings", lambda clips: merge(films(clips), small))
    assert aplt("demo", tmp_path / "demo") == 0
    told = capsys.readouterr().out
    comparison = read_comparison(tmp_path / "demo")
    assert comparison.finished
    assert pd.read_csv(comparison.folder.cells)["method"].tolist() == [*demo.METHODS]
    assert "| aplt " in told
    assert "a short training of aplt on 48 films: " in told
    assert (tmp_path / "demo" / "video" / "report.html").exists()
    assert told.splitlines()[-1].endswith(str(tmp_path / "demo" / "report.html"))
    assert "Pseudo-labels" in comparison.folder.report.read_text()
    assert aplt("demo", tmp_path / "demo") == 0  # everything is there
    assert capsys.readouterr().out == told
