"""Defects that public code of these methods has or had, planted one by one: the contract must fail on each.

Here: a teacher compared with itself, a mean over the accepted alone, a forgotten detach, memory outside of the state or
written in the backward pass, clips and names aligned by sorting. In test_processes: FlexMatch's store and SoftMatch's
moments of one process, and all else that is forgotten of the others. In test_keywords: FreeMatch's bound on its
threshold, and settings that take no effect. In tests/test_no_leakage: true labels in the loop, and an offline phase
that knows them. In tests/offline: labels of earlier centers, the mean of an empty cluster, differences of all points
and centers at once (test_kmeans); another clip in place of an unreadable one, a bank's rows under others' names
(test_bank). In tests/runs: a resume without the sampler's place or the random numbers (test_resume), a model chosen
on the test clips (test_loop).

Nowhere: a gather that no class defines, for it fails in any run of two processes, and this suite has some; assertions
as validation, swallowed import errors and settings that change on their way, which are matters of style.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from inspect import unwrap
from typing import Any, Literal, cast

import pytest
import torch
from torch import Tensor, nn

from aplt.methods import aplt, equations, simmatch, tubemix
from aplt.methods.aplt import APLT
from aplt.methods.equations import DistributionAlignment
from aplt.methods.fixmatch import FixMatch
from aplt.methods.flexmatch import FlexMatch
from aplt.methods.mean_teacher import MeanTeacher
from aplt.methods.simmatch import SimMatch
from aplt.methods.softmatch import SoftMatch
from aplt.methods.tubemix import TubeMix
from aplt.tensors import Algorithm, Prediction, Recognize, Step, StepLoss, Task
from tests.methods import contract
from tests.methods.cases import CASES
from tests.methods.contract import Case
from tests.methods.scene import Toy, ToyStudent, make_batch, make_task, step

MODULES = [sys.modules[name] for name in sorted({type(case.make(make_task())).__module__ for case in CASES.values()})]
# One method for each place where the mean is taken.
WITH_ACCEPTANCE = ["fixmatch", "simmatch", "tubemix", "aplt"]


def assert_caught(check: Callable[[Case], None], case: Case) -> None:
    with pytest.raises(AssertionError):
        check(case)


class TeacherTwice(MeanTeacher):
    """The teacher's weights are still in place when the student's prediction is made."""

    def loss(self, step: Step) -> StepLoss:
        return super().loss(replace(step, unlabeled=step.teacher(step.batch.weak)))


def test_mean_teacher_that_compares_the_teacher_with_itself() -> None:
    outcome = step(TeacherTwice(make_task()), ToyStudent(Toy(0)), Toy(1), make_batch(0))
    assert float(outcome.parts["u_mse"]) == 0.0
    assert_caught(contract.check_gradients, Case(TeacherTwice))
    assert_caught(contract.check_means_are_over_the_whole_batch, Case(TeacherTwice))


def mean_over_accepted(value: Tensor, weight: Tensor) -> Tensor:
    return (value * weight).sum() / weight.sum().clamp(min=1)


def mean_of_accepted_rows(value: Tensor, weight: Tensor) -> Tensor:
    return value[weight > 0.5].mean()


def plant_mean(monkeypatch: pytest.MonkeyPatch, mean: Callable[[Tensor, Tensor], Tensor]) -> None:
    for module in (equations, aplt, simmatch, tubemix):
        monkeypatch.setattr(module, "mean_over_all", mean)


@pytest.mark.parametrize("method", WITH_ACCEPTANCE)
def test_mean_over_accepted_clips(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_mean(monkeypatch, mean_over_accepted)
    assert_caught(contract.check_means_are_over_the_whole_batch, CASES[method])


@pytest.mark.parametrize("method", WITH_ACCEPTANCE)
def test_mean_of_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_mean(monkeypatch, mean_of_accepted_rows)
    assert_caught(contract.check_nothing_accepted, CASES[method])


class Attached(ToyStudent):
    """Makes its targets in a pass that carries a gradient."""

    def target(self, clip: Tensor) -> Prediction:
        self.target_saw.append(clip)
        (prediction,) = self(clip)
        return prediction


def forget_to_detach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plants it wherever targets come from; `@torch.no_grad()` leaves what it decorates in `__wrapped__`."""
    monkeypatch.setattr(contract, "ToyStudent", Attached)
    attached = unwrap(equations.probabilities)
    for module in (equations, *MODULES):
        if hasattr(module, "probabilities"):
            monkeypatch.setattr(module, "probabilities", attached)
    for method, name in ((SimMatch, "targets"), (DistributionAlignment, "forward")):
        monkeypatch.setattr(method, name, unwrap(getattr(method, name)))


# The labels and masks of the others are constants to a gradient.
WITH_SOFT_TARGETS = ["mean_teacher", "uda", "softmatch", "simmatch", "tubemix"]


@pytest.mark.parametrize("method", WITH_SOFT_TARGETS)
def test_target_that_is_not_detached(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_to_detach(monkeypatch)
    assert_caught(contract.check_gradients, CASES[method])


def test_memory_that_is_not_detached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simmatch, "gather", lambda local: local)
    assert_caught(contract.check_gradients, CASES["simmatch"])


class InBackward(SimMatch):
    """Writes its memory when the gradient passes."""

    def loss(self, step: Step) -> StepLoss:
        found = super().loss(step)
        if found.parts:
            found.parts["u_instances"].register_hook(lambda _: super(InBackward, self).remember(*self.seen))
        else:  # nothing to compare with yet
            super().remember(*self.seen)
        return found

    def remember(self, *seen: Tensor) -> None:
        self.seen = seen


