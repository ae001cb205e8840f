"""Encoders by name: clip tensor [B, *clip] -> feature [B, D]; others as timm:NAME, hf:NAME, package.module:name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import nn

from aplt.errors import InputError, suggest
from aplt.models.adapter import Adapter
from aplt.models.gcn import GraphConvolution
from aplt.models.heatmaps import HeatMaps
from aplt.models.tcn import TemporalConvolution
from aplt.models.tsm import TsmTiny
from aplt.models.weights import Weights, left_over, read_weights, start_from
from aplt.reference import is_reference, resolve
from aplt.settings import keyword_settings
from aplt.storage import mode, reason


@dataclass(frozen=True)
class Encoder:
    """How to build a network that turns clips into features."""

    build: Callable[..., nn.Module]
    """Takes the clip's shape, and settings as keywords with defaults, whose annotations say what fits.

    The network takes clips [B, *clip] and returns features [B, D]. A ValueError says that a setting or a shape does not
    fit.
    """
    modality: str
    """The kind of clips it is for: video, skeleton or features."""
    summary: str = ""
    """What it is, in a few words."""
    weights: Callable[[Mapping[str, Any]], Mapping[str, Weights]] = lambda _: {}
    """Takes the settings and returns the published weights by their names."""
    settle: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    """Takes the settings and returns those that build the network where nothing else is at hand."""


def _torchvision(summary: str, builder: str, **options: Any) -> Encoder:
    """Returns an encoder of aplt.models.torchvision_nets, imported when it is built: that takes a second."""

    def build(clip_shape: tuple[int, ...]) -> nn.Module:
        from aplt.models import torchvision_nets

        net: nn.Module = getattr(torchvision_nets, builder)(clip_shape, **options)
        return net

    def weights(_: Mapping[str, Any]) -> Mapping[str, Weights]:
        from aplt.models.torchvision_nets import published

        return published(options.get("name", builder))

    return Encoder(build, "video", summary, weights)


def _timm(name: str) -> Encoder:
    from aplt.models.timm_nets import image_network, published

    return Encoder(partial(image_network, name), "video", f"{name} of timm", lambda _: published(name))


def _hf(source: str) -> Encoder:
    from aplt.models.hf_nets import published, read_config, video_network

    def weights(settings: Mapping[str, Any]) -> Mapping[str, Weights]:
        return published(source, settings["config"])

    def settle(settings: Mapping[str, Any]) -> dict[str, Any]:
        return dict(settings) | {"config": settings.get("config") or read_config(source)}

    return Encoder(video_network, "video", f"{source} of transformers", weights, settle)


LIBRARIES = {"timm": _timm, "hf": _hf}
"""What makes an encoder of what follows the colon in timm:NAME and hf:NAME."""


def _dropping_paths(encoder: Encoder, usual: float) -> Encoder:
    """Returns an encoder of torchvision with a setting for its stochastic depth, whose rate is `usual` as built."""

    def build(clip_shape: tuple[int, ...], *, drop_path: Annotated[float, Field(ge=0, lt=1)] = usual) -> nn.Module:
        from torchvision.ops import StochasticDepth

        net = encoder.build(clip_shape)
        for module in net.modules():
            if isinstance(module, StochasticDepth):
                module.p *= drop_path / usual
        return net

    return replace(encoder, build=build)


ENCODERS = {
    "tsm_tiny": Encoder(TsmTiny, "video", summary="a light network of shifts in time on optical flow and frames"),
    "tsm_resnet18": _torchvision("ResNet-18 with shifts in time (arXiv 1811.08383)", "tsm_resnet", name="resnet18"),
    "tsm_resnet50": _torchvision("ResNet-50 with shifts in time (arXiv 1811.08383)", "tsm_resnet", name="resnet50"),
    "manet": _torchvision(
        "MANet: TSM's ResNet-50 with squeeze-and-excitation (arXiv 2403.05234)",
        "tsm_resnet",
        name="resnet50",
        excited=True,
    ),
    "r3d_18": _torchvision("3D ResNet-18 (arXiv 1711.11248)", "headless", name="r3d_18", head="fc"),
    "r2plus1d_18": _torchvision("R(2+1)D-18 (arXiv 1711.11248)", "headless", name="r2plus1d_18", head="fc"),
    "s3d": _torchvision("S3D (arXiv 1712.04851)", "s3d"),
    "mvit_v2_s": _dropping_paths(_torchvision("MViTv2-S (arXiv 2112.01526)", "mvit_v2_s"), 0.2),
    "swin3d_t": _dropping_paths(
        _torchvision("Video Swin-T (arXiv 2106.13230)", "headless", name="swin3d_t", head="head"), 0.1
    ),
    "tcn": Encoder(
        TemporalConvolution, "skeleton", summary="convolutions over time on joints, bones and their motions; light"
    ),
    "gcn": Encoder(
        GraphConvolution,
        "skeleton",
        summary="graph convolutions, as ST-GCN++ and CTR-GCN (arXiv 2205.09443, 2107.12213)",
    ),
    "heatmaps": Encoder(
        HeatMaps, "skeleton", summary="poses as heat maps, as PoseConv3D (arXiv 2104.13586); for a GPU"
    ),
    "adapter": Encoder(Adapter, "features", summary="a few layers on the frozen features of another network"),
}


def find_encoder(name: str) -> Encoder:
    """Returns the encoder of this name: one of ours or of a library, or the one that package.module:name refers to.

    Raises:
        InputError: no such encoder; suggests one, or says why the module cannot be imported.
    """
    library, _, inner = name.partition(":")
    if library in LIBRARIES and inner:
        return LIBRARIES[library](inner)
    if is_reference(name):
        return resolve(name, Encoder, "encoder")
    if name not in ENCODERS:
        others = "others are timm:NAME, hf:NAME or hf:FOLDER, an own one is package.module:name; see `aplt encoders`"
        raise InputError(f"unknown encoder '{name}'{suggest(name, ENCODERS)} ({others})")
    return ENCODERS[name]


def whole_settings(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Returns all that builds an encoder anywhere: `settings`, its builder's defaults, and what a library knows."""
    encoder = find_encoder(name)
    return encoder.settle(keyword_settings(encoder.build, settings, "encoder_settings", f"encoder {name}"))


