"""What a kill at any moment leaves, and that the same command goes on from there."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aplt.comparison.record import CompareDir
from aplt.data.batches import SemiData
from aplt.errors import InputError
from aplt.lock import held
from aplt.storage import write_text
from tests.comparison.studies import METHODS, rows_of, study_of
from tests.runs.runs import at_step, until_killed


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lock_is_free(path: Path) -> bool:
    with held(path) as ours:
        return ours


def writing(name: str, count: int) -> Callable[[], None]:
    def arm() -> None:
        whole_write, written = Path.replace, [0]

        def replace(path: Path, target: Path) -> Path:
            if target.name == name:
                written[0] += 1
                if written[0] == count:
                    die()
            return whole_write(path, target)

        Path.replace = replace  # type: ignore[method-assign,assignment]

    return arm


def test_killed_and_started_again_leaves_the_same_rows(whole: Path, clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "killed"

    # In the last round of the first cell, then writing the row of the second one.
    for arm, left in ((at_step(1, 1, die), 4), (writing("compare.csv", 3), 2)):
        until_killed(arm, lambda: study_of(clips, path).run())
        again = study_of(clips, path)
        assert len(again.left) == left
    again.run()
    assert rows_of(path).equals(rows_of(whole))
    assert CompareDir(path).table.read_text() == CompareDir(whole).table.read_text()
    assert list(path.glob("**/.*.aside")) == []


def test_killed_with_two_jobs_its_cells_are_continued_at_once(
    whole: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "killed"

    def orphan() -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()  # holding the lock of its cell, until it notices

    over: dict[str, Any] = {"methods": METHODS[1:], "upper_bound": False}
    until_killed(at_step(1, 1, orphan), lambda: study_of(clips, path, jobs=2, **over).run())
    begun: list[tuple[int, int]] = []
    whole_batches = SemiData.semi_batches

    def batches(self: SemiData, steps: int, number: int, **options: Any) -> Any:
        begun.append((number, options.get("start", 0)))
        return whole_batches(self, steps, number, **options)

    monkeypatch.setattr(SemiData, "semi_batches", batches)
    study = study_of(clips, path, **over)
    for cell in study.cells:
        while cell.run.lock.exists() and not lock_is_free(cell.run.lock):
            time.sleep(0.05)
    study.run()
    assert (1, 1) in begun
    assert rows_of(path).equals(rows_of(whole)[1:3].reset_index(drop=True))


def test_a_report_that_a_kill_left_out_is_written(
    whole: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aplt.runs.begin._begin", lambda *_: pytest.fail("trained again"))
    path = tmp_path / "copied"
    shutil.copytree(whole, path)
    study = study_of(clips, path)
    study.folder.cells.unlink()
    study.cells[1].run.report.unlink()
    write_text(study.cells[1].run.checkpoint, "")  # which goes before the report comes
    study = study_of(clips, path)
    assert study.left == [study.cells[1]]
    study.run()
    assert study.cells[1].run.report.exists()
    assert not study.cells[1].run.checkpoint.exists()
    assert rows_of(path).equals(rows_of(whole))
    # One that cannot be written keeps nothing else.
    study.folder.cells.unlink()
    for cell in study.cells[1:3]:
        cell.run.report.unlink()
    study.cells[1].run.metrics.write_text("{")
    with pytest.raises(InputError, match=r"^tiny, fixmatch, .*metrics.jsonl line 1: not JSON"):
        study_of(clips, path).run()
    assert study.cells[2].run.report.exists()
    assert rows_of(path)["method"].tolist() == ["supervised", "aplt", "upper bound"]


def test_cells_under_way_are_named_when_a_process_is_killed(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aplt.comparison.work.train_or_reuse", lambda *_: die())
    with pytest.raises(InputError, match=r"a process was killed .*; under way were: tiny, supervised, .*; tiny, fixm"):
        study_of(clips, tmp_path, jobs=2).run()
