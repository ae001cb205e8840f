"""aplt train as a user meets it."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from aplt.settings import load_yaml
from tests.test_cli import QUICK, aplt


def test_train_leaves_a_run_and_a_report(run: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    assert (result["method"], result["encoder"], result["seed"]) == ("aplt", "tcn", 3)
    assert (run / "report.html").read_text().count("<svg") >= 3


def test_a_training_that_failed_at_once_does_not_keep_its_name(clips: Path, tmp_path: Path) -> None:
    words = ("train", clips, "--name", "x", "--runs", tmp_path)
    assert aplt(*words, *QUICK, "--set", "method_settings.temperature=0") == 2
    assert aplt(*words, *QUICK, "--set", "encoder_settings.parents=[0]") == 2
    assert aplt(*words, *QUICK) == 0


def test_train_says_what_it_made(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("train", clips, "--method", "supervised", "--name", "x", "--runs", tmp_path, *QUICK) == 0
    out = capsys.readouterr()
    assert "test clips: top-1" in out.out
    assert "that have a label" not in out.out
    assert str(tmp_path / "x" / "report.html") in out.out
    said = re.search(
        r"learning 3 classes from (\d+) labeled and (\d+) unlabeled clips?, (\d+) test clips; (.*)", out.err
    )
    counts = json.loads((tmp_path / "x" / "result.json").read_text())["counts"]
    assert said is not None
    assert [int(count) for count in said.groups()[:3]] == [counts[role] for role in ("labeled", "unlabeled", "test")]
    assert said[4] == "method supervised, encoder tcn"
    assert "round 2/2" in out.err
    assert aplt("train", "--resume", tmp_path / "x") == 0
    assert f"{tmp_path / 'x'}: this run is finished\n" in capsys.readouterr().err
    assert aplt("train", clips, "--name", "x", "--runs", tmp_path, *QUICK) == 2
    assert "holds a run already; continue it with --resume" in capsys.readouterr().err


def test_another_method_leaves_the_settings_of_the_files_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--method", "supervised", "--set", "train.strong_weight=0.5", "--runs", tmp_path]
    assert aplt("train", run / "config.yaml", "--name", "other", *words) == 0
    error = capsys.readouterr().err
    assert (
        f"method_settings, offline, read_out, read_out_scale in {run / 'config.yaml'} belong to another method" in error
    )
    other = load_yaml(tmp_path / "other" / "config.yaml")
    assert (other["method"], other["offline"], other["read_out"]) == ("supervised", None, "classifier")
    assert other["method_settings"] == {}
    assert other["train"] == load_yaml(run / "config.yaml")["train"] | {"strong_weight": 0.5}
    # The same by --set, and with the file's own method nothing is left out.
    words = ["--set", "method=aplt_paper", "--runs", tmp_path, "--name", "third"]
    assert aplt("train", run / "config.yaml", *words) == 0
    assert load_yaml(tmp_path / "third" / "config.yaml")["method_settings"]["target"] == "student"
    capsys.readouterr()
    assert aplt("train", run / "config.yaml", "--method", "aplt", "--runs", tmp_path, "--name", "fourth") == 0
    assert "another method" not in capsys.readouterr().err
    assert load_yaml(tmp_path / "fourth" / "config.yaml") == load_yaml(run / "config.yaml")


@pytest.mark.parametrize("name", ["../x", "..", ".", "a/b", "a/", "/x", ""])
def test_a_run_lies_in_the_folder_of_runs(
    name: str, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aplt("train", clips, "--name", name, "--runs", tmp_path / "runs", *QUICK) == 2
    assert capsys.readouterr().err.startswith(f"aplt: --name '{name}' is not the name of a folder; --runs says")
    assert not any(tmp_path.iterdir())


def test_a_split_and_a_share_contradict_each_other(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("train", clips, "--split", "split.csv", "--labeled", "10%") == 2
    assert "--labeled would change nothing" in capsys.readouterr().err


def test_split_file_and_config_file(clips: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = tmp_path / "split.csv"
    assert aplt("split", clips, "--labeled", "50%", "--test-subjects", "s1, s2", "-o", split) == 0
    assert "12 labeled, 12 unlabeled, 0 val, 24 test" in capsys.readouterr().out
    assert aplt("train", run / "config.yaml", "--split", split, "--name", "two", "--runs", tmp_path) == 0
    roles = pd.read_csv(tmp_path / "two" / "split.csv")["role"].value_counts().to_dict()
    assert roles == {"labeled": 12, "unlabeled": 12, "test": 24}


def test_a_split_file_and_split_settings_contradict_each_other(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split, runs = tmp_path / "split.csv", ["--runs", tmp_path]
    assert aplt("split", clips, "--labeled", "50%", "-o", split) == 0
    assert aplt("train", clips, "--split", split, "--set", "split.seed=0", *runs) == 2
    assert f"{split} says the role of every clip: split.seed would change nothing" in capsys.readouterr().err
    assert aplt("train", clips, "--split", split, "--set", "split=5", *runs) == 2
    assert "split would change nothing" in capsys.readouterr().err
    words = ["train", clips, "--split", split, "--seed", "5", "--method", "supervised"]
    assert aplt(*words, "--name", "first", *runs, *QUICK) == 0
    first = tmp_path / "first" / "config.yaml"
    config = load_yaml(first)
    assert (config["train"]["seed"], config["split"]["seed"]) == (5, 0)  # there is nothing to draw
    assert aplt("train", first, "--name", "again", *runs) == 0
    assert load_yaml(tmp_path / "again" / "config.yaml") == config
    assert aplt("train", first, "--labeled", "10%", "--name", "third", *runs) == 2
    assert "split.labeled would change nothing" in capsys.readouterr().err
    # Without the file, the split's settings count again.
    assert aplt("train", first, "--labeled", "10%", "--set", "split_file=null", "--name", "third", *runs) == 0
    config = load_yaml(tmp_path / "third" / "config.yaml")
    assert (config["split_file"], config["split"]["labeled"]) == (None, 0.1)
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"clips: {clips}\nsplit_file: {split}\nsplit: {{by_subject: true}}\n")
    assert aplt("train", mine, *runs) == 2
    assert f"{mine}: setting 'split.by_subject' would change nothing beside 'split_file'" in capsys.readouterr().err


def test_the_first_labels_begin_a_run(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(clips)
    table["id"] = [f"clip {row}" for row in range(len(table))]
    table["path"] = [str((clips.parent / path).resolve()) for path in table["path"]]
    table[["id", "label"]].to_csv(tmp_path / "corrections.csv", index=False)
    table.assign(label="").to_csv(tmp_path / "first.csv", index=False)
    words = ("train", tmp_path / "first.csv", "--corrections", tmp_path / "corrections.csv", "--runs", tmp_path)
    assert aplt(*words, *QUICK) == 2
    assert "needs a --name" in capsys.readouterr().err
    assert aplt(*words, "--name", "x", "--method", "supervised", *QUICK) == 0
    assert f"{tmp_path / 'corrections.csv'}: {len(table)} labels, 0 of no class" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "x" / "corrected" / "clips.csv")["label"].dropna()) == len(table)
