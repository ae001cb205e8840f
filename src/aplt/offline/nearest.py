"""The nearest clips of each, exactly or, of many, nearly so. Free of torch, like all that reads what a run leaves."""

import numpy as np
from scipy.sparse import csr_array

from aplt.parallel import threads

EXACT = 30_000
"""Clips up to which each is compared with all others."""
RECALL, SAMPLE = 0.98, 500
"""Beyond: the share of nearest neighbors that is found at least, as measured on so many clips."""
CELL = 40
"""Clips for each cell by which the cells are placed."""


def nearest(unit: np.ndarray, neighbors: int) -> csr_array:
    """Returns the cosines of the nearest others of each of unit [M, D], of length one: row by row [M, M].

    Takes O(M neighbors) memory, and O(M^2 D) time up to `EXACT` clips; beyond, neighbors are looked for with an
    inverted file (Sivic and Zisserman, ICCV 2003; faiss), which takes about O(M^1.5 D) and misses at most one in 50.
    """
    neighbors = min(neighbors, len(unit) - 1)
    if len(unit) > EXACT:
        return _found(unit, neighbors)
    if not neighbors:
        return csr_array((len(unit), len(unit)))
    from sklearn.neighbors import kneighbors_graph  # slow to import, and predictions go without

    near = kneighbors_graph(unit.astype(np.float64), neighbors, mode="distance", metric="euclidean")
    # Of unit vectors at distance d the cosine is 1 - d^2 / 2.
    near.data = 1 - near.data**2 / 2
    return csr_array(near)


def _found(unit: np.ndarray, neighbors: int) -> csr_array:
    """Returns the cosines of the nearest of unit [M, D] to each, of which a few are missed, in the rows of an array."""
    import faiss

    faiss.omp_set_num_threads(threads())
    clips, size = unit.shape
    cells = round(4 * clips**0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(size), size, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, CELL
    index.train(unit)
    index.add(unit)
    wanted = neighbors + 1  # the nearest of all is the clip itself
    some = unit[np.linspace(0, clips - 1, SAMPLE, dtype=np.int64)]
    _, nearest = faiss.knn(some, unit, wanted, faiss.METRIC_INNER_PRODUCT)
    for searched in (2**power for power in range(3, cells.bit_length() + 1)):
        index.nprobe = min(searched, cells)
        _, near = index.search(some, wanted)
        if (near[:, :, None] == nearest[:, None]).any(axis=2).mean() >= RECALL:
            break
    cosine, near = index.search(unit, wanted)
    others = (near >= 0) & (near != np.arange(clips)[:, None])
    others &= others.cumsum(axis=1) <= neighbors
    starts = np.concatenate([[0], others.sum(axis=1).cumsum()])
    # As many clips as a machine holds are counted in 32 bits, and a graph is nearly as large as what is clustered.
    parts = cosine[others].astype(np.float64), near[others].astype(np.int32), starts.astype(np.int32)
    return csr_array(parts, shape=(clips, clips))
