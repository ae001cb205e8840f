"""How a person sits before anything happens, and the small movements that mean nothing."""

from collections.abc import Callable

import numpy as np

from aplt.synthetic.figure import SIDES, Array, Body, Pose
from aplt.synthetic.motions import crossed_leg, folded_arm
from aplt.synthetic.moves import Move

ArmPose = Callable[[Body, int], tuple[Array, Array]]  # wrist and fingertips [3] of one side
LegPose = Callable[[Body, int], tuple[Array, Array]]  # ankle and toe [3] of one side

ANKLE = 0.07  # height of the ankle above the floor


def _lap(body: Body, side: int) -> tuple[Array, Array]:
    wrist = np.array([SIDES[side] * 0.11, body.seat + 0.19, 0.22])
    return wrist, wrist + [-SIDES[side] * 0.08, -0.02, 0.06]


def _knees(body: Body, side: int) -> tuple[Array, Array]:
    wrist = np.array([SIDES[side] * 0.15, body.seat + 0.18, 0.32])
    return wrist, wrist + [0.0, -0.04, 0.09]


def _beside(body: Body, side: int) -> tuple[Array, Array]:
    wrist = np.array([SIDES[side] * (body.shoulder + 0.12), body.seat + 0.12, 0.08])
    return wrist, wrist + [0.0, -0.06, 0.08]


def _raised(body: Body, side: int) -> tuple[Array, Array]:
    wrist = np.array([SIDES[side] * 0.17, body.chest - 0.17, 0.27])
    return wrist, wrist + [-SIDES[side] * 0.04, 0.08, 0.04]


def _at_chin(body: Body, side: int) -> tuple[Array, Array]:
    tip = body.on_head(SIDES[side] * 0.35, -0.75) + [0.0, 0.0, 0.02]
    return tip + body.hand * np.array([0.4 * SIDES[side], -0.8, 0.45]), tip


def _folded(body: Body, side: int) -> tuple[Array, Array]:
    return folded_arm(body, side, over=1)


OPEN_ARMS: dict[str, ArmPose] = {"lap": _lap, "knees": _knees, "beside": _beside, "raised": _raised}
# These look like the end of a class, so that one frame alone does not tell the class.
CLOSED_ARMS: dict[str, ArmPose] = {"folded": _folded, "at chin": _at_chin}
ARMS = OPEN_ARMS | CLOSED_ARMS


def _standing_foot(x: float, z: float) -> LegPose:
    def foot(_: Body, side: int) -> tuple[Array, Array]:
        ankle = np.array([SIDES[side] * x, ANKLE, z])
        return ankle, ankle + [SIDES[side] * 0.04, -0.05, 0.15]

    return foot


OPEN_LEGS: dict[str, LegPose] = {
    "parallel": _standing_foot(0.12, 0.42),
    "apart": _standing_foot(0.22, 0.40),
    "forward": _standing_foot(0.13, 0.55),
    "tucked": _standing_foot(0.12, 0.28),
}
CLOSED_LEGS: dict[str, LegPose] = {"ankles crossed": _standing_foot(-0.06, 0.48)}
LEGS = OPEN_LEGS | CLOSED_LEGS
LAID_OVER = "laid over"  # one leg lies on the other


def rest_pose(body: Body, frames: int, arms: tuple[str, str], legs: str, over: int) -> Pose:
    """Returns the start pose, held still for `frames`; `over` is the side of a leg laid over the other."""
    pose = Pose(
        head=np.zeros((frames, 3)),
        torso=np.zeros((frames, 3)),
        lift=np.zeros((frames, 2)),
        wrist=np.zeros((frames, 2, 3)),
        tip=np.zeros((frames, 2, 3)),
        elbow=np.full((frames, 2), 0.1),
        ankle=np.zeros((frames, 2, 3)),
        toe=np.zeros((frames, 2, 3)),
        knee=np.zeros((frames, 2)),
        blink=np.zeros(frames),
        gaze=np.zeros((frames, 2)),
    )
    for side in range(2):
        pose.wrist[:, side], pose.tip[:, side] = ARMS[arms[side]](body, side)
        pose.elbow[:, side] = 0.3 if arms[side] == "beside" else 0.15
        standing = LEGS.get(legs, LEGS["parallel"])
        pose.ankle[:, side], pose.toe[:, side] = standing(body, side)
        pose.knee[:, side] = 0.25 if legs == "apart" else 0.08
    if legs == LAID_OVER:
        pose.ankle[:, over], pose.toe[:, over], turn = crossed_leg(body, over, at_knee=False)
        pose.knee[:, over] = turn
    return pose


