"""Propagation of beliefs over a neighbor graph."""

import torch

from aplt.offline.graph import neighbor_graph
from aplt.offline.propagation import propagate


def circle(*degrees: float) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def spread_out(feature: torch.Tensor, neighbors: int, belief: torch.Tensor) -> torch.Tensor:
    return propagate(neighbor_graph(feature, neighbors), belief.clone())


def test_equals_a_dense_loop() -> None:
    # Similarities are cosines to the power of 3; 30 times, 0.9 of a belief comes from the neighbors.
    generator = torch.Generator().manual_seed(0)
    feature = torch.nn.functional.normalize(torch.randn(30, 5, generator=generator), dim=1)
    belief = torch.rand(30, 3, generator=generator).softmax(dim=1)
    graph = torch.zeros(30, 30, dtype=torch.float64)
    cosine = (feature @ feature.T).double()
    for i in range(30):
        order = [j for j in cosine[i].argsort(descending=True).tolist() if j != i]
        for j in order[:4]:
            graph[i, j] = max(float(cosine[i, j]), 0) ** 3
    graph = graph + graph.T
    degree = graph.sum(dim=1)
    spread = graph / (degree[:, None] * degree[None]).sqrt()
    found = belief.double()
    for _ in range(30):
        found = 0.9 * spread @ found + 0.1 * belief.double()
    expected = found / found.sum(dim=1, keepdim=True)
    torch.testing.assert_close(spread_out(feature, 4, belief).double(), expected, atol=1e-6, rtol=1e-5)


def test_a_wrong_belief_among_agreeing_neighbors_is_turned() -> None:
    feature = circle(0, 1, 2, 3, 4, 90, 91, 92, 93, 94)
    belief = torch.tensor([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 5)
    belief[2] = torch.tensor([0.3, 0.7])
    found = spread_out(feature, 3, belief)
    assert found.argmax(dim=1).tolist() == [0] * 5 + [1] * 5
    torch.testing.assert_close(found.sum(dim=1), torch.ones(10))


def test_beliefs_settle() -> None:
    """What is left of the start after all passes is small: a chain carries a belief from one end to the other."""
    feature = circle(*range(0, 80, 2))
    belief = torch.full((40, 2), 0.5)
    belief[0] = torch.tensor([1.0, 0.0])
    belief[-1] = torch.tensor([0.0, 1.0])
    found = spread_out(feature, 4, belief)[:, 0]
    assert (found[:20] > 0.5).all()
    assert (found[20:] < 0.5).all()
    assert (found.diff() < 0).all()


def test_more_neighbors_than_clips_are_all_others() -> None:
    feature, belief = circle(0, 10, 20, 50), torch.eye(4)
    torch.testing.assert_close(spread_out(feature, 50, belief), spread_out(feature, 3, belief))
    assert not torch.allclose(spread_out(feature, 50, belief), spread_out(feature, 2, belief))


def test_a_clip_unlike_all_others_keeps_its_belief() -> None:
    belief = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    found = spread_out(circle(0, 10, 180), 1, belief)
    torch.testing.assert_close(found[2], belief[2])


def test_the_length_of_features_does_not_matter() -> None:
    feature, belief = circle(0, 10, 30, 90, 95), torch.eye(5)
    longer = feature * torch.tensor([1.0, 5, 2, 0.1, 3])[:, None]
    torch.testing.assert_close(spread_out(longer, 2, belief), spread_out(feature, 2, belief))
