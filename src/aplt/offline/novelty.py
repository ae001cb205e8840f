"""Clips of no class: how little the labels reach over the graph of neighbors. Ours; not in the paper.

What is of no labeled class lies where no labels are, however sure a classifier is of it, which was trained on such
clips as if they were of some class.
"""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from aplt.clips import UNKNOWN
from aplt.offline.propagation import spread

NOVEL = 0.95
"""From which a clip is taken to be of no class."""
FOLDS = 20


def novelty(graph: csr_array, label: Tensor) -> Tensor:
    """Returns in [0, 1] how little each clip of graph [M, M] lies like one of the classes of label [M] (-1: none).

    It is one minus a conformal p-value (Bates et al., arXiv 2104.08279): of labeled clips whose own fold of labels is
    hidden a share of 1 - `novelty` lies as far out. So of the clips of classes about 5 % have 0.95 or more, if the
    labeled ones are drawn at random; fewer than 19 labels never give so much. What is measured is the share of a
    clip's neighborhood that is labeled: what spreads from the labeled clips, as beliefs do, by what spreads from all.
    """
    return torch.from_numpy(novelty_of(*reach_of(graph, label)))


def novelty_of(reach: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Returns one minus the conformal p-value of reach [n] among usual [L], ascending."""
    rank: np.ndarray = 1 + np.searchsorted(usual, reach, side="right")
    return 1 - rank / (len(usual) + 1)


def reach_of(graph: csr_array, label: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Returns how labels reach each clip [M], and the labeled ones where their own fold is hidden [L], ascending."""
    labeled = torch.nonzero(label != UNKNOWN)[:, 0].numpy()
    folds = min(FOLDS, len(labeled))
    fold = np.empty_like(labeled)
    fold[np.argsort(label[labeled].numpy(), kind="stable")] = np.arange(len(labeled)) % folds  # classes are spread
    start = np.zeros((graph.shape[0], folds + 1))
    start[labeled, fold] = 1
    start[:, folds] = 1
    found = spread(graph, start)
    reached = found[:, :folds] / found[:, folds:]
    whole, hidden = reached.sum(axis=1), reached[labeled, fold]
    # The other folds' labels are fewer: what the hidden ones would reach is made up for.
    rest = np.maximum(len(labeled) - np.bincount(fold)[fold], 1)
    return whole, np.sort((whole[labeled] - hidden) * len(labeled) / rest)
