"""The graph of neighbors, where clips are too many to be compared with all others."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch.nn import functional

from aplt.offline import nearest
from aplt.offline.graph import neighbor_graph


def features(groups: int = 40, each: int = 30, size: int = 12) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    centers = torch.randn(groups, 1, size, generator=draw)
    return (centers + 0.7 * torch.randn(groups, each, size, generator=draw)).reshape(-1, size)


def edges(found: csr_array) -> set[tuple[int, int]]:
    return set(zip(*(axis.tolist() for axis in found.nonzero()), strict=True))


@pytest.mark.parametrize("feature", [features(), features(1, 1200)], ids=["groups", "one cloud"])
def test_of_many_clips_nearly_all_neighbors_are_found(monkeypatch: pytest.MonkeyPatch, feature: torch.Tensor) -> None:
    exact = neighbor_graph(feature, 10)
    monkeypatch.setattr(nearest, "EXACT", 100)
    found = neighbor_graph(feature, 10)
    assert len(edges(found) & edges(exact)) > 0.96 * len(edges(exact))
    assert (found != neighbor_graph(feature, 10)).nnz == 0  # the same again
    assert abs(found - found.T).max() < 1e-12
    assert found.diagonal().max() == 0
    shared = list(edges(found) & edges(exact))
    ratio = np.array([found[at] / exact[at] for at in shared])
    assert np.median(abs(ratio - 1)) < 0.03  # of the scale by the clips' other neighbors
    assert np.mean(abs(ratio - 1) < 0.2) > 0.9  # an edge that one of two has missed weighs half


def test_copies_of_a_clip_are_neighbors_and_none_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    feature = functional.normalize(features(20, 10), dim=1).repeat(6, 1)
    monkeypatch.setattr(nearest, "EXACT", 100)
    found = neighbor_graph(feature, 4)
    assert found.diagonal().max() == 0
    assert {(row % 200, column % 200) for row, column in edges(found)} == {(k, k) for k in range(200)}
    unit = functional.normalize(feature, dim=1).numpy()
    # Where a clip is not among the nearest of itself, for its copies are as near, there would be one too many.
    assert (np.diff(nearest._found(unit, 4).indptr) == 4).all()


def test_where_few_cells_are_not_enough_more_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = functional.normalize(features(1, 3000, 24), dim=1)
    exact = {(row, column) for row, near in enumerate((unit @ unit.T).topk(11).indices.tolist()) for column in near[1:]}
    found = {}
    for recall in (0.5, 0.98):
        monkeypatch.setattr(nearest, "RECALL", recall)
        found[recall] = len(edges(nearest._found(unit.numpy(), 10)) & exact) / len(exact)
    assert 0.45 < found[0.5] < 0.9
    assert 0.97 < found[0.98] < 1
