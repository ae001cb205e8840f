"""The equations that methods share, by hand."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

from aplt.methods.equations import (
    DistributionAlignment,
    margin_logits,
    masked_cross_entropy,
    mean_over_all,
    usual_momentum,
)
from aplt.methods.freematch import FreeMatch
from aplt.methods.softmatch import SoftMatch
from tests.methods.scene import make_task

FEATURE = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
PROTOTYPE = functional.normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), dim=1)
Y = torch.tensor([0, 1, 2, 0, 1])


def test_mean_is_over_all_clips_and_zero_of_nothing() -> None:
    assert float(mean_over_all(torch.tensor([2.0, 4.0, 6.0]), torch.tensor([1.0, 0.0, 0.0]))) == pytest.approx(2 / 3)
    value = torch.tensor([], requires_grad=True)
    mean = mean_over_all(value, torch.tensor([]))
    assert mean.item() == 0.0
    mean.backward()


def test_cross_entropy_of_labels_is_that_of_their_one_hot_rows() -> None:
    weight = torch.tensor([1.0, 0.0, 0.5, 1.0, 1.0])
    logits = FEATURE @ PROTOTYPE.T
    hard = masked_cross_entropy(logits, Y, weight)
    torch.testing.assert_close(hard, masked_cross_entropy(logits, functional.one_hot(Y, 3).float(), weight))


def test_margin_lowers_only_the_own_class() -> None:
    with_margin = margin_logits(FEATURE, PROTOTYPE, Y, margin=0.3, scale=20.0)
    without = margin_logits(FEATURE, PROTOTYPE, Y, margin=0.0, scale=20.0)
    torch.testing.assert_close(without - with_margin, 6.0 * functional.one_hot(Y, 3).float(), atol=1e-4, rtol=0)


def test_margin_logits_keep_their_digits_under_autocast() -> None:
    plain = margin_logits(FEATURE, PROTOTYPE, Y, margin=0.3, scale=20.0)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = margin_logits(FEATURE, PROTOTYPE, Y, margin=0.3, scale=20.0)
    assert torch.equal(plain, mixed)


def test_alignment_by_hand() -> None:
    align = DistributionAlignment(2, momentum=0.5)
    q, labeled = torch.tensor([[0.9, 0.1], [0.7, 0.3]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    # The first batch stands for itself: reference (0, 1), predicted (.8, .2).
    assert align(q, labeled)[0].tolist() == pytest.approx([0.0, 1.0])
    # Half a step each from zero: reference .25 (0, 1) + .5 (.6, .4) = (.3, .45), predicted .25 (.8, .2) + .5 (.2, .8),
    # the same, so nothing changes.
    q, labeled = torch.tensor([[0.2, 0.8]]), torch.tensor([[0.6, 0.4]])
    assert align(q, labeled)[0].tolist() == pytest.approx([0.2, 0.8])
    # reference: .5 (.3, .45) + .5 (0, 1) = (.15, .725); predicted: .5 (.3, .45) + .5 (.5, .5) = (.4, .475)
    one, other = 0.5 * 0.15 / 0.875 / (0.4 / 0.875), 0.5 * 0.725 / 0.875 / (0.475 / 0.875)
    aligned = align(torch.tensor([[0.5, 0.5]]), torch.tensor([[0.0, 1.0]]))
    assert aligned[0].tolist() == pytest.approx([one / (one + other), other / (one + other)])


def test_alignment_where_batches_have_as_many_of_each_class() -> None:
    align = DistributionAlignment(2, momentum=0.5, share=(0.9, 0.1))
    # A network that predicts what the labeled clips are stays as it is.
    q, y = torch.tensor([[0.9, 0.1]]), torch.tensor([0, 1, 0, 1])
    assert align(q, torch.eye(2)[y], y)[0].tolist() == pytest.approx([0.9, 0.1])
    predicted = torch.tensor([[0.6, 0.4], [0.2, 0.8]])
    align = DistributionAlignment(2, momentum=0.5, share=(0.9, 0.1))
    # reference: (2 * .9 * .6 + 2 * .1 * .2) / 2 = .56 and (2 * .9 * .4 + 2 * .1 * .8) / 2 = .44; predicted (.9, .1)
    one, other = 0.9 * 0.56 / 0.9, 0.1 * 0.44 / 0.1
    aligned = align(q, predicted, torch.tensor([0, 1]))
    assert aligned[0].tolist() == pytest.approx([one / (one + other), other / (one + other)])


def test_uniform_alignment_by_hand() -> None:
    align = DistributionAlignment(2, momentum=0.5)
    # predicted is (.8, .2) after the first batch, the reference (.5, .5)
    one, other = 0.9 * 0.5 / 0.8, 0.1 * 0.5 / 0.2
    aligned = align(torch.tensor([[0.9, 0.1], [0.7, 0.3]]), None)
    assert aligned[0].tolist() == pytest.approx([one / (one + other), other / (one + other)])


def test_alignment_that_never_moves_is_refused() -> None:
    with pytest.raises(ValueError, match=r"momentum is 1\.0, expected at least 0 and less than 1"):
        DistributionAlignment(2, momentum=1.0)


def test_alignment_survives_a_class_that_is_never_predicted() -> None:
    align = DistributionAlignment(2, momentum=0.0)
    assert align(torch.tensor([[1.0, 0.0]]), None).isfinite().all()


@pytest.mark.parametrize(("steps", "momentum"), [(1, 0.0), (40, 0.8), (400, 0.98), (8000, 0.999), (10**6, 0.999)])
def test_a_running_means_momentum_suits_the_budget(steps: int, momentum: float) -> None:
    assert usual_momentum(None, replace(make_task(), steps=steps)) == pytest.approx(momentum)
    assert usual_momentum(0.5, replace(make_task(), steps=steps)) == 0.5


@pytest.mark.parametrize("method", [FreeMatch, SoftMatch])
def test_methods_with_running_means_take_it(method: Any) -> None:
    assert method(replace(make_task(), steps=400)).momentum == pytest.approx(0.98)
