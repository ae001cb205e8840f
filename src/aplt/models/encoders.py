"""Encoders by name: clip tensor [B, *clip] -> feature [B, D]. One line in ENCODERS adds another."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.error import URLError

import torch
from torch import nn
from torchvision.models import video
from torchvision.models.video.mvit import MSBlockConfig

from aplt.errors import InputError, suggest
from aplt.models.tcn import tcn
from aplt.models.tsm import tsm_resnet, tsm_tiny
from aplt.settings import keyword_settings

Build = Callable[..., nn.Module]


def _headless(build: Build, head: str, clip_shape: tuple[int, ...], weights: str | None = None) -> nn.Module:
    """Returns a torchvision video network without its last layer, the submodule `head`."""
    del clip_shape
    net = build(weights=weights)
    net.set_submodule(head, nn.Identity())
    return net


def _s3d(clip_shape: tuple[int, ...], weights: str | None = None) -> nn.Module:
    """Returns S3D; its fixed pooling window, which refuses clips under 16 x 224 x 224, becomes the whole clip."""
    net = _headless(video.s3d, "classifier", clip_shape, weights)
    net.avgpool = nn.AdaptiveAvgPool3d(1)
    return net


def mvit_v2_s(clip_shape: tuple[int, ...], weights: str | None = None) -> nn.Module:
    """Returns MViTv2-S; its relative positions have the clip's size (published weights: 16 x 224 x 224)."""
    if weights is not None and clip_shape[1:] != (16, 224, 224):
        raise ValueError(f"its published weights are for clips of 16 x 224 x 224, not {list(clip_shape[1:])}")
    # torchvision's own builder knows one size only.
    # Blocks, heads, stride of the keys and values of each stage; all but the first halve height and width.
    stages = ((1, 1, 8), (2, 2, 4), (11, 4, 2), (2, 8, 1))
    blocks: list[MSBlockConfig] = []
    channels = 96
    for blocks_of_stage, heads, stride in stages:
        for number in range(blocks_of_stage):
            halve = 2 if number == 0 and blocks else 1
            blocks.append(
                MSBlockConfig(
                    num_heads=heads,
                    input_channels=channels,
                    output_channels=96 * heads,
                    kernel_q=[3, 3, 3],
                    kernel_kv=[3, 3, 3],
                    stride_q=[1, halve, halve],
                    stride_kv=[1, stride, stride],
                )
            )
            channels = 96 * heads
    net: nn.Module = video.MViT(
        spatial_size=tuple(clip_shape[2:]),
        temporal_size=clip_shape[1],
        block_setting=blocks,
        residual_pool=True,
        residual_with_cls_embed=False,
        rel_pos_embed=True,
        proj_after_attn=True,
        stochastic_depth_prob=0.2,
    )
    if weights is not None:
        net.load_state_dict(video.MViT_V2_S_Weights[weights].get_state_dict(progress=True, check_hash=True))
    net.set_submodule("head", nn.Identity())
    return net


# Builders take the clip's shape and their own settings as keywords, whose annotations say what fits; those with
# published weights take the name of these or None besides.
VIDEO_ENCODERS: dict[str, Build] = {
    "tsm_tiny": tsm_tiny,
    "tsm_resnet18": partial(tsm_resnet, 18),
    "tsm_resnet50": partial(tsm_resnet, 50),
    "r3d_18": partial(_headless, video.r3d_18, "fc"),
    "r2plus1d_18": partial(_headless, video.r2plus1d_18, "fc"),
    "s3d": _s3d,
    "mvit_v2_s": mvit_v2_s,
    "swin3d_t": partial(_headless, video.swin3d_t, "head"),
}
SKELETON_ENCODERS: dict[str, Build] = {"tcn": tcn}
ENCODERS_OF = {"video": VIDEO_ENCODERS, "skeleton": SKELETON_ENCODERS}  # by modality
ENCODERS = VIDEO_ENCODERS | SKELETON_ENCODERS


def whole_settings(name: str, settings: dict[str, Any], weights: str | None) -> dict[str, Any]:
    """Returns all keywords of an encoder's builder, with its defaults where `settings` has none.

    Raises:
        InputError: no such encoder, or one that does not take these settings or weights.
    """
    if name not in ENCODERS:
        raise InputError(f"unknown encoder '{name}'{suggest(name, ENCODERS)}")
    if weights is not None and "weights" not in inspect.signature(ENCODERS[name]).parameters:
        raise InputError(f"encoder {name}: it has no published weights, but encoder_weights is '{weights}'")
    return keyword_settings(ENCODERS[name], settings, "encoder_settings", f"encoder {name}")


def build_encoder(
    name: str, clip_shape: tuple[int, ...], settings: dict[str, Any], weights: str | None = None
) -> nn.Module:
    """Returns an encoder for clips of `clip_shape`, with torchvision's published `weights` where named.

    Raises:
        InputError: unknown name, setting or weights, or weights that could not be fetched.
    """
    options = whole_settings(name, settings, weights) | ({} if weights is None else {"weights": weights})
    try:
        return ENCODERS[name](clip_shape, **options)
    except (URLError, KeyError) as error:
        raise InputError(f"encoder {name}: weights '{weights}' could not be loaded ({error})") from error
    except (ValueError, RuntimeError) as error:
        raise InputError(f"encoder {name}: {' '.join(str(error).split())}") from error


def feature_size(encoder: nn.Module, name: str, clip_shape: tuple[int, ...]) -> int:
    """Returns D, found by encoding one empty clip.

    Raises:
        InputError: the encoder cannot take clips of this shape.
    """
    training = encoder.training
    try:
        with torch.no_grad():
            size: int = encoder.eval()(torch.zeros(1, *clip_shape)).shape[1]
    except (RuntimeError, ValueError) as error:
        raise InputError(f"encoder {name} cannot take clips of shape {list(clip_shape)} ({error})") from error
    encoder.train(training)
    return size
