"""Classical semi-supervised learning on a frozen feature bank, by scikit-learn: label propagation and self-training.

The encoder is trained on the labeled clips alone; then the network stands still for good, and its classifier is
replaced by a logistic regression that has seen the unlabeled clips, too. It is taught

    label_propagation   argmax F, F = alpha S F + (1 - alpha) Y, S = D^-1/2 W D^-1/2, W the graph of nearest neighbors
                        Learning with Local and Global Consistency (Zhou et al., NIPS 2003; no arXiv id)
    self_training       its own predictions of a probability above 0.75, refitted until there are no more
                        Unsupervised Word Sense Disambiguation Rivaling Supervised Methods (Yarowsky, ACL 1995;
                        no arXiv id)
"""

from typing import Literal

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from torch import Tensor

from aplt.clips import UNKNOWN
from aplt.tensors import FeatureBank

Head = Literal["label_propagation", "self_training"]
NEIGHBORS = 10
ALPHA = 0.8  # share of a clip's label that comes from its neighbors


def fit_head(bank: FeatureBank, label: Tensor, num_classes: int, head: Head) -> tuple[Tensor, Tensor]:
    """Returns weight [K, D] and bias [K] of a linear classifier of features; `label` [N] is -1 for unlabeled clips.

    label_propagation: labels spread over the graph of each clip's 10 nearest (scikit-learn's LabelSpreading), then a
    logistic regression on all of them. self_training: scikit-learn's SelfTrainingClassifier with its defaults, ten
    refits at most.
    """
    feature = (bank.feature * bank.norm[:, None]).double().numpy()
    known = label[bank.position].numpy()
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    if head == "label_propagation":
        neighbors = min(NEIGHBORS + 1, len(feature))  # scikit-learn counts the clip itself
        # scikit-learn's default tolerance stops before labels have reached every clip of a sparse graph.
        spread = LabelSpreading(kernel="knn", n_neighbors=neighbors, alpha=ALPHA, max_iter=1000, tol=1e-6)
        spread.fit(bank.feature.numpy(), known)
        # Labels stay where they were given, and no label has reached a part of the graph without labeled clips.
        found = np.where(known == UNKNOWN, spread.transduction_, known)
        reached = (spread.label_distributions_.sum(axis=1) > 0) | (known != UNKNOWN)
        fitted = regression.fit(feature[reached], found[reached])
    else:
        fitted = SelfTrainingClassifier(regression).fit(feature, known).estimator_
    scaler, linear = fitted.steps[0][1], fitted.steps[1][1]
    weight, bias = np.zeros((num_classes, feature.shape[1])), np.zeros(num_classes)
    # Every class has a labeled clip. With two of them scikit-learn keeps one row, the second's against the first's.
    rows = np.arange(num_classes)[-len(linear.coef_) :]
    weight[rows] = linear.coef_ / scaler.scale_
    bias[rows] = linear.intercept_ - weight[rows] @ scaler.mean_
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
