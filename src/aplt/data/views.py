"""Views: a clip -> a clip tensor, as it stands (center), a little varied (weak) or heavily varied (strong).

A view is a pure function of its key, a tuple of whole numbers such as (seed, round, step, position): a run repeats
exactly whatever the number of workers. One draw holds for all frames of a clip.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from torch import Tensor

from aplt.clips import Clip
from aplt.config import SkeletonInput, VideoInput
from aplt.data.skeleton_views import SkeletonViews
from aplt.data.video_views import VideoViews

Kind = Literal["center", "weak", "strong"]
KINDS: tuple[Kind, ...] = ("center", "weak", "strong")


class Views(Protocol):
    """Makes views of the clips it was built on, by their position."""

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """[C, T, H, W] or [C, T, V, P]."""

    def __call__(self, position: int, kind: Kind, key: Sequence[int]) -> Tensor:
        """Returns one view, float32 of `clip_shape`.

        Raises:
            InputError: the clip cannot be read; names it.
        """


def make_views(
    clips: Mapping[int, Clip],
    settings: VideoInput | SkeletonInput,
    clip_shape: tuple[int, int, int, int] | None = None,
) -> Views:
    """Returns the views of videos or skeletons, by position; of `clip_shape` where a model's is given.

    Raises:
        InputError: a skeleton cannot be read or has other joints than the rest (videos are read when asked for).
    """
    if isinstance(settings, VideoInput):
        return VideoViews(clips, settings)
    return SkeletonViews(clips, settings, clip_shape)
