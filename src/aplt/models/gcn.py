"""A graph convolution network on skeletons, of the kind of ST-GCN++ and CTR-GCN (arXiv 2205.09443, 2107.12213).

Smaller than these, for clips of a person or two: joints are mixed by a learned graph for each group of channels, as in
decoupled graph convolutions, refined by what the clip shows; time by convolutions of several lengths.
"""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from aplt.models.poses import bone_parents, path_streams, pose_streams

GROUPS = 8  # of channels, each with a graph of its own
REACH = 3  # bones from a joint to the farthest that a graph begins with


class GraphConvolution(nn.Module):
    """Convolutions over joints and over time in turn; persons are encoded one by one and averaged.

    `blocks` are those of each stage, which is twice as wide as the one before. D is twice the last width. `parents` as
    for `TemporalConvolution`, but needed where no skeleton with so many joints is known.
    """

    def __init__(
        self,
        clip_shape: tuple[int, ...],
        *,
        width: Annotated[int, Field(ge=8, le=1 << 12, multiple_of=8)] = 48,
        blocks: Annotated[list[int], Field(min_length=1, max_length=8)] = [1, 2, 2],  # noqa: B006 - a default is shown
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
        parents: list[int] | None = None,
    ) -> None:
        super().__init__()
        joints = clip_shape[2]
        tree = bone_parents(clip_shape, parents)
        if tree is None:
            raise ValueError(
                f"no skeleton of {joints} joints is known; name each joint's parent with encoder_settings.parents"
            )
        self.parents = tree
        size = self._joints(torch.zeros(1, *clip_shape)).shape[1]
        graph = _first_graph(tree)
        self.normalize = nn.BatchNorm1d(size * joints)
        self.embed = nn.Sequential(nn.Conv2d(size, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.place = nn.Parameter(0.02 * torch.randn(width, 1, joints))
        self.halve = nn.Sequential(
            nn.Conv2d(width, width, (5, 1), (2, 1), (2, 0), groups=width, bias=False), nn.BatchNorm2d(width)
        )
        layers, before = [], width
        for stage, count in enumerate(blocks):
            for number in range(count):
                after = width << stage
                layers.append(_Block(before, after, graph, stride=2 if stage and not number else 1))
                before = after
        self.blocks = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)

    def forward(self, clip: Tensor) -> Tensor:
        """[B, C + 1, T, V, P] -> [B, D], averaged over joints, averaged and maximized over time."""
        batch, persons = clip.shape[0], clip.shape[-1]
        joints = self._joints(clip)
        size, frames, count = joints.shape[1:]
        flat = self.normalize(joints.transpose(2, 3).reshape(-1, size * count, frames))
        joints = flat.view(-1, size, count, frames).transpose(2, 3)
        hidden = self.blocks(self.halve(self.embed(joints) + self.place)).mean(dim=3)
        pooled = torch.cat([hidden.mean(dim=2), hidden.amax(dim=2)], dim=1)
        feature: Tensor = self.dropout(pooled.view(batch, persons, -1).mean(dim=1))
        return feature

    def _joints(self, clip: Tensor) -> Tensor:
        """[B, C + 1, T, V, P] -> [B * P, S, T, V]."""
        step = path_streams(clip)[1].expand(-1, -1, -1, clip.shape[3], -1)
        streams = torch.cat([*pose_streams(clip, self.parents), step], dim=1)
        return streams.permute(0, 4, 1, 2, 3).flatten(0, 1)


class _Block(nn.Module):
    def __init__(self, before: int, after: int, graph: Tensor, stride: int) -> None:
        super().__init__()
        self.space = _OverJoints(before, after, graph)
        self.time = _OverTime(after, stride)
        self.widen = (
            nn.Identity()
            if before == after
            else nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
        )
        self.skip = nn.AvgPool2d((stride, 1), ceil_mode=True) if stride > 1 else nn.Identity()

    def forward(self, hidden: Tensor) -> Tensor:
        wide = self.widen(hidden)
        return torch.relu(self.time(torch.relu(self.space(hidden) + wide)) + self.skip(wide))


class _OverJoints(nn.Module):
    """[B, C, T, V] -> [B, C', T, V]: each group of channels mixed over the joints by a graph of its own.

    The graphs are learned for all clips, and to each clip's is added what its joints' features have in common, as in
    CTR-GCN's equation 3, by a weight that begins small.
    """

    def __init__(self, before: int, after: int, graph: Tensor) -> None:
        super().__init__()
        rank = max(8, before // 8)
        self.graph = nn.Parameter(graph + 0.01 * torch.randn_like(graph))
        self.query, self.key = nn.Linear(before, rank), nn.Linear(before, rank)
        self.mix = nn.Linear(rank, GROUPS)
        self.weight = nn.Parameter(torch.full((1,), 0.1))
        self.widen = nn.Conv2d(before, after, 1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, hidden: Tensor) -> Tensor:
        mean = hidden.mean(dim=2).transpose(1, 2)
        common = torch.tanh(self.query(mean)[:, :, None] - self.key(mean)[:, None])
        graph = self.graph + self.weight * self.mix(common).permute(0, 3, 1, 2)
        wide = self.widen(hidden)
        mixed = wide.unflatten(1, (GROUPS, -1)).flatten(2, 3) @ graph
        normed: Tensor = self.norm(mixed.view_as(wide))
        return normed


class _OverTime(nn.Module):
    """[B, C, T, V] -> [B, C, T / stride, V]: convolutions of two lengths, a maximum and a plain one, side by side."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        part, pace = width // 4, (stride, 1)

        def reduced(then: nn.Module) -> nn.Module:
            return nn.Sequential(
                nn.Conv2d(width, part, 1, bias=False), nn.BatchNorm2d(part), nn.ReLU(inplace=True), then
            )

        self.branches = nn.ModuleList(
            [
                reduced(nn.Conv2d(part, part, (5, 1), pace, (2, 0), bias=False)),
                reduced(nn.Conv2d(part, part, (5, 1), pace, (4, 0), (2, 1), bias=False)),
                reduced(nn.MaxPool2d((3, 1), pace, (1, 0))),
                nn.Conv2d(width, part, 1, pace, bias=False),
            ]
        )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, hidden: Tensor) -> Tensor:
        normed: Tensor = self.norm(torch.cat([branch(hidden) for branch in self.branches], dim=1))
        return normed


def _first_graph(parents: list[int]) -> Tensor:
    """Returns the graphs [GROUPS, V, V] that training begins with: neighbors at 0 to REACH bones, in turn."""
    from scipy.sparse.csgraph import shortest_path  # slow to import, and other encoders go without

    joints = len(parents)
    bones = np.zeros((joints, joints))
    bones[range(joints), parents] = 1
    away = torch.tensor(shortest_path(bones, directed=False, unweighted=True))
    graphs = torch.stack([(away == group % (REACH + 1)).float() for group in range(GROUPS)])
    return graphs / graphs.sum(dim=1, keepdim=True).clamp(min=1)
