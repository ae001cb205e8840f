"""A temporal convolution network on skeletons: poses, bones, path and their motions in, one feature out."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from aplt.models.poses import bone_parents, path_streams, pose_streams


class TemporalConvolution(nn.Module):
    """Residual temporal convolutions over per-frame vectors of all joints; D = 2 * width.

    `parents` gives each joint's parent (the root's is itself); by default those of the skeleton that has this number
    of joints, as far as one is known.
    """

    def __init__(
        self,
        clip_shape: tuple[int, ...],
        *,
        width: Annotated[int, Field(ge=1, le=1 << 16)] = 128,
        blocks: Annotated[int, Field(ge=0, le=1000)] = 3,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
        parents: list[int] | None = None,
    ) -> None:
        super().__init__()
        self.parents = bone_parents(clip_shape, parents)
        size = self._frames(torch.zeros(1, *clip_shape)).shape[1]
        self.stem = nn.Sequential(
            nn.BatchNorm1d(size), nn.Conv1d(size, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True)
        )
        self.blocks = nn.Sequential(*(_Block(width, stride=1 if i % 2 else 2) for i in range(blocks)))
        self.dropout = nn.Dropout(dropout)

    def forward(self, clip: Tensor) -> Tensor:
        """[B, C + 1, T, V, P] -> [B, D], the blocks' output averaged and maximized over time."""
        hidden = self.blocks(self.stem(self._frames(clip)))
        pooled: Tensor = self.dropout(torch.cat([hidden.mean(dim=2), hidden.amax(dim=2)], dim=1))
        return pooled

    def _frames(self, clip: Tensor) -> Tensor:
        """[B, C + 1, T, V, P] -> one vector per frame [B, F, T]."""
        # Time lies last, as in what comes out: no stream has to be brought into another order.
        clip = clip.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
        parts = (*pose_streams(clip, self.parents), *path_streams(clip))
        return torch.cat([part.permute(0, 1, 3, 4, 2).flatten(1, 3) for part in parts], dim=1)


class _Block(nn.Module):
    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv1d(width, width, 5, stride, 2, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, width, 5, 1, 2, bias=False),
            nn.BatchNorm1d(width),
        )
        self.skip = nn.AvgPool1d(stride, ceil_mode=True) if stride > 1 else nn.Identity()

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.relu(self.branch(hidden) + self.skip(hidden))
