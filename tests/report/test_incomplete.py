"""The page of a run that lacks something: unfinished, without test clips, with broken files or those of another run."""

import json
from pathlib import Path

import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.report import write_report
from aplt.report.words import ABSENT
from aplt.rundir import RunDir
from tests.report.reading import page_of

from .fake_run import fake_run
from .reading import Page


def test_unfinished_run_says_so_first_and_shows_what_is_there(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run", finished=False, rounds=4))
    assert f"If it was stopped, aplt train --resume {tmp_path / 'run'} continues it." in page.text
    assert page.text.index("This run is unfinished: 4 of 10 rounds are done") < 150
    assert "Watched top-1" in page.tiles()
    assert "Test top-1" not in page.tiles()
    assert "Thresholds" in page.headings()
    assert "Confusions" not in page.headings()


def test_run_that_has_only_started(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", finished=False)
    RunDir(folder).metrics.unlink()
    page = page_of(folder)
    assert "0 of 14 rounds are done" in page.text
    assert "No round is done yet" in page.text


def test_finished_run_has_no_notice(tmp_path: Path) -> None:
    assert "unfinished" not in page_of(fake_run(tmp_path / "run")).text


def test_method_without_offline_half(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run", offline=False, method="fixmatch"))
    assert "the method makes none" in page.text
    assert "no offline phase" in page.text
    assert "Thresholds" not in page.headings()
    assert "Accepted pseudo-labels" not in page.table("Class")[0]
    assert "Pseudo-label precision" not in page.tiles()


def test_unknown_hidden_truth(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run", truth_known=False))
    assert page.tiles()["Pseudo-label precision"] == "–"  # noqa: RUF001
    assert "does not hold the hidden truth" in page.text
    assert "Their precision" not in page.table("Class")[0]


def test_run_without_test_clips(tmp_path: Path) -> None:
    page = page_of(fake_run(tmp_path / "run", test=False))
    assert "this run has no test clips" in page.text
    assert "Validation top-1 66.0 %" in page.text.replace("Validationtop", "Validation top")
    assert "Confusions" not in page.headings()


def test_watching_the_test_clips_is_admitted(tmp_path: Path) -> None:
    assert "never used to choose a model" in page_of(fake_run(tmp_path / "run", val=False)).text
    assert "never used to choose a model" not in page_of(fake_run(tmp_path / "other")).text


def test_run_without_watched_clips(tmp_path: Path) -> None:
    assert "No clips were watched" in page_of(fake_run(tmp_path / "run", val=False, test=False)).text


@pytest.mark.parametrize("make", [False, True])
def test_no_run_folder(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    with pytest.raises(InputError, match=r"nothing: no .*; expected the folder of a run or a comparison"):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_broken_files_are_named(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    run = RunDir(folder)
    table = pd.read_csv(run.predictions)
    table.drop(columns="truth").to_csv(run.predictions, index=False)
    with pytest.raises(InputError, match=r"predictions\.csv: column 'truth' is missing"):
        write_report(folder)
    table.assign(truth="juggling").to_csv(run.predictions, index=False)
    with pytest.raises(InputError, match=r"predictions\.csv: class 'juggling' is not in result\.json"):
        write_report(folder)
    run.predictions.write_bytes("id,truth\n0,Schütteln\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"predictions\.csv line 2: not in UTF-8"):
        write_report(folder)
    run.metrics.write_text('{"round": 0')
    with pytest.raises(InputError, match=r"metrics\.jsonl line 1: not JSON"):
        write_report(folder)


def test_files_of_two_runs_are_told_from_those_of_one(tmp_path: Path) -> None:
    run = RunDir(fake_run(tmp_path / "run", classes=3))
    other = RunDir(fake_run(tmp_path / "other", classes=4))
    found = json.loads(run.result.read_text())
    run.result.write_text(json.dumps(found | {"labeled_per_class": [6, 6]}))
    with pytest.raises(InputError, match=r"result\.json: labeled_per_class has 2 entries, expected 3 as in classes"):
        write_report(run.path)
    run.result.write_text(json.dumps(found))
    lines, others = run.metrics.read_text().splitlines(), other.metrics.read_text().splitlines()
    run.metrics.write_text("\n".join([*lines[:4], *others[4:]]))
    with pytest.raises(
        InputError, match=r"metrics\.jsonl line 5: pseudo is of 4 classes, expected 3 as in result\.json"
    ):
        write_report(run.path)
    run.result.unlink()
    with pytest.raises(InputError, match=r"line 5: pseudo is of 4 classes, expected 3 as in the other lines"):
        write_report(run.path)
    run.result.write_text(json.dumps(found | {"classes": [*found["classes"][:2], found["classes"][0]]}))
    with pytest.raises(InputError, match=rf"result\.json: classes: '{found['classes'][0]}' appears twice"):
        write_report(run.path)


@pytest.mark.parametrize("settings", ["train: 5", "train: {rounds: x, seed: [1]}", "method: [x]", "train:"])
def test_settings_of_another_version_can_be_looked_at(settings: str, tmp_path: Path) -> None:
    run = RunDir(fake_run(tmp_path / "run", classes=3, finished=False))
    run.config.write_text(settings)
    assert "8 rounds are done" in page_of(run.path).text


def test_a_test_without_clips_is_none(tmp_path: Path) -> None:
    run = RunDir(fake_run(tmp_path / "run", classes=3))
    found = json.loads(run.result.read_text())
    run.result.write_text(json.dumps(found | {"test": found["test"] | {"per_class": []}}))
    write_report(run.path)
    assert Page(run.report).tiles()["Test top-1"] == ABSENT
