"""What the figure does: the micro-actions, and movements that belong to no class.

A movement is a function that changes a pose over time; `MOTIONS` names the classes, `OTHERS` the rest.
Its nominal size stands in it; `Move.amplitude` and `Move.tempo` scale size and speed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aplt.data.synthetic.figure import SIDES, Array, Body, Pose


@dataclass(frozen=True)
class Move:
    """By whom, when, how large, how fast and on which side a movement is made."""

    body: Body
    time: Array  # [T] seconds
    onset: float
    length: float  # seconds
    amplitude: float
    tempo: float
    side: int  # 0 the image's left, 1 its right
    variant: float  # 0 to 1: chooses between ways to do the same
    stays: bool  # a held movement is still held when the clip ends

    @property
    def sign(self) -> float:
        """The direction of the moving side, -1 or 1."""
        return SIDES[self.side]

    def gate(self, ramp: float = 0.18) -> Array:
        """Returns [T]: 0 before and after the movement, 1 during it, with smooth ramps in seconds."""
        rise = _ease((self.time - self.onset) / ramp)
        return rise * _ease((self.onset + self.length - self.time) / ramp)

    def hold(self, rise: float = 0.5) -> Array:
        """Returns [T]: goes from 0 to 1 in `rise` seconds at tempo 1, and back at the end unless it stays."""
        rise = min(rise / self.tempo, 0.5 * self.length)
        up = _ease((self.time - self.onset) / rise)
        return up if self.stays else up * _ease((self.onset + self.length - self.time) / rise)

    def swing(self, hertz: float) -> Array:
        """Returns [T]: a sine that begins with the movement and lasts as long."""
        return np.sin(2 * np.pi * hertz * self.tempo * (self.time - self.onset)) * self.gate()


Motion = Callable[[Pose, Move], None]


class Action(NamedTuple):
    """A movement and the part of the body that is its own, where no unrelated movement may interfere."""

    move: Motion
    part: str


# --- the head ---------------------------------------------------------------------------------------------


def nodding(pose: Pose, move: Move) -> None:
    """The head goes down and up again, some times over."""
    wave = move.swing(1.7)
    pose.head[:, 1] -= np.radians(17) * move.amplitude * (wave + 0.25 * move.gate())


def shaking_head(pose: Pose, move: Move) -> None:
    """The head turns left and right around the front, some times over."""
    pose.head[:, 0] += np.radians(24) * move.amplitude * move.sign * move.swing(1.7)


def turning_head(pose: Pose, move: Move) -> None:
    """The head turns to one side and rests there."""
    pose.head[:, 0] += np.radians(48) * move.amplitude * move.sign * move.hold()


def tilting_head(pose: Pose, move: Move) -> None:
    """The head leans toward one shoulder."""
    pose.head[:, 2] += np.radians(30) * move.amplitude * move.sign * move.hold()


def head_up(pose: Pose, move: Move) -> None:
    """The head is raised and looks up."""
    pose.head[:, 1] += np.radians(32) * move.amplitude * move.hold()


# --- shoulders, arms and hands ----------------------------------------------------------------------------


def shrugging(pose: Pose, move: Move) -> None:
    """Both shoulders go up and drop again; the hands may turn outward a little."""
    up = move.hold(0.3) if move.variant < 0.5 else np.abs(move.swing(0.9))
    pose.lift += 0.055 * move.amplitude * up[:, None]
    pose.elbow += 0.25 * up[:, None]


def crossing_arms(pose: Pose, move: Move) -> None:
    """Both arms fold in front of the chest."""
    for side in range(2):
        _bring(pose, side, *folded_arm(move.body, side, move.side), move.hold(0.6), elbow=0.25)


def touching_face(pose: Pose, move: Move) -> None:
    """One hand goes to cheek, eye, nose or forehead and may rub it."""
    places = ((0.62, -0.05), (0.4, 0.2), (0.1, 0.0), (0.45, 0.5))
    x, y = places[int(move.variant * 3.999)]
    tip = move.body.on_head(move.sign * x, y) + [0.0, 0.0, 0.02]
    wrist = tip + move.body.hand * np.array([0.45 * move.sign, -0.65, 0.55])
    _bring(pose, move.side, wrist, tip, move.hold(0.5), elbow=0.15)
    rub = 0.012 * move.amplitude * move.swing(2.2) * move.hold(0.5)
    pose.wrist[:, move.side, 1] += rub
    pose.tip[:, move.side, 1] += rub


def touching_neck(pose: Pose, move: Move) -> None:
    """One hand goes to the throat, the side of the neck or its back, and may rub it."""
    # Where the fingertips go, relative to the lower neck, and how far the elbow turns outward.
    places = (((0.03, -0.02, 0.07), 0.35), ((0.07, -0.005, 0.045), 0.5), ((0.085, 0.02, -0.01), 0.8))
    at, elbow = places[int(move.variant * 2.999)]
    tip = move.body.pelvis + [0.0, move.body.torso + 0.1 * move.body.neck, 0.0] + np.array(at) * [move.sign, 1, 1]
    wrist = tip + move.body.hand * np.array([0.75 * move.sign, -0.5, 0.5])
    _bring(pose, move.side, wrist, tip, move.hold(0.5), elbow=elbow)
    rub = 0.012 * move.amplitude * move.swing(2.2) * move.hold(0.5)
    pose.wrist[:, move.side, 0] += rub
    pose.tip[:, move.side, 0] += rub


def waving(pose: Pose, move: Move) -> None:
    """One raised hand swings from side to side."""
    up = move.hold(0.45)
    wrist = np.array([move.sign * (move.body.shoulder + 0.13), move.body.chest + 0.02 + 0.16 * move.variant, 0.16])
    tip = wrist + [0.0, move.body.hand, 0.0]
    _bring(pose, move.side, wrist, tip, up, elbow=0.2)
    swing = move.swing(2.2) * up * move.amplitude
    pose.wrist[:, move.side, 0] += 0.045 * swing
    pose.tip[:, move.side, 0] += 0.115 * swing


# --- legs -------------------------------------------------------------------------------------------------


def shaking_leg(pose: Pose, move: Move) -> None:
    """One leg bounces on its toes, quickly."""
    bounce = 0.5 * move.gate() * (1 - np.cos(2 * np.pi * 3.1 * move.tempo * (move.time - move.onset)))
    pose.ankle[:, move.side, 1] += 0.085 * move.amplitude * bounce
    pose.ankle[:, move.side, 2] += 0.02 * move.amplitude * bounce
    pose.knee[:, move.side] += 0.22 * move.variant * move.amplitude * move.swing(1.55)


def crossing_legs(pose: Pose, move: Move) -> None:
    """One leg is laid over the other."""
    share = move.hold(0.65)
    ankle, toe, knee = crossed_leg(move.body, move.side, at_knee=move.variant > 0.6)
    share_, lift = share[:, None], (np.sin(np.pi * share) * 0.07)[:, None] * [0.0, 1.0, 0.6]
    pose.ankle[:, move.side] += share_ * (ankle - pose.ankle[:, move.side]) + lift
    pose.toe[:, move.side] += share_ * (toe - pose.toe[:, move.side]) + lift
    pose.knee[:, move.side] += share * (knee - pose.knee[:, move.side])


# --- movements that belong to no class --------------------------------------------------------------------


def leaning(pose: Pose, move: Move) -> None:
    """The torso leans forward, back or to one side."""
    axis, size = ((1, -16), (1, 9), (2, 11 * move.sign))[int(move.variant * 2.999)]
    pose.torso[:, axis] += np.radians(size) * move.amplitude * move.hold(0.6)


def clapping(pose: Pose, move: Move) -> None:
    """The hands meet in front of the chest, some times over."""
    apart = 0.05 + 0.05 * move.amplitude * (1 + np.cos(2 * np.pi * 2.4 * move.tempo * move.time))
    for side, sign in enumerate(SIDES):
        wrist = np.array([sign * 0.03, move.body.chest - 0.16, 0.27])
        _bring(pose, side, wrist, wrist + [0.0, 0.06, 0.07], move.hold(0.35), elbow=0.1)
        pose.wrist[:, side, 0] += sign * apart * move.hold(0.35)
        pose.tip[:, side, 0] += sign * apart * move.hold(0.35)


def stretching_arms(pose: Pose, move: Move) -> None:
    """Both arms are stretched upward or to the sides."""
    for side, sign in enumerate(SIDES):
        high = np.array([sign * (move.body.shoulder + 0.12), move.body.chest + 0.42, 0.05])
        wide = np.array([sign * (move.body.shoulder + 0.48), move.body.chest - 0.03, 0.1])
        wrist = high if move.variant < 0.5 else wide
        away = wrist - [sign * move.body.shoulder, move.body.chest, 0.0]
        _bring(pose, side, wrist, wrist + away, move.hold(0.7), elbow=0.9)


def rubbing_hands(pose: Pose, move: Move) -> None:
    """The hands meet above the lap and rub each other."""
    for side, sign in enumerate(SIDES):
        wrist = np.array([sign * 0.07, move.body.seat + 0.24, 0.27])
        _bring(pose, side, wrist, wrist + [-sign * 0.08, 0.02, 0.05], move.hold(0.35), elbow=0.3)
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


def _ease(x: Array) -> Array:
    """The minimum-jerk curve of human reaching, from 0 to 1."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x * x)


def _bring(pose: Pose, side: int, wrist: Array, tip: Array, share: Array, *, elbow: float) -> None:
    """Moves one hand toward a place by `share` [T], on an arc that keeps it in front of the body."""
    part = share[:, None]
    arc = (0.06 * np.sin(np.pi * share))[:, None] * [0.0, 0.0, 1.0]
    pose.wrist[:, side] += part * (wrist - pose.wrist[:, side]) + arc
    pose.tip[:, side] += part * (tip - pose.tip[:, side]) + arc
    pose.elbow[:, side] += share * (elbow - pose.elbow[:, side])


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
