"""Views: a clip -> a clip tensor, as it is (center), a little varied (weak) or heavily varied (strong).

A view is a pure function of its key, a tuple of whole numbers such as (seed, round, step, position): a run repeats
exactly whatever the number of workers. One draw holds for all frames of a clip.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

Kind = Literal["center", "weak", "strong"]
KINDS: tuple[Kind, ...] = ("center", "weak", "strong")


class Views(Protocol):
    """Makes views of the clips it was built on, by their position."""

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """[C, T, H, W], [C + 1, T, V, P] or [1, 1, D, 1]."""

    def __call__(self, position: int, kind: Kind, key: Sequence[int]) -> Tensor:
        """Returns one view, float32 of `clip_shape`.

        Raises:
            InputError: the clip cannot be read; names it.
        """


@runtime_checkable
class BatchViews(Views, Protocol):
    """Views of which many are made at once in less time than one by one."""

    def many(self, positions: Sequence[int], kind: Kind, keys: np.ndarray) -> Tensor:
        """Returns a view of each position [n, *clip]; `keys` [n, k] has their keys, and each is as if made alone."""
