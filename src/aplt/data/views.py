"""Views: a clip -> a clip tensor, as it is (center), a little varied (weak) or heavily varied (strong).

A view is a pure function of its key, a tuple of whole numbers such as (seed, round, step, position): a run repeats
exactly whatever the number of workers. One draw holds for all frames of a clip.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from torch import Tensor

Kind = Literal["center", "weak", "strong"]
KINDS: tuple[Kind, ...] = ("center", "weak", "strong")


class Views(Protocol):
    """Makes views of the clips it was built on, by their position."""

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """[C, T, H, W] or [C + 1, T, V, P]."""

    def __call__(self, position: int, kind: Kind, key: Sequence[int]) -> Tensor:
        """Returns one view, float32 of `clip_shape`.

        Raises:
            InputError: the clip cannot be read; names it.
        """
