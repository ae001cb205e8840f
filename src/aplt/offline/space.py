"""The space that is clustered: centered, projected and shrink-whitened features."""

import torch
from torch import Tensor

SHRINKAGE = 0.3


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
