"""What is wrong in what a user gave is one sentence."""

from pathlib import Path

import pytest

from tests.test_cli import aplt


def test_bad_input_is_one_sentence_and_status_2(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("clips: Schütteln.csv".encode("latin-1"))
    (tmp_path / "columns.csv").write_text("path,lable\na.npy,x\n")
    cases: list[tuple[list[object], str]] = [
        (["train", empty], "no video or skeleton array or pose file in this folder"),
        (["train", tmp_path / "columns.csv"], "column 'label' is missing"),
        (["train", clips, "--set", "train.round=3"], "unknown setting 'train.round'; did you mean 'train.rounds'?"),
        (["train", clips, "--method", "apltt"], "did you mean 'aplt'?"),
        (["train", clips, "--encoder", "tnc"], "unknown encoder 'tnc'; did you mean 'tcn'?"),
        (["train", clips, "--labeled", "lots"], "setting 'split.labeled'"),
        (["train"], "train needs clips.csv"),
        (["train", "--resume", empty], "--resume takes the folder of a run"),
        (["train", clips, "--resume", empty], "give no other setting"),
        (["train", clips, "--set", "train.rounds=["], "--set train.rounds=[: not YAML"),
        (["train", latin], f"{latin}: not YAML in UTF-8"),
        (["train", clips, "--set", "method=5"], "setting 'method': expected a method's name, found 5"),
        (["train", clips, "--set", "clips=5"], "setting 'clips': expected a path, found 5"),
        (["train", clips, "--set", "a\nb=5"], "unknown setting 'a b'"),
        (["predict", tmp_path / "nope", clips], "no such folder; expected a run folder such as runs/NAME"),
        (["split", clips, "--labeled", "x"], "split: --labeled: expected a share from 0 to 1"),
        (["split", clips, "--val-subjects", "s1", "--val", "20%"], "--val and --val-subjects contradict each other"),
        (["evaluate", empty], "no model in it; expected a run folder such as runs/NAME"),
        (["train", clips, "--clips", clips], "--resume"),
        (["evaluate", empty, "--role", "tset"], "did you mean 'test'?"),
        (["report", empty], str(empty)),
        (["index", empty], "no video or skeleton array"),
        (["index", clips.parent, "--format", "nulca"], "did you mean 'nucla'?"),
    ]
    for words, message in cases:
        assert aplt(*words, *(["--runs", tmp_path / "runs"] if words[0] == "train" else [])) == 2, words
        error = capsys.readouterr().err.strip()
        assert message in error, words
        assert error.startswith("aplt: ")
        assert "\n" not in error, words
        assert "Traceback" not in error
    assert not (tmp_path / "runs").exists()
