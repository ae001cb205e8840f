"""What stands in a run's folder, read back, and what is missing or damaged in it."""

from pathlib import Path

import pytest

from aplt.errors import InputError
from aplt.rundir import RunDir


def test_metrics_round_trip(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    assert run.read_metrics() == []
    run.write_metrics([{"round": 0, "x": None}, {"round": 1}])
    assert run.read_metrics() == [{"round": 0, "x": None}, {"round": 1}]


def test_damaged_parts_are_named(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.metrics.write_bytes(b'{"round": 0}\n{"round": \xff}\n')
    with pytest.raises(InputError, match=r"metrics\.jsonl line 2: not JSON"):
        run.read_metrics()
    run.result.write_text('{"top1": 0.5')
    with pytest.raises(InputError, match=r"result\.json: not JSON"):
        run.read_result()
    run.result.write_text("null")
    with pytest.raises(InputError, match=r"result\.json: expected a JSON object, found NoneType"):
        run.read_result()


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model in it; train first"):
        RunDir(tmp_path).require(lambda run: run.model, "train first")
    with pytest.raises(InputError, match="no such folder; train first"):
        RunDir(tmp_path / "none").require(lambda run: run.model, "train first")
    with pytest.raises(InputError, match="not a run folder, or its training is unfinished"):
        RunDir(tmp_path).read_result()
