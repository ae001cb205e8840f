"""RandAugment of clips on any device: torchvision's operations and draws, each operation once for all that drew it."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

Operation = tuple[str, float]
"""The name of an operation and its magnitude."""

LARGEST = 30
"""The largest setting of magnitude."""


def draw_operations(count: int, magnitude: int, size: int) -> tuple[Operation, ...]:
    """Returns `count` operations, drawn from torch's global stream as torchvision's RandAugment draws them."""
    names, drawn = list(OPERATIONS), []
    for _ in range(count):
        name = names[int(torch.randint(len(names), ()))]
        value, signed = _magnitude(name, magnitude / LARGEST, size)
        drawn.append((name, -value if signed and torch.rand(()) <= 0.5 else value))
    return tuple(drawn)


def _magnitude(name: str, share: float, size: int) -> tuple[float, bool]:
    """Returns an operation's magnitude at a share of its range, and whether it goes both ways."""
    if name in UNSIGNED:
        return UNSIGNED[name](share), False
    if name.startswith("Translate"):
        return int(150 / 331 * size * share), True
    return {"ShearX": 0.3, "ShearY": 0.3, "Rotate": 30.0}.get(name, 0.9) * share, True


def augmented(views: Tensor, drawn: Sequence[Sequence[Operation]]) -> Tensor:
    """Returns views [n, 3, T, H, W] from 0 to 1 after the operations drawn for each, as many for each; may overwrite.

    Pixels are not rounded to whole levels between operations.
    """
    for operations in zip(*drawn, strict=True):
        clips_of: dict[Operation, list[int]] = {}
        for number, operation in enumerate(operations):
            clips_of.setdefault(operation, []).append(number)
        for (name, value), numbers in clips_of.items():
            if len(numbers) == len(views):
                views = OPERATIONS[name](views, value)
            elif name != "Identity":
                views[numbers] = OPERATIONS[name](views[numbers], value)
    return views


def _warped(views: Tensor, warp: Callable[..., Tensor], **how: Any) -> Tensor:
    # Frames as channels, for what is drawn holds for all of them: the places to read from are computed once.
    return warp(views.flatten(1, 2), **how, interpolation=v2.InterpolationMode.BILINEAR).view_as(views)


def _sheared(views: Tensor, x: float, y: float) -> Tensor:
    degrees = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    how = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": degrees, "center": [0.0, 0.0]}
    return _warped(views, v2.functional.affine, **how)


def _moved(views: Tensor, pixels: int, dim: int) -> Tensor:
    size, kept = views.shape[dim], views.shape[dim] - abs(pixels)
    moved = torch.zeros_like(views)
    moved.narrow(dim, max(pixels, 0), kept).copy_(views.narrow(dim, size - kept - max(pixels, 0), kept))
    return moved


def _by_frame(change: Callable[[Tensor, float], Tensor], views: Tensor, value: float) -> Tensor:
    return change(views.transpose(1, 2), value).transpose(1, 2)


UNSIGNED: dict[str, Callable[[float], float]] = {
    "Identity": lambda _: 0.0,
    "Posterize": lambda share: round(8 - 4 * share),
    "Solarize": lambda share: 1 - share,
    "AutoContrast": lambda _: 0.0,
    "Equalize": lambda _: 0.0,
}
"""The magnitude at a share of its range, of operations that do not go both ways."""

OPERATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "Identity": lambda views, _: views,
    "ShearX": lambda views, value: _sheared(views, value, 0.0),
    "ShearY": lambda views, value: _sheared(views, 0.0, value),
    "TranslateX": lambda views, value: _moved(views, int(value), 4),
    "TranslateY": lambda views, value: _moved(views, int(value), 3),
    "Rotate": lambda views, value: _warped(views, v2.functional.rotate, angle=value),
    "Brightness": lambda views, value: views.mul(1 + value).clamp_(0, 1),
    "Color": partial(_by_frame, lambda frames, value: v2.functional.adjust_saturation(frames, 1 + value)),
    "Contrast": partial(_by_frame, lambda frames, value: v2.functional.adjust_contrast(frames, 1 + value)),
    "Sharpness": partial(_by_frame, lambda frames, value: v2.functional.adjust_sharpness(frames, 1 + value)),
    "Posterize": lambda views, value: v2.functional.posterize(views, int(value)),
    "Solarize": lambda views, value: v2.functional.solarize(views, value),
    "AutoContrast": partial(_by_frame, lambda frames, _: v2.functional.autocontrast(frames)),
    "Equalize": lambda views, _: v2.functional.equalize(views),
}
"""From views and a magnitude to views, in the order in which torchvision draws them."""
