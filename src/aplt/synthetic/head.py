"""The head: a lit mesh that turns in three dimensions, with hair, ears and the features of a face on it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from aplt.synthetic.figure import Array, Body, Pose, Skeleton, turned
from aplt.synthetic.shapes import Camera, Layer, Looks, Shape, capsule, shade

_LIGHT = np.array([-0.45, 0.6, 0.66])  # toward the light, in the camera's axes
_RINGS, _SECTORS = 8, 14
_TURN = np.linspace(0, 2 * np.pi, 9)[:-1]

Place = Callable[[Array], Array]  # points on the head, in half-axes -> in the world


def head_layers(camera: Camera, bones: Skeleton, pose: Pose, body: Body, looks: Looks) -> list[Layer]:
    """Returns neck, long hair, and the head with its face."""

    def placed(points: Array) -> Array:
        return bones.head[:, None] + turned(bones.head_turn, points * np.array(body.head))

    neck = capsule(camera, (bones.neck, bones.nape), (0.055, 0.05), tuple(shade(looks.skin, 0.9)))
    head = Layer(camera.project(bones.head)[1] + 0.02)
    layers = [Layer(neck.near - 0.02, neck.shapes), head]
    for sign in (-1.0, 1.0):
        ear = placed(np.array([[0.97 * sign, 0.1, -0.05], [0.97 * sign, -0.15, -0.05]]))
        head.shapes += capsule(camera, (ear[:, 0], ear[:, 1]), (0.022, 0.018), looks.skin).shapes
    head.shapes += _mesh(camera, placed, bones, body, looks)
    head.shapes += _face(camera, placed, bones, pose, body, looks)
    if looks.hair_style == "long":
        fall = placed(np.array([[0.0, 0.2, -0.45], [0.0, -1.15, -0.45]]))
        hair = capsule(camera, (fall[:, 0], fall[:, 1]), (1.08 * body.head[0], 0.95 * body.head[0]), looks.hair)
        layers.append(Layer(head.near - 0.12, hair.shapes))
    return layers


def _surface(x: Array, y: Array, lift: Array | float = 1.02) -> Array:
    """Returns points [..., 3] of the face at `x`, `y`, in half-axes; it narrows toward the chin."""
    z = np.sqrt(np.maximum(0.0, 1 - x * x - y * y))
    return np.stack([x * _narrow(y), y, z * lift], axis=-1)


def _narrow(y: Array) -> Array:
    return 1 - 0.25 * np.clip(-y, 0, 1) ** 1.5


def _mesh(camera: Camera, placed: Place, bones: Skeleton, body: Body, looks: Looks) -> list[Shape]:
    """Returns the quads of skull and hair, each lit by the direction it faces; hair over skin."""
    polar = np.linspace(0.06, np.pi - 0.06, _RINGS + 1)
    around = np.linspace(-np.pi, np.pi, _SECTORS + 1)
    ring, sector = (grid.ravel() for grid in np.meshgrid(np.arange(_RINGS), np.arange(_SECTORS), indexing="ij"))
    corner = np.stack([ring, ring, ring + 1, ring + 1]), np.stack([sector, sector + 1, sector + 1, sector])
    angle, azimuth = polar[corner[0]].T, around[corner[1]].T
    y = np.cos(angle)
    quads = np.stack([np.sin(angle) * np.sin(azimuth) * _narrow(y), y, np.sin(angle) * np.cos(azimuth)], axis=-1)
    middle = quads.mean(axis=1)

    hairy = _is_hair(middle, looks)
    quads = np.where(hairy[:, None, None], quads * 1.09, quads)
    bearded = looks.beard & (middle[:, 1] < -0.42) & (middle[:, 2] > 0.1)
    skin, hair = np.array(looks.skin), np.array(looks.hair)
    color = np.where(hairy[:, None], hair, np.where(bearded[:, None], 0.6 * hair + 0.4 * skin, skin))

    facing = _facing(camera, bones, body, middle)
    light = 0.74 + 0.34 * np.maximum(0.0, facing @ (_LIGHT / np.linalg.norm(_LIGHT)))
    lit = np.clip(light[..., None] * color, 0, 255)
    pixels = camera.project(placed(quads.reshape(-1, 3)))[0].reshape(len(facing), -1, 4, 2)
    order = np.argsort(hairy, kind="stable")
    return [Shape(pixels[:, q], lit[:, q], facing[:, q, 2] > 0) for q in order]


def _is_hair(middle: Array, looks: Looks) -> NDArray[np.bool_]:
    x, y, z = middle.T
    back = (z < 0.15) & (y > -0.45)
    if looks.hair_style == "bald":
        wreath: NDArray[np.bool_] = (z < 0.1) & (y > -0.35) & (y < 0.3)
        return wreath
    fringe = y > 0.55 + 0.2 * (looks.hair_style == "short") - 0.25 * np.abs(x)
    grown: NDArray[np.bool_] = fringe | back
    return grown


def _face(camera: Camera, placed: Place, bones: Skeleton, pose: Pose, body: Body, looks: Looks) -> list[Shape]:
    """Returns eyes, brows, nose and mouth; what has turned away is not visible."""
    shapes = []

    def feature(outline: Array, color: Array, depth: Array | float = 1.02) -> None:
        points = _surface(outline[..., 0], outline[..., 1], depth)
        facing = _facing(camera, bones, body, _surface(*np.atleast_2d(outline.reshape(-1, 2).mean(0)).T))
        shapes.append(Shape(camera.project(placed(points))[0], color, facing[:, 0, 2] > 0.12))

    round_ = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=-1)
    dark = np.array([45.0, 32.0, 30.0])
    for sign in (-1.0, 1.0):
        eye = np.array([0.37 * sign, 0.06])
        if looks.glasses:
            feature(eye + round_ * [0.27, 0.18], dark)
            feature(eye + round_ * [0.21, 0.13], shade(looks.skin, 1.1))
        open_ = 1 - 0.85 * np.clip(pose.blink, 0, 1)[:, None, None] * [0.0, 1.0]
        feature(eye + round_ * [0.19, 0.1] * open_, np.array([240.0, 238.0, 235.0]))
        look = pose.gaze[:, None] * [0.07, 0.03]
        feature(eye + look + round_ * [0.09, 0.09] * open_, dark)
        brow = np.array([[-0.2, 0.0], [0.2, 0.03], [0.2, 0.1], [-0.2, 0.08]]) * [sign, 1]
        feature(eye + [0, 0.17] + brow, shade(looks.hair, 0.75))
    nose = np.array([[0.0, 0.05], [0.13, -0.28], [0.0, -0.34], [-0.13, -0.28]])
    feature(nose, shade(looks.skin, 0.78), np.array([1.0, 1.1, 1.3, 1.1]))
    feature(nose * [0.5, 0.9], shade(looks.skin, 1.06), np.array([1.02, 1.2, 1.32, 1.12]))
    mouth = np.array([[-0.27, -0.56], [0.0, -0.53], [0.27, -0.56], [0.0, -0.66]])
    feature(mouth, 0.45 * np.array(looks.skin) + 0.55 * np.array([150.0, 45.0, 50.0]), 1.03)
    return shapes


def _facing(camera: Camera, bones: Skeleton, body: Body, points: Array) -> Array:
    """Returns the outward direction [T, P, 3] of the head's surface at `points` [P, 3], in camera axes."""
    normal = points / np.array(body.head)
    normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    return camera.turn(turned(bones.head_turn, normal))