def find_weights(name: str, settings: dict[str, Any], weights: str) -> tuple[Weights, Path | None]:
    """Returns weights of an encoder with these whole settings, and their file if they are not published ones.

    A file's clips were prepared as those of the first published weights, as far as anybody knows.
    """
    known = find_encoder(name).weights(settings)
    if weights in known:
        return known[weights], None
    path = Path(weights)
    if S_ISREG(mode(path)):
        first = next(iter(known.values()), Weights(lambda _: {}, {}, ""))
        return first, path
    expected = suggest(weights, known) if known else "; none are published for it"
    raise InputError(f"encoder {name}: no weights '{weights}', and no file of this name{expected}")


def load_weights(
    encoder: nn.Module, name: str, clip_shape: tuple[int, ...], settings: dict[str, Any], weights: str
) -> str:
    """Puts published weights or those of a file into an encoder, and says in a sentence what is left over, or ""."""
    found, file = find_weights(name, settings, weights)
    where = f"encoder {name}: weights '{weights}'" if file is None else str(file)
    try:
        tensors = found.load(clip_shape) if file is None else read_weights(file)
    except (OSError, RuntimeError, ValueError) as error:  # a network's, a library's
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where} could not be loaded ({reason(error)[:200]})") from error
    missing, unused = start_from(encoder, tensors, where)
    return left_over(where, missing, unused if file else [])


def build_encoder(name: str, clip_shape: tuple[int, ...], settings: dict[str, Any]) -> nn.Module:
    """Returns an encoder for clips of `clip_shape`, from random weights."""
    options = whole_settings(name, settings)
    try:
        return find_encoder(name).build(clip_shape, **options)
    except InputError:
        raise
    except (ValueError, RuntimeError, AssertionError) as error:
        raise InputError(f"encoder {name}: {reason(error)}") from error


def feature_size(encoder: nn.Module, name: str, clip_shape: tuple[int, ...]) -> int:
    """Returns D, found by encoding one empty clip."""
    training = encoder.training
    try:
        with torch.no_grad():
            feature = encoder.eval()(torch.zeros(1, *clip_shape))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise InputError(f"encoder {name} cannot take clips of shape {list(clip_shape)} ({error})") from error
    encoder.train(training)
    if not isinstance(feature, torch.Tensor) or feature.ndim != 2 or len(feature) != 1:
        found = list(feature.shape) if isinstance(feature, torch.Tensor) else type(feature).__name__
        raise InputError(f"encoder {name}: expected features [1, D] of one clip, found {found}")
    return feature.shape[1]
