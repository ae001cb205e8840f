"""What a run remembers."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from aplt.runs.state import Clock, OnlineLog, TrainState


def bare_state(**values: Any) -> TrainState:
    return TrainState(*[cast(Any, None)] * 5, **values)


def test_the_clock_counts_each_phase_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr("aplt.runs.state.time.monotonic", lambda: now.seconds)
    run = bare_state()
    clock = Clock(run)
    with clock.phase("offline"):
        now.seconds += 2
        clock.count()  # for a checkpoint in between
        assert run.seconds["offline"] == 2
        now.seconds += 3
    now.seconds += 50  # of no phase
    clock.count()
    with clock.phase("online"):
        now.seconds += 7
    assert run.seconds == run.round_seconds == {"offline": 5, "online": 7, "evaluation": 0}
    run.next_round()
    with clock.phase("online"):
        now.seconds += 1
    assert run.seconds == {"offline": 5, "online": 8, "evaluation": 0}
    assert run.round_seconds == {"offline": 0, "online": 1, "evaluation": 0}


def test_the_next_round_begins_with_nothing_done() -> None:
    run = bare_state(round=2, step=7, guided=True, loss_sums={"total": 3.0})
    run.next_round()
    assert (run.round, run.step, run.guided, run.loss_sums) == (3, 0, False, {})


def test_the_log_of_online_labels_keeps_the_later_of_two_labels_with_its_own_weight() -> None:
    log = OnlineLog(5)
    log.see(torch.tensor([3, 1, 3]), torch.tensor([2, 0, 1]), torch.tensor([1.0, 0.5, 0.0]))
    assert log.label.tolist() == [-1, 0, -1, 1, -1]
    assert log.weight.tolist() == [0.0, 0.5, 0.0, 0.0, 0.0]
    log.see(torch.tensor([1]), torch.tensor([4]), torch.tensor([1.0]))
    assert log.label.tolist() == [-1, 4, -1, 1, -1]
    log.clear()
    assert log.label.tolist() == [-1] * 5
    assert not log.weight.any()
