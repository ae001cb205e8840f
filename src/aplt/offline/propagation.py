"""Refining beliefs over a neighbor graph: clips that look alike should be believed alike.

Label propagation (Zhou et al., NIPS 2003) on the graph of Iscen et al. (CVPR 2019, arXiv 1904.04717, eq. 7 to 9),
started from the clusters' memberships instead of from the labels alone. Ours; not in the paper.
"""

import numpy as np
import torch
from scipy.sparse import csr_array, diags_array
from sklearn.neighbors import kneighbors_graph
from torch import Tensor
from torch.nn import functional

GAMMA = 3  # similarities are cosines to this power
ALPHA = 0.9  # share of a clip's belief that comes from its neighbors
PASSES = 30


def propagate(graph: csr_array, belief: Tensor) -> Tensor:
    """Returns beliefs [M, K], rows summing to one, after spreading `belief` [M, K] over the graph S [M, M].

    F <- ALPHA S F + (1 - ALPHA) belief.
    """
    found = spread(graph, belief.double().numpy())
    return functional.normalize(torch.from_numpy(found), p=1, dim=1).to(belief.dtype)


def spread(graph: csr_array, start: np.ndarray) -> np.ndarray:
    """Returns what is on the clips [M, K] after `start` [M, K] has spread over the graph: F of `propagate`."""
    found = start
    for _ in range(PASSES):
        found = ALPHA * (graph @ found) + (1 - ALPHA) * start
    return found


def neighbor_graph(feature: Tensor, neighbors: int) -> csr_array:
    """Returns S = D^-1/2 W D^-1/2 [M, M] of feature [M, D], W the symmetric graph of each clip's nearest by cosine.

    Takes O(M^2 D) time and O(M neighbors) memory.
    """
    unit = functional.normalize(feature, dim=1).double().numpy()
    near = kneighbors_graph(unit, min(neighbors, len(unit) - 1), mode="distance", metric="euclidean")
    # Of unit vectors at distance d the cosine is 1 - d^2 / 2.
    near.data = np.clip(1 - near.data**2 / 2, 0, None) ** GAMMA
    graph = csr_array(near + near.T)
    scale = diags_array(1 / np.sqrt(np.maximum(graph.sum(axis=1), 1e-12)))
    return csr_array(scale @ graph @ scale)
