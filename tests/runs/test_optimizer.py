"""The optimizer side of a run, against hand-computed values: groups, steps, clipping, learning rates, the teacher."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.configure import configured
from aplt.runs.setup import build_state, make_accelerator, prepare_material, read_clips
from aplt.runs.state import TrainState, load_checkpoint, save_checkpoint
from tests.runs.clips import tiny_config
from tests.test_video_story import write_folder

RATE, DECAY = 0.1, 0.01


def state_of(clips: Path, **settings: Any) -> TrainState:
    config = tiny_config(clips, train=settings)
    material = prepare_material(config, *read_clips(config), make_accelerator("no"))
    return build_state(config, material, torch.device("cpu"))


class Step(NamedTuple):
    """What an optimizer is about to do."""

    rates: set[float]
    gradient: Tensor  # of all parameters


@contextmanager
def watched_steps() -> Iterator[list[Step]]:
    steps: list[Step] = []

    def look(optimizer: Optimizer, _: Any, __: Any) -> None:
        gradients = [p.grad.flatten() for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        steps.append(Step({group["lr"] for group in optimizer.param_groups}, torch.cat(gradients)))

    hook = register_optimizer_step_pre_hook(look)
    yield steps
    hook.remove()


def steps_of(clips: Path, folder: Path, **settings: Any) -> list[Step]:
    """Returns the steps of a run of two rounds of four."""
    with watched_steps() as steps:
        own = {"rounds": 2, "steps_per_round": 4} | settings
        train(tiny_config(clips, method="supervised", train=own), RunDir(folder))
    assert len(steps) == 8
    return steps


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_weights_are_decayed_and_biases_and_norms_are_not(optimizer: str, clips: Path) -> None:
    state = state_of(clips, optimizer=optimizer, weight_decay=DECAY)
    decay_of = {id(p): group["weight_decay"] for group in state.optimizer.param_groups for p in group["params"]}
    assert len(decay_of) == sum(len(group["params"]) for group in state.optimizer.param_groups)
    expected = {}
    for module in state.student.modules():
        for name, parameter in module.named_parameters(recurse=False):
            plain = name == "bias" or isinstance(module, nn.modules.batchnorm._BatchNorm)
            expected[id(parameter)] = 0.0 if plain else DECAY
    assert decay_of == expected
    assert set(expected.values()) == {0.0, DECAY}


def two_steps(state: TrainState, parameter: Tensor) -> list[float]:
    """Returns a parameter's first number, which is 2 at first, after a gradient of 1 and then of -0.5 everywhere."""
    parameter.data.fill_(2.0)
    values = []
    for slope in (1.0, -0.5):
        for other in state.student.parameters():
            other.grad = torch.full_like(other, slope)
        state.optimizer.step()
        values.append(parameter.flatten()[0].item())
    return values


def test_sgd_by_hand(clips: Path) -> None:
    state = state_of(clips, optimizer="sgd", learning_rate=RATE, weight_decay=DECAY)
    # Nesterov: v <- 0.9 v + g, p <- p - 0.1 (g + 0.9 v), from v = g; g is the slope and, of a weight, 0.01 p.
    assert two_steps(state, state.student.classifier.weight) == pytest.approx([1.8062, 1.81514822], rel=1e-6)
    state = state_of(clips, optimizer="sgd", learning_rate=RATE, weight_decay=DECAY)
    assert two_steps(state, state.student.classifier.bias) == pytest.approx([1.81, 1.824], rel=1e-6)


def test_adamw_by_hand(clips: Path) -> None:
    state = state_of(clips, optimizer="adamw", learning_rate=RATE, weight_decay=DECAY)
    # First m = v = 1 without bias: p - 0.1. Then m = (0.9 * 0.1 - 0.1 * 0.5) / 0.19 = 0.2105263 and
    # v = (0.999 * 0.001 + 0.001 * 0.25) / 0.001999 = 0.6248124: p - 0.1 * 0.2663382. Weights lose 0.1 * 0.01 before.
    bias = [1.9, 1.9 - 0.02663382]
    weight = [2 * 0.999 - 0.1, (2 * 0.999 - 0.1) * 0.999 - 0.02663382]
    assert two_steps(state, state.student.classifier.bias) == pytest.approx(bias, rel=1e-6)
    state = state_of(clips, optimizer="adamw", learning_rate=RATE, weight_decay=DECAY)
    assert two_steps(state, state.student.classifier.weight) == pytest.approx(weight, rel=1e-6)


