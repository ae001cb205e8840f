"""torchvision's video networks, and its ResNets with a temporal shift, as encoders with published weights."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights

from aplt.models.tsm import ExcitedShift, FrameEncoder, TemporalShift, shift_blocks
from aplt.models.weights import Weights

TIMES = {
    "r3d_18": (16, 15.0),
    "r2plus1d_18": (16, 15.0),
    "s3d": (128, 15.0),
    "mvit_v2_s": (16, 7.5),
    "swin3d_t": (32, 15.0),
}
"""Frames and frames a second of the clips that the published accuracies are of, from the weights' documentation."""


def published(net: str) -> dict[str, Weights]:
    """Returns the published weights of a network by their name, the first first, and the newest as DEFAULT."""
    return {name: _weights(net, member) for name, member in get_model_weights(net).__members__.items()}


def _weights(net: str, member: Any) -> Weights:
    def load(_: tuple[int, ...]) -> Mapping[str, Tensor]:
        tensors: Mapping[str, Tensor] = member.get_state_dict(progress=True, check_hash=True, weights_only=True)
        return tensors

    how = prepared(member.transforms())
    if net in TIMES:
        how |= dict(zip(("frames", "rate"), TIMES[net], strict=True))
    return Weights(load, how, "BSD-3-Clause")


def prepared(how: Any) -> dict[str, Any]:
    """Returns the settings `input` that prepare frames as one of torchvision's presets for images or videos does."""
    size, short = how.crop_size[0], how.resize_size[0]
    return {
        "size": size,
        "crop": size / short,
        "aspect": how.resize_size[1] / short if len(how.resize_size) > 1 else None,
        "interpolation": how.interpolation.value,
        # The preset for videos has it off, whatever torchvision's default is by now.
        "antialias": getattr(how, "antialias", False),
        "mean": list(how.mean),
        "deviation": list(how.std),
    }


def tsm_resnet(clip_shape: tuple[int, ...], *, name: str, excited: bool = False) -> nn.Module:
    """Returns the ResNet of this name with a temporal shift before the first convolution of each residual block.

    With `excited` channels are weighed before the shift, as in MANet (Guo et al., arXiv 2403.05234, Micro-Action-52).
    """
    net: nn.Module = get_model(name)
    shift_blocks(net, clip_shape[1], ExcitedShift if excited else TemporalShift)
    net.fc = nn.Identity()
    return FrameEncoder(net)


def headless(clip_shape: tuple[int, ...], *, name: str, head: str) -> nn.Module:
    """Returns a video network of this name without its last layer, the submodule `head`."""
    del clip_shape
    net: nn.Module = get_model(name)
    net.set_submodule(head, nn.Identity())
    return net


def s3d(clip_shape: tuple[int, ...]) -> nn.Module:
    """Returns S3D; its fixed pooling window, which refuses clips under 16 x 224 x 224, becomes the whole clip."""
    net = headless(clip_shape, name="s3d", head="classifier")
    net.avgpool = nn.AdaptiveAvgPool3d(1)
    return net


def mvit_v2_s(clip_shape: tuple[int, ...]) -> nn.Module:
    """Returns MViTv2-S for clips of this size; to it torchvision interpolates relative positions (16 x 224 x 224)."""
    net: Any = headless(clip_shape, name="mvit_v2_s", head="head")
    strides = net.conv_proj.stride
    frames, *sides = (-(-side // stride) for side, stride in zip(clip_shape[1:], strides, strict=True))
    net.pos_encoding.temporal_size, net.pos_encoding.spatial_size = frames, tuple(sides)
    return net  # type: ignore[no-any-return]
