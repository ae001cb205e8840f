"""Shrink-whitening."""

import pytest
import torch

from aplt.offline.space import carried, whiten


def test_by_hand_in_two_dimensions() -> None:
    # Variances 8/3 and 2/3 along the axes.
    feature = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    large, small = 8 / 3, 2 / 3
    shrunk = 0.3 * (large + small) / 2
    found = whiten([feature + torch.tensor([7.0, -2.0])], 2).abs()
    expected = torch.tensor([small + shrunk, large + shrunk]).rsqrt() * torch.tensor([1.0, 2.0])
    torch.testing.assert_close(found.amax(dim=0), expected)


def test_two_clips_by_hand() -> None:
    found = whiten([torch.tensor([[1.0, 0.0], [-1.0, 0.0]])], 2)  # variances 2 and 0, of which the mean is 1
    torch.testing.assert_close(found.abs(), torch.tensor([[0.0, 2.3**-0.5]]).expand(2, 2))


def test_keeps_the_directions_of_most_variance_and_moves_closer_to_equal() -> None:
    generator = torch.Generator().manual_seed(0)
    feature = torch.randn(500, 4, generator=generator) * torch.tensor([8.0, 4.0, 2.0, 0.01])
    found = whiten([feature], 3)
    assert found.shape == (500, 3)
    spread = found.std(dim=0)
    assert spread.max() / spread.min() < 2  # was 4
    assert abs(torch.corrcoef(torch.stack([found[:, -1], feature[:, 0]]))[0, 1]) > 0.99


def test_fewer_clips_than_dimensions_stays_finite() -> None:
    assert whiten([torch.randn(3, 10)], 8).isfinite().all()
    assert whiten([torch.randn(1, 10)], 8).isfinite().all()
    assert whiten([torch.ones(3, 10)], 8).isfinite().all()


@pytest.mark.parametrize(
    ("wanted", "rows", "classes", "expected"),
    [(64, 768, 10, 64), (64, 5000, 10, 64), (64, 767, 10, 63), (64, 300, 10, 25), (64, 100, 10, 20), (8, 300, 10, 8)],
)
def test_few_clips_carry_few_directions(wanted: int, rows: int, classes: int, expected: int) -> None:
    assert carried(wanted, rows, classes) == expected
