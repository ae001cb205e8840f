"""The graph of neighbors: which clips look alike, by Iscen et al. (CVPR 2019, arXiv 1904.04717, eq. 7 to 9)."""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional

from aplt.offline.nearest import nearest

GAMMA = 3  # similarities are cosines to this power


def neighbor_graph(feature: Tensor, neighbors: int) -> csr_array:
    """Returns S = D^-1/2 W D^-1/2 [M, M] of feature [M, D], W the symmetric graph of each clip's nearest by cosine.

    Of many clips a few neighbors are missed, as `nearest` says.
    """
    unit = functional.normalize(feature, dim=1)
    near = nearest(unit.to(torch.promote_types(unit.dtype, torch.float32)).numpy(), neighbors)
    near.data = np.clip(near.data, 0, None) ** GAMMA
    graph = csr_array(near + near.T)
    scale = 1 / np.sqrt(np.maximum(graph.sum(axis=1), 1e-12))
    graph.data *= np.repeat(scale, np.diff(graph.indptr))
    graph.data *= scale[graph.indices]
    return graph
