"""The command line as a user meets it: what it prints, what it leaves, how it fails."""

import json
import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.cli.main import main
from aplt.config import load_yaml
from tests.runs.clips import write_clips

QUICK = [
    *("--set", "encoder_settings={width: 8, blocks: 1}", "--set", "input.frames=8"),
    *("--set", "train={rounds: 2, warm_up_rounds: 1, steps_per_round: 3}"),
]


def aplt(*words: object) -> int:
    """Runs the command line; returns its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["aplt", *map(str, words)])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def run(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    assert aplt("train", clips, "--labeled", "20%", "--seed", "3", "--name", "one", "--runs", runs, *QUICK) == 0
    return runs / "one"


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


def test_predict_files_folders_and_tables(run: Path, clips: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"nothing")
    other = tmp_path / "other.npy"
    np.save(other, np.zeros((5, 9, 3)))
    assert aplt("predict", run, clips, broken, clips.parent / "000.npy", other, "-o", output) == 0
    table = pd.read_csv(output, keep_default_na=False)
    assert len(table) == 51
    assert table.columns.tolist()[:5] == ["path", "start", "end", "prediction_1", "score_1"]
    assert "unreadable as a skeleton" in table["error"][48]
    assert "expected 4 joints of 3 coordinates" in table["error"][50]
    assert (table["error"] != "").sum() == 2
    assert table["prediction_1"][0] == table["prediction_1"][49]
    assert set(table["prediction_1"]) <= {"nod", "shake", "wave", ""}
    # The same model says of the test clips what training wrote down.
    told = pd.read_csv(run / "predictions.csv").set_index("id")["prediction_1"]
    again = table[:48].set_index(table["path"][:48].map(lambda path: Path(path).name))["prediction_1"]
    assert again[told.index].equals(told)


def test_a_table_to_predict_needs_no_labels(
    run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, output = tmp_path / "new.csv", tmp_path / "out.csv"
    table.write_text(f"path\n{clips.parent / '000.npy'}\n")
    assert aplt("predict", run, table, "-o", output) == 0
    assert len(pd.read_csv(output)) == 1
    table.write_text(f"file\n{clips.parent / '000.npy'}\n")
    assert aplt("predict", run, table, "-o", output) == 2
    assert "column 'path' is missing; found columns: file" in capsys.readouterr().err


def test_predictions_destroy_nothing_but_earlier_ones(
    run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, notes = tmp_path / "clip.npy", tmp_path / "notes.csv"
    shutil.copy(clips.parent / "000.npy", clip)
    notes.write_text("my notes")
    for paths, output, message in (
        ([clip], clip, "is one of the files to read"),
        ([tmp_path], clip, "is one of the files to read"),
        ([clips], clips, "is one of the files to read"),
        ([clip], notes, "exists and was not written by this command"),
        ([clip], run / "predictions.csv", "exists and was not written by this command"),
    ):
        before = output.read_bytes()
        assert aplt("predict", run, *paths, "-o", output) == 2
        assert f"{output}: {message}" in capsys.readouterr().err
        assert output.read_bytes() == before
    for _ in range(2):
        assert aplt("predict", run, clip, "-o", tmp_path / "out.csv") == 0


def test_nothing_could_be_predicted(run: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, output = tmp_path / "film.mp4", tmp_path / "out.csv"
    film.write_bytes(b"nothing")
    assert aplt("predict", run, film, "-o", output) == 1
    said = capsys.readouterr()
    assert said.out == f"{output}: 0 clips predicted, 1 unreadable\n"
    error = pd.read_csv(output)["error"][0]
    assert said.err == f"aplt: {error}\n"
    assert error == f"clip '{film}' ({film}): by its name a video, but the model was trained on skeletons"
    assert aplt("predict", run, film, clips, "-o", output) == 0
    assert aplt("predict", "--help") == 0
    assert "Exit status 1" in " ".join(capsys.readouterr().out.split())


def test_every_column_is_documented(run: Path, clips: Path, tmp_path: Path) -> None:
    assert aplt("predict", run, clips.parent / "000.npy", "-o", tmp_path / "out.csv") == 0
    page = (Path(__file__).parent.parent / "docs" / "data.md").read_text()
    for table in (run / "predictions.csv", run / "pseudo_labels.csv", run / "ledger.csv", tmp_path / "out.csv"):
        columns = [name for name in table.read_text().splitlines()[0].split(",") if name[-1] not in "2345"]
        assert [name for name in columns if f"`{name}`" not in page] == []


def test_a_model_folder_works_without_its_run(run: Path, clips: Path, tmp_path: Path) -> None:
    assert aplt("predict", run / "model", clips, "-o", tmp_path / "out.csv") == 0


def test_index_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clips(tmp_path / "data" / "nod", clips=3)
    (tmp_path / "data" / "nod" / "clips.csv").unlink()
    assert aplt("index", tmp_path / "data", "-o", tmp_path / "clips.csv") == 0
    assert "3 clips, 1 class, 0 clips without a label" in capsys.readouterr().out
    assert aplt("check", tmp_path / "clips.csv") == 0
    assert "3 clips checked, 0 with a problem" in capsys.readouterr().out
    (tmp_path / "data" / "nod" / "001.npy").write_bytes(b"")
    assert aplt("check", tmp_path / "clips.csv", "--json") == 1
    findings = json.loads(capsys.readouterr().out)
    assert [(finding["id"], finding["problem"]) for finding in findings] == [("nod/001.npy", "empty")]


def test_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("recipes") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[0] == "aplt_paper" and "arXiv 2504.07785" in line for line in lines)


def test_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("encoders", "tsm_resnet18", "tcn") == 0
    published, none = (line for line in capsys.readouterr().out.splitlines() if line.startswith(("tsm_", "tcn")))
    assert published.split()[1:4] == ["video", "11.2", "M"]  # the parameters of a ResNet-18 without its classifier
    assert "8 x 224 x 224" in published
    assert "IMAGENET1K_V1, DEFAULT (BSD-3-Clause)" in published
    assert none.split()[1] == "skeleton"
    assert none.endswith("-")
    assert aplt("encoders", "tsm_resnet18", "mvit_v2_s", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["encoders"]["mvit_v2_s"]["clip_shape"] == [3, 16, 224, 224]
    # Twice the multiplications that torchvision publishes for its ResNet-18 at this size, 8 frames, but its classifier.
    assert found["encoders"]["tsm_resnet18"]["flops"] == pytest.approx(2 * 8 * 1.814e9, rel=0.01)
    assert found["extras"].keys() == {"timm", "hf"}


def test_bad_input_is_one_sentence_and_status_2(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("clips: Schütteln.csv".encode("latin-1"))
    (tmp_path / "columns.csv").write_text("path,lable\na.npy,x\n")
    (tmp_path / "gone.csv").write_text("path,label\n" + "".join(f"{i}.npy,{'ab'[i % 2]}\n" for i in range(20)))
    cases: list[tuple[list[object], str]] = [
        (["train", empty], "no video or skeleton array or pose file in this folder"),
        (["train", tmp_path / "none.csv"], "no such file or folder"),
        (["train", tmp_path / "columns.csv"], "column 'label' is missing"),
        (["train", tmp_path / "gone.csv"], "no such file"),
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


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("--version") == 0
    assert capsys.readouterr().out == f"aplt {version('aplt')}\n"
    assert aplt("--help") == 0
    assert "--version" in capsys.readouterr().out
