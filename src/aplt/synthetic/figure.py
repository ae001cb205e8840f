"""The seated figure's bones: from a pose over time to the position of every joint.

World axes: x to the right of the image, y up, z toward the camera; meters, the floor at y = 0.
Side 0 is the image's left, side 1 its right. T frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SIDES = (-1.0, 1.0)  # the sign of x of side 0 and side 1


@dataclass(frozen=True)
class Body:
    """One person's proportions in meters."""

    seat: float = 0.46
    torso: float = 0.50
    shoulder: float = 0.19  # half of the width
    hip: float = 0.09  # half of the distance of the hip joints
    neck: float = 0.09
    head: tuple[float, float, float] = (0.122, 0.16, 0.138)  # half-axes: width, height, depth; rather large
    upper_arm: float = 0.29
    forearm: float = 0.25
    hand: float = 0.10
    thigh: float = 0.42
    shin: float = 0.43
    foot: float = 0.17
    girth: float = 1.0

    @property
    def pelvis(self) -> Array:
        """The middle of the hip joints [3]."""
        return np.array([0.0, self.seat + 0.07, 0.0])

    @property
    def chest(self) -> float:
        """Height of the shoulder joints at rest."""
        return float(self.pelvis[1]) + self.torso - 0.06

    @property
    def head_center(self) -> Array:
        """The head's middle when it looks straight ahead [3]."""
        center: Array = self.pelvis + [0.0, self.torso + self.neck + 0.75 * self.head[1], 0.025]
        return center

    def on_head(self, x: float, y: float) -> Array:
        """Returns the point [3] of the face at `x`, `y` in half-axes, when the head looks straight ahead."""
        depth = np.sqrt(max(0.0, 1 - x * x - y * y))
        return self.head_center + np.array([x, y, depth]) * self.head


@dataclass
class Pose:
    """What the person does in each frame. Angles in radians, points in meters.

    Angles are yaw (positive: to the image's right), pitch (positive: up or back), roll (positive: to the
    image's right). Hands, fingertips, ankles and toes are targets; the joints between follow.
    """

    head: Array  # [T, 3] relative to the torso
    torso: Array  # [T, 3]
    lift: Array  # [T, 2] of the shoulders, meters
    wrist: Array  # [T, 2, 3]
    tip: Array  # [T, 2, 3] where the fingers point
    elbow: Array  # [T, 2] how far the elbow turns outward, 0 hanging to 1 level with the shoulder
    ankle: Array  # [T, 2, 3]
    toe: Array  # [T, 2, 3] where the foot points
    knee: Array  # [T, 2] how far the knee turns outward
    blink: Array  # [T] 0 open, 1 closed
    gaze: Array  # [T, 2] of the pupils, in eye half-axes


@dataclass(frozen=True)
class Skeleton:
    """The position of every joint in every frame, meters."""

    pelvis: Array  # [T, 3]
    torso: Array  # [T, 3, 3] rotation
    neck: Array  # [T, 3] the neck's lower end
    nape: Array  # [T, 3] the neck's upper end, about which the head turns
    head: Array  # [T, 3] the head's middle
    head_turn: Array  # [T, 3, 3] rotation
    shoulder: Array  # [T, 2, 3]
    elbow: Array  # [T, 2, 3]
    wrist: Array  # [T, 2, 3]
    tip: Array  # [T, 2, 3]
    hip: Array  # [T, 2, 3]
    knee: Array  # [T, 2, 3]
    ankle: Array  # [T, 2, 3]
    toe: Array  # [T, 2, 3]


