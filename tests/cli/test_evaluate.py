"""aplt evaluate as a user meets it."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.test_cli import QUICK, aplt


def test_evaluate_repeats_the_runs_own_figures(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads((run / "result.json").read_text())
    assert aplt("evaluate", run, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == result["test"] | {"clips": 9, "unlabeled": 0}
    assert aplt("evaluate", run) == 0
    line = f"9 clips: top-1 {figures['top1']:.1%}, macro F1 {figures['macro_f1']:.1%}"  # of three classes, no top-5
    assert capsys.readouterr().out.splitlines()[0] == line


def test_test_clips_without_a_label_are_told(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(clips, dtype=str)
    table["path"] = [str(clips.parent / name) for name in table["path"]]
    table["split"] = ["test" if i < 7 else "train" for i in range(len(table))]
    table.loc[3, "label"] = ""
    table.to_csv(tmp_path / "clips.csv", index=False)
    words = ["--method", "supervised", "--name", "x", "--runs", tmp_path, *QUICK]
    assert aplt("split", tmp_path / "clips.csv", "-o", tmp_path / "split.csv") == 0
    assert "0 val, 7 test (1 of val and test without a label, so not scored); digest" in capsys.readouterr().out
    assert aplt("train", tmp_path / "clips.csv", *words) == 0
    assert "on the 6 of 7 test clips that have a label" in capsys.readouterr().out
    assert aplt("evaluate", tmp_path / "x") == 0
    assert capsys.readouterr().out.startswith("6 clips (1 more without a label): top-1")


def test_evaluating_on_training_clips_is_remarked(
    run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def remark() -> str:
        assert aplt("evaluate", run, "--clips", tmp_path / "clips.csv") == 0
        out, err = capsys.readouterr()
        assert "48 clips: top-1" in out
        return err

    trained = f"aplt: 39 of 48 clips in {tmp_path / 'clips.csv'} with the id or the file of clips that the model was"
    same, names = pd.read_csv(clips), pd.Series([f"clip {i}" for i in range(48)])
    paths = same["path"].map(lambda name: f"{clips.parent}/../{clips.parent.name}/{name}")
    same.assign(path=paths, id=names).to_csv(tmp_path / "clips.csv", index=False)  # the same files
    assert remark().startswith(trained)
    shutil.copytree(clips.parent, tmp_path / "copies")
    copies = same.assign(path="copies/" + same["path"])
    copies.assign(id=same["path"]).to_csv(tmp_path / "clips.csv", index=False)  # the same ids
    assert remark().startswith(trained)
    copies.assign(id=names).to_csv(tmp_path / "clips.csv", index=False)
    assert remark() == ""
