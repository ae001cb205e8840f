"""Temporal shift (TSM, Lin et al., ICCV 2019, arXiv 1811.08383), and a light encoder with it for a CPU."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.amp import is_autocast_available
from torch.nn import functional

REGULARIZE = 0.02  # added to squared gradients; below it a surface is too plain for its motion to be seen
LIMIT = 2.0  # pixels; larger motions are cut to it


class TemporalShift(nn.Module):
    """Moves 1/`division` of the channels one frame ahead and as many one frame back, then applies `net`."""

    def __init__(self, net: nn.Module, frames: int, division: int = 8) -> None:
        super().__init__()
        self.net, self.frames, self.division = net, frames, division

    def forward(self, frame: Tensor) -> Tensor:
        """[B*T, C, H, W] -> whatever `net` makes of it."""
        clip = frame.unflatten(0, (-1, self.frames))
        fold = clip.shape[2] // self.division
        later = functional.pad(clip[:, 1:, :fold], (0, 0, 0, 0, 0, 0, 0, 1))
        earlier = functional.pad(clip[:, :-1, fold : 2 * fold], (0, 0, 0, 0, 0, 0, 1, 0))
        shifted = torch.cat([later, earlier, clip[:, :, 2 * fold :]], dim=2)
        out: Tensor = self.net(shifted.flatten(0, 1))
        return out


def shift_blocks(net: nn.Module, frames: int, shift: Callable[..., nn.Module] = TemporalShift) -> int:
    """Puts a shift before the first convolution of each residual block of a network on frames; returns of how many.

    Known are blocks as in ResNets, and inverted residuals as in MobileNets and EfficientNets where they have a skip.
    """
    count = 0
    inner = list(net.modules())[1:]  # the network's own stem may have convolutions of the same names
    for block in inner:
        if hasattr(block, "conv1") and hasattr(block, "conv2"):
            block.conv1 = shift(block.conv1, frames)
        elif getattr(block, "has_skip", False) and hasattr(block, "conv_pwl"):
            first = "conv_pw" if hasattr(block, "conv_pw") else "conv_exp"  # of a fused block
            setattr(block, first, shift(getattr(block, first), frames))
        else:
            continue
        count += 1
    return count


class FrameEncoder(nn.Module):
    """A network on frames, made an encoder of clips by averaging its features over time."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, clip: Tensor) -> Tensor:
        """[B, 3, T, H, W] -> [B, D]."""
        frames = clip.transpose(1, 2)
        feature: Tensor = self.net(frames.flatten(0, 1)).unflatten(0, (-1, frames.shape[1]))
        return feature.mean(dim=1)


class ExcitedShift(TemporalShift):
    """Weighs the channels by what each frame shows (squeeze-and-excitation, arXiv 1709.01507), then shifts them."""

    def __init__(self, net: nn.Conv2d, frames: int) -> None:
        super().__init__(net, frames)
        channels = net.in_channels
        self.excite = nn.Sequential(
            nn.Linear(channels, channels // 4, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels // 4, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, frame: Tensor) -> Tensor:
        """[B*T, C, H, W] -> whatever `net` makes of it."""
        return super().forward(frame * self.excite(frame.mean(dim=(2, 3)))[:, :, None, None])


class TsmTiny(nn.Module):
    """A light encoder for small frames on a CPU: what moves, and three stages of shifted residuals.

    Its input is each frame's difference from the frame before and from the clip's mean frame, and the optical flow
    between neighbors: what stands still, the room and the clothes, is gone before the first layer. With few labels a
    small network otherwise learns those. Differences alone do not say which way a surface moved, flow does.
    D = 8 * width.
    """

    def __init__(self, clip_shape: tuple[int, ...], *, width: Annotated[int, Field(ge=1, le=1 << 16)] = 16) -> None:
        super().__init__()
        frames = clip_shape[1]
        if frames < 2:
            raise ValueError("it sees what moves, so it needs 2 frames per clip or more; raise input.frames")
        self.change = nn.Conv2d(6, width, 5, stride=2, padding=2, bias=False)
        self.flow = nn.Conv2d(2, width, 3, padding=1, bias=False)
        self.stem = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True))
        self.stages = nn.Sequential(*(_Residual(width << i, width << (i + 1), frames, stride=2) for i in range(3)))
        self.to(memory_format=torch.channels_last)

    def forward(self, clip: Tensor) -> Tensor:
        """[B, 3, T, H, W] -> [B, D]."""
        step = torch.diff(clip, dim=2, prepend=clip[:, :, :1])
        change = torch.cat([step, clip - clip.mean(dim=2, keepdim=True)], dim=1)
        stem: Tensor = self.stem(self.change(_frames(change)) + self.flow(_frames(optical_flow(clip))))
        feature: Tensor = self.stages(stem).unflatten(0, (-1, clip.shape[2]))
        return feature.mean(dim=(1, 3, 4))


def optical_flow(clip: Tensor) -> Tensor:
    """[B, C, T, H, W] -> [B, 2, T, ceil(H/2), ceil(W/2)]: motion since the frame before, rightward and downward pixels.

    By Lucas and Kanade (IJCAI 1981): within 6 x 6 pixels it is taken to be the same. Zero in the first frame.
    """
    gray = clip.mean(dim=1)
    before = torch.cat([gray[:, :1], gray[:, :-1]], dim=1)
    middle, change = (gray + before) / 2, gray - before
    across = functional.pad(middle[..., 2:] - middle[..., :-2], (1, 1)) / 2
    down = functional.pad(middle[..., 2:, :] - middle[..., :-2, :], (0, 0, 1, 1)) / 2
    products = torch.stack([across * across, down * down, across * down, across * change, down * change], dim=2)
    rows, columns = (_local_means(length, products) for length in products.shape[-2:])
    kind = clip.device.type
    # Products of matrices take a fifth of the time of pooling on a CPU; mixed precision would round them.
    with torch.autocast(kind, enabled=False) if is_autocast_available(kind) else nullcontext():
        pooled = rows @ products @ columns.mT
    xx, yy, xy, xt, yt = pooled.flatten(0, 1).unbind(dim=1)
    xx, yy = xx + REGULARIZE, yy + REGULARIZE
    determinant = xx * yy - xy * xy
    flow = torch.stack([xy * yt - yy * xt, xy * xt - xx * yt], dim=1) / determinant[:, None]
    clips: Tensor = flow.clamp(-LIMIT, LIMIT).unflatten(0, gray.shape[:2])
    return clips.transpose(1, 2)


def _local_means(length: int, like: Tensor) -> Tensor:
    """Returns the matrix [ceil(length/2), length] that takes means over 6 pixels of a row, for every second pixel."""
    pairs = functional.avg_pool1d(torch.eye(length, dtype=like.dtype, device=like.device)[:, None], 2, ceil_mode=True)
    return functional.avg_pool1d(pairs, 3, stride=1, padding=1, count_include_pad=False)[:, 0].mT


def _frames(clip: Tensor) -> Tensor:
    """[B, C, T, H, W] -> [B*T, C, H, W]."""
    return clip.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, frames: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            TemporalShift(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), frames, division=4),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Sequential(
            nn.AvgPool2d(stride, ceil_mode=True), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, frame: Tensor) -> Tensor:
        return torch.relu(self.branch(frame) + self.skip(frame))
