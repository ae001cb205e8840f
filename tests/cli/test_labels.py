"""aplt labels of a run without unlabeled clips, of which only the folds' doubts are to be had."""

from pathlib import Path

import pytest

import aplt as package
from aplt.errors import InputError
from tests.test_cli import QUICK, aplt


def test_a_run_without_unlabeled_clips_has_none_to_label_but_its_labels_can_be_doubted(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert aplt("train", clips, "--labeled", "100%", "--name", "all", *QUICK) == 0
    capsys.readouterr()
    assert aplt("labels", "runs/all") == 2
    assert "no unlabeled clips" in capsys.readouterr().err
    assert aplt("labels", "runs/all", "--folds", "2", "--precision", "95%") == 2
    with pytest.raises(InputError, match="no unlabeled clips"):
        package.labels("runs/all", folds=2)
    capsys.readouterr()
    assert aplt("labels", "runs/all", "--folds", "2") == 0
    assert "`aplt report runs/all` shows the labels" in capsys.readouterr().out
    assert not (tmp_path / "labels.csv").exists()
    assert aplt("report", "runs/all") == 0
    assert "which did not know these labels" in (tmp_path / "runs/all/report.html").read_text(encoding="utf-8")
