"""Learning with Local and Global Consistency (Zhou et al., NIPS 2003; no arXiv id), by scikit-learn.

    argmax F,  F = alpha S F + (1 - alpha) Y,  S = D^-1/2 W D^-1/2,  W the graph of nearest neighbors

The encoder is trained on the labeled clips alone; then the network stands still for good, and its classifier is
replaced by a logistic regression on all clips with the labels that were spread.
"""

import numpy as np
from torch import Tensor

from aplt.clips import UNKNOWN
from aplt.methods.method import Method
from aplt.methods.regression import as_layer, features, regression
from aplt.tensors import FeatureBank

NEIGHBORS = 10
ALPHA = 0.8  # share of a clip's label that comes from its neighbors


def fit_head(bank: FeatureBank, label: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Returns weight [K, D] and bias [K]: labels spread over the graph, then a logistic regression on all clips."""
    from sklearn.semi_supervised import LabelSpreading  # slow to import, and few runs need it

    known = label[bank.position].numpy()
    neighbors = min(NEIGHBORS + 1, len(known))  # scikit-learn counts the clip itself
    # scikit-learn's default tolerance stops before labels have reached every clip of a sparse graph.
    spread = LabelSpreading(kernel="knn", n_neighbors=neighbors, alpha=ALPHA, max_iter=1000, tol=1e-6)
    spread.fit(bank.feature.numpy(), known)
    # Labels stay where they were given, and no label has reached a part of the graph without labeled clips.
    found = np.where(known == UNKNOWN, spread.transduction_, known)
    reached = (spread.label_distributions_.sum(axis=1) > 0) | (known != UNKNOWN)
    return as_layer(regression().fit(features(bank)[reached], found[reached]), num_classes)


LABEL_PROPAGATION = Method(
    "labels spread over the frozen features' neighbor graph (scikit-learn)", "Zhou et al., NIPS 2003", fit_head=fit_head
)
