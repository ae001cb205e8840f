"""Encoders by name: clip tensor [B, *clip] -> feature [B, D]; any other as package.module:name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError

import torch
from torch import nn

from aplt.errors import InputError, suggest
from aplt.models.adapter import adapter
from aplt.models.gcn import gcn
from aplt.models.heatmaps import heatmaps
from aplt.models.tcn import tcn
from aplt.models.tsm import tsm_tiny
from aplt.reference import is_reference, resolve
from aplt.settings import keyword_settings


@dataclass(frozen=True)
class Encoder:
    """How to build a network that turns clips into features."""

    build: Callable[..., nn.Module]
    """Takes the clip's shape, and settings as keywords with defaults, whose annotations say what fits.

    The network takes clips [B, *clip] and returns features [B, D]. A ValueError says that a setting or a shape does not
    fit. With `weights` the builder takes the name of published ones, or None, besides.
    """
    modality: str
    """The kind of clips it is for: video, skeleton or features."""
    weights: bool = False
    """Whether there are published weights."""
    summary: str = ""
    """What it is, in a few words."""


def _torchvision(summary: str, builder: str, **options: Any) -> Encoder:
    """Returns an encoder of aplt.models.torchvision_nets, imported when it is built: that takes a second."""

    def build(clip_shape: tuple[int, ...], weights: str | None = None) -> nn.Module:
        from aplt.models import torchvision_nets

        net: nn.Module = getattr(torchvision_nets, builder)(clip_shape, weights, **options)
        return net

    return Encoder(build, "video", weights=True, summary=summary)


ENCODERS = {
    "tsm_tiny": Encoder(tsm_tiny, "video", summary="a light network of shifts in time on optical flow and frames"),
    "tsm_resnet18": _torchvision("ResNet-18 with shifts in time (arXiv 1811.08383)", "tsm_resnet", depth=18),
    "tsm_resnet50": _torchvision("ResNet-50 with shifts in time (arXiv 1811.08383)", "tsm_resnet", depth=50),
    "r3d_18": _torchvision("3D ResNet-18 (arXiv 1711.11248)", "headless", name="r3d_18", head="fc"),
    "r2plus1d_18": _torchvision("R(2+1)D-18 (arXiv 1711.11248)", "headless", name="r2plus1d_18", head="fc"),
    "s3d": _torchvision("S3D (arXiv 1712.04851)", "s3d"),
    "mvit_v2_s": _torchvision("MViTv2-S (arXiv 2112.01526)", "mvit_v2_s"),
    "swin3d_t": _torchvision("Video Swin-T (arXiv 2106.13230)", "headless", name="swin3d_t", head="head"),
    "tcn": Encoder(tcn, "skeleton", summary="convolutions over time on joints, bones and their motions; light"),
    "gcn": Encoder(
        gcn, "skeleton", summary="graph convolutions, as ST-GCN++ and CTR-GCN (arXiv 2205.09443, 2107.12213)"
    ),
    "heatmaps": Encoder(
        heatmaps, "skeleton", summary="poses as heat maps, as PoseConv3D (arXiv 2104.13586); for a GPU"
    ),
    "adapter": Encoder(adapter, "features", summary="a few layers on the frozen features of another network"),
}


def find_encoder(name: str) -> Encoder:
    """Returns the encoder of this name, or the one that package.module:name refers to.

    Raises:
        InputError: no such encoder; suggests one, or says why the module cannot be imported.
    """
    if is_reference(name):
        return resolve(name, Encoder, "encoder")
    if name not in ENCODERS:
        raise InputError(f"unknown encoder '{name}'{suggest(name, ENCODERS)} (an own one is package.module:name)")
    return ENCODERS[name]


def whole_settings(name: str, settings: dict[str, Any], weights: str | None) -> dict[str, Any]:
    """Returns all keywords of an encoder's builder, with its defaults where `settings` has none.

    Raises:
        InputError: no such encoder, or one that does not take these settings or weights.
    """
    encoder = find_encoder(name)
    if weights is not None and not encoder.weights:
        raise InputError(f"encoder {name}: it has no published weights, but encoder_weights is '{weights}'")
    return keyword_settings(encoder.build, settings, "encoder_settings", f"encoder {name}")


def build_encoder(
    name: str, clip_shape: tuple[int, ...], settings: dict[str, Any], weights: str | None = None
) -> nn.Module:
    """Returns an encoder for clips of `clip_shape`, with torchvision's published `weights` where named.

    Raises:
        InputError: unknown name, setting or weights, or weights that could not be fetched.
    """
    options = whole_settings(name, settings, weights) | ({} if weights is None else {"weights": weights})
    try:
        return find_encoder(name).build(clip_shape, **options)
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
            feature = encoder.eval()(torch.zeros(1, *clip_shape))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"encoder {name} cannot take clips of shape {list(clip_shape)} ({error})") from error
    encoder.train(training)
    if not isinstance(feature, torch.Tensor) or feature.ndim != 2 or len(feature) != 1:
        found = list(feature.shape) if isinstance(feature, torch.Tensor) else type(feature).__name__
        raise InputError(f"encoder {name}: expected features [1, D] of one clip, found {found}")
    return feature.shape[1]
