"""Beliefs shared out over the classes in given proportions."""

import torch
from torch import Tensor

PASSES = 20


def balance(score: Tensor, prior: Tensor, free: Tensor) -> Tensor:
    """Returns log beliefs [M, K] from log beliefs `score`, whose mean over the `free` [M] rows is about `prior` [K].

    Sinkhorn's iteration: entropic optimal transport from clips of equal mass to classes of mass `prior`. Each pass
    corrects every class by what it has too much.
    """
    offset = torch.zeros_like(score[0])
    if free.any():
        loose, wanted = score[free], (prior / prior.sum()).log()
        for _ in range(PASSES):
            mass = (loose + offset).softmax(dim=1).mean(dim=0)
            offset = offset + wanted - mass.clamp(min=torch.finfo(mass.dtype).tiny).log()
    return (score + offset).log_softmax(dim=1)
