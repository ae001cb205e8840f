"""The space that is clustered: centered, projected and shrink-whitened features."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy import linalg
from torch import Tensor

SHRINKAGE = 0.3
ROWS = 8192  # that are worked on at a time
ROWS_PER_DIRECTION = 12
"""Clips that it takes to tell a direction of classes from one of noise."""


def carried(dimensions: int, rows: int, num_classes: int) -> int:
    """Returns how many of the wanted `dimensions` that many rows carry.

    Whitening brings noise to nearly the size of what tells classes apart, and in more directions than few clips can
    average out nothing else is left. K classes differ in fewer than K directions, and as many again leave room for
    what varies more than the classes do.
    """
    return min(dimensions, max(rows // ROWS_PER_DIRECTION, 2 * num_classes))


@dataclass(frozen=True)
class Whitening:
    """What features become in the space that is clustered."""

    mean: Tensor  # [D]
    project: Tensor  # [D, dimensions]

    def __call__(self, features: Sequence[Tensor]) -> Tensor:
        """Returns features [m, D], each below the one before, as [M, dimensions]."""
        return torch.cat([(some - self.mean) @ self.project for feature in features for some in feature.split(ROWS)])


def whiten(features: Sequence[Tensor], dimensions: int) -> Tensor:
    """Returns features [m, D], each below the one before, as [M, dimensions], each dimension with a like variance."""
    return whitening(features, dimensions)(features)


def whitening(features: Sequence[Tensor], dimensions: int) -> Whitening:
    """Returns the projection of features [m, D] on their own first principal directions, each with a like variance.

    Shrink-whitening: variances are raised by a share of their mean before dividing by them, so that directions of
    noise are not blown up to the size of those that tell classes apart. Ours; not in the paper. Takes O(D^2) memory.
    """
    rows = [some for feature in features for some in feature.split(ROWS)]
    count, size = sum(map(len, rows)), features[0].shape[1]
    total = torch.zeros(size, dtype=torch.float64)
    for some in rows:
        total += some.sum(dim=0, dtype=torch.float64)
    mean = (total / count).to(features[0].dtype)
    covariance = torch.zeros(size, size, dtype=torch.float64)
    for some in rows:
        centered = some - mean
        covariance += centered.T @ centered
    covariance /= max(count - 1, 1)
    kept = min(dimensions, size)
    found = linalg.eigh(covariance.numpy(), subset_by_index=(size - kept, size - 1))
    variance, direction = (torch.from_numpy(array).to(features[0].dtype) for array in found)
    variance = variance.clamp(min=0)
    scale = (variance + SHRINKAGE * variance.mean()).clamp(min=torch.finfo(mean.dtype).tiny).rsqrt()
    return Whitening(mean, direction * scale)
