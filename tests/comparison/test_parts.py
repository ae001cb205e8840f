"""A plan in parts: several processes in one folder, whose tables are those of one."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from aplt.comparison.record import CompareDir, read_failed
from aplt.comparison.study import part_of
from aplt.comparison.work import train_cell
from aplt.errors import InputError
from aplt.lock import held
from tests.comparison.studies import BRIEF, WILD, rows_of, study_of


def test_every_cell_is_of_one_part() -> None:
    cells = list(range(7))
    assert sorted(cell for i in (1, 2, 3) for cell in cells[part_of(f"{i}/3")]) == cells
    assert cells[part_of("2/3")] == [1, 4]
    for text in ("0/3", "4/3", "1", "1/", "a/b", "1/3/5", "-1/3"):
        with pytest.raises(InputError, match=f"--only {text}: expected"):
            part_of(text)


def test_parts_at_work_together_leave_the_tables_of_one_process(whole: Path, clips: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    studies = [study_of(clips, tmp_path, part=part_of(f"{i}/2")) for i in (1, 2)]
    studies[0].write_plan()
    processes = [context.Process(target=study.run) for study in studies]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert rows_of(tmp_path).equals(rows_of(whole))
    assert CompareDir(tmp_path).table.read_text() == CompareDir(whole).table.read_text()


def test_tables_are_gathered_while_a_part_is_at_work(
    clips: Path, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    part = study_of(clips, tmp_path, part=part_of("1/2"), **BRIEF)
    part.write_plan()
    part.run()
    assert trained == ["20%/supervised/seed0", "20%/aplt/seed0"]
    CompareDir(tmp_path).cells.unlink()
    other = study_of(clips, tmp_path, part=slice(0), **BRIEF)
    other.announce()
    assert "0 of 4 cells" in capsys.readouterr().err
    with held(tmp_path / "runs" / "tiny" / "20%" / "fixmatch" / "seed0" / ".lock"):
        other.run()
    assert rows_of(tmp_path)["method"].tolist() == ["supervised", "aplt"]
    assert len(trained) == 2


def test_a_part_keeps_the_failures_of_others_until_their_cells_are_trained(clips: Path, tmp_path: Path) -> None:
    over: dict[str, Any] = {"methods": ["supervised"], "variants": {"wild": WILD}, "upper_bound": False, "seeds": 2}
    over |= BRIEF

    def run(part: str) -> None:
        study = study_of(clips, tmp_path, part=part_of(part), **over)
        study.write_plan()
        study.run()

    for number in (2, 4):
        with pytest.raises(InputError, match="wild"):
            run(f"{number}/4")
    run("1/4")
    folder = CompareDir(tmp_path)
    assert len(read_failed(folder)) == 2
    over["variants"] = {"wild": {"method": "supervised"}}
    run("2/4")
    assert [why.partition(": ")[0] for why, _ in read_failed(folder)] == ["tiny, wild, 20% labeled, seed 1"]


def test_a_run_folder_in_use_is_waited_for(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over: dict[str, Any] = {"methods": ["supervised"], "upper_bound": False, **BRIEF}
    study = study_of(clips, tmp_path, **over)
    (cell,) = study.cells
    with held(cell.run.lock):
        assert "another process is training" in str(train_cell(cell, study.folder))
    held_here = held(cell.run.lock)
    held_here.__enter__()
    monkeypatch.setattr("aplt.comparison.work.time.sleep", lambda _: held_here.__exit__(None, None, None))
    row = train_cell(cell, study.folder, patience=60)
    assert row == study_of(clips, tmp_path, **over).rows[cell.path]
