"""From joints to colored polygons on the image: camera, limbs, torso, head with its face, chair.

Everything is computed for all T frames at once; only the filling of polygons goes frame by frame.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aplt.synthetic.figure import SIDES, Array, Body, Skeleton, turned

Color = tuple[float, float, float]  # red, green, blue, 0 to 255


@dataclass(frozen=True)
class Looks:
    """What a person wears and has in the face; no bearing on the movement."""

    skin: Color
    hair: Color
    top: Color
    trim: Color
    trousers: Color
    shoes: Color
    chair: Color
    hair_style: str = "short"  # short, long, bald
    beard: bool = False
    glasses: bool = False
    sleeves: float = 1.0  # share of the arm that is covered: 0.5 ends at the elbow
    shorts: bool = False
    stripes: int = 0
    chair_back: bool = True


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at the person from the front. Angles in radians, pixels of the canvas."""

    yaw: float
    pitch: float
    scale: float  # pixels a meter at the target
    center: Array  # [T, 2] where the target appears: drifts in the hand of whoever films
    distance: float = 3.4
    target: tuple[float, float, float] = (0.0, 0.66, 0.1)

    def view(self, points: Array) -> Array:
        """Returns world points [..., 3] in the camera's axes: right, up, near."""
        return self.turn(points - np.array(self.target))

    def turn(self, directions: Array) -> Array:
        """Returns world directions [..., 3] in the camera's axes."""
        x, y, z = np.moveaxis(directions, -1, 0)
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        x, z = cy * x + sy * z, cy * z - sy * x
        return np.stack([x, cp * y - sp * z, cp * z + sp * y], axis=-1)

    def project(self, points: Array) -> tuple[Array, Array, Array]:
        """Returns pixels [T, ..., 2], nearness in meters [T, ...] and pixels a meter [T, ...]."""
        seen = self.view(points)
        scale = self.scale / (1 - seen[..., 2] / self.distance)
        center = self.center.reshape(len(self.center), *[1] * (points.ndim - 2), 2)
        return center + seen[..., :2] * scale[..., None] * [1, -1], seen[..., 2], scale


@dataclass(frozen=True)
class Shape:
    """A polygon over time: pixels [T, P, 2], color [3] or [T, 3], and where it is visible [T]."""

    points: Array
    color: Array
    visible: NDArray[np.bool_] | None = None


@dataclass
class Layer:
    """Shapes that are painted together, one over the other, at one nearness [T]."""

    near: Array
    shapes: list[Shape] = field(default_factory=list)


_ARC = np.linspace(-np.pi / 2, np.pi / 2, 7)
_ROUND = np.concatenate([_ARC + np.pi, _ARC])  # half around the first end, half around the second


def capsule(camera: Camera, ends: tuple[Array, Array], radii: tuple[float, float], color: Color) -> Layer:
    """Returns a rounded, tapered limb between two points [T, 3]: a dark rim, the color, a lit middle."""
    (pixels, near, scale) = camera.project(np.stack(ends, axis=1))
    along = pixels[:, 1] - pixels[:, 0]
    arc = np.arctan2(along[:, 1], along[:, 0])[:, None] + _ROUND
    radius = scale * np.array(radii)
    centers, reach = np.repeat(pixels, _ARC.size, axis=1), np.repeat(radius, _ARC.size, axis=1)[..., None]
    edge = reach * np.stack([np.cos(arc), np.sin(arc)], axis=-1)
    layer = Layer(near.mean(axis=1))
    for grow, brightness, offset in ((1.0, 0.62, 0.0), (0.82, 1.0, 0.0), (0.4, 1.1, 0.18)):
        # The lit middle is shifted up and to the left, from where the light comes.
        layer.shapes.append(Shape(centers + grow * edge - offset * reach, shade(color, brightness)))
    return layer


def flat(camera: Camera, points: Array, color: Color) -> Shape:
    """Returns a filled polygon through world points [T, P, 3]."""
    return Shape(camera.project(points)[0], np.array(color))


def shade(color: Color, brightness: float) -> Array:
    """Returns the color [3], darker or brighter."""
    return np.clip(np.array(color) * brightness, 0, 255)


