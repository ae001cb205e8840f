"""The space that is clustered: centered, projected and shrink-whitened features."""

import torch
from torch import Tensor

SHRINKAGE = 0.3
ROWS_PER_DIRECTION = 12
"""Clips that it takes to tell a direction of classes from one of noise."""


def carried(dimensions: int, rows: int, num_classes: int) -> int:
    """Returns how many of the wanted `dimensions` that many rows carry.

    Whitening brings noise to nearly the size of what tells classes apart, and in more directions than few clips can
    average out nothing else is left. K classes differ in fewer than K directions, and as many again leave room for
    what varies more than the classes do.
    """
    return min(dimensions, max(rows // ROWS_PER_DIRECTION, 2 * num_classes))


def whiten(feature: Tensor, dimensions: int) -> Tensor:
    """Returns feature [M, D] in its own first `dimensions` principal directions, each brought to a like variance.

    Shrink-whitening: variances are raised by a share of their mean before dividing by them, so that directions of
    noise are not blown up to the size of those that tell classes apart. Ours; not in the paper.
    """
    centered = (feature - feature.mean(dim=0)).double()
    covariance = centered.T @ centered / max(len(feature) - 1, 1)
    variance, direction = torch.linalg.eigh(covariance)
    kept = min(dimensions, len(variance))
    variance, direction = variance[-kept:].clamp(min=0), direction[:, -kept:]
    scale = (variance + SHRINKAGE * variance.mean()).clamp(min=torch.finfo(feature.dtype).tiny).rsqrt()
    whitened: Tensor = (centered @ direction * scale).to(feature.dtype)
    return whitened
