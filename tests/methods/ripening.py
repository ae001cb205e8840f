"""How a method comes to where clear clips pass and unclear ones do not: by steps of clear clips.

Where partners are drawn, they are fixed, too: outcomes of different batches can be compared only where the partners are
the same whatever else is in the batch.
"""

from typing import Any

import torch

from tests.methods.scene import UNLABELED, ToyStudent, plain_batch, plain_toy, step


def one_step(algorithm: Any) -> None:
    """For methods that begin with an empty memory; it does the others no harm."""
    step(algorithm, ToyStudent(plain_toy()), plain_toy(), plain_batch(clear=True, unclear=False))


def every_clip(algorithm: Any) -> None:
    """Shows all unlabeled clips, as about equally many of each class: a curriculum asks the most of every class."""
    batch = plain_batch(clear=True, unclear=False)
    size = len(batch.position)
    for first in (0, size, len(UNLABELED) - size):
        shown = batch._replace(position=torch.tensor(UNLABELED[first : first + size]))
        step(algorithm, ToyStudent(plain_toy()), plain_toy(), shown)


def many_steps(algorithm: Any) -> None:
    """Until fast running moments have forgotten where they began: a high mean, a small variance."""
    algorithm.momentum = 0.8
    for _ in range(30):
        one_step(algorithm)


def own_partners(algorithm: Any) -> None:
    """Mixes every clip with itself."""
    algorithm.partners = lambda position: torch.arange(len(position))


def first_partner(algorithm: Any) -> None:
    """Mixes every clip with the batch's first, which is a labeled one."""
    one_step(algorithm)
    algorithm._draw = lambda accepted, order: (torch.full_like(accepted, 0.7), torch.zeros_like(order))
