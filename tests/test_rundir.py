"""What stands in a run's folder, read back, and what is missing or damaged in it."""

import json
from pathlib import Path

import pytest

from aplt.errors import InputError
from aplt.figures import Figures
from aplt.record import Round, Seconds, Watched
from aplt.rundir import RunDir

FIGURES = Figures(top1=0.5, macro_f1=0.25, per_class=())


def a_round(number: int, watched: Watched | None = None) -> Round:
    return Round(
        round=number,
        warm_up=False,
        steps_done=8,
        learning_rate=0.5,
        loss={"total": 1.0},
        pseudo=None,
        online=None,
        watched=watched,
        seconds=Seconds(online=3.0),
    )


def test_metrics_round_trip(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    assert run.read_rounds() == []
    lines = [a_round(1), a_round(2, watched=Watched(role="val", figures=FIGURES))]
    run.write_rounds(lines)
    assert run.read_rounds() == lines


def test_damaged_parts_are_named(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.metrics.write_bytes(a_round(1).model_dump_json().encode() + b'\n{"round": \xff}\n')
    with pytest.raises(InputError, match=r"metrics\.jsonl line 2: not JSON"):
        run.read_rounds()
    run.result.write_text('{"top1": 0.5')
    with pytest.raises(InputError, match=r"result\.json: not JSON"):
        run.read_result()
    run.result.write_text("null")
    with pytest.raises(InputError, match=r"result\.json: expected a JSON object, found NoneType"):
        run.read_result()


def test_a_figure_that_is_missing_or_no_number_is_named(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.metrics.write_text(a_round(1).model_dump_json().replace('"steps_done":8,', "") + "\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl line 1: steps_done: is missing"):
        run.read_rounds()
    run.metrics.write_text(a_round(1).model_dump_json().replace("0.5", '"fast"') + "\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl line 1: learning_rate: expected a number, found 'fast'"):
        run.read_rounds()


def test_numbers_that_do_not_fit_each_other_are_named(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number in (1, 3, 10**12):
        run.metrics.write_text(f"{a_round(1).model_dump_json()}\n{a_round(number).model_dump_json()}\n")
        with pytest.raises(InputError, match=rf"metrics\.jsonl line 2: round is {number}, expected 2"):
            run.read_rounds()
    pseudo: dict[str, object] = dict.fromkeys(("coverage", "precision", "rejected_precision", "all_precision"), 0.5)
    pseudo |= {"accepted": (1, 2), "known": (1, 2), "correct": (1, 2), "threshold": (0.5, None)}
    whole = a_round(1).model_dump()
    for name, value, why in (
        ("known", (1,), "known has 1 entries, expected 2 as in accepted"),
        ("threshold", (None,) * 3, "threshold has 3 entries, expected 2 as in accepted"),
        ("correct", (1, -2), r"correct\.1: expected at least 0, found -2"),
    ):
        run.metrics.write_text(json.dumps(whole | {"pseudo": pseudo | {name: value}}))
        with pytest.raises(InputError, match=rf"metrics\.jsonl line 1: pseudo(: |\.){why}; another version"):
            run.read_rounds()
    run.metrics.write_text(json.dumps(whole | {"pseudo": pseudo}))
    assert run.read_rounds()[0].pseudo is not None


def test_json_of_any_depth_is_named(tmp_path: Path) -> None:
    RunDir(tmp_path).result.write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"result\.json: not JSON"):
        RunDir(tmp_path).read_result()


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model in it; train first"):
        RunDir(tmp_path).require(lambda run: run.model, "train first")
    with pytest.raises(InputError, match="no such folder; train first"):
        RunDir(tmp_path / "none").require(lambda run: run.model, "train first")
    with pytest.raises(InputError, match="not a run folder, or its training is unfinished"):
        RunDir(tmp_path).read_result()
