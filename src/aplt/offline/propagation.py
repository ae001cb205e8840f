"""Refining beliefs over a neighbor graph: clips that look alike should be believed alike.

Label propagation (Zhou et al., NIPS 2003), started from the clusters' memberships instead of from the labels alone.
Ours; not in the paper.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee
from torch import Tensor
from torch.nn import functional

from aplt.parallel import threads

ALPHA = 0.9  # share of a clip's belief that comes from its neighbors
PASSES = 30
COLUMNS = 8  # that spread at a time: what is in double precision is so wide


def propagate(graph: csr_array, belief: Tensor) -> Tensor:
    """Returns beliefs [M, K], rows summing to one, after spreading `belief` [M, K] over the graph S [M, M].

    F <- ALPHA S F + (1 - ALPHA) belief. They take the place of `belief`, as `spread` does.
    """
    spread(graph, belief.numpy())
    return functional.normalize(belief, p=1, dim=1, out=belief)


def spread(graph: csr_array, start: np.ndarray, *, share: float = ALPHA, passes: int = PASSES) -> np.ndarray:
    """Returns what is on the clips [M, K] after `start` [M, K] has spread over the graph: F of `propagate`.

    It takes the place of `start`, of which there may be too much for two. `share` of it comes from each clip's
    neighbors in each of the `passes`.
    """
    # In an order in which neighbors lie near to each other, what is read is mostly in the processor's cache already.
    order = reverse_cuthill_mckee(graph, symmetric_mode=True)
    graph = graph[order][:, order]

    def spread_columns(first: int) -> None:
        columns = slice(first, first + COLUMNS)
        part = start[order, columns].astype(np.float64)
        own = (1 - share) * part
        for _ in range(passes):
            part = graph @ part
            part *= share
            part += own
        start[order, columns] = part

    with ThreadPoolExecutor(threads()) as pool:  # SciPy computes without holding the interpreter
        list(pool.map(spread_columns, range(0, start.shape[1], COLUMNS)))
    return start
