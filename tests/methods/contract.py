"""What must hold of the online half of every method, as functions that fail with AssertionError."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from aplt.tensors import Algorithm, Guidance, Prediction, SemiBatch
from tests.methods.ripening import one_step
from tests.methods.scene import (
    K,
    Make,
    Outcome,
    Toy,
    ToyStudent,
    descent,
    make_batch,
    make_guidance,
    make_task,
    method_of,
    plain_batch,
    plain_toy,
    step,
)


@dataclass(frozen=True)
class Case:
    """A method as the contract sees it."""

    make: Make
    guided: bool = False  # by an offline half
    draws_partners: bool = False
    ripen: Callable[[Any], None] = one_step  # until clear clips pass and unclear ones do not

    def guidance(self, *, classes: int = K, shift: int = 0, rotten: bool = False) -> Guidance | None:
        return make_guidance(classes=classes, shift=shift, rotten=rotten) if self.guided else None


def memory(algorithm: Algorithm) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in algorithm.state_dict().items()}


def buffers(algorithm: Algorithm) -> list[Tensor]:
    """Returns the memory itself, which a state_dict detaches."""
    assert isinstance(algorithm, nn.Module)
    return list(algorithm.buffers())


def hasty(case: Case) -> Algorithm:
    """Returns the method with running means so fast that a few steps leave a mark."""
    algorithm = case.make(make_task())
    assert isinstance(algorithm, nn.Module)
    for module in algorithm.modules():
        if hasattr(module, "momentum"):
            cast(Any, module).momentum = 0.8
    return algorithm


def shaded(batch: SemiBatch) -> SemiBatch:
    """Returns the batch with weak views of all shades, so that any threshold passes some and not others."""
    shades = torch.linspace(0.05, 1, len(batch.weak))
    return batch._replace(weak=batch.weak * shades.view(-1, 1, 1, 1, 1))


def ripe_outcome(case: Case, *, clear: bool, unclear: bool) -> Outcome:
    """Returns what a batch of such clips gives where clear clips pass and unclear ones do not."""
    algorithm, batch = case.make(make_task()), plain_batch(clear=clear, unclear=unclear)
    case.ripen(algorithm)
    return step(algorithm, ToyStudent(plain_toy()), plain_toy(), batch, case.guidance())


def check_gradients(case: Case) -> None:
    """The trained views and the whole student get a gradient; the targets' views and the teacher get none."""
    model, teacher = Toy(0), Toy(1)
    algorithm, student = hasty(case), ToyStudent(model)
    # First some steps: a memory may be empty, and a weight the same for all clips until a mean has moved.
    for seed in (3, 2, 1):
        step(algorithm, student, teacher, make_batch(seed), case.guidance())
        assert not any(tensor.requires_grad for tensor in buffers(algorithm)), "the memory is part of a graph"
    batch = shaded(make_batch(0))
    for view in (batch.weak_labeled, batch.strong_labeled, batch.weak, batch.strong):
        view.requires_grad_()
    loss = descent(algorithm, student, teacher, batch, case.guidance())
    assert_close(loss.total.detach(), torch.stack(list(loss.parts.values())).sum())
    loss.total.backward()
    trained = {name: getattr(batch, name).grad for name in ("weak_labeled", "strong_labeled", "weak", "strong")}
    got = {name for name, slope in trained.items() if slope is not None and slope.abs().sum() > 0}
    wanted = {"weak_labeled", "strong_labeled", method_of(algorithm).view}
    assert got == wanted, f"gradient in {got}, expected in {wanted}"
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert all(p.grad is None for p in teacher.parameters()), "the teacher has a gradient"


def check_targets_see_weak_views(case: Case) -> None:
    """Whatever makes targets is shown weak views and nothing else."""
    student, teacher = ToyStudent(Toy(0)), Toy(1)
    algorithm = case.make(make_task())
    for seed in range(2):
        batch = make_batch(seed)
        student.target_saw.clear()
        teacher.saw.clear()
        step(algorithm, student, teacher, batch, case.guidance())
        for clip in student.target_saw + teacher.saw:
            assert torch.equal(clip, batch.weak) or torch.equal(clip, batch.weak_labeled), "a target of another view"


