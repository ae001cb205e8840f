"""The main person of a clip: the same one in all frames, with the hands at the ends of their own arms."""

from collections.abc import Sequence

import numpy as np

from aplt.data.tracking.landmarks import BODY_JOINTS, HAND_JOINTS, Landmarks
from aplt.topology import SIDES

STRIDE = 0.5
"""How far a person can get from one frame to the next, in sizes of the body; farther after more frames unseen."""
WRISTS = (15, 16)
"""The body's left and right wrist."""
REACH = 0.75
"""How far a hand's wrist can be from that of its body, in sizes of the hand: 0.35 at most in MA-52's demo clips."""
SIDE = 0.25
"""What a hand that looks like the other one is put at a disadvantage, in sizes of the hand: this tells folded hands
apart, and is too little for a hand that is clearly at one wrist."""


def follow(frames: Sequence[Landmarks], width: int, height: int, *, hands: bool) -> np.ndarray:
    """Returns the main person's joints [T, V, 3]: x and y in pixels, NaN where not seen, and the confidence.

    The main person is who is seen long, large and near the center: the sum over the frames decides. V is 33, or with
    `hands` 75: the body, the left hand, the right hand.
    """
    joints = np.full((len(frames), BODY_JOINTS + (2 * HAND_JOINTS if hands else 0), 3), np.nan, dtype=np.float32)
    tracks = _tracks([frame.bodies for frame in frames])
    center = np.array([width, height]) / 2
    main = max(tracks, key=lambda track: sum(_prominence(body, center) for body in track.values()), default={})
    for number, body in main.items():
        joints[number, :BODY_JOINTS] = body
        if hands:
            for side, hand in _own_hands(body, frames[number]).items():
                begin = BODY_JOINTS + side * HAND_JOINTS
                joints[number, begin : begin + HAND_JOINTS] = hand
    joints[..., 2] = np.clip(np.nan_to_num(joints[..., 2]), 0, 1)
    joints[joints[..., 2] == 0, :2] = np.nan
    return joints


def _tracks(frames: Sequence[np.ndarray]) -> list[dict[int, np.ndarray]]:
    """Returns the persons of a clip, each as the number of the frames that show them, and their body [33, 3] there."""
    tracks: list[dict[int, np.ndarray]] = []
    for number, bodies in enumerate(frames):
        away = np.full((len(tracks), len(bodies)), np.inf)
        for row, track in enumerate(tracks):
            before, last = next(reversed(track.items()))
            for column, body in enumerate(bodies):
                moved = np.linalg.norm(body[:, :2] - last[:, :2], axis=1).mean() / _size(last)
                if moved <= STRIDE * (number - before):
                    away[row, column] = moved
        matched = _nearest(away)
        for row, column in matched.items():
            tracks[row][number] = bodies[column]
        tracks += [{number: body} for column, body in enumerate(bodies) if column not in matched.values()]
    return tracks


def _own_hands(body: np.ndarray, frame: Landmarks) -> dict[int, np.ndarray]:
    """Returns the left (0) and right (1) hand [21, 3] of a body [33, 3], as far as they are seen.

    The place decides; which hand it looks like only where both wrists are near.
    """
    wrists = body[WRISTS, :2]
    away = np.array([np.linalg.norm(wrists - hand[0, :2], axis=1) / _size(hand) for hand in frame.hands]).reshape(-1, 2)
    other = np.array([[side != one for one in SIDES] for side in frame.sides], dtype=bool).reshape(-1, 2)
    matched = _nearest(np.where(away <= REACH, away + SIDE * other, np.inf))
    return {side: frame.hands[hand] for hand, side in matched.items()}


def _nearest(away: np.ndarray) -> dict[int, int]:
    """Returns which column each row gets, the nearest pair first; infinitely far: never."""
    pairs = {}
    while np.isfinite(away).any():
        row, column = np.unravel_index(away.argmin(), away.shape)
        pairs[int(row)] = int(column)
        away[row], away[:, column] = np.inf, np.inf
    return pairs


def _prominence(body: np.ndarray, center: np.ndarray) -> float:
    off = np.linalg.norm(body[:, :2].mean(axis=0) - center) / np.linalg.norm(center)
    return _size(body) * max(0.0, 1 - float(off))


def _size(joints: np.ndarray) -> float:
    """Returns the diagonal of the box around joints, seen or guessed, in pixels."""
    return max(float(np.linalg.norm(np.ptp(joints[:, :2], axis=0))), 1.0)
