"""The labeled part of a step, the same for every method, and what a method is called for."""

import pytest
import torch
from torch import nn

from aplt.methods.method import Method
from aplt.methods.step import take_step
from aplt.tensors import Step, StepLoss
from tests.methods.naive import cross_entropy, mean, rows
from tests.methods.scene import ToyStudent, make_batch, plain_toy

BATCH = make_batch(1, unlabeled=3)
STUDENT, TEACHER = ToyStudent(plain_toy(1.5)), plain_toy(1.0)


class Constant(nn.Module):
    """Adds 7 to every loss and keeps the steps that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Step] = []

    def loss(self, step: Step) -> StepLoss:
        self.seen.append(step)
        return StepLoss({"constant": torch.tensor(7.0)})


def test_labeled_losses_by_hand() -> None:
    y = BATCH.y.tolist()
    weak, strong = (rows(STUDENT.model(view))[1] for view in (BATCH.weak_labeled, BATCH.strong_labeled))
    one, other = (mean([cross_entropy(k, row) for k, row in zip(y, found, strict=True)]) for found in (weak, strong))
    method = Method("", "")
    found = take_step(
        method, None, STUDENT, TEACHER, BATCH, guidance=None, progress=0.5, weak_weight=2.0, strong_weight=0.5
    )
    assert {name: float(part) for name, part in found.parts.items()} == pytest.approx(
        {"sup_logits": 2 * one, "sup_strong": 0.5 * other}, rel=1e-4
    )
    assert float(found.total.detach()) == pytest.approx(2 * one + 0.5 * other, rel=1e-4)


def test_smoothed_labels_by_hand() -> None:
    found = take_step(Method("", ""), None, STUDENT, TEACHER, BATCH, guidance=None, progress=0.5, label_smoothing=0.2)
    weak = rows(STUDENT.model(BATCH.weak_labeled))[1]
    classes = range(len(weak[0]))
    expected = mean(
        [
            0.8 * cross_entropy(k, row) + 0.2 * mean([cross_entropy(other, row) for other in classes])
            for k, row in zip(BATCH.y.tolist(), weak, strict=True)
        ]
    )
    assert float(found.parts["sup_logits"]) == pytest.approx(expected, rel=1e-4)


def test_a_methods_own_parts_are_added() -> None:
    algorithm = Constant()
    plain = take_step(Method("", ""), None, STUDENT, TEACHER, BATCH, guidance=None, progress=0.5)
    found = take_step(Method("", "", Constant), algorithm, STUDENT, TEACHER, BATCH, guidance=None, progress=0.5)
    assert float(found.total.detach()) == pytest.approx(float(plain.total.detach()) + 7)
    assert found.parts.keys() == {"sup_logits", "sup_strong", "constant"}


@pytest.mark.parametrize("view", ["weak", "strong"])
def test_the_view_that_passes_the_student_is_the_methods_choice(view: str) -> None:
    algorithm = Constant()
    method = Method("", "", Constant, view=view)  # type: ignore[arg-type]
    take_step(method, algorithm, STUDENT, TEACHER, BATCH, guidance=None, progress=0.5)
    assert torch.equal(algorithm.seen[0].unlabeled.logits, STUDENT.model(getattr(BATCH, view)).logits)


@pytest.mark.parametrize("every_step", [False, True])
def test_steps_without_unlabeled_clips(*, every_step: bool) -> None:
    algorithm = Constant()
    method = Method("", "", Constant, every_step=every_step)
    take_step(method, algorithm, STUDENT, TEACHER, make_batch(0, unlabeled=0), guidance=None, progress=0.0)
    assert len(algorithm.seen) == every_step