def check_targets_come_from(case: Case, target: str) -> None:
    """Targets are made by the student alone, or by the teacher alone, as the setting says."""
    student, teacher = ToyStudent(Toy(0)), Toy(1)
    algorithm = case.make(make_task(), target=target)
    for seed in range(2):
        step(algorithm, student, teacher, make_batch(seed), case.guidance())
    asked = {name for name, saw in (("student", student.target_saw), ("teacher", teacher.saw)) if saw}
    assert asked == {target}, f"targets are of {asked}, expected of {target}"


def check_order_is_irrelevant(case: Case) -> None:
    """A batch in another order gives the same loss, gradient and memory, also if it holds clips twice."""
    results = []
    for turned in (False, True):
        algorithm, student, teacher = case.make(make_task()), ToyStudent(Toy(0)), Toy(1)
        outcomes = []
        for seed in range(4):
            # Which partner a view gets is drawn by position, which cannot tell two views of one clip apart.
            batch = make_batch(seed, unlabeled=8, repeats=not case.draws_partners)
            if turned:
                generator = torch.Generator().manual_seed(seed)
                x, u = torch.randperm(4, generator=generator), torch.randperm(8, generator=generator)
                x, u = x.flip(0) if seed == 0 else x, u.flip(0) if seed == 0 else u
                batch = SemiBatch(*(t[x] for t in batch[:4]), *(t[u] for t in batch[4:]))
            outcomes.append(step(algorithm, student, teacher, batch, case.guidance(), seed=seed))
        results.append((outcomes, memory(algorithm)))
    (one, memory_one), (other, memory_other) = results
    for first, second in zip(one, other, strict=True):
        assert_close(first.parts, second.parts)
        assert_close(first.gradient, second.gradient)
    assert_close(memory_one, memory_other)


def check_memory_is_saved(case: Case) -> None:
    """Some steps, save, load into a fresh one: the next steps are the same, bit for bit."""
    student, teacher = ToyStudent(Toy(0)), Toy(1)
    algorithm, again = hasty(case), hasty(case)
    for seed in range(6):
        step(algorithm, student, teacher, make_batch(seed, unlabeled=12), case.guidance(), seed=seed)
    again.load_state_dict(memory(algorithm))
    for seed in range(6, 10):
        batch = shaded(make_batch(seed, unlabeled=22))
        one, other = (step(a, student, teacher, batch, case.guidance()) for a in (algorithm, again))
        assert_same(one.parts, other.parts)
        assert_same(one.gradient, other.gradient)
        assert_same(memory(algorithm), memory(again))


def check_backward_writes_nothing(case: Case) -> None:
    """The memory is written when the loss is made, and not once for each pass through its graph."""
    algorithm, student, teacher = case.make(make_task()), ToyStudent(Toy(0)), Toy(1)
    for seed in range(3):
        loss = descent(algorithm, student, teacher, make_batch(seed), case.guidance())
        before = memory(algorithm)
        loss.total.backward()
        assert_same(memory(algorithm), before)


def check_nothing_accepted(case: Case) -> None:
    """Labels that nobody is sure of give exactly zero, and a gradient that is a number."""
    outcome = ripe_outcome(case, clear=False, unclear=True)
    parts = {name: float(part) for name, part in outcome.unlabeled.items()}
    assert all(math.isfinite(part) for part in parts.values()), f"{parts}, expected numbers"
    assert all(slope.isfinite().all() for slope in outcome.gradient), "the gradient is not a number"
    if outcome.online is not None and not outcome.online.weight.any():
        assert 0.0 in parts.values(), f"{parts}, expected a zero: no label counts"


def check_means_are_over_the_whole_batch(case: Case) -> None:
    """Clips that are not accepted count in the denominator.

    The loss of clear and unclear clips together is the mean over all of them, not over the accepted. Where every clip
    has a weight, the unclear ones add what they give alone.
    """
    clear, unclear, both = (
        ripe_outcome(case, clear=a, unclear=b).unlabeled for a, b in ((True, False), (False, True), (True, True))
    )
    for name in clear.keys() - {"fairness"}:  # which is of class shares, no mean over clips
        assert clear[name] > 0, f"{name} of clear clips is {clear[name]}"
        expected = (8 * clear[name] + 3 * unclear[name]) / 11
        torch.testing.assert_close(both[name], expected, rtol=1e-3, atol=1e-6, msg=f"{name}: {both[name]}, {expected}")


