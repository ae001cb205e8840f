"""From one clip's draws to its pixels: polygons filled on a finer canvas, light, sensor noise."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from aplt.synthetic.difficulty import DEFAULT, Difficulty
from aplt.synthetic.figure import Array, pose_skeleton
from aplt.synthetic.head import head_layers
from aplt.synthetic.poses import wander
from aplt.synthetic.rooms import draw_room
from aplt.synthetic.shapes import Camera, Layer, chair_layers, limb_layers, torso_layer
from aplt.synthetic.subjects import Take, act, draw_subject, draw_take

# Pillow fills polygons at whole pixels: the canvas is this many times finer than the image, per axis, so that
# edges are smooth and a movement of a third of a pixel shows.
_FINE = 3
_TALL = 0.62  # image heights a meter, at zoom 1: the whole person and chair fit


def render_clip(
    motion: str,
    *,
    seed: int,
    number: int,
    subject: int,
    size: int = 112,
    difficulty: Difficulty = DEFAULT,
) -> tuple[NDArray[np.uint8], float]:
    """Renders one clip; the same arguments give the same pixels, whatever was rendered before.

    Args:
        motion: a name in `CLASSES`, or one in `motions.OTHERS`.
        seed: the data set's.
        number: the clip's in the data set; everything that differs between clips is drawn from both.
        subject: number of the person.
        size: pixels, height and width.
        difficulty: strengths of movement and nuisance.

    Returns:
        Frames [T, size, size, 3] and frames per second.
    """
    take = draw_take(seed, number, motion, draw_subject(seed, subject, difficulty), difficulty)
    return render_take(take, size), float(take.fps)


def render_take(take: Take, size: int) -> NDArray[np.uint8]:
    """Returns the frames [T, size, size, 3] of a take."""
    rng = np.random.default_rng([*take.seed, 1])
    canvas = size * _FINE
    drift = drift_of(take, canvas, rng)
    camera = camera_of(take, canvas, drift)
    margin = int(np.ceil(np.abs(drift).max())) + 1
    room = _room(take, camera, canvas, margin, drift[0])
    layers = _layers(take, camera)
    drawn = [
        [(s.points.reshape(take.frames, -1).tolist(), _fills(s.color, take.frames), s.visible) for s in layer.shapes]
        for layer in layers
    ]
    order = np.argsort(np.stack([layer.near for layer in layers]), axis=0, kind="stable")
    light = _light(take, size)
    # Drawing noise for every pixel of every frame would take as long as drawing the figure.
    noise = take.noise * rng.standard_normal(4 * light.size, dtype=np.float32)
    starts = rng.integers(3 * light.size, size=take.frames)
    flicker = (1 + wander(rng, take.time, take.difficulty.flicker)).astype(np.float32)

    frames = np.empty((take.frames, size, size, 3), np.uint8)
    for t in range(take.frames):
        left, top = (margin - np.round(drift[t])).astype(int).tolist()
        image = room.crop((left, top, left + canvas, top + canvas))
        draw = ImageDraw.Draw(image)
        for layer_number in order[:, t]:
            for points, fill, visible in drawn[layer_number]:
                if visible is None or visible[t]:
                    draw.polygon(points[t], fill=fill[t])
        pixels = np.asarray(image.reduce(_FINE), np.float32) * (light * flicker[t])
        start = starts[t]
        pixels += noise[start : start + pixels.size].reshape(pixels.shape)
        frames[t] = np.clip(pixels + 0.5, 0, 255).astype(np.uint8)
    return frames


def drift_of(take: Take, canvas: int, rng: np.random.Generator) -> Array:
    """Returns how far the camera has drifted in the hand [T, 2], in pixels of the canvas."""
    return np.stack([wander(rng, take.time, take.difficulty.drift * canvas) for _ in range(2)], axis=-1)


def camera_of(take: Take, canvas: int, drift: Array) -> Camera:
    """Returns the camera of a take on an image of `canvas` pixels."""
    return Camera(
        yaw=np.radians(take.yaw),
        pitch=np.radians(take.pitch),
        scale=_TALL * take.zoom * canvas,
        center=(np.array(take.shift) + [0.5, 0.545]) * canvas + drift,
    )


def _layers(take: Take, camera: Camera) -> list[Layer]:
    body, looks = take.subject.body, take.subject.looks
    pose = act(take)
    bones = pose_skeleton(body, pose)
    return [
        *chair_layers(camera, body, looks, take.frames),
        torso_layer(camera, bones, body, looks),
        *limb_layers(camera, bones, body, looks),
        *head_layers(camera, bones, pose, body, looks),
    ]


def _fills(color: Array, frames: int) -> list[tuple[int, int, int]]:
    """Returns each frame's color as Pillow wants it."""
    rows = [(int(red), int(green), int(blue)) for red, green, blue in np.atleast_2d(color).tolist()]
    return rows if len(rows) == frames else rows * frames


def _room(take: Take, camera: Camera, canvas: int, margin: int, first_drift: Array) -> Image.Image:
    """Returns the background, larger than the canvas by a margin on each side in which the camera drifts."""
    frames = len(camera.center)
    ground = np.broadcast_to([[0.0, 0.0, -0.9], [0.0, 0.0, 0.15]], (frames, 2, 3))
    back, feet = camera.project(ground)[0][0] - first_drift + margin
    side = canvas + 2 * margin
    # What stands still and out of focus needs no finer canvas than half of the figure's.
    room = draw_room(take.room, side // 2, float(back[1]) / 2, (float(feet[0]) / 2, float(feet[1]) / 2))
    return room.resize((side, side), Image.Resampling.BILINEAR)


def _light(take: Take, size: int) -> NDArray[np.float32]:
    """Returns the factor [size, size, 3] by which light differs over the image and the colors."""
    across = np.linspace(-1, 1, size)
    gradient = 1 + take.gradient[0] * across[None, :] + take.gradient[1] * across[:, None]
    light: NDArray[np.float32] = (take.gain * gradient[..., None] * np.array(take.tint)).astype(np.float32)
    return light
