"""A comparison from its plan to its tables: what is trained, what is kept, and what a kill leaves."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from aplt.comparison.page import write_comparison
from aplt.comparison.record import TIMES, CompareDir, read_rows, wrong_labels
from aplt.comparison.study import Study
from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import train_or_reuse
from aplt.settings import load_yaml
from tests.comparison.studies import BRIEF, METHODS, WILD, rows_of, study_of


def test_rows_are_what_the_runs_left(whole: Path, clips: Path) -> None:
    rows = pd.read_csv(CompareDir(whole).cells, keep_default_na=False)
    assert rows["method"].tolist() == [*METHODS, "upper bound"]
    assert list(rows.columns[-len(TIMES) :]) == list(TIMES)
    truth = {clip.id: read_index(clips).class_names[clip.label] for clip in read_index(clips)}
    for row, typed in zip(rows.to_dict("records"), read_rows(CompareDir(whole)), strict=True):
        run = RunDir(whole / row["run"])
        result, lines = run.read_result(), run.read_rounds()
        for name in ("top1", "top5", "macro_f1"):  # typed: pandas 2 reads some numbers a last digit off
            assert getattr(typed, name) == getattr(result.test, name)
        assert (row["labeled_clips"], row["steps"]) == (result.counts.labeled, 4)
        assert row["test_clips"] == len(pd.read_csv(run.predictions)) == 12
        assert result.val is not None
        assert result.test is not None
        assert typed.val_top1 == result.val.top1
        for kind in ("pseudo", "online"):
            taught = [(line.round, found.precision, found.coverage) for line in lines if (found := getattr(line, kind))]
            told = getattr(typed, f"{kind}_by_round")
            assert [tuple(one) for one in told] == [
                tuple(figure if figure is None else round(figure, 4) for figure in one) for one in taught
            ]
        assert run.report.exists()
        assert not run.checkpoint.parent.exists()  # it would be the largest file, and is needed no more
        if row["method"] == "upper bound":
            assert row["unlabeled_top1"] == ""
            continue
        labels = pd.read_csv(run.pseudo_labels).to_dict("records")
        assert float(row["unlabeled_top1"]) == np.mean([one["label"] == truth[one["id"]] for one in labels])
        if row["method"] == "aplt":
            assert float(row["pseudo_coverage"]) == getattr(lines[-1].pseudo, "coverage", None)
            wrong = [one for one in labels if one["accepted"] and one["offline_label"] != truth[one["id"]]]
            fitted = [one for one in wrong if one["label"] == one["offline_label"]]
            assert float(row["pseudo_wrong"]) == len(wrong) > 0
            assert float(row["pseudo_fitted"]) == len(fitted) / len(wrong)
        else:
            assert row["pseudo_coverage"] == row["pseudo_wrong"] == ""
        if row["method"] == "fixmatch":
            made = [one for one in labels if isinstance(one["online_label"], str)]
            counted = [one["weight"] for one in made]
            assert float(row["online_coverage"]) == pytest.approx(np.mean(counted), abs=1e-4)
            wrong = [one for one in made if one["weight"] >= 0.5 and one["online_label"] != truth[one["id"]]]
            fitted = [one for one in wrong if one["label"] == one["online_label"]]
            assert float(row["online_wrong"]) == len(wrong)
            assert row["online_fitted"] == (len(fitted) / len(wrong) if wrong else "")
    assert rows["online_coverage"].tolist()[0] == ""
    assert rows["online_coverage"].tolist()[1] != ""
    assert rows["labeled"].tolist() == [0.2, 0.2, 0.2, 1.0]


def test_wrong_labels_are_unknown_without_truth(whole: Path) -> None:
    run = RunDir(whole / "runs" / "tiny" / "20%" / "aplt" / "seed0")
    assert wrong_labels(run, {}) == {}


def test_labels_that_count_at_least_half_and_whose_truth_is_known_are_right_or_wrong(tmp_path: Path) -> None:
    RunDir(tmp_path).pseudo_labels.write_text(
        "id,label,online_label,weight\n"
        "right,a,a,1\nfitted,b,b,0.5\nnot fitted,a,b,0.7\nweak,b,b,0.49\nnever made,a,,0\nof no class,a,a,1\n"
    )
    truth = dict.fromkeys(("right", "fitted", "not fitted", "weak", "never made"), "a")
    assert wrong_labels(RunDir(tmp_path), truth) == {"online_wrong": 2, "online_fitted": 0.5, "online_unknown": 1}


def test_people_in_training_and_test_clips_are_remarked_once(
    whole: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study_of(clips, whole).announce()
    cells, people = capsys.readouterr().err.splitlines()
    assert cells == "4 cells (a cell is one training), 4 of them finished"
    assert people.startswith("tiny: the same people are in training and test clips")
    study_of(clips, tmp_path, settings={"split": {"by_subject": True, "test": 0.25, "val": 0.25}}).announce()
    assert capsys.readouterr().err.count("\n") == 1


def test_the_time_left_is_that_of_finished_cells_which_are_most_alike(
    whole: Path, clips: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert study_of(clips, tmp_path).seconds_left() is None
    other = {"clips": str(clips), "settings": {"split": {"test": 0.5}}}
    more: dict[str, Any] = {"methods": ["supervised", "uda"], "labeled": [0.2, 0.5], "datasets": {"other": other}}
    study = study_of(clips, whole, jobs=2, upper_bound=False, **more)
    (path, row), *_ = study.rows.items()
    uda = next(cell for cell in study.cells if cell.key.method == "uda")
    study.rows = {path: row.model_copy(update={"seconds": 2.0}), uda.path: row.model_copy(update={"seconds": 8.0})}
    study.rows[uda.path] = study.rows[uda.path].model_copy(update={"method": "uda"})
    tiny, apart = 2.0 + 8.0, 4 * 5.0  # one cell of each method at 50 %; of the other data set no cell is finished
    assert study.seconds_left() == (tiny + apart) / 2
    study.announce()
    assert capsys.readouterr().err.splitlines()[0].endswith("2 of them finished; about 15\u00a0s with 2 jobs to go")


def test_finished_cells_are_not_trained_again_and_the_plan_can_grow(
    whole: Path, clips: Path, tmp_path: Path, trained: list[str]
) -> None:
    path = tmp_path / "grown"
    shutil.copytree(whole, path)
    study_of(clips, path, labeled=[0.2, 0.5], methods=["supervised"], upper_bound=False).run()
    assert trained == ["50%/supervised/seed0"]
    rows = rows_of(path)
    assert rows["labeled"].tolist() == [0.2, 0.5]  # the other runs are no part of this plan
    assert rows[:1].astype(str).equals(rows_of(whole)[:1].astype(str))
    assert load_yaml(CompareDir(path).plan)["labeled"] == [0.2, 0.5]


def test_the_page_is_written_seldom_where_that_takes_long_and_at_the_end(
    clips: Path, tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    written: list[int] = []

    def write(folder: Path) -> None:
        write_comparison(folder)
        assert len(rows_of(folder)) == len(trained)
        written.append(len(trained))
        clock[0] += 1

    def hour_after(done: int) -> float:
        return clock[0] + 3600 * (len(trained) > done)

    monkeypatch.setattr("aplt.comparison.study.write_comparison", write)
    monkeypatch.setattr("aplt.comparison.study.time", SimpleNamespace(monotonic=lambda: hour_after(2)))
    study_of(clips, tmp_path, methods=["supervised"], seeds=4, upper_bound=False, **BRIEF).run()
    assert written == [0, 3, 4]


def test_cells_of_other_settings_are_never_mixed_in(
    whole: Path, clips: Path, tmp_path: Path, trained: list[str]
) -> None:
    path = tmp_path / "changed"
    shutil.copytree(whole, path)
    changed = study_of(
        clips, path, methods=["supervised"], settings={"train": BRIEF["settings"]["train"] | {"learning_rate": 1e-4}}
    )
    assert len(changed.left) == 2
    seen: list[list[str]] = []

    def look(folder: Path) -> Path:
        seen.append(pd.read_csv(CompareDir(folder).cells)["method"].tolist())
        return write_comparison(folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aplt.comparison.study.write_comparison", look)
        patch.setattr("aplt.comparison.study.PAGE_REST", 0)
        changed.run()
    assert seen == [["supervised", "upper bound"][:count] for count in (0, 1, 2, 2)]
    assert len(trained) == 2


def test_two_jobs_leave_the_same_rows(whole: Path, clips: Path, tmp_path: Path) -> None:
    study_of(clips, tmp_path, jobs=2, methods=METHODS[::2]).run()
    assert rows_of(tmp_path).equals(rows_of(whole).iloc[[0, 2, 3]].reset_index(drop=True))


def test_cells_that_fail_are_named_at_the_end_and_keep_no_other(
    clips: Path, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def study() -> Study:
        variants = {"wild [b]": WILD}
        return study_of(clips, tmp_path, methods=["supervised"], variants=variants, upper_bound=False, **more)

    more: dict[str, Any] = {**BRIEF}
    with pytest.raises(InputError, match=r"^tiny, wild \[b\], 20% labeled, seed 0: .*the loss is not finite"):
        study().run()
    assert rows_of(tmp_path)["method"].tolist() == ["supervised"]
    assert "failed: tiny, wild [b], 20% labeled, seed 0: " in capsys.readouterr().err
    trained.clear()
    assert [cell.key.method for cell in study().left] == ["wild [b]"]
    more["seeds"] = 2
    with pytest.raises(InputError, match=r"^2 cells failed: tiny, wild .*, seed 0: .*; tiny, wild .*, seed 1: "):
        study().run()
    assert [name.split("/")[1] for name in trained] == ["wild [b]", "supervised", "wild [b]"]


def test_clips_that_change_meanwhile_are_not_trained_on(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "clips.csv"
    text = clips.read_text().splitlines()
    folder = clips.parent
    steps: list[int] = []

    def write(lines: list[str]) -> None:
        index.write_text("\n".join([lines[0], *(f"{folder}/{line}" for line in lines[1:])]) + "\n")

    def train(config: Any, run: RunDir, made_of: dict[str, str]) -> Any:
        result = train_or_reuse(config, run, made_of)
        steps.append(result.steps)
        write([*text[:-1], text[-1].rpartition(",")[0] + ","])
        return result

    write(text)
    monkeypatch.setattr("aplt.comparison.work.train_or_reuse", train)
    over: dict[str, Any] = {"methods": ["supervised", "fixmatch"], "upper_bound": False, **BRIEF}
    study = study_of(index, tmp_path / "study", **over)
    with pytest.raises(InputError, match=r"^tiny, fixmatch, .*clips.csv: the clips or their labels have changed"):
        study.run()
    assert steps == [2]
    assert rows_of(tmp_path / "study")["method"].tolist() == ["supervised"]
    # As they were, the study goes on.
    write(text)
    monkeypatch.undo()
    again = study_of(index, tmp_path / "study", **over)
    again.require_fit()
    again.run()
    assert rows_of(tmp_path / "study")["method"].tolist() == ["supervised", "fixmatch"]


@pytest.mark.parametrize(
    ("error", "jobs", "told"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB. GPU 0 has 1 GiB."),
            2,
            r"CUDA out of memory \(beside 1 other job\)",
        ),
        (RuntimeError("a worker\n was killed"), 1, r"RuntimeError: a worker was killed; see .*csv"),
    ],
    ids=["too large for the device", "unforeseen"],
)
def test_whatever_ends_a_cell_ends_no_other(
    error: Exception, jobs: int, told: str, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(config: Any, run: RunDir, made_of: dict[str, str]) -> Any:
        if config.method == "fixmatch":
            raise error
        return train_or_reuse(config, run, made_of)

    folder = CompareDir(tmp_path)
    over: dict[str, Any] = {"methods": ["fixmatch", "supervised"], "upper_bound": False, **BRIEF}
    with monkeypatch.context() as patch:
        patch.setattr("aplt.comparison.work.train_or_reuse", train)
        with pytest.raises(InputError, match=rf"^tiny, fixmatch, 20% labeled, seed 0: {told}$"):
            study_of(clips, tmp_path, jobs=jobs, **over).run()
    assert rows_of(tmp_path)["method"].tolist() == ["supervised"]
    (failed,) = pd.read_csv(folder.failed, keep_default_na=False).to_dict("records")
    assert failed["why"].startswith("tiny, fixmatch, 20% labeled, seed 0: ")
    assert ("Traceback" in failed["traceback"]) == (type(error) is RuntimeError)
    assert f"- failed: {failed['why']}" in folder.table.read_text()
    study_of(clips, tmp_path, **over).run()
    assert not folder.failed.exists()
    assert "failed" not in folder.table.read_text()
