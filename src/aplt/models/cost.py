"""What an encoder costs: its parameters, and the arithmetic of a clip."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from aplt.models.encoders import build_encoder, find_encoder, whole_settings

USUAL = {"video": (3, 8, 112, 112), "skeleton": (4, 32, 25, 2), "features": (1, 1, 768, 1)}
"""The clips of encoders without published weights: of default settings, a body of 25 joints in space, a ViT-B's."""


@dataclass(frozen=True)
class Cost:
    """An encoder at work on the clips that its first published weights were trained on, else on usual ones."""

    clip_shape: tuple[int, ...]
    parameters: int
    flops: int
    """For the feature of one clip; a multiplication and an addition are two."""
    weights: dict[str, str]
    """The license of each of the published weights, by their name."""


def cost_of(name: str) -> Cost:
    """Returns what the encoder of this name costs with its default settings; nothing is computed."""
    encoder, settings = find_encoder(name), whole_settings(name, {})
    weights = encoder.weights(settings)
    _, frames, side, _ = shape = USUAL[encoder.modality]
    for known in list(weights.values())[:1]:
        side = known.input["size"]
        shape = (3, known.input.get("frames", frames), side, side)
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counted:
        net = build_encoder(name, shape, settings).eval()
        net(torch.zeros(1, *shape))
    parameters = sum(parameter.numel() for parameter in net.parameters())
    licenses = {key: value.license for key, value in weights.items()}
    return Cost(shape, parameters, counted.get_total_flops(), licenses)
