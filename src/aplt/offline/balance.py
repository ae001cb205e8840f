"""Beliefs shared out over the classes in given proportions."""

import torch
from torch import Tensor

PASSES = 20
ROWS = 1024  # that are worked on at a time: they stay in the processor's cache
FAR = 30.0
"""Change of a class's weight up to which beliefs that were computed before it still have their digits."""


def class_weights(score: Tensor, prior: Tensor, free: Tensor) -> Tensor:
    """Returns what log beliefs `score` [M, K] lack, by class [K], for the mean of the `free` [M] rows to be the prior.

    `(score + weights).softmax(dim=1)` are the beliefs, shared out about as `prior` [K] says. Sinkhorn's iteration:
    entropic optimal transport from clips of equal mass to classes of mass `prior`. Each pass corrects every class by
    what it has too much.
    """
    weights = base = torch.zeros_like(score[0])
    wanted = (prior / prior.sum()).log()
    rows = free.nonzero()[:, 0].split(ROWS) if free.any() else ()
    believed: list[Tensor] = []
    for _ in range(PASSES if rows else 0):
        more = (weights - base).nan_to_num(nan=0.0)  # a class without a share stays at -inf
        if not believed or more.abs().max() > FAR:
            base, more = weights, torch.zeros_like(weights)
            believed = [(score[some] + base).softmax(dim=1) for some in rows]
        ratio, total = more.exp(), torch.zeros_like(weights, dtype=torch.float64)
        for some in believed:
            total += (1 / (some @ ratio)) @ some
        mass = (total * ratio / free.sum()).to(weights.dtype)
        weights = weights + wanted - mass.clamp(min=torch.finfo(mass.dtype).tiny).log()
    return weights
