"""aplt demo, on a few clips and steps."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aplt.cli import demo
from aplt.comparison.results import read_comparison
from aplt.config import merge
from tests.test_cli import aplt


def test_the_demo_is_a_comparison_and_shows_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"rounds": 2, "warm_up_rounds": 1, "steps_per_round": 1, "batch_labeled": 2, "batch_unlabeled": 2}
    settings = demo.demo_settings

    def small(clips: Path) -> dict[str, Any]:
        return merge(settings(clips), {"input": {"frames": 2, "size": 16}, "train": few})

    monkeypatch.setattr(demo, "CLIPS", 60)
    monkeypatch.setattr(demo, "demo_settings", small)
    assert aplt("demo", tmp_path / "demo") == 0
    told = capsys.readouterr().out
    comparison = read_comparison(tmp_path / "demo")
    assert comparison.finished
    assert pd.read_csv(comparison.folder.cells)["method"].tolist() == list(demo.METHODS)
    assert "| aplt " in told
    assert told.splitlines()[-1].endswith(str(tmp_path / "demo" / "report.html"))
    assert "Pseudo-labels" in comparison.folder.report.read_text()
