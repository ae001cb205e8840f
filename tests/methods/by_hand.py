"""Steps on clips of given probabilities, and how near the numbers of a table must be."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from aplt.methods.step import Descent
from aplt.tensors import Algorithm, OnlineLabels, SemiBatch
from tests.methods.scene import D, ToyStudent, clips_of, descent, plain_toy

Rows = Sequence[Sequence[float]]


def clips(probability: Rows) -> Tensor:
    """Returns clips that `plain_toy` gives these probabilities."""
    logits = torch.tensor(probability).log()
    return clips_of(functional.pad(logits, (0, D - logits.shape[1])))


def play(algorithm: Algorithm, weak: Rows, strong: Rows, labeled: Rows, position: Sequence[int]) -> Descent:
    """Takes a step."""
    known = clips(labeled)
    y, rows = torch.zeros(len(known), dtype=torch.int64), torch.tensor(position)
    batch = SemiBatch(known, known, y, torch.arange(1, 2 * len(known), 2), clips(weak), clips(strong), rows)
    toy = plain_toy(1.0, classes=len(weak[0]))
    return descent(algorithm, ToyStudent(toy), toy, batch)


def made(loss: Descent) -> OnlineLabels:
    assert loss.online is not None
    return loss.online


def near(values: float | Sequence[float]) -> object:
    return pytest.approx(values, abs=2e-6)