@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_every_step_has_the_learning_rate_of_its_place_in_the_run(schedule: str, clips: Path, tmp_path: Path) -> None:
    steps = steps_of(clips, tmp_path / "run", schedule=schedule, learning_rate=0.5)
    factors = {
        "cosine": [5e-8, *((1 + math.cos(math.pi * n / 8)) / 2 for n in range(1, 8))],
        "step": [5e-8, 1, 1, 1, 1, 0.1, 0.1, 0.01],
    }
    rates = [rate for step in steps for rate in step.rates]  # one, the same in all groups
    assert rates == pytest.approx([0.5 * factor for factor in factors[schedule]])


def test_gradients_are_clipped_to_their_norm(clips: Path, tmp_path: Path) -> None:
    free, loose, tight = (steps_of(clips, tmp_path / str(bound), clip_gradient=bound) for bound in (None, 1e6, 1e-3))
    assert all(torch.equal(one.gradient, other.gradient) for one, other in zip(free, loose, strict=True))
    assert all(float(step.gradient.norm()) == pytest.approx(1e-3, rel=1e-3) for step in tight)
    # The first step starts from the same weights: its direction is kept.
    first = free[0].gradient
    torch.testing.assert_close(tight[0].gradient, 1e-3 * first / first.norm(), rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize(("settings", "decay"), [({}, 1 / 9), ({"ema_decay": 0.1}, 0.1)])
def test_the_teacher_follows_the_student(settings: dict[str, Any], decay: float, clips: Path) -> None:
    state = state_of(clips, **settings)
    norm = next(m for m in state.student.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
    followed = (norm.running_mean, state.student.classifier.weight)
    for value in (1.0, 3.0):
        for tensor in followed:
            assert tensor is not None
            tensor.data.fill_(value)
        state.teacher.update_parameters(state.student)
    teacher = next(m for m in state.recognizer.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
    for tensor in (teacher.running_mean, state.recognizer.classifier.weight):
        assert tensor is not None
        torch.testing.assert_close(tensor, torch.full_like(tensor, decay * 1 + (1 - decay) * 3))


def test_the_teacher_forgets_its_random_start(clips: Path) -> None:
    state = state_of(clips)
    weights = (state.student.classifier.weight, state.recognizer.classifier.weight)
    for step in range(1, 201):
        weights[0].data.fill_(float(step))
        state.teacher.update_parameters(state.student)
    # Of a power-function average, to the power of 7 in the step, the mean lies after 8/9 of the steps.
    torch.testing.assert_close(weights[1], torch.full_like(weights[1], 200 * 8 / 9), rtol=0.01, atol=0)


def test_the_fused_kernel_does_what_the_plain_one_does_whatever_the_layout_of_weights(tmp_path: Path) -> None:
    config = configured(
        {
            "clips": str(write_folder(tmp_path / "films", clips=2)),
            "encoder_settings": {"width": 4},
            "input": {"frames": 4, "size": 32, "cache": False},
            "train": {"batch_labeled": 2, "batch_unlabeled": 2, "workers": 0},
        },
        "test",
    )[0]
    material = prepare_material(config, *read_clips(config), make_accelerator("no"))
    ends = []
    for fused in (True, False):
        state = build_state(config, material, torch.device("cpu"))
        assert any(not parameter.is_contiguous() for parameter in state.student.parameters())
        assert {group["fused"] for group in state.optimizer.param_groups} == {True}
        for group in state.optimizer.param_groups:
            group["fused"] = fused
        for number in range(3):
            state.optimizer.zero_grad()
            clip = torch.randn(4, 3, 4, 32, 32, generator=torch.Generator().manual_seed(number))
            state.student(clip).logits.square().mean().backward()
            # Of another layout, what is gone through side by side would be mixed up.
            assert all(p.grad is None or p.grad.stride() == p.stride() for p in state.student.parameters())
            if number == 1:
                save_checkpoint(tmp_path / "state.safetensors", state, None)
                load_checkpoint(tmp_path / "state.safetensors", state)
            state.optimizer.step()
        ends.append([parameter.detach() for parameter in state.student.parameters()])
    for one, other in zip(*ends, strict=True):
        assert (one - other).abs().mean() < 1e-4
