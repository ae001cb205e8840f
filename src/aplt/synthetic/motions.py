"""What the figure does: the micro-actions, and movements that belong to no class.

A movement is a function that changes a pose over time; `MOTIONS` names the classes, `OTHERS` the rest.
Its nominal size stands in it; `Move.amplitude` and `Move.tempo` scale size and speed.
`Move.manner` is whose it is: it chooses between ways to do the same and slants their direction.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from aplt.synthetic.figure import SIDES, Array, Body, Pose
from aplt.synthetic.moves import Move

Motion = Callable[[Pose, Move], None]


class Action(NamedTuple):
    """A movement and the part of the body that is its own, where no unrelated movement may interfere."""

    move: Motion
    part: str


# --- the head ---------------------------------------------------------------------------------------------


def nodding(pose: Pose, move: Move) -> None:
    """The head goes down and up again, some times over."""
    _turn_head(pose, move, 1, -17, move.swing(1.7) + 0.25 * move.gate())


def shaking_head(pose: Pose, move: Move) -> None:
    """The head turns left and right around the front, some times over."""
    _turn_head(pose, move, 0, 24 * move.sign, move.swing(1.7))


def turning_head(pose: Pose, move: Move) -> None:
    """The head turns to one side and rests there."""
    _turn_head(pose, move, 0, 48 * move.sign, move.hold())


def tilting_head(pose: Pose, move: Move) -> None:
    """The head leans toward one shoulder."""
    _turn_head(pose, move, 2, 30 * move.sign, move.hold())


def head_up(pose: Pose, move: Move) -> None:
    """The head is raised and looks up."""
    _turn_head(pose, move, 1, 32, move.hold())


# --- shoulders, arms and hands ----------------------------------------------------------------------------


def shrugging(pose: Pose, move: Move) -> None:
    """Both shoulders go up and drop again; the hands may turn outward a little."""
    up = move.hold(0.3) if move.manner.variant < 0.5 else np.abs(move.swing(0.9))
    lean = 0.6 * move.manner.slant[0] * move.sign * np.array(SIDES)
    pose.lift += 0.055 * move.amplitude * up[:, None] * (1 + lean)
    pose.elbow += (0.25 + 0.3 * move.manner.slant[1]) * up[:, None]


def crossing_arms(pose: Pose, move: Move) -> None:
    """Both arms fold in front of the chest."""
    for side in range(2):
        _bring(pose, move, side, *folded_arm(move.body, side, move.side), move.hold(0.6), elbow=0.25)


def touching_face(pose: Pose, move: Move) -> None:
    """One hand goes to cheek, eye, nose or forehead and may rub it."""
    places = ((0.62, -0.05), (0.4, 0.2), (0.1, 0.0), (0.45, 0.5))
    x, y = places[int(move.manner.variant * 3.999)]
    tip = move.body.on_head(move.sign * x, y) + [0.0, 0.0, 0.02]
    wrist = tip + move.body.hand * np.array([0.45 * move.sign, -0.65, 0.55])
    _bring(pose, move, move.side, wrist, tip, move.hold(0.5), elbow=0.15)
    rub = 0.012 * move.amplitude * move.swing(2.2) * move.hold(0.5)
    pose.wrist[:, move.side, 1] += rub
    pose.tip[:, move.side, 1] += rub


def touching_neck(pose: Pose, move: Move) -> None:
    """One hand goes to the throat, the side of the neck or its back, and may rub it."""
    # Where the fingertips go, relative to the lower neck, and how far the elbow turns outward.
    places = (((0.03, -0.02, 0.07), 0.35), ((0.07, -0.005, 0.045), 0.5), ((0.085, 0.02, -0.01), 0.8))
    at, elbow = places[int(move.manner.variant * 2.999)]
    tip = move.body.pelvis + [0.0, move.body.torso + 0.1 * move.body.neck, 0.0] + np.array(at) * [move.sign, 1, 1]
    wrist = tip + move.body.hand * np.array([0.75 * move.sign, -0.5, 0.5])
    _bring(pose, move, move.side, wrist, tip, move.hold(0.5), elbow=elbow)
    rub = 0.012 * move.amplitude * move.swing(2.2) * move.hold(0.5)
    pose.wrist[:, move.side, 0] += rub
    pose.tip[:, move.side, 0] += rub


def waving(pose: Pose, move: Move) -> None:
    """One raised hand swings from side to side."""
    up = move.hold(0.45)
    wrist = np.array(
        [move.sign * (move.body.shoulder + 0.13), move.body.chest + 0.02 + 0.16 * move.manner.variant, 0.16]
    )
    tip = wrist + [0.0, move.body.hand, 0.0]
    _bring(pose, move, move.side, wrist, tip, up, elbow=0.2)
    # From the wrist or from the elbow, and more or less straight to the side.
    swing = (move.swing(2.2) * up * move.amplitude)[:, None] * [1.0, *move.manner.slant]
    pose.wrist[:, move.side] += 0.045 * swing * (1 + move.manner.slant[0])
    pose.tip[:, move.side] += 0.115 * swing


# --- legs -------------------------------------------------------------------------------------------------


def shaking_leg(pose: Pose, move: Move) -> None:
    """One leg bounces on its toes, quickly."""
    wave = 1 - np.cos(2 * np.pi * 3.1 * move.tempo * (move.time - move.onset))
    bounce = 0.5 * move.amplitude * move.gate() * move.size() * wave
    across, along = move.manner.slant
    pose.ankle[:, move.side] += 0.085 * bounce[:, None] * [0.5 * across, 1.0, 0.25 + 0.5 * along]
    pose.knee[:, move.side] += 0.22 * move.manner.variant * move.amplitude * move.swing(1.55)


def crossing_legs(pose: Pose, move: Move) -> None:
    """One leg is laid over the other."""
    share = move.hold(0.65)
    ankle, toe, knee = crossed_leg(move.body, move.side, at_knee=move.manner.variant > 0.6)
    share_, lift = share[:, None], (np.sin(np.pi * share) * 0.07)[:, None] * [0.0, 1.0, 0.6]
    pose.ankle[:, move.side] += share_ * (ankle - pose.ankle[:, move.side]) + lift
    pose.toe[:, move.side] += share_ * (toe - pose.toe[:, move.side]) + lift
    pose.knee[:, move.side] += share * (knee - pose.knee[:, move.side])


# --- movements that belong to no class --------------------------------------------------------------------


def leaning(pose: Pose, move: Move) -> None:
    """The torso leans forward, back or to one side."""
    axis, size = ((1, -16), (1, 9), (2, 11 * move.sign))[int(move.manner.variant * 2.999)]
    pose.torso[:, axis] += np.radians(size) * move.amplitude * move.hold(0.6)


def clapping(pose: Pose, move: Move) -> None:
    """The hands meet in front of the chest, some times over."""
    apart = 0.05 + 0.05 * move.amplitude * (1 + np.cos(2 * np.pi * 2.4 * move.tempo * move.time))
    for side, sign in enumerate(SIDES):
        wrist = np.array([sign * 0.03, move.body.chest - 0.16, 0.27])
        _bring(pose, move, side, wrist, wrist + [0.0, 0.06, 0.07], move.hold(0.35), elbow=0.1)
        pose.wrist[:, side, 0] += sign * apart * move.hold(0.35)
        pose.tip[:, side, 0] += sign * apart * move.hold(0.35)


def stretching_arms(pose: Pose, move: Move) -> None:
    """Both arms are stretched upward or to the sides."""
    for side, sign in enumerate(SIDES):
        high = np.array([sign * (move.body.shoulder + 0.12), move.body.chest + 0.42, 0.05])
        wide = np.array([sign * (move.body.shoulder + 0.48), move.body.chest - 0.03, 0.1])
        wrist = high if move.manner.variant < 0.5 else wide
        away = wrist - [sign * move.body.shoulder, move.body.chest, 0.0]
        _bring(pose, move, side, wrist, wrist + away, move.hold(0.7), elbow=0.9)


def rubbing_hands(pose: Pose, move: Move) -> None:
    """The hands meet above the lap and rub each other."""
    for side, sign in enumerate(SIDES):
        wrist = np.array([sign * 0.07, move.body.seat + 0.24, 0.27])
        _bring(pose, move, side, wrist, wrist + [-sign * 0.08, 0.02, 0.05], move.hold(0.35), elbow=0.3)
        rub = 0.03 * sign * move.amplitude * move.swing(2.6)
        pose.wrist[:, side, 2] += rub
        pose.wrist[:, side, 1] += rub


def stretching_leg(pose: Pose, move: Move) -> None:
    """One foot slides forward until the leg is straight."""
    away = np.array([0.04 * move.sign, 0.02, 0.3]) * move.amplitude
    for target in (pose.ankle, pose.toe):
        target[:, move.side] += move.hold(0.6)[:, None] * away


MOTIONS: dict[str, Action] = {
    "nodding": Action(nodding, "head"),
    "shaking head": Action(shaking_head, "head"),
    "turning head": Action(turning_head, "head"),
    "tilting head": Action(tilting_head, "head"),
    "head up": Action(head_up, "head"),
    "shrugging": Action(shrugging, "shoulders"),
    "crossing arms": Action(crossing_arms, "arms"),
    "touching face": Action(touching_face, "arms"),
    "touching neck": Action(touching_neck, "arms"),
    "shaking leg": Action(shaking_leg, "legs"),
    "crossing legs": Action(crossing_legs, "legs"),
    "waving": Action(waving, "arms"),
}
CLASSES: tuple[str, ...] = tuple(MOTIONS)

OTHERS: dict[str, Action] = {
    "leaning": Action(leaning, "torso"),
    "clapping": Action(clapping, "arms"),
    "stretching arms": Action(stretching_arms, "arms"),
    "rubbing hands": Action(rubbing_hands, "arms"),
    "stretching leg": Action(stretching_leg, "legs"),
}


def _turn_head(pose: Pose, move: Move, axis: int, degrees: float, curve: Array) -> None:
    """Turns the head about one axis, and about the two others as the manner slants it."""
    share = np.insert(move.manner.slant, axis, 1.0)
    pose.head += np.radians(degrees) * move.amplitude * curve[:, None] * share


def _bring(pose: Pose, move: Move, side: int, wrist: Array, tip: Array, share: Array, *, elbow: float) -> None:
    """Moves one hand toward a place by `share` [T], on an arc that keeps it in front of the body."""
    part = share[:, None]
    out, wide = move.manner.slant
    # Everyone has their own way there, and their own way to hold the elbow.
    bow = np.array([0.14 * wide * SIDES[side], 0.0, 0.06])
    arc = np.sin(np.pi * share)[:, None] * bow
    pose.wrist[:, side] += part * (wrist - pose.wrist[:, side]) + arc
    pose.tip[:, side] += part * (tip - pose.tip[:, side]) + arc
    pose.elbow[:, side] += share * (max(0.0, elbow + 0.6 * out) - pose.elbow[:, side])


def folded_arm(body: Body, side: int, over: int) -> tuple[Array, Array]:
    """Wrist and fingertips [3] of one folded arm; side `over` lies in front."""
    sign, front = SIDES[side], side == over
    wrist = np.array([-sign * 0.09, body.chest - (0.17 if front else 0.21), 0.22 if front else 0.17])
    return wrist, wrist + [-sign * 0.09, 0.02, -0.03]


def crossed_leg(body: Body, side: int, *, at_knee: bool) -> tuple[Array, Array, float]:
    """Ankle, toe and knee turn of a leg laid over the other: knee on knee, or ankle on knee."""
    sign, top = SIDES[side], body.seat + 0.07
    if at_knee:
        ankle = np.array([-sign * 0.11, top + 0.11, 0.40])
        return ankle, ankle + [-sign * 0.16, 0.03, 0.08], 2.2
    ankle = np.array([-sign * 0.19, top - 0.17, 0.58])
    return ankle, ankle + [-sign * 0.06, -0.09, 0.16], -0.2
