"""How long a comparison is said to take: by finished cells, else by a trial."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aplt.compare.cells import Cell
from aplt.compare.estimate import TRIAL_SECONDS
from aplt.compare.work import CellError
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import train_or_reuse
from tests.compare.studies import METHODS, WILD, study_of


def test_estimates(clips: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[list[str]] = []

    def trial(cells: list[Cell], _: int) -> tuple[dict[Path, float], list[CellError]]:
        tried.append([cell.method for cell in cells])
        return {cell.path: 2.0 for cell in cells}, []

    monkeypatch.setattr("aplt.compare.study.seconds_by_trial", trial)
    new = study_of(clips, tmp_path / "new", labeled=[0.2, 0.5])
    assert new.seconds_left() is None
    new.try_out()
    assert new.seconds_left() == 2.0 * 7
    # Finished cells tell of their own kind (supervised's, too, of the upper bound's), the trial of the others.
    new.rows[new.cells[0].path] = {"seconds": 7.0}
    assert new.seconds_left() == 2 * 7.0 + 2.0 * 4
    # What is under way has taken some of it already, at most all.
    clock = SimpleNamespace(monotonic=lambda: 50.0)
    monkeypatch.setattr("aplt.compare.study.time", clock)
    new.begun = {new.left[0].path: 48.5, new.left[1].path: 10.0}
    assert new.seconds_left() == 2 * 7.0 + 2.0 * 4 - 1.5 - 2.0
    # When a study is grown, a trial tells of what is new in it.
    tried.clear()
    lazy = {"lazy": {"settings": {"train": {"learning_rate": 0.001}}}}
    grown = study_of(clips, whole, jobs=2, methods=["supervised", "aplt", "uda"], variants=lazy, labeled=[0.2, 0.5])
    assert [cell.method for cell in grown.left] == ["uda", "lazy", "supervised", "aplt", "uda", "lazy"]
    for seconds, row in zip((1.0, 4.0, 10.0), grown.rows.values(), strict=True):
        row["seconds"] = seconds
    # Without it, all finished cells tell of that.
    assert grown.seconds_left() == (5.0 + 4.0 + 1.0 + 4.0 + 5.0 + 4.0) / 2
    grown.try_out()
    assert tried == [["uda", "uda"]]
    assert grown.seconds_left() == (2.0 + 4.0 + 1.0 + 4.0 + 2.0 + 4.0) / 2


def test_a_trial_has_its_time_and_what_it_leaves_out_is_taken_to_be_like_the_rest(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"clips": str(clips), "settings": {"split": {"test": 0.5}}}
    study = study_of(clips, tmp_path, datasets={"other": other}, upper_bound=False)
    trained: list[tuple[str, float]] = []

    def train(config: Any, run: RunDir, made_of: dict[str, str]) -> Any:
        result = train_or_reuse(config, run, made_of)
        ended = time.time()
        os.utime(run.config, (ended - 0.6 * TRIAL_SECONDS,) * 2)  # when training began
        trained.append((config.method, config.split.test))
        return result

    monkeypatch.setattr("aplt.compare.work.train_or_reuse", train)
    study.try_out()
    assert trained == [("supervised", 0.25), ("supervised", 0.5)]
    each = [study.tried[study.cells[k].path] for k in (0, len(METHODS))]
    assert study.seconds_left() == pytest.approx(len(METHODS) * sum(each))


def test_a_trial_takes_a_few_steps_and_leaves_nothing(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    slow = {"method": "supervised", "settings": {"encoder_settings": {"blocks": 2}}}
    variants = {"slow": slow, "lazy": {"settings": {"train": {"learning_rate": 0.001}}}, "wild": WILD}
    settings = {"train": {"rounds": 1000, "warm_up_rounds": 1}}
    study = study_of(clips, tmp_path / "new", methods=["aplt"], variants=variants, settings=settings)
    study.try_out()
    assert (study.seconds_left() or 0) > 3 * 1000 * 0.001
    # One of each kind (aplt's stands for lazy's, too), and one that cannot be trained is no obstacle.
    assert [name.rpartition("/")[2] for name in trained] == ["0", "1", "2"]
    assert {cell.method for cell in study.left if cell.path in study.tried} == {"aplt", "slow", "lazy"}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"tiny, wild, 20% labeled, seed 0: .*the loss is not finite"):
        study_of(clips, tmp_path / "new", methods=[], variants={"wild": WILD}, upper_bound=False).try_out()


def test_a_trial_leaves_out_what_is_paid_once_for_all_cells(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(_: Any, run: RunDir, *__: Any) -> None:
        run.path.mkdir(parents=True)
        run.config.touch()
        os.utime(run.config, (980, 980))  # after decoding
        warm_up = {"offline": 0.0, "evaluation": 0.5}
        times = [
            warm_up | {"online": 9.5},
            warm_up | {"online": 1.0},
            {"online": 2.5, "offline": 2.0, "evaluation": 0.5},
        ]
        run.write_metrics([{"seconds": each} for each in times])

    monkeypatch.setattr("aplt.compare.estimate.train_cell", train)
    monkeypatch.setattr("aplt.compare.estimate.time", SimpleNamespace(time=lambda: 1000.0))
    study = study_of(clips, tmp_path / "new", methods=["aplt"], upper_bound=False)
    study.try_out()
    steps = 2  # a round, of which there are one of warm-up and another
    assert study.seconds_left() == pytest.approx(3.5 + steps * 0.2 + 0.5 + steps * 0.5 + 2.0 + 0.5)
