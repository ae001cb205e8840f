"""Methods without memory: the unlabeled loss of three clips against the formula, written as a plain loop."""

import math
from typing import Literal

import pytest
import torch

from aplt.methods.fixmatch import FixMatch
from aplt.methods.mean_teacher import MeanTeacher
from aplt.methods.pseudo_label import PseudoLabel
from aplt.methods.uda import UDA
from aplt.tensors import Algorithm, SemiBatch
from tests.methods.naive import argmax, cross_entropy, mean, rows, softmax
from tests.methods.scene import K, ToyStudent, clips_of, descent, make_batch, make_task, plain_toy

BATCH = make_batch(1, unlabeled=3)  # of which a confidence of 0.6 accepts two clips
STUDENT, TEACHER = ToyStudent(plain_toy(1.5)), plain_toy(1.0)


def loss_of(algorithm: Algorithm, batch: SemiBatch, part: str = "u_logits", *, progress: float = 0.5) -> float:
    return float(descent(algorithm, STUDENT, TEACHER, batch, progress=progress).parts[part])


def predictions() -> tuple[list[list[float]], list[list[float]], list[list[float]]]:
    """Returns the logits of student(weak), student(strong) and teacher(weak)."""
    return rows(STUDENT.model(BATCH.weak))[1], rows(STUDENT.model(BATCH.strong))[1], rows(TEACHER(BATCH.weak))[1]


def test_the_batch_has_clips_on_both_sides_of_the_threshold() -> None:
    for logits in (predictions()[0], predictions()[2]):
        assert sum(max(softmax(row)) >= 0.6 for row in logits) == 2


@pytest.mark.parametrize(("progress", "ramp"), [(0.0, 0.0), (0.1, 0.25), (0.4, 1.0), (0.9, 1.0)])
def test_pseudo_label(progress: float, ramp: float) -> None:
    weak, _, _ = predictions()
    losses = [cross_entropy(argmax(row), row) if max(softmax(row)) >= 0.6 else 0.0 for row in weak]
    found = loss_of(PseudoLabel(make_task(), confidence=0.6, u_weight=2.0), BATCH, progress=progress)
    assert found == pytest.approx(ramp * 2.0 * mean(losses), rel=1e-4)


@pytest.mark.parametrize(("progress", "ramp"), [(0.0, 0.0), (0.1, 0.25), (0.4, 1.0), (0.9, 1.0)])
def test_mean_teacher(progress: float, ramp: float) -> None:
    _, strong, taught = predictions()
    losses = [
        sum((a - b) ** 2 for a, b in zip(softmax(p), softmax(q), strict=True)) / K
        for p, q in zip(strong, taught, strict=True)
    ]
    found = loss_of(MeanTeacher(make_task(), u_weight=50.0), BATCH, "u_mse", progress=progress)
    assert found == pytest.approx(ramp * 50.0 * mean(losses), rel=1e-4)


def test_mean_teachers_label_is_the_teachers_best() -> None:
    made = descent(MeanTeacher(make_task()), STUDENT, TEACHER, BATCH, progress=0.5).online
    assert made is not None
    assert made.label.tolist() == [argmax(row) for row in predictions()[2]]


@pytest.mark.parametrize(("target", "tau"), [("student", 0.92), ("teacher", 0.8)])
def test_uda(target: Literal["student", "teacher"], tau: float) -> None:
    # One of the three passes tau, another one would if it were sharpened first.
    weak, strong, taught = predictions()
    losses, crossed = [], False
    for logits, p in zip(weak if target == "student" else taught, strong, strict=True):
        powers = [value ** (1 / 0.4) for value in softmax(logits)]
        sharpened = [power / sum(powers) for power in powers]
        losses.append(cross_entropy(sharpened, p) if max(softmax(logits)) >= tau else 0.0)
        crossed = crossed or max(softmax(logits)) < tau <= max(sharpened)
    assert crossed
    algorithm = UDA(make_task(), confidence=tau, target=target)
    assert loss_of(algorithm, BATCH) == pytest.approx(mean(losses), rel=1e-4)


def test_uda_of_a_prediction_without_any_doubt() -> None:
    far = clips_of(torch.tensor([[200.0, 0, 0, 0, 0, 0]]))
    batch = make_batch(0, unlabeled=1)._replace(weak=far)
    assert math.isfinite(loss_of(UDA(make_task()), batch))


@pytest.mark.parametrize("target", ["student", "teacher"])
def test_fixmatch(target: Literal["student", "teacher"]) -> None:
    weak, strong, taught = predictions()
    losses = []
    for logits, p in zip(weak if target == "student" else taught, strong, strict=True):
        q = softmax(logits)
        losses.append(cross_entropy(argmax(q), p) if max(q) >= 0.6 else 0.0)
    algorithm = FixMatch(make_task(), confidence=0.6, target=target, u_weight=3.0)
    assert loss_of(algorithm, BATCH) == pytest.approx(3.0 * mean(losses), rel=1e-4)


def test_fixmatch_by_hand() -> None:
    # Weak views of two classes at logits (1.5, 0, 0, 0) and (6, 0, 0, 0): confidences e^1.5 / (e^1.5 + 3) = 0.599 and
    # 0.993. Of tau = 0.95 only the second passes; its strong view has the logits (0, 0, 0, 0).
    weak = clips_of(torch.eye(6)[:1] * torch.tensor([[1.0], [4.0]]))
    batch = make_batch(0, unlabeled=2)._replace(weak=weak, strong=torch.zeros_like(weak))
    assert loss_of(FixMatch(make_task()), batch) == pytest.approx(math.log(4) / 2, rel=1e-5)
