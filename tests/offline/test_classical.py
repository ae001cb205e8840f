"""Classical heads on banks made by hand."""

import pytest
import torch
from torch import Tensor

from aplt.offline.classical import Head, fit_head
from aplt.values import FeatureBank

NORM = 3.0


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


@pytest.mark.parametrize("head", ["label_propagation", "self_training"])
@pytest.mark.parametrize("classes", [2, 5])
def test_a_linear_classifier_of_raw_features_learns_from_the_unlabeled_clips(head: Head, classes: int) -> None:
    bank, label, truth = bank_of_clouds(classes)
    weight, bias = fit_head(bank, label, classes, head)
    assert weight.shape == (classes, 6)
    assert (predictions(bank, (weight, bias)) == truth).float().mean() > 0.95


def test_labels_are_looked_up_by_position() -> None:
    bank, label, _ = bank_of_clouds(3)
    spread = torch.full((2 * len(label),), -1)
    position = torch.arange(len(label)) * 2 + 1  # the bank holds every other clip of a larger index
    spread[position] = label
    moved = FeatureBank(bank.feature, bank.norm, bank.probability, position, bank.extra_feature, bank.extra_position)
    for head in ("label_propagation", "self_training"):
        plain, other = fit_head(bank, label, 3, head), fit_head(moved, spread, 3, head)
        assert torch.equal(plain[0], other[0])
        assert torch.equal(plain[1], other[1])
