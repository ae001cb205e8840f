"""Heat maps of poses: where joints are, how high they stand, and what they are not changed by."""

import pytest
import torch

from aplt.models.heatmaps import MARGIN, heat_maps

SIZE = 20


def clip(*joints: tuple[float, float], persons: int = 1, dimensions: int = 2) -> torch.Tensor:
    """Returns [1, C + 1, 1, V, P] of joints at places (x, y), seen with certainty."""
    points = torch.zeros(1, dimensions, 1, len(joints), persons)
    points[0, :2, 0] = torch.tensor(joints).T.unsqueeze(-1)
    return torch.cat([points, torch.ones(1, 1, 1, len(joints), persons)], dim=1)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_joints_are_where_they_are_in_the_square_around_all(dimensions: int) -> None:
    maps = heat_maps(clip((0, 0), (10, 5), (10, -5), dimensions=dimensions), SIZE)
    assert maps.shape == (1, 3, 1, SIZE, SIZE)
    total = maps.sum(dim=(3, 4), keepdim=True)
    pixels = torch.arange(SIZE) + 0.5
    across = (maps * pixels / total).sum(dim=(3, 4)).flatten() / SIZE
    down = (maps * pixels[:, None] / total).sum(dim=(3, 4)).flatten() / SIZE
    # The box is 10 by 10, its middle (5, 0).
    torch.testing.assert_close(across, 0.5 + torch.tensor([-5.0, 5.0, 5.0]) / (10 * MARGIN), atol=0.01, rtol=0)
    torch.testing.assert_close(down, 0.5 + torch.tensor([0.0, 5.0, -5.0]) / (10 * MARGIN), atol=0.01, rtol=0)


def test_moved_and_enlarged_bodies_look_the_same() -> None:
    one = clip((0, 0), (10, 5), (3, -5))
    other = one.clone()
    other[:, :2] = 4 * other[:, :2] + 7
    torch.testing.assert_close(heat_maps(one, SIZE), heat_maps(other, SIZE), atol=1e-3, rtol=1e-3)


def test_a_map_is_as_high_as_the_confidence_and_what_is_not_seen_moves_no_border() -> None:
    one = clip((0, 0), (10, 5), (3, -5), (1000, 1000))
    one[:, -1, :, 3] = 0
    low = one.clone()
    low[:, -1, :, 1] = 0.5
    whole, half = heat_maps(one, SIZE), heat_maps(low, SIZE)
    torch.testing.assert_close(half[:, 1], 0.5 * whole[:, 1])
    torch.testing.assert_close(half[:, [0, 2]], whole[:, [0, 2]])
    assert not whole[:, 3].any()
    torch.testing.assert_close(whole[:, :3], heat_maps(one[:, :, :, :3], SIZE))


def test_of_several_persons_the_higher_counts_and_nobody_leaves_nothing() -> None:
    two = clip((0, 0), (10, 5), persons=2)
    two[:, -1, :, :, 1] = 0.3
    torch.testing.assert_close(heat_maps(two, SIZE), heat_maps(two[..., :1], SIZE))
    nobody = torch.zeros_like(two)
    assert not heat_maps(nobody, SIZE).any()