def check_small_batches(case: Case) -> None:
    """One clip of each kind and two classes are enough, step after step."""
    task = make_task(classes=2)
    algorithm, student, teacher = case.make(task), ToyStudent(Toy(0, 2)), Toy(1, 2)
    for seed in range(5):
        batch = make_batch(seed, labeled=1, unlabeled=1, classes=2)
        outcome = step(algorithm, student, teacher, batch, case.guidance(classes=2), seed=seed, rate=0.1)
        everything = [outcome.total, *outcome.gradient, *memory(algorithm).values()]
        assert all(tensor.isfinite().all() for tensor in everything), f"not a number after step {seed + 1}"


def check_labels_for_the_log(case: Case) -> None:
    """What a method says of its labels is one of the classes for each unlabeled clip, and how far it counted."""
    algorithm, student, teacher = case.make(make_task()), ToyStudent(Toy(0)), Toy(1)
    for seed in range(2):
        online = step(algorithm, student, teacher, make_batch(seed, unlabeled=6), case.guidance(), seed=seed).online
        if online is not None:
            assert online.label.shape == online.weight.shape == (6,)
            assert online.label.dtype == torch.int64
            assert ((online.label >= 0) & (online.label < K)).all()
            assert ((online.weight >= 0) & (online.weight <= 1)).all()


def check_warm_up_is_supervised(case: Case) -> None:
    """Without unlabeled clips and guidance it is the supervised method, at the start and later on."""
    fresh, late = case.make(make_task()), case.make(make_task())
    student, teacher = ToyStudent(Toy(0)), Toy(1)
    step(late, student, teacher, make_batch(0), case.guidance())
    batch = make_batch(1, unlabeled=0)
    wanted = step(None, student, teacher, batch)
    for algorithm in (fresh, late):
        outcome = step(algorithm, student, teacher, batch)
        assert_same(outcome.parts, wanted.parts)
        assert_same(outcome.gradient, wanted.gradient)


def check_positions_are_only_names(case: Case) -> None:
    """A position tells clips apart and gives away nothing: what an index and guidance hold besides is not used."""
    results = []
    for shift, rotten in ((0, False), (7, True)):
        algorithm, student, teacher = case.make(make_task(shift=shift)), ToyStudent(Toy(0)), Toy(1)
        guidance = case.guidance(shift=shift, rotten=rotten)
        outcomes = []
        for seed in range(3):
            batch = make_batch(seed)
            batch = batch._replace(position=batch.position + shift, labeled_position=batch.labeled_position + shift)
            outcomes.append(step(algorithm, student, teacher, batch, guidance, seed=seed))
        results.append(outcomes)
    for one, other in zip(*results, strict=True):
        assert_same(one.parts, other.parts)
        assert_same(one.gradient, other.gradient)


class ExactToy(Toy):
    """Computes in float32 also under autocast."""

    def forward(self, clip: Tensor) -> Prediction:
        with torch.autocast("cpu", enabled=False):
            return super().forward(clip)


def check_mixed_precision(case: Case) -> None:
    """Under autocast the networks' passes alone lose digits: losses and memory are in float32."""
    algorithm, student, teacher = case.make(make_task()), ToyStudent(Toy(0)), Toy(1)
    exact, plain = case.make(make_task()), case.make(make_task())
    exact_student, exact_teacher = ToyStudent(ExactToy(0)), ExactToy(1)
    for seed in range(3):
        batch, guidance = make_batch(seed), case.guidance()
        with torch.autocast("cpu", torch.bfloat16):
            outcome = step(algorithm, student, teacher, batch, guidance, seed=seed)
            one = step(exact, exact_student, exact_teacher, batch, guidance, seed=seed)
        for tensor in (outcome.total, *outcome.parts.values(), *memory(algorithm).values()):
            assert tensor.dtype in (torch.float32, torch.int64), "lower precision"
            assert tensor.isfinite().all()
        other = step(plain, exact_student, exact_teacher, batch, guidance, seed=seed)
        assert_same(one.parts, other.parts)
    assert_same(memory(exact), memory(plain))


CHECKS = (
    check_gradients,
    check_targets_see_weak_views,
    check_order_is_irrelevant,
    check_memory_is_saved,
    check_backward_writes_nothing,
    check_nothing_accepted,
    check_means_are_over_the_whole_batch,
    check_small_batches,
    check_labels_for_the_log,
    check_warm_up_is_supervised,
    check_positions_are_only_names,
    check_mixed_precision,
)


def assert_close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def assert_same(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0)
