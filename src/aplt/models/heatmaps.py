"""Poses as heat maps, and convolutions over space and time on them, as PoseConv3D has it (arXiv 2104.13586)."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

SPREAD = 0.6  # deviation of a joint's Gaussian in pixels, the paper's
MARGIN = 1.1  # the picture's side in sides of the square around all that is seen


class HeatMaps(nn.Module):
    """Draws each joint as a Gaussian, as high as the confidence in it, and convolves the maps of all joints.

    Maps have `size` by `size` pixels; D = 8 * width.
    """

    def __init__(
        self,
        clip_shape: tuple[int, ...],
        *,
        size: Annotated[int, Field(ge=8, le=1 << 10)] = 32,
        width: Annotated[int, Field(ge=1, le=1 << 12)] = 32,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    ) -> None:
        super().__init__()
        self.size = size
        self.stem = _normed(nn.Conv3d(clip_shape[2], width, 3, (2, 2, 2), 1, bias=False))
        self.blocks = nn.Sequential(
            _Block(width, width, time=False),
            _Block(width, 2 * width, time=True),
            _Block(2 * width, 4 * width, time=True),
        )
        self.dropout = nn.Dropout(dropout)
        self.to(memory_format=torch.channels_last_3d)  # a fifth less time for a step on a CPU

    def forward(self, clip: Tensor) -> Tensor:
        """[B, C + 1, T, V, P] -> [B, D], averaged over the picture, averaged and maximized over time."""
        hidden = self.blocks(torch.relu(self.stem(heat_maps(clip, self.size)))).mean(dim=(3, 4))
        pooled: Tensor = self.dropout(torch.cat([hidden.mean(dim=2), hidden.amax(dim=2)], dim=1))
        return pooled


@torch.no_grad()
def heat_maps(clip: Tensor, size: int) -> Tensor:
    """Returns the joints' maps [B, V, T, size, size] of clips [B, C + 1, T, V, P], of several persons the maximum.

    The picture shows the first two coordinates, from the front in three dimensions. It is the square around all joints
    that are seen in a clip, and so stays where it is while the body moves.
    """
    points, confidence = clip[:, :2].float(), clip[:, -1].float()
    seen = (confidence > 0).unsqueeze(1)
    low = points.masked_fill(~seen, torch.inf).amin(dim=(2, 3, 4), keepdim=True)
    high = points.masked_fill(~seen, -torch.inf).amax(dim=(2, 3, 4), keepdim=True)
    middle = ((low + high) / 2).nan_to_num(0.0)  # of a clip of nobody
    side = (MARGIN * (high - low).amax(dim=1, keepdim=True)).clamp(min=1e-3)
    places = ((points - middle) / side + 0.5) * size - 0.5
    pixels = torch.arange(size, device=clip.device)
    across, down = torch.exp(-((places.unsqueeze(-1) - pixels) ** 2) / (2 * SPREAD**2)).unbind(dim=1)
    maps = torch.einsum("btvpx,btvpy->bpvtyx", across * confidence.unsqueeze(-1), down)
    return maps.amax(dim=1)


class _Block(nn.Module):
    """A residual block of one convolution over the picture, which it halves where it widens, and one over time."""

    def __init__(self, before: int, after: int, *, time: bool) -> None:
        super().__init__()
        stride, kernel = (1, 2, 2) if after > before else (1, 1, 1), (3, 1, 1) if time else (1, 3, 3)
        padding = (1, 0, 0) if time else (0, 1, 1)
        self.space = _normed(nn.Conv3d(before, after, (1, 3, 3), stride, (0, 1, 1), bias=False))
        self.second = _normed(nn.Conv3d(after, after, kernel, 1, padding, bias=False))
        self.skip = nn.Identity() if after == before else _normed(nn.Conv3d(before, after, 1, stride, bias=False))

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.space(hidden))) + self.skip(hidden))


def _normed(convolution: nn.Conv3d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm3d(convolution.out_channels))
