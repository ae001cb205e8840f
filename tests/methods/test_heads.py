"""Classical heads on banks made by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from aplt.methods import label_propagation
from aplt.methods.catalog import METHODS
from aplt.offline.graph import neighbor_graph
from aplt.tensors import FeatureBank, FitHead

NORM = 3.0
HEADS = [METHODS[name].fit_head or pytest.fail(name) for name in ("label_propagation", "self_training")]


def bank_of_clouds(classes: int, per_class: int = 30) -> tuple[FeatureBank, Tensor, Tensor]:
    """Clips about one direction a class, the first of each labeled; returns bank, label, truth."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(classes).repeat_interleave(per_class)
    feature = torch.eye(6)[truth] + 0.15 * torch.randn(len(truth), 6, generator=generator)
    label = torch.full_like(truth, -1)
    for k in range(classes):
        first = k * per_class
        feature[first] = feature[first] + 0.2 * torch.eye(6)[(k + 1) % classes]  # leans a little to the next class
        label[first] = k
    feature = torch.nn.functional.normalize(feature, dim=1)
    belief = torch.full((len(feature), classes), 1 / classes)
    position = torch.arange(len(feature))
    norm = torch.full((len(feature),), NORM)
    return FeatureBank(feature, norm, belief, position, feature[:0], position[:0]), label, truth


def predictions(bank: FeatureBank, head: tuple[Tensor, Tensor]) -> Tensor:
    weight, bias = head
    return (bank.feature * bank.norm[:, None] @ weight.T + bias).argmax(dim=1)


@pytest.mark.parametrize("fit", HEADS)
@pytest.mark.parametrize("classes", [2, 5])
def test_a_linear_classifier_of_raw_features_learns_from_the_unlabeled_clips(fit: FitHead, classes: int) -> None:
    bank, label, truth = bank_of_clouds(classes)
    weight, bias = fit(bank, label, classes)
    assert weight.shape == (classes, 6)
    assert (predictions(bank, (weight, bias)) == truth).float().mean() > 0.95
    if classes == 2:  # the second's logit is that against the first's
        assert not weight[0].any()
        assert not bias[0]


def test_labels_are_looked_up_by_position() -> None:
    bank, label, _ = bank_of_clouds(3)
    spread = torch.full((2 * len(label),), -1)
    position = torch.arange(len(label)) * 2 + 1  # the bank holds every other clip of a larger index
    spread[position] = label
    moved = FeatureBank(bank.feature, bank.norm, bank.probability, position, bank.extra_feature, bank.extra_position)
    for fit in HEADS:
        plain, other = fit(bank, label, 3), fit(moved, spread, 3)
        assert torch.equal(plain[0], other[0])
        assert torch.equal(plain[1], other[1])


def test_a_labeled_clip_among_another_class_keeps_its_label() -> None:
    bank, label, truth = bank_of_clouds(3)
    first = int((truth == 1).nonzero()[0])
    feature = bank.feature.clone()
    feature[first] = bank.feature[int((truth == 0).nonzero()[3])]
    weight, bias = label_propagation.fit_head(replace(bank, feature=feature), label, 3)
    found = predictions(bank, (weight, bias))
    assert (found[truth == 0] == 0).float().mean() > 0.7
    assert (found[truth == 2] == 2).float().mean() > 0.9


def test_clips_that_no_label_reaches_teach_nothing() -> None:
    bank, label, truth = bank_of_clouds(2)
    far = torch.eye(6)[5] + 0.01 * torch.randn(20, 6, generator=torch.Generator().manual_seed(1))
    feature = torch.cat([bank.feature, torch.nn.functional.normalize(far, dim=1)])
    more = FeatureBank(
        feature,
        torch.full((len(feature),), NORM),
        torch.full((len(feature), 2), 0.5),
        torch.arange(len(feature)),
        feature[:0],
        bank.extra_position,
    )
    longer = torch.cat([label, torch.full((20,), -1)])
    with_far, without = label_propagation.fit_head(more, longer, 2), label_propagation.fit_head(bank, label, 2)
    torch.testing.assert_close(with_far[0], without[0], atol=1e-3, rtol=1e-3)
    assert (predictions(bank, with_far) == truth).all()


def test_labels_spread_over_a_symmetric_weighted_graph() -> None:
    # Four clips on a circle at 0, 20, 40 and 90 degrees with two neighbors each; the first is 0, the last 1.
    angle = torch.tensor([0.0, 20.0, 40.0, 90.0]).deg2rad()
    feature = torch.stack([angle.cos(), angle.sin()], dim=1)
    spread = neighbor_graph(feature, 2).toarray()
    assert spread == pytest.approx(spread.T)
    weight = np.clip(feature.numpy() @ feature.numpy().T, 0, None) ** 3
    near = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 1, 1, 0]])  # row: the two nearest of each
    whole = weight * (near + near.T)
    degree = whole.sum(axis=1)
    assert spread == pytest.approx(whole / np.sqrt(np.outer(degree, degree)), abs=1e-6)
