"""What video encoders cost on a CPU, and how near their input is to what their own library makes of the same frames.

    OMP_NUM_THREADS=1 python bench/encoders.py [NAME...] [--repeat 3]

Seconds of one core are of one clip of 8 x 112 x 112 in a batch of two, forward alone and with backward, the best of
several; they are counted by the process, so that others at work beside it change them little. The last column is the
largest and the mean difference of the center view from the library's transform, in levels of 255. It needs the extras
timm and hf.
"""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import timm
import torch
import transformers
from torch import Tensor
from torchvision.models import get_model_weights
from torchvision.transforms import v2

from aplt.config import VideoInput
from aplt.data.video_views import transform
from aplt.models import hf_nets, timm_nets, torchvision_nets
from aplt.models.encoders import ENCODERS, build_encoder

SHAPE = (3, 8, 112, 112)
TIMM = ("tf_efficientnet_lite0", "resnet50", "vit_small_patch16_224", "convnext_tiny")
HF = ("VideoMAE", "Timesformer", "Vivit", "VJEPA2")
"""Of the sizes that their configs have by default: base, and large for V-JEPA 2."""
IMAGES = {"tsm_resnet18": "resnet18", "tsm_resnet50": "resnet50", "manet": "resnet50"}


def noise() -> Tensor:
    """Returns frames [T, 3, H, W] in which every smoothing and every shift by a pixel shows."""
    frames = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 60, 80), dtype=np.uint8))
    large: Tensor = v2.functional.resize(frames, [270, 360], antialias=True)
    return large


def difference(prepared: Mapping[str, Any], theirs: Tensor, frames: Tensor) -> str:
    """Returns the largest and the mean difference of the center view from [T, 3, H, W], in levels of 255."""
    settings = VideoInput.model_validate(dict(prepared))
    pixels = v2.functional.to_dtype(transform(settings, "center")(frames), torch.float32, scale=True)
    ours = v2.functional.normalize(pixels, list(settings.mean), list(settings.deviation))
    apart = 255 * (ours - theirs).abs() * torch.tensor(prepared["deviation"])[:, None, None]
    return f"{apart.max():.2f} / {apart.mean():.3f}"


def parity(name: str) -> str:
    """Returns the same for the first published weights of an encoder; "-" where it has none."""
    library, _, inner = name.partition(":")
    frames = noise()
    if library == "timm":
        how = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(inner).to_dict())
        make = timm.data.create_transform(**how)
        theirs = torch.stack([make(v2.functional.to_pil_image(frame)) for frame in frames])
        return difference(timm_nets.prepared(how), theirs, frames)
    if library == "hf":
        processor = getattr(transformers, f"{inner}VideoProcessor")()
        (values,) = processor([frames], return_tensors="pt").values()
        return difference(hf_nets.prepared(processor), values[0], frames)
    net = IMAGES.get(name, name)
    if net not in torchvision_nets.TIMES and name not in IMAGES:
        return "-"
    theirs = next(iter(get_model_weights(net))).transforms()(frames)
    first = next(iter(torchvision_nets.published(net).values()))
    return difference(first.input, theirs.transpose(0, 1) if net in torchvision_nets.TIMES else theirs, frames)


def seconds(name: str, settings: dict[str, Any], repeat: int) -> tuple[float, float, float]:
    """Returns millions of parameters, and seconds of a clip forward, and forward and backward."""
    net = build_encoder(name, SHAPE, settings).train()
    clips = torch.randn(2, *SHAPE)
    forward, both = [], []
    for _ in range(repeat + 1):
        begun = time.process_time()
        feature = net(clips)
        forward.append(time.process_time() - begun)
        feature.square().mean().backward()
        both.append(time.process_time() - begun)
    count = sum(parameter.numel() for parameter in net.parameters())
    return count / 1e6, min(forward[1:]) / len(clips), min(both[1:]) / len(clips)


def main() -> None:
    """Prints a row per encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="by default every video encoder, and some of timm and transformers")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    known = [name for name, encoder in ENCODERS.items() if encoder.modality == "video"]
    names = arguments.names or [*known, *(f"timm:{name}" for name in TIMM), *(f"hf:{name}" for name in HF)]
    print("| encoder | million parameters | forward, s | and backward, s | levels from its library's input |")
    print("|--|--|--|--|--|")
    for name in names:
        library, _, inner = name.partition(":")
        settings = {"config": getattr(transformers, f"{inner}Config")().to_dict()} if library == "hf" else {}
        count, forward, both = seconds(name, settings, arguments.repeat)
        print(f"| `{name}` | {count:.1f} | {forward:.3f} | {both:.3f} | {parity(name)} |", flush=True)


if __name__ == "__main__":
    main()
