"""timm's image networks as encoders: frames one by one, averaged over time, or with shifts in time between them."""

import math
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor, nn

from aplt.errors import InputError
from aplt.models.tsm import FrameEncoder, shift_blocks
from aplt.models.weights import Weights
from aplt.reference import installed


def image_network(
    name: str,
    clip_shape: tuple[int, ...],
    *,
    time: Literal["mean", "shift"] = "mean",
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0,
) -> nn.Module:
    """Returns the network of this name without its classifier, from random weights.

    With time=shift a temporal shift (arXiv 1811.08383) comes before the first convolution of each residual block.
    `drop_path` is the rate of stochastic depth (arXiv 1603.09382) as timm spreads it over the blocks.
    """
    net = _create(name, clip_shape, **({"drop_path_rate": drop_path} if drop_path else {}))
    if time == "shift" and not shift_blocks(net, clip_shape[1]):
        raise ValueError("it has no residual blocks of convolutions to shift between; set encoder_settings.time=mean")
    return FrameEncoder(net)


def published(name: str) -> dict[str, Weights]:
    """Returns the network's published weights by their tag, the default first, and the default as DEFAULT."""
    timm = _timm(name)
    tags = [full.partition(".")[2] for full in timm.list_pretrained(f"{name}.*")]
    default = timm.get_pretrained_cfg(name)
    if default is None or default.tag not in tags:
        return {}
    found = {tag: _weights(timm, name, tag) for tag in sorted(tags, key=lambda tag: tag != default.tag)}
    return found | {"DEFAULT": found[default.tag]}


def _weights(timm: Any, name: str, tag: str) -> Weights:
    found = timm.get_pretrained_cfg(f"{name}.{tag}")

    def load(clip_shape: tuple[int, ...]) -> dict[str, Tensor]:
        return dict(_create(f"{name}.{tag}", clip_shape, pretrained=True).state_dict())

    return Weights(load, prepared(timm.data.resolve_data_config(pretrained_cfg=found.to_dict())), found.license or "?")


def prepared(how: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings `input` that prepare frames as timm does by its data config."""
    size = how["input_size"][-1]
    return {
        "size": size,
        "crop": size / math.floor(size / how["crop_pct"]),
        "aspect": 1.0 if how["crop_mode"] == "squash" else None,
        "interpolation": how["interpolation"] if how["interpolation"] in ("nearest", "bilinear") else "bicubic",
        "mean": list(how["mean"]),
        "deviation": list(how["std"]),
    }


def _create(full: str, clip_shape: tuple[int, ...], **options: Any) -> nn.Module:
    name = full.partition(".")[0]
    timm = _timm(name)
    config = timm.get_pretrained_cfg(name)
    # Networks of one size, such as vision transformers, are made for the clips'.
    sized = {"img_size": tuple(clip_shape[2:])} if config is not None and config.fixed_input_size else {}
    try:
        net: nn.Module = timm.create_model(full, num_classes=0, **sized, **options)
    except TypeError as error:  # it takes no size, no number of classes or no rate
        raise ValueError(f"timm cannot make it an encoder of clips of {list(clip_shape)} ({error})") from error
    return net


def _timm(name: str) -> Any:
    timm = installed("timm", "timm")
    if not timm.is_model(name) or "." in name:
        close = get_close_matches(name, timm.list_models(), 3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; Python's timm.list_models() lists them"
        raise InputError(f"timm has no model '{name}'{hint}")
    return timm
