"""A temporal convolution network on skeletons: joints, bones and their speeds in, one feature out."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn


class TemporalConvolution(nn.Module):
    """Residual temporal convolutions over per-frame vectors of all joints.

    `parents` gives each joint's parent in the skeleton's tree (the root is its own); where given, the vectors from
    parent to joint (bones) enter besides.
    """

    def __init__(
        self, clip_shape: tuple[int, ...], *, width: int, blocks: int, dropout: float, parents: list[int] | None
    ) -> None:
        super().__init__()
        channels, _, joints, persons = clip_shape
        if parents is not None:
            _require_tree(parents, joints)
        self.parents = parents
        streams = 4 if parents else 2
        self.stem = nn.Sequential(
            nn.BatchNorm1d(streams * channels * joints * persons),
            nn.Conv1d(streams * channels * joints * persons, width, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
        )
        self.blocks = nn.Sequential(*(_Block(width, stride=1 if i % 2 else 2) for i in range(blocks)))
        self.dropout = nn.Dropout(dropout)

    def forward(self, clip: Tensor) -> Tensor:
        """[B, C, T, V, P] -> [B, D], the blocks' output averaged and maximized over time."""
        streams = [clip]
        if self.parents:
            streams.append(clip - clip[:, :, :, self.parents])
        streams += [torch.diff(stream, dim=2, append=stream[:, :, -1:]) for stream in streams]
        frames = torch.cat(streams, dim=1).permute(0, 1, 3, 4, 2).flatten(1, 3)
        hidden = self.blocks(self.stem(frames))
        pooled: Tensor = self.dropout(torch.cat([hidden.mean(dim=2), hidden.amax(dim=2)], dim=1))
        return pooled


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


def tcn(
    clip_shape: tuple[int, ...],
    *,
    width: Annotated[int, Field(ge=1, le=1 << 16)] = 64,
    blocks: Annotated[int, Field(ge=0, le=1000)] = 3,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    parents: list[int] | None = None,
) -> nn.Module:
    """Returns the temporal convolution network; D = 2 * width."""
    return TemporalConvolution(clip_shape, width=width, blocks=blocks, dropout=dropout, parents=parents)


def _require_tree(parents: list[int], joints: int) -> None:
    """Raises a ValueError unless every joint has a parent, and the way up from it ends in a root."""
    if len(parents) != joints:
        raise ValueError(f"parents: expected one for each of {joints} joints, found {len(parents)}")
    for joint, parent in enumerate(parents):
        if not 0 <= parent < joints:
            raise ValueError(f"parents: joint {joint} has the parent {parent}, expected 0 to {joints - 1}")
    for joint in range(joints):
        above = joint
        for _ in range(joints):
            above = parents[above]
        if parents[above] != above:
            raise ValueError(f"parents: from joint {joint} the way up goes in a circle; the root is its own parent")
