"""compare.csv as the record of what is finished: with and without run folders, moved, merged and damaged."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aplt.comparison.plan import load_plan, make_plan, seen_from
from aplt.comparison.record import CompareDir
from aplt.config import VideoInput
from aplt.errors import InputError
from aplt.settings import load_yaml
from aplt.storage import read_json, write_csv, write_json, write_text
from tests.comparison.studies import rows_of, study_of


def test_the_table_suffices_to_go_on_wherever_it_and_the_clips_lie(
    whole: Path, clips: Path, tmp_path: Path, trained: list[str]
) -> None:
    path = tmp_path / "moved" / "compare" / "study"
    path.mkdir(parents=True)
    shutil.copytree(clips.parent, tmp_path / "moved" / "clips")
    shutil.copy(whole / "compare.csv", path)
    moved = tmp_path / "moved" / "clips" / clips.name
    again = study_of(moved, path, settings={"train": {"workers": 1, "checkpoint_minutes": 1}})
    again.require_fit()
    again.run()
    assert trained == []
    files = [(folder / name).read_bytes() for name in ("compare.csv", "table.md") for folder in (path, whole)]
    assert files[::2] == files[1::2]
    assert not (path / "runs").exists()
    assert load_yaml(CompareDir(path).plan)["datasets"]["tiny"]["clips"] == f"../../clips/{clips.name}"
    study_of(moved, path, methods=["supervised"], seeds=2, upper_bound=False).run()
    assert trained == ["20%/supervised/seed1"]
    assert rows_of(path)[:1].astype(str).equals(rows_of(whole)[:1].astype(str))


def test_runs_without_rows_move_along_with_their_clips(
    whole: Path, clips: Path, tmp_path: Path, trained: list[str]
) -> None:
    shutil.copytree(clips.parent, tmp_path / "clips")
    shutil.copytree(whole / "runs", tmp_path / "study" / "runs")
    again = study_of(tmp_path / "clips" / clips.name, tmp_path / "study", settings={"train": {"workers": 1}})
    again.require_fit()
    again.run()
    assert trained == []
    assert rows_of(tmp_path / "study").equals(rows_of(whole))


def test_the_plan_of_a_folder_moves_along_with_its_clips(clips: Path, tmp_path: Path) -> None:
    shutil.copytree(clips.parent, tmp_path / "here" / "clips")
    index = tmp_path / "here" / "clips" / clips.name
    video = {"kind": "video", "cache_dir": str(tmp_path / "here" / "cache")}
    plan = make_plan({"datasets": {"tiny": {"clips": str(index), "folds": [{"input": video}]}}}, "plan", Path())
    folder = CompareDir(tmp_path / "here" / "compare" / "tiny")
    write_text(folder.plan, seen_from(plan, folder.path).to_yaml())
    (tmp_path / "here").rename(tmp_path / "there")
    (data,) = load_plan(tmp_path / "there" / "compare" / "tiny" / folder.plan.name, {}).datasets.values()
    assert data.clips == tmp_path / "there" / "clips" / clips.name
    assert data.folds[0]["input"]["cache_dir"] == str(tmp_path / "there" / "cache")


def test_tables_of_several_machines_make_one(whole: Path, clips: Path, tmp_path: Path, trained: list[str]) -> None:
    over: dict[str, Any] = {"methods": ["supervised"], "upper_bound": False}
    study_of(clips, tmp_path / "other", seeds=[1], **over).run()
    del trained[:]
    (tmp_path / "both").mkdir()
    tables = [pd.read_csv(folder / "compare.csv", dtype=str) for folder in (tmp_path / "other", whole, whole)]
    write_csv(tmp_path / "both" / "compare.csv", pd.concat(tables).assign(machine="of the user's own"))
    study_of(clips, tmp_path / "both", seeds=2, **over).run()
    assert trained == []
    assert rows_of(tmp_path / "both")["seed"].tolist() == [0, 1]
    assert rows_of(tmp_path / "both")[:1].astype(str).equals(rows_of(whole)[:1].astype(str))


def test_the_digest_stays_so_that_published_rows_still_count(clips: Path, tmp_path: Path) -> None:
    """Where this fails, rows of older tables no longer count as finished cells."""
    (cell,) = study_of(clips, tmp_path, methods=["supervised"], upper_bound=False).cells
    assert replace(cell, digests={"index": "a", "split": "b"}).digest.startswith("914eb30bf35a")
    inputs = (VideoInput(), VideoInput(cache_dir=tmp_path), VideoInput(size=64))
    videos = [replace(cell, config=cell.config.model_copy(update={"input": video})).digest for video in inputs]
    assert videos[0] == videos[1] != videos[2]


def test_a_row_is_of_one_cell_only(whole: Path, clips: Path, tmp_path: Path) -> None:
    table = pd.read_csv(whole / "compare.csv", dtype=str)
    write_csv(tmp_path / "compare.csv", table)
    changed = study_of(clips, tmp_path, settings={"train": {"learning_rate": 1e-4}})
    assert len(changed.left) == 4
    with pytest.raises(InputError, match=r"runs/tiny/20%/supervised/seed0 has other settings.* --replace"):
        changed.require_fit()
    with pytest.raises(InputError, match=r"supervised/seed0 is not part of this plan; .* --replace"):
        study_of(clips, tmp_path, methods=["fixmatch", "aplt"]).require_fit()
    renamed = study_of(clips, tmp_path, methods=["fixmatch", "aplt"], variants={"own": {"method": "supervised"}})
    assert [cell.key.method for cell in renamed.left] == ["own"]
    # Rows that are out of date beside those that are not take nothing from these, wherever they stand.
    for order in (0, 1), (1, 0):
        both = [table, table.assign(digest="0", top1="0.5")]
        write_csv(tmp_path / "compare.csv", pd.concat([both[k] for k in order]))
        study = study_of(clips, tmp_path)
        study.require_fit()
        assert [row.top1 for row in study.rows.values()] == rows_of(whole)["top1"].tolist()


@pytest.mark.parametrize(("column", "value"), [("top1", "high"), ("top1", ""), ("seed", ""), ("seconds", "nan")])
def test_a_damaged_table_is_a_sentence(column: str, value: str, whole: Path, clips: Path, tmp_path: Path) -> None:
    table = pd.read_csv(whole / "compare.csv", dtype=str, keep_default_na=False)
    table.loc[1, column] = value
    write_csv(tmp_path / "compare.csv", table)
    with pytest.raises(InputError, match=rf"compare.csv row 2: expected a \w+ as {column}, found '{value}'$"):
        study_of(clips, tmp_path)


def test_a_table_may_lack_figures_that_not_every_cell_has(whole: Path, clips: Path, tmp_path: Path) -> None:
    table = pd.read_csv(whole / "compare.csv", dtype=str)
    write_csv(tmp_path / "compare.csv", table.drop(columns=["unlabeled_top1", "online_by_round"]))
    study = study_of(clips, tmp_path)
    study.require_fit()
    assert [row.unlabeled_top1 for row in study.rows.values()] == [None] * 4
    write_csv(tmp_path / "compare.csv", table.drop(columns=["digest"]))
    study = study_of(clips, tmp_path)
    assert len(study.left) == 4
    with pytest.raises(InputError, match="supervised/seed0"):
        study.require_fit()
    write_csv(tmp_path / "compare.csv", table.drop(columns=["macro_f1"]))
    with pytest.raises(InputError, match=r"compare.csv: column 'macro_f1' is missing"):
        study_of(clips, tmp_path)


def test_a_finished_run_without_its_rounds_is_a_sentence(whole: Path, clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "copied"
    shutil.copytree(whole, path)
    study = study_of(clips, path)
    study.cells[0].run.metrics.unlink()
    CompareDir(path).cells.unlink()
    with pytest.raises(InputError, match=r"^tiny, supervised, .*metrics.jsonl: .*found none; remove .*seed0 to t"):
        study_of(clips, path)
    study.cells[0].run.result.write_text("{")
    with pytest.raises(InputError, match=r"^tiny, supervised, .*result.json: not JSON .*; remove .*seed0 to train it "):
        study_of(clips, path)
    result = read_json(whole / "runs" / "tiny" / "20%" / "supervised" / "seed0" / "result.json")
    write_json(study.cells[0].run.result, {key: value for key, value in result.items() if key != "steps"})
    shutil.copy(whole / "runs" / "tiny" / "20%" / "supervised" / "seed0" / "metrics.jsonl", study.cells[0].run.metrics)
    with pytest.raises(InputError, match=r"^tiny, supervised, .*steps: is missing.*; remove "):
        study_of(clips, path)
