"""transformers' video networks as encoders: VideoMAE, TimeSformer, ViViT, V-JEPA 2 and others that AutoModel builds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aplt.errors import InputError
from aplt.models.weights import Weights
from aplt.reference import installed
from aplt.storage import reason

CLASS_TOKEN = ("timesformer", "vivit")
"""Networks whose first token stands for the clip, as in their own classifiers; of others it is the mean of all."""
RATES = {"videomae": 7.5, "vivit": 15.0, "vjepa2": 4.0}
"""Frames a second in training, which no file says: every 4th and 2nd of Kinetics' 30 (arXiv 2203.12602, 2103.15691),
and 4 (arXiv 2506.09985). TimeSformer's every 32nd are spread over whole clips."""
INTERPOLATIONS = {0: "nearest", 2: "bilinear"}
"""By the numbers that Pillow gives them; all others are taken for bicubic."""
SIZES = ("image_size", "crop_size")
FRAMES = ("num_frames", "frames_per_clip")
NO_ARCHITECTURE = ("id2label", "label2id", "architectures", "transformers_version", "dtype")
REACHING_OUT = ("auto_map", "attn_implementation", "quantization_config")
"""What a config may name that is fetched and run; a model folder can come from anybody."""


class TokenEncoder(nn.Module):
    """A transformer on videos, made an encoder of clips by its class token or the mean of its tokens."""

    def __init__(self, net: nn.Module, name: str, *, class_token: bool) -> None:
        super().__init__()
        self.net, self.name, self.class_token = net, name, class_token

    def forward(self, clip: Tensor) -> Tensor:
        """[B, 3, T, H, W] -> [B, D]."""
        tokens: Tensor = self.net(**{self.name: clip.transpose(1, 2)}).last_hidden_state
        return tokens[:, 0] if self.class_token else tokens.mean(dim=1)


def video_network(clip_shape: tuple[int, ...], *, config: dict[str, Any] | None = None) -> nn.Module:
    """Returns the network of this config for clips of this shape, from random weights, without a head."""
    config = config or {}
    net = _transformers().AutoModel.from_config(_config(config, clip_shape), trust_remote_code=False)
    name = net.main_input_name
    if not name.startswith("pixel_values"):
        raise ValueError(f"expected a network of videos, found {type(net).__name__}, which takes {name}")
    return TokenEncoder(_headless(net), name, class_token=config["model_type"] in CLASS_TOKEN)


def read_config(source: str) -> dict[str, Any]:
    """Returns what builds the network in a folder or a repository of the Hub, as plain values."""
    if source.startswith((".", "/", "~")) and not Path(source).is_dir():
        raise InputError(f"hf:{source}: no such folder")
    try:
        found = _transformers().AutoConfig.from_pretrained(source, trust_remote_code=False).to_dict()
    except (OSError, ValueError) as error:
        raise InputError(f"hf:{source}: no network of transformers there ({reason(error)[:150]})") from error
    return {key: value for key, value in _safe(found).items() if value is not None and key not in NO_ARCHITECTURE}


def published(source: str, config: Mapping[str, Any]) -> dict[str, Weights]:
    """Returns the weights in a folder or a repository of the Hub."""

    def load(clip_shape: tuple[int, ...]) -> dict[str, Tensor]:
        net, found = _transformers().AutoModel.from_pretrained(
            source,
            config=_config(config, clip_shape),
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        random = found["missing_keys"]  # those that the files lack
        return {name: value for name, value in net.state_dict().items() if name not in random}

    return {"DEFAULT": Weights(load, _prepared(source, config), "see its model card")}


def _prepared(source: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings `input` of the network's own processor; its sizes alone where it comes without one."""
    model_type = config["model_type"]
    sized = {"size": _first(config, SIZES), "frames": _first(config, FRAMES), "rate": RATES.get(model_type)}
    try:
        how = _transformers().AutoVideoProcessor.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError):
        return {key: value for key, value in sized.items() if value is not None}
    return sized | prepared(how) | ({"rate": how.fps} if how.fps else {})


def prepared(how: Any) -> dict[str, Any]:
    """Returns the settings `input` that prepare frames as a video processor of transformers does."""
    crop = how.crop_size.height if how.do_center_crop else None
    short = how.size.shortest_edge or how.size.height
    # Some also shift what they divide by: what becomes of black and white says it all.
    frames = torch.stack([torch.full((3, short, short), level, dtype=torch.uint8) for level in (0, 255)])
    (values,) = how([frames], return_tensors="pt").values()
    black, white = values[0, :, :, 0, 0].double()
    deviation = 1 / (white - black)
    size = crop or short
    return {
        "size": size,
        "crop": size / short,
        "aspect": how.size.width / how.size.height if how.size.height else None,
        "interpolation": INTERPOLATIONS.get(int(how.resample), "bicubic"),
        "mean": [round(value, 5) for value in (-black * deviation).tolist()],
        "deviation": [round(value, 5) for value in deviation.tolist()],
    }


def _config(config: Mapping[str, Any], clip_shape: tuple[int, ...]) -> Any:
    """Returns a config of transformers for clips of this shape."""
    values = _safe(config)
    if "model_type" not in values:
        raise ValueError("its config has no model_type, which says of what kind it is")
    _, frames, side, _ = clip_shape
    values |= {name: side for name in SIZES if name in values} | {name: frames for name in FRAMES if name in values}
    return _transformers().AutoConfig.for_model(values.pop("model_type"), **values)


def _safe(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if not key.startswith("_") and key not in REACHING_OUT}


def _headless(net: Any) -> nn.Module:
    """Returns a network without what it does not need to encode a clip."""
    if hasattr(net, "predictor"):  # V-JEPA 2's, of its training
        return net.encoder  # type: ignore[no-any-return]
    if hasattr(net, "pooler"):
        net.pooler = None
    return net  # type: ignore[no-any-return]


def _first(config: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((config[name] for name in names if name in config), None)


def _transformers() -> Any:
    return installed("transformers", "hf")