def test_memory_that_is_written_in_the_backward_pass() -> None:
    contract.check_gradients(Case(InBackward))
    assert_caught(contract.check_backward_writes_nothing, Case(InBackward))


def forgetful(case: Case) -> Case:
    """Returns the method with its memory in plain attributes, which state_dict does not know of."""

    def make(task: Task) -> Algorithm:
        algorithm = case.make(task)
        assert isinstance(algorithm, nn.Module)
        for module in algorithm.modules():
            for name, tensor in list(module.named_buffers(recurse=False)):
                delattr(module, name)
                setattr(module, name, tensor)
        return algorithm

    return replace(case, make=make)


@pytest.mark.parametrize("method", ["flexmatch", "simmatch", "fixmatch_teacher"])
def test_memory_outside_of_the_state(method: str) -> None:
    case = forgetful(CASES[method])
    assert not case.make(make_task()).state_dict()
    contract.check_gradients(case)
    assert_caught(contract.check_memory_is_saved, case)


class StrongTarget(FixMatch):
    def loss(self, step: Step) -> StepLoss:
        return super().loss(replace(step, batch=step.batch._replace(weak=step.batch.strong)))


@pytest.mark.parametrize("target", ["student", "teacher"])
def test_target_that_sees_the_strong_view(target: Literal["student", "teacher"]) -> None:
    assert_caught(contract.check_targets_see_weak_views, Case(partial(StrongTarget, target=target)))


class UnguardedVariance(SoftMatch):
    def weights(self, confidence: Tensor) -> Tensor:
        self.mean.lerp_(confidence.mean(), 1 - self.momentum)
        self.variance.lerp_(confidence.var(), 1 - self.momentum)
        below = (confidence - self.mean).clamp(max=0)
        return (-below.square() * self.deviations**2 / (2 * self.variance)).exp()


@pytest.mark.filterwarnings("ignore:var")
def test_variance_of_one_clip() -> None:
    contract.check_memory_is_saved(Case(UnguardedVariance))
    assert_caught(contract.check_small_batches, Case(UnguardedVariance))


class LastWins(FlexMatch):
    def store(self, confidence: Tensor, label: Tensor, position: Tensor) -> None:
        confident = confidence > self.confidence
        self.stored[position[confident]] = label[confident]


def test_store_that_keeps_what_stands_last_in_the_batch() -> None:
    assert_caught(contract.check_order_is_irrelevant, Case(LastWins))


def aligned_by_sorting(case: Case) -> Case:
    """Returns the method with the names of its clips sorted, and the clips not."""

    def make(task: Task) -> Algorithm:
        algorithm = case.make(task)
        loss = algorithm.loss

        def misnamed(step: Step) -> StepLoss:
            names = {name: getattr(step.batch, name).sort().values for name in ("position", "labeled_position")}
            return loss(replace(step, batch=step.batch._replace(**names)))

        cast(Any, algorithm).loss = misnamed
        return algorithm

    return replace(case, make=make)


@pytest.mark.parametrize("method", ["flexmatch", "simmatch", "aplt_paper", "aplt"])
def test_clips_and_names_aligned_by_sorting(method: str) -> None:
    assert_caught(contract.check_order_is_irrelevant, aligned_by_sorting(CASES[method]))


def test_partners_drawn_by_row() -> None:
    class ByRow(TubeMix):
        def partners(self, position: Tensor) -> Tensor:
            return super().partners(torch.arange(len(position)))

    class MixedByRow(APLT):
        def _draw(self, accepted: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
            return super()._draw(accepted, torch.arange(len(order)))

    assert_caught(contract.check_order_is_irrelevant, replace(CASES["tubemix"], make=ByRow))
    assert_caught(contract.check_order_is_irrelevant, replace(CASES["aplt"], make=MixedByRow))


class ReadsGuidance(APLT):
    """Takes the labeled clips' labels from the offline phase, which may have moved them."""

    def loss(self, step: Step) -> StepLoss:
        if step.guidance is not None:
            y = step.guidance.pseudo.label[step.batch.labeled_position].clamp(min=0)
            step = replace(step, batch=step.batch._replace(y=y))
        return super().loss(step)


def test_labels_from_elsewhere() -> None:
    assert_caught(contract.check_positions_are_only_names, replace(CASES["aplt"], make=ReadsGuidance))


class RoundedSimilarities(SimMatch):
    def similarities(self, feature: Tensor) -> Tensor:
        unit = nn.functional.normalize(feature.float(), dim=1)
        return (unit @ self.memory[self.memory_label >= 0].T).float() / self.temperature


def test_similarities_that_autocast_rounds() -> None:
    assert_caught(contract.check_mixed_precision, Case(RoundedSimilarities))


@pytest.mark.parametrize("method", ["fixmatch", "simmatch", "tubemix"])
def test_targets_that_are_always_of_the_student(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def student_alone(_: str, step: Step) -> Recognize:
        return step.student.target

    for module in (equations, sys.modules[type(CASES[method].make(make_task())).__module__]):
        if hasattr(module, "target_source"):
            monkeypatch.setattr(module, "target_source", student_alone)
    contract.check_targets_come_from(CASES[method], "student")
    assert_caught(partial(contract.check_targets_come_from, target="teacher"), CASES[method])
