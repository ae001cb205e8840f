"""The student under each batch-norm policy: which statistics a pass uses, and which it moves."""

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from aplt.config import BatchNormPolicy
from aplt.models.recognizer import Recognizer
from aplt.runs.student import PolicyStudent
from aplt.tensors import Prediction

POLICIES: tuple[BatchNormPolicy, ...] = ("joint", "separate", "frozen")


class TinyNet(nn.Module):
    """A stand-in for a recognizer that counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))
        self.classifier = nn.Linear(4, 3)
        self.prototype: Tensor
        self.register_buffer("prototype", torch.zeros(3, 4))
        self.passes = 0

    @property
    def norm(self) -> nn.BatchNorm1d:
        return cast(nn.BatchNorm1d, self.encoder[1])

    def forward(self, clip: Tensor) -> Prediction:
        self.passes += 1
        feature = self.encoder(clip)
        return Prediction(feature, self.classifier(feature))


def make_student(policy: BatchNormPolicy) -> tuple[PolicyStudent, TinyNet]:
    net = TinyNet()
    student = PolicyStudent(cast(Recognizer, net), net, policy)
    student.train()
    return student, net


def views() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 5, generator=generator), torch.randn(4, 5, generator=generator) * 3 + 2


def normalized_as(view: Tensor, pool: Tensor) -> Tensor:
    """Returns the features of `view` by the statistics of `pool`."""
    net = TinyNet()
    plain, reference = net.encoder[0](view), net.encoder[0](pool)
    features: Tensor = (plain - reference.mean(dim=0)) / (reference.var(dim=0, unbiased=False) + net.norm.eps).sqrt()
    return features


def moved_mean(*pools: Tensor) -> Tensor:
    """Returns the running mean after passes over these pools."""
    net = TinyNet()
    mean = torch.zeros(4)
    for pool in pools:
        mean = 0.9 * mean + 0.1 * net.encoder[0](pool).mean(dim=0)
    return mean


def test_joint_views_share_one_pass() -> None:
    student, net = make_student("joint")
    one, other = views()
    first, second = student(one, other)
    together = torch.cat([one, other])
    torch.testing.assert_close(first.feature, normalized_as(one, together))
    torch.testing.assert_close(second.feature, normalized_as(other, together))
    torch.testing.assert_close(second.logits, net.classifier(second.feature))
    torch.testing.assert_close(net.norm.running_mean, moved_mean(together))
    assert net.passes == 1


def test_separate_views_have_statistics_of_their_own() -> None:
    student, net = make_student("separate")
    one, other = views()
    first, second = student(one, other)
    torch.testing.assert_close(first.feature, normalized_as(one, one))
    torch.testing.assert_close(second.feature, normalized_as(other, other))
    torch.testing.assert_close(net.norm.running_mean, moved_mean(one, other))


def test_frozen_statistics_stay_as_they_were_at_the_start() -> None:
    student, net = make_student("frozen")
    one, other = views()
    before = {name: tensor.clone() for name, tensor in net.norm.named_buffers()}
    for _ in range(2):
        student.train()  # as every round does
        first, second = student(one, other)
        target = student.target(one)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.norm.named_buffers())
    expected = TinyNet().eval()
    torch.testing.assert_close(first.logits, expected(one).logits)
    torch.testing.assert_close(second.logits, expected(other).logits)
    torch.testing.assert_close(target.logits, expected(one).logits)
    assert net.training
    assert net.classifier.training


def test_frozen_statistics_leave_scale_and_shift_to_learn() -> None:
    student, net = make_student("frozen")
    student(views()[0])[0].logits.square().sum().backward()
    assert net.norm.weight.grad is not None
    assert net.norm.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("policy", ["joint", "separate"])
def test_targets_have_a_pass_of_their_own(policy: BatchNormPolicy) -> None:
    student, net = make_student(policy)
    one, other = views()
    student(one)
    target = student.target(other)
    torch.testing.assert_close(target.feature, normalized_as(other, other))
    torch.testing.assert_close(net.norm.running_mean, moved_mean(one, other))
    assert net.passes == 2


@pytest.mark.parametrize("policy", POLICIES)
def test_targets_are_no_part_of_any_graph(policy: BatchNormPolicy) -> None:
    student, _ = make_student(policy)
    clip = views()[0].requires_grad_()
    feature, logits = student.target(clip)
    assert feature.grad_fn is None
    assert logits.grad_fn is None
    assert not logits.requires_grad
    (prediction,) = student(clip)
    assert prediction.logits.requires_grad


@pytest.mark.parametrize("policy", POLICIES)
def test_every_view_carries_a_gradient_and_a_target_in_between_does_no_harm(policy: BatchNormPolicy) -> None:
    student, net = make_student(policy)
    one, other = (view.requires_grad_() for view in views())
    first, second = student(one, other)
    student.target(one)
    (first.logits.square().sum() + second.logits.square().sum()).backward()
    assert all(view.grad is not None and view.grad.abs().sum() > 0 for view in (one, other))
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize("policy", POLICIES)
def test_no_clips_give_no_predictions_and_move_nothing(policy: BatchNormPolicy) -> None:
    student, net = make_student(policy)
    one, _ = views()
    full, nothing = student(one, one[:0])
    assert nothing.feature.shape == (0, 4)
    assert nothing.logits.shape == (0, 3)
    assert net.passes == 1
    reference, _ = make_student(policy)
    torch.testing.assert_close(full.logits, reference(one)[0].logits)


def test_gradient_flows_through_what_was_wrapped_and_targets_do_not() -> None:
    net, wrapper = TinyNet(), nn.Sequential(TinyNet())
    student = PolicyStudent(cast(Recognizer, net), wrapper, "joint")
    student(views()[0])[0].logits.sum().backward()
    assert all(parameter.grad is not None for parameter in wrapper.parameters())
    assert all(parameter.grad is None for parameter in net.parameters())
    student.target(views()[0])
    assert net.passes == 1
