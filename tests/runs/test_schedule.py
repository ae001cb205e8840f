"""Learning rate and teacher memory by the share of training done, against numbers worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from aplt.methods.catalog import METHODS
from aplt.methods.mean_teacher import MeanTeacher
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.schedule import learning_rate_factor, teacher_decay, unlabeled_progress
from aplt.tensors import Step, StepLoss
from tests.runs.clips import tiny_config, write_clips


@pytest.mark.parametrize(
    ("progress", "factor"),
    [
        (0.0, 5e-8),  # not zero: the first step moves a little
        (0.005, 0.25 * 0.9999383),
        (0.01, 0.5 * 0.9997533),
        (0.02, 0.9990134),
        (0.25, 0.8535534),
        (0.5, 0.5),
        (0.75, 0.1464466),
        (1.0, 0.0),
    ],
)
def test_cosine_after_a_short_linear_start(progress: float, factor: float) -> None:
    assert learning_rate_factor("cosine", progress) == pytest.approx(factor, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("progress", "factor"),
    [(0.0, 5e-8), (0.005, 0.25), (0.01, 0.5), (0.02, 1), (0.599, 1), (0.6, 0.1), (0.849, 0.1), (0.85, 0.01), (1, 0.01)],
)
def test_steps_after_a_short_linear_start(progress: float, factor: float) -> None:
    assert learning_rate_factor("step", progress) == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("done", "highest", "decay"),
    [(0, None, 0.0), (8, None, 0.5), (392, None, 0.98), (392, 0.9, 0.9), (8, 0.9, 0.5)],
)
def test_the_teacher_remembers_an_eighth_of_the_training_so_far(done: int, highest: float | None, decay: float) -> None:
    assert teacher_decay(done, highest) == pytest.approx(decay, abs=1e-12)


@pytest.mark.parametrize(
    ("progress", "warm_up", "expected"),
    [(0.0, 0.3, 0), (0.2, 0.3, 0), (0.3, 0.3, 0), (0.65, 0.3, 0.5), (1.0, 0.3, 1), (0.4, 0.0, 0.4), (1.0, 1.0, 0)],
)
def test_the_warm_up_does_not_count_as_progress_of_the_unlabeled_clips(
    progress: float, warm_up: float, expected: float
) -> None:
    assert unlabeled_progress(progress, warm_up) == pytest.approx(expected)


def test_a_ramp_begins_with_the_unlabeled_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    class Watching(MeanTeacher):
        def loss(self, step: Step) -> StepLoss:
            seen.append(step.progress)
            return super().loss(step)

    monkeypatch.setitem(METHODS, "mean_teacher", replace(METHODS["mean_teacher"], algorithm=Watching))
    clips = write_clips(tmp_path / "clips")
    train(tiny_config(clips, method="mean_teacher", train={"rounds": 4, "warm_up_rounds": 2}), RunDir(tmp_path / "run"))
    steps = len(seen)
    assert seen == pytest.approx([k / steps for k in range(steps)])  # before: from 0.5 on
