"""Self-adaptive thresholds."""

import pytest
import torch

from aplt.offline.thresholds import self_adaptive_thresholds

DISTANCE = torch.tensor([1.0, 3.0, 5.0])
ASSIGNMENT = torch.tensor([0, 0, 1])


def test_mean_distance_of_the_members_by_hand() -> None:
    found = self_adaptive_thresholds(DISTANCE, ASSIGNMENT, 2, previous=None, momentum=0.7)
    assert found.tolist() == [2.0, 5.0]


def test_remembers_the_previous_round() -> None:
    previous = torch.tensor([4.0, 1.0])
    found = self_adaptive_thresholds(DISTANCE, ASSIGNMENT, 2, previous=previous, momentum=0.7)
    assert found.tolist() == pytest.approx([0.7 * 4 + 0.3 * 2, 0.7 * 1 + 0.3 * 5])


def test_class_without_members() -> None:
    first = self_adaptive_thresholds(DISTANCE, ASSIGNMENT, 3, previous=None, momentum=0.0)
    assert first[2] == 3.0  # the mean of all
    later = self_adaptive_thresholds(DISTANCE, ASSIGNMENT, 3, previous=torch.tensor([9.0, 9.0, 7.0]), momentum=0.0)
    assert later.tolist() == [2.0, 5.0, 7.0]
