"""An adapter on frozen features: residual blocks on a projection, one feature out."""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn


class Adapter(nn.Module):
    """A projection of standardized features to `width`, and blocks of two layers that are added to it; D = width."""

    def __init__(
        self,
        clip_shape: tuple[int, ...],
        *,
        width: Annotated[int, Field(ge=1, le=1 << 16)] = 256,
        blocks: Annotated[int, Field(ge=0, le=1000)] = 1,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    ) -> None:
        super().__init__()
        size = clip_shape[2]
        # Features of another network come in any scale: the first norm learns it.
        self.stem = nn.Sequential(nn.BatchNorm1d(size), nn.Linear(size, width, bias=False), nn.BatchNorm1d(width))
        self.blocks = nn.ModuleList(_block(width) for _ in range(blocks))
        self.finish = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(dropout))

    def forward(self, clip: Tensor) -> Tensor:
        """[B, 1, 1, D, 1] -> [B, width]."""
        hidden = self.stem(clip.flatten(1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        feature: Tensor = self.finish(hidden)
        return feature


def _block(width: int) -> nn.Module:
    inner = (nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True))
    return nn.Sequential(nn.ReLU(), *inner, nn.Linear(width, width, bias=False), nn.BatchNorm1d(width))