def wander(rng: np.random.Generator, time: Array, size: float) -> Array:
    """Returns a smooth aimless movement [T] of about `size`, made of slow sines."""
    rate, phase = rng.uniform(0.15, 0.9, 3), rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * rate * time[:, None] + phase)
    return np.asarray(size * waves.mean(axis=1))


def live(pose: Pose, rng: np.random.Generator, time: Array, strength: float) -> None:
    """Adds what every living person does: breathing, swaying, holding the head not quite still, blinking."""
    breath = np.sin(2 * np.pi * rng.uniform(0.25, 0.4) * time + rng.uniform(0, 2 * np.pi))
    pose.lift += (0.004 * strength * breath)[:, None]
    for axis in range(3):
        pose.torso[:, axis] += wander(rng, time, np.radians(1.5) * strength)
        pose.head[:, axis] += wander(rng, time, np.radians(2.5) * strength)
    for target, size in ((pose.wrist, 0.012), (pose.tip, 0.02)):
        for side in range(2):
            for axis in range(3):
                target[:, side, axis] += wander(rng, time, size * strength)
    pose.gaze[:, 0] += wander(rng, time, 0.9 * strength)
    pose.gaze[:, 1] += wander(rng, time, 0.4 * strength)
    closed = rng.uniform(-0.5, time[-1] + 0.5)
    pose.blink += min(1.0, strength) * np.clip(1.6 - np.abs(time - closed) / 0.08, 0, 1)


def fidget(pose: Pose, rng: np.random.Generator, time: Array, part: str, strength: float) -> None:
    """Adds one small movement of a part of the body that is no class: what a recognizer must ignore."""
    side = int(rng.integers(2))
    start, length = rng.uniform(0, 0.6) * time[-1], rng.uniform(0.4, 1.0)
    bump = np.exp(-(((time - start - length / 2) / (length / 3)) ** 2))
    if part == "head":
        pose.head[:, int(rng.integers(3))] += np.radians(rng.choice([-4, 4])) * strength * bump
    elif part == "shoulders":
        pose.lift[:, side] += 0.018 * strength * bump
    elif part == "arms":
        slide = np.array([rng.uniform(-0.04, 0.04), rng.uniform(0, 0.03), rng.uniform(-0.05, 0.03)])
        pose.wrist[:, side] += strength * bump[:, None] * slide
        pose.tip[:, side] += strength * bump[:, None] * slide * 1.4
    elif part == "legs":
        tap = np.array([rng.uniform(-0.03, 0.03), 0.03, 0.02]) * strength
        pose.toe[:, side] += bump[:, None] * tap * 1.6
        pose.ankle[:, side] += bump[:, None] * tap * [1, 0.2, 1]
        pose.knee[:, side] += 0.08 * strength * bump
    else:
        pose.torso[:, int(rng.integers(3))] += np.radians(rng.choice([-3.5, 3.5])) * strength * bump


def accompany(pose: Pose, move: Move) -> None:
    """Adds what the person moves along with a movement, in time with it."""
    company, other = move.manner.company, 1 - move.side
    curve = move.swing(1.4) if company.swings else move.hold()
    way = curve[:, None] * company.toward
    # A hand or foot that rests on something can only be lifted.
    lifted = np.where([False, True, False], np.abs(way), way)
    if company.part == "head":
        pose.head += np.radians(12) * way
    elif company.part == "shoulders":
        pose.lift += 0.03 * np.abs(way[:, :2])
    elif company.part == "arms":
        pose.wrist[:, other] += 0.06 * lifted
        pose.tip[:, other] += 0.09 * lifted
    elif company.part == "legs":
        pose.ankle[:, other] += 0.05 * lifted
        pose.toe[:, other] += 0.05 * lifted
        pose.knee[:, other] += 0.25 * way[:, 0]
    else:
        pose.torso += np.radians(7) * way


PARTS = ("head", "shoulders", "arms", "legs", "torso")
