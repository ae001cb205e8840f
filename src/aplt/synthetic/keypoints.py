"""What a pose tracker would see of a synthetic clip: the 17 points of COCO in pixels, with its errors."""

import numpy as np
from numpy.typing import NDArray

from aplt.synthetic.difficulty import DEFAULT, Difficulty
from aplt.synthetic.figure import Array, pose_skeleton, turned
from aplt.synthetic.poses import wander
from aplt.synthetic.render import camera_of, drift_of
from aplt.synthetic.subjects import Take, act, draw_subject, draw_take

JITTER = 0.006
"""Deviation of a point from frame to frame, in heights of the image: two thirds of a pixel of 112."""
BIAS = 0.01
"""How far a tracker's idea of where a point of the body is wanders over a clip, in heights of the image."""
# In half-axes of the head: width, height, depth. Left and right are the person's own, as trackers have them.
_FACE = np.array([[0, -0.3, 1.25], [0.37, 0.06, 0.92], [-0.37, 0.06, 0.92], [0.97, 0, -0.05], [-0.97, 0, -0.05]])


def clip_keypoints(
    motion: str, *, seed: int, number: int, subject: int, size: int = 112, difficulty: Difficulty = DEFAULT
) -> NDArray[np.float32]:
    """Returns the points [T, 17, 2] of the clip that `render_clip` renders for these arguments, in its pixels."""
    take = draw_take(seed, number, motion, draw_subject(seed, subject, difficulty), difficulty)
    camera = camera_of(take, size, drift_of(take, size, np.random.default_rng([*take.seed, 1])))
    points = camera.project(_joints(take))[0]
    rng = np.random.default_rng([*take.seed, 2])
    errors = JITTER * rng.standard_normal(points.shape)
    shape = points.shape[1:]
    bias = np.stack([wander(rng, take.time, BIAS) for _ in range(int(np.prod(shape)))], axis=-1)
    seen: NDArray[np.float32] = (points + size * (errors + bias.reshape(-1, *shape))).astype(np.float32)
    return seen


def _joints(take: Take) -> Array:
    """Returns COCO's points in the room [T, 17, 3]."""
    body = take.subject.body
    bones = pose_skeleton(body, act(take))
    face = bones.head[:, None] + turned(bones.head_turn, _FACE * body.head)
    # Side 1 is the image's right, and of a person who faces the camera the left.
    pairs = (bones.shoulder, bones.elbow, bones.wrist, bones.hip, bones.knee, bones.ankle)
    return np.concatenate([face, *(joint[:, ::-1] for joint in pairs)], axis=1)
