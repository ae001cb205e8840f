"""Suggest, review, train on, in turn; and the corrections of several people in one table."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from aplt.data.batches import SemiData
from aplt.record import Result
from aplt.rundir import RunDir
from aplt.settings import load_yaml
from tests.runs.runs import Stop, at_step, stop
from tests.test_cli import aplt


@pytest.fixture(scope="module")
def truth(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "truth.csv"
    pd.read_csv(clips).rename(columns={"path": "id"})[["id", "label"]].to_csv(path, index=False)
    return path


def results(folder: Path, turns: int) -> list[Result]:
    return [RunDir(folder / f"turn-{turn}").read_result() for turn in range(1, turns + 1)]


def test_turns_add_labels_and_keep_the_test_clips(
    run: Path, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, folder = RunDir(run).read_result(), tmp_path / "loop"
    asked = ("loop", run, "--labels-from", truth, "-n", "3", "-o", folder)
    assert aplt(*asked, "--turns", "1") == 0
    capsys.readouterr()
    before = folder.stat().st_mtime_ns
    assert aplt(*asked, "--turns", "1") == 0  # nothing is left to do
    assert folder.stat().st_mtime_ns == before
    assert "are over; a larger --turns goes on" in capsys.readouterr().out
    config = load_yaml(folder / "turn-1" / "config.yaml")
    assert (config["train"]["steps"], config["train"]["warm_up_rounds"]) == (-(-first.steps // 3), 1)
    # Clips that were chosen to be labeled say nothing of how many of each class there are.
    assert (config["offline"]["assignment"], config["method_settings"]["alignment"]) == ("nearest", False)
    other = shutil.copytree(run, tmp_path / "other")
    assert aplt("loop", other, *asked[2:], "--turns", "2") == 2
    assert f"{folder}: holds the loop of another run" in capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr(SemiData, "semi_batches", SemiData.semi_batches)  # to be put back
        at_step(1, 0, stop)()
        with pytest.raises(Stop):
            aplt(*asked, "--turns", "2")
    said = (folder / "corrections.csv").read_bytes()
    assert aplt(*asked, "--turns", "2") == 0  # it goes on with the training
    assert (folder / "corrections.csv").read_bytes() == said
    turns = results(folder, 2)
    assert [one.counts.labeled for one in turns] == [first.counts.labeled + 3, first.counts.labeled + 6]
    assert [one.steps for one in turns] == [-(-first.steps // 3)] * 2
    tests = [pd.read_csv(path / "predictions.csv")["id"].tolist() for path in (run, folder / "turn-2")]
    assert tests[0] == tests[1]
    corrected = pd.read_csv(folder / "corrections.csv").set_index("id")["label"]
    assert corrected.to_dict() == pd.read_csv(truth).set_index("id")["label"][corrected.index].to_dict()
    page = (folder / "loop.html").read_text()
    assert "turn-2" in page
    assert f"labels {turns[0].counts.labeled}: " in page
    assert f"{turns[1].counts.labeled} labeled" in capsys.readouterr().out


def test_a_truth_without_the_clip_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "truth.csv").write_text("id,label\nother,nod\n")
    folder = tmp_path / "loop"
    assert aplt("loop", run, "--labels-from", tmp_path / "truth.csv", "-o", folder) == 2
    assert "truth.csv: no clip '" in capsys.readouterr().err
    assert not RunDir(folder / "turn-1").config.exists()


def test_corrections_of_two_people(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = pd.read_csv(run / "pseudo_labels.csv")["id"][:3].tolist()
    for name, labels in (("ann", ("nod", "wave", "wave")), ("bob", ("nod", "shake", "wave"))):
        rows = pd.DataFrame({"id": ids, "label": labels})
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    both = tmp_path / "both.csv"
    merge = ("corrections", tmp_path / "ann.csv", tmp_path / "bob.csv", "-o", both)
    assert aplt(*merge) == 0
    shown = capsys.readouterr().out
    assert "3 clips seen by both, 2 alike (67%)" in shown
    assert f"{ids[1]}: ann: wave, bob: shake" in shown
    train = ("train", "--from", run, "--corrections", both, "--name", "next", "--runs", tmp_path)
    assert aplt(*train) == 2
    assert f"'{ids[1]}' (ann: wave, bob: shake)" in capsys.readouterr().err
    with both.open("a") as stream:
        stream.write(f"{ids[1]},wave,eve,,,settled\n")
    assert aplt(*merge) == 0  # what was settled there stays
    assert "0 disagreements" in capsys.readouterr().out
    shutil.copy(tmp_path / "ann.csv", tmp_path / "clips.csv")
    assert aplt("corrections", both, "-o", tmp_path / "clips.csv") == 2
    assert "is nothing that this command may write over" in capsys.readouterr().err
