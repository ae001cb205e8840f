"""A logistic regression on frozen features as a linear layer, by scikit-learn."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from aplt.tensors import FeatureBank

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def features(bank: FeatureBank) -> np.ndarray:
    """Returns the features [M, D] at their own length, as a classifier of the network sees them."""
    found: np.ndarray = (bank.feature * bank.norm[:, None]).double().numpy()
    return found


def regression() -> "Pipeline":
    """Returns a logistic regression of standardized features, not yet fitted."""
    from sklearn.linear_model import LogisticRegression  # slow to import, and few runs need it
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


def as_layer(fitted: "Pipeline", num_classes: int) -> tuple[Tensor, Tensor]:
    """Returns weight [K, D] and bias [K] of a fitted `regression` on features as they are; it has seen every class."""
    scaler, linear = fitted.steps[0][1], fitted.steps[1][1]
    weight, bias = np.zeros((num_classes, linear.coef_.shape[1])), np.zeros(num_classes)
    # With two classes scikit-learn keeps one row, the second's against the first's.
    rows = np.arange(num_classes)[-len(linear.coef_) :]
    weight[rows] = linear.coef_ / scaler.scale_
    bias[rows] = linear.intercept_ - weight[rows] @ scaler.mean_
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
