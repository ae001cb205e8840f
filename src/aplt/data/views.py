"""Views: a clip -> a clip tensor, as it is (center), a little varied (weak) or heavily varied (strong).

A view is a pure function of its key, a tuple of whole numbers such as (seed, round, step, position): a run repeats
exactly whatever the number of workers. One draw holds for all frames of a clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

import torch
from torch import Tensor

from aplt.data.modality import ClipShape

Kind = Literal["center", "weak", "strong"]
KINDS: tuple[Kind, ...] = ("center", "weak", "strong")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Request:
    """One view to make of the clip at a position."""

    position: int
    key: tuple[int, ...]


class Unfinished(Protocol):
    """Views on their way to a device, small as long as they are: their last steps are its own."""

    def pin_memory(self) -> Self:
        """Returns them in memory that a GPU copies from while others work."""

    def to(self, device: torch.device, *, non_blocking: bool) -> Self:
        """Returns them on a device."""

    def finished(self) -> Tensor:
        """Returns the views [n, *clip_shape], made where they are."""


class Views(Protocol):
    """Makes views of the clips it was built on."""

    @property
    def clip_shape(self) -> ClipShape:
        """[C, T, H, W], [C + 1, T, V, P] or [1, 1, D, 1]."""

    @property
    def at_once(self) -> int:
        """How many are best made at once where one view of each clip is wanted."""

    def __call__(self, kind: Kind, requests: Sequence[Request], device: torch.device = CPU, /) -> Tensor | Unfinished:
        """Returns n views of a kind, one or more, float32 [n, *clip_shape]; each whatever the others are.

        Or what is best handed over where a loader process makes them for a device, and finished there.

        Raises:
            InputError: a clip cannot be read; names it.
        """