def torso_layer(camera: Camera, bones: Skeleton, body: Body, looks: Looks) -> Layer:
    """Returns the torso: a rim, the garment, its shaded side, stripes and an open collar."""
    lift = bones.shoulder - bones.pelvis[:, None]
    # Heights of the shoulders above the pelvis in the torso's own axes, so that a shrug shows.
    up = np.einsum("tsk,tk->ts", lift, bones.torso[:, :, 1])
    girth = body.girth

    def outline(grow: float) -> Array:
        sides = []
        for side, sign in enumerate(SIDES):
            wide, high = body.shoulder, up[:, side]
            rows = [
                (0.045, np.maximum(body.torso + 0.02, high + 0.075)),
                (0.75 * wide, high + 0.055),
                (wide + 0.03, high + 0.02),
                (wide + 0.035, high - 0.04),
                (0.9 * wide * girth, high - 0.15),
                (0.74 * wide * girth, np.full_like(high, 0.14)),
                (0.86 * wide * girth, np.full_like(high, -0.07)),
            ]
            x = np.stack([np.full_like(high, sign * (value + grow)) for value, _ in rows], axis=1)
            y = np.stack([value for _, value in rows], axis=1)
            sides.append(np.stack([x, y, np.full_like(x, 0.05)], axis=-1))
        return np.concatenate([sides[0], sides[1][:, ::-1]], axis=1)

    def placed(points: Array) -> Array:
        return bones.pelvis[:, None] + turned(bones.torso, points)

    rim, front = outline(0.012), outline(0.0)
    layer = Layer(camera.project(placed(front).mean(axis=1))[1])
    layer.shapes = [
        flat(camera, placed(rim), tuple(shade(looks.top, 0.6))),
        flat(camera, placed(front), looks.top),
    ]
    shadow = np.concatenate([front[:, 8:], front[:, 8:][:, ::-1] * [0.55, 1, 1]], axis=1)
    layer.shapes.append(flat(camera, placed(shadow), tuple(shade(looks.top, 0.86))))
    for stripe in range(looks.stripes):
        y = 0.05 + (body.torso - 0.25) * stripe / max(1, looks.stripes - 1)
        half = 0.72 * body.shoulder * girth
        corners = np.array([[-half, y, 0.06], [half, y, 0.06], [half, y + 0.035, 0.06], [-half, y + 0.035, 0.06]])
        layer.shapes.append(flat(camera, placed(corners), looks.trim))
    neckline = np.concatenate([front[:, :1], front[:, -1:], front[:, :1] * [0, 1, 1] - [0.0, 0.12, -0.01]], axis=1)
    layer.shapes.append(flat(camera, placed(neckline), tuple(shade(looks.skin, 0.85))))
    return layer


def limb_layers(camera: Camera, bones: Skeleton, body: Body, looks: Looks) -> list[Layer]:
    """Returns arms with hands and legs with feet, each limb's parts from the root to the end."""
    thick = body.girth
    layers = []
    for side in range(2):
        joint = {name: getattr(bones, name)[:, side] for name in ("shoulder", "elbow", "wrist", "tip")}
        lower = looks.top if looks.sleeves > 0.6 else looks.skin
        upper_arm = capsule(camera, (joint["shoulder"], joint["elbow"]), (0.055 * thick, 0.042 * thick), looks.top)
        forearm = capsule(camera, (joint["elbow"], joint["wrist"]), (0.042 * thick, 0.03), lower)
        palm = joint["wrist"] + 0.75 * (joint["tip"] - joint["wrist"])
        hand = capsule(camera, (joint["wrist"], palm), (0.032, 0.036), looks.skin)
        # A hand lies on what it touches, and an upper arm beside the torso is never behind it.
        for layer, bias in ((upper_arm, 0.06), (forearm, 0.09), (hand, 0.13)):
            layers.append(Layer(layer.near + bias, layer.shapes))
        hip, knee, ankle, toe = (getattr(bones, name)[:, side] for name in ("hip", "knee", "ankle", "toe"))
        thigh = capsule(camera, (hip, knee), (0.085 * thick, 0.062 * thick), looks.trousers)
        shin = capsule(camera, (knee, ankle), (0.058 * thick, 0.04), looks.skin if looks.shorts else looks.trousers)
        foot = capsule(camera, (ankle, ankle + 0.9 * (toe - ankle)), (0.045, 0.04), looks.shoes)
        layers += [thigh, shin, Layer(foot.near, foot.shapes)]
    return layers


def chair_layers(camera: Camera, body: Body, looks: Looks, frames: int) -> list[Layer]:
    """Returns the chair: legs, seat, and a back unless it is a stool."""
    y, dark = body.seat, tuple(shade(looks.chair, 0.65))

    def still(points: list[list[float]]) -> Array:
        return np.broadcast_to(np.array(points), (frames, len(points), 3))

    layers = []
    for x, z in ((-0.2, -0.16), (0.2, -0.16), (-0.2, 0.22), (0.2, 0.22)):
        ends = still([[x, y, z]])[:, 0], still([[1.08 * x, 0.0, 1.05 * z]])[:, 0]
        layers.append(capsule(camera, ends, (0.02, 0.018), looks.chair))
    top = still([[-0.23, y, -0.18], [0.23, y, -0.18], [0.23, y, 0.26], [-0.23, y, 0.26]])
    front = still([[-0.23, y, 0.26], [0.23, y, 0.26], [0.23, y - 0.05, 0.26], [-0.23, y - 0.05, 0.26]])
    layers.append(
        Layer(camera.project(top.mean(axis=1))[1], [flat(camera, top, looks.chair), flat(camera, front, dark)])
    )
    if looks.chair_back:
        high = y + 0.48
        panel = still([[-0.21, y + 0.08, -0.17], [0.21, y + 0.08, -0.17], [0.2, high, -0.22], [-0.2, high, -0.22]])
        shapes = [flat(camera, panel * [1.07, 1, 1] + [0, 0.012, 0], dark), flat(camera, panel, looks.chair)]
        layers.append(Layer(camera.project(panel.mean(axis=1))[1] - 0.1, shapes))
    return layers
