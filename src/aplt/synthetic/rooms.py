"""Backgrounds: a wall, a floor and what stands there, different for every seed."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from aplt.synthetic.figure import Array


def draw_room(seed: int, width: int, horizon: float, feet: tuple[float, float]) -> Image.Image:
    """Returns a room.

    Args:
        seed: decides colors and furniture.
        width: pixels, and the height too.
        horizon: pixel row where the wall meets the floor.
        feet: pixel below the chair, where its shadow lies.
    """
    rng = np.random.default_rng(seed)
    wall = rng.uniform(70, 225) * (1 - rng.uniform(0, 0.35) * rng.random(3))
    floor = rng.uniform(50, 190) * (1 - rng.uniform(0, 0.5) * rng.random(3))
    image = Image.new("RGB", (width, width), _rgb(wall))
    draw = ImageDraw.Draw(image)
    unit = width / 10
    for _ in range(int(rng.integers(1, 6))):
        _THINGS[rng.integers(len(_THINGS))](_Wall(draw, rng, unit, width, horizon, wall))
    draw.rectangle((0, horizon, width, width), fill=_rgb(floor))
    draw.rectangle((0, horizon - 0.12 * unit, width, horizon), fill=_rgb(wall * rng.uniform(0.5, 1.1)))
    if rng.random() < 0.5:
        for x in np.linspace(-1.5, 2.5, 22) * width:
            draw.line((x, width, width / 2 + 0.5 * (x - width / 2), horizon), fill=_rgb(floor * 0.85), width=2)
    x, y = feet
    shadow = Image.new("L", (width // 8, width // 8), 0)
    box = np.array([x - 3.2 * unit, y - 1.1 * unit, x + 3.2 * unit, y + 0.9 * unit]) / 8
    ImageDraw.Draw(shadow).ellipse(tuple(box), fill=110)
    shadow = shadow.filter(ImageFilter.GaussianBlur(unit / 14)).resize((width, width), Image.Resampling.BILINEAR)
    image.paste((0, 0, 0), mask=shadow)
    image = image.filter(ImageFilter.BoxBlur(rng.uniform(0, 0.12) * unit))
    return _blotched(image, rng)


def _blotched(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Makes flat surfaces uneven, as plaster, cloth and light are."""
    cells = int(rng.integers(4, 24))
    rough = rng.normal(0, rng.uniform(0.02, 0.09), (cells, cells))
    patch = Image.fromarray(np.clip(128 + 128 * rough, 0, 255).astype(np.uint8))
    gain = np.asarray(patch.resize(image.size, Image.Resampling.BICUBIC), np.float32)[..., None] / 128
    return Image.fromarray(np.clip(np.asarray(image) * gain, 0, 255).astype(np.uint8))


def _rgb(color: Array) -> tuple[int, int, int]:
    red, green, blue = np.clip(color, 0, 255).astype(int).tolist()
    return red, green, blue


@dataclass(frozen=True)
class _Wall:
    """The wall on which things are drawn; lengths in pixels."""

    draw: ImageDraw.ImageDraw
    rng: np.random.Generator
    unit: float
    width: int
    horizon: float
    color: Array

    def paint(self, spread: float = 90) -> tuple[int, int, int]:
        """Returns a color that differs from the wall's."""
        return _rgb(self.color + self.rng.uniform(-spread, spread, 3))


def _poster(wall: _Wall) -> None:
    x, y = wall.rng.uniform(0, wall.width), wall.rng.uniform(0.05, 0.5) * wall.horizon
    wide, high = wall.rng.uniform(0.8, 2.6, 2) * wall.unit
    wall.draw.rectangle((x, y, x + wide, y + high), fill=wall.paint(), outline=wall.paint(130), width=2)
    wall.draw.ellipse((x + 0.2 * wide, y + 0.2 * high, x + 0.7 * wide, y + 0.8 * high), fill=wall.paint(120))


def _window(wall: _Wall) -> None:
    x, y = wall.rng.uniform(-0.1, 0.8) * wall.width, wall.rng.uniform(0.02, 0.2) * wall.horizon
    wide, high = wall.rng.uniform(2, 4) * wall.unit, wall.rng.uniform(2, 4) * wall.unit
    light, frame = _rgb(wall.rng.uniform(170, 255, 3)), wall.paint(60)
    wall.draw.rectangle((x, y, x + wide, y + high), fill=light, outline=frame, width=max(2, int(0.15 * wall.unit)))
    wall.draw.line((x + wide / 2, y, x + wide / 2, y + high), fill=frame, width=max(2, int(0.1 * wall.unit)))


def _shelf(wall: _Wall) -> None:
    x, y = wall.rng.uniform(-0.1, 0.8) * wall.width, wall.rng.uniform(0.1, 0.7) * wall.horizon
    wide = wall.rng.uniform(2, 4) * wall.unit
    at = x
    while at < x + wide:
        thick, high = wall.rng.uniform(0.12, 0.35) * wall.unit, wall.rng.uniform(0.5, 1.0) * wall.unit
        wall.draw.rectangle((at, y - high, at + thick, y), fill=wall.paint(120))
        at += thick
    wall.draw.rectangle((x, y, x + wide, y + 0.15 * wall.unit), fill=wall.paint(100))


def _curtain(wall: _Wall) -> None:
    x, wide = wall.rng.uniform(-0.2, 0.9) * wall.width, wall.rng.uniform(1, 3) * wall.unit
    cloth = np.clip(wall.color + wall.rng.uniform(-80, 80, 3), 30, 240)
    folds = int(wall.rng.integers(4, 10))
    for fold in range(folds):
        left = x + wide * fold / folds
        shade = 0.8 + 0.2 * (fold % 2)
        wall.draw.rectangle((left, 0, left + wide / folds, 0.98 * wall.horizon), fill=_rgb(cloth * shade))


def _door(wall: _Wall) -> None:
    x, wide = wall.rng.uniform(-0.1, 0.9) * wall.width, wall.rng.uniform(1.8, 2.6) * wall.unit
    y = wall.rng.uniform(0.0, 0.15) * wall.horizon
    wall.draw.rectangle((x, y, x + wide, wall.horizon), fill=wall.paint(70), outline=wall.paint(110), width=2)


def _plant(wall: _Wall) -> None:
    x, y, unit = wall.rng.uniform(0, wall.width), wall.horizon, wall.unit
    for _ in range(12):
        dx, dy = wall.rng.normal(0, 0.8), -wall.rng.uniform(1, 3.5)
        green = _rgb(wall.rng.uniform((20, 70, 20), (90, 150, 80)))
        leaf = [(x - 0.15 * unit, y - unit), (x + dx * unit, y + dy * unit), (x + 0.15 * unit, y - unit)]
        wall.draw.polygon(leaf, fill=green)
    wall.draw.rectangle((x - 0.5 * unit, y - unit, x + 0.5 * unit, y + 0.1 * unit), fill=wall.paint(100))


_THINGS = (_poster, _window, _shelf, _curtain, _door, _plant)