def rotation(angles: Array) -> Array:
    """Returns rotation matrices [T, 3, 3] for yaw, pitch and roll [T, 3] in radians."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(angles).T, np.sin(angles).T
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    yaw = _matrix([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    pitch = _matrix([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    roll = _matrix([[cr, sr, zero], [-sr, cr, zero], [zero, zero, one]])
    return yaw @ pitch @ roll


def turned(turn: Array, points: Array) -> Array:
    """Returns points [..., P, 3] turned by rotations [T, 3, 3], as [T, P, 3]."""
    # Written out, because matmul over a stack of 3 x 3 matrices is several times slower.
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    rows = [turn[:, None, i, 0] * x + turn[:, None, i, 1] * y + turn[:, None, i, 2] * z for i in range(3)]
    return np.stack(rows, axis=-1)


def pose_skeleton(body: Body, pose: Pose) -> Skeleton:
    """Returns the joints of a body in a pose: torso and head by rotation, limbs by two-bone reach."""
    frames = len(pose.head)
    torso = rotation(pose.torso)
    pelvis = np.broadcast_to(body.pelvis, (frames, 3))
    neck = pelvis + turned(torso, np.array([[0.0, body.torso, 0.0]]))[:, 0]
    # The neck bends along with the head when it nods or leans, not when it turns.
    bend = torso @ rotation(pose.head * [0.0, 0.5, 0.5])
    nape = neck + turned(bend, np.array([[0.0, body.neck, 0.015]]))[:, 0]
    head_turn = torso @ rotation(pose.head)
    head = nape + turned(head_turn, np.array([[0.0, 0.75 * body.head[1], 0.01]]))[:, 0]

    at_rest = np.array([[side * body.shoulder, body.torso - 0.06, 0.0] for side in SIDES])
    raised = np.broadcast_to(at_rest, (frames, 2, 3)).copy()
    raised[..., 1] += pose.lift
    shoulder = pelvis[:, None] + turned(torso, raised)
    hip = pelvis[:, None] + np.array([[side * body.hip, 0.0, 0.02] for side in SIDES])

    sign = np.array(SIDES)
    out = sign * pose.elbow
    # The elbow of a hand on the lap points back, that of a hand at the face or beside it points forward.
    forward = np.clip(0.4 + 3 * (pose.wrist[..., 1] - shoulder[..., 1]), -0.35, 0.6)
    elbow_pole = np.stack([out + 0.35 * sign, pose.elbow - 1.0, forward], axis=-1)
    elbow, wrist = reach(shoulder, pose.wrist, body.upper_arm, body.forearm, elbow_pole)
    knee_pole = np.stack([sign * pose.knee, np.ones_like(pose.knee), np.full_like(pose.knee, 0.6)], axis=-1)
    knee, ankle = reach(hip, pose.ankle, body.thigh, body.shin, knee_pole)
    tip = wrist + body.hand * _unit(pose.tip - wrist)
    toe = ankle + body.foot * _unit(pose.toe - ankle)
    return Skeleton(pelvis, torso, neck, nape, head, head_turn, shoulder, elbow, wrist, tip, hip, knee, ankle, toe)


def reach(root: Array, goal: Array, upper: float, lower: float, pole: Array) -> tuple[Array, Array]:
    """Returns the middle joint and the end of a two-bone limb that reaches for a goal, bent toward `pole`.

    A goal out of reach is approached as far as the bones go. All points are [..., 3].
    """
    straight = goal - root
    far = np.linalg.norm(straight, axis=-1, keepdims=True)
    along = straight / np.maximum(far, 1e-9)
    far = np.clip(far, abs(upper - lower) + 1e-3, upper + lower - 1e-3)
    foot = (upper**2 - lower**2 + far**2) / (2 * far)
    height = np.sqrt(np.maximum(upper**2 - foot**2, 0.0))
    sideways = _unit(pole - (pole * along).sum(-1, keepdims=True) * along)
    return root + along * foot + sideways * height, root + along * far


def _matrix(rows: list[list[Array]]) -> Array:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _unit(vector: Array) -> Array:
    length: Array = np.linalg.norm(vector, axis=-1, keepdims=True)
    return vector / np.maximum(length, 1e-9)
