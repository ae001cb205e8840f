"""What a tracker sees in a frame: the landmarks of MediaPipe, whose joints topology.py has in the same order."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal
from zipfile import is_zipfile

import numpy as np

from aplt.errors import InputError
from aplt.reference import require
from aplt.storage import default_cache_dir, file_digest, reason
from aplt.topology import Side

PERSONS = 3
"""How many bodies are looked for in a frame, so that the main person can be chosen; each can have two hands."""
IN_FRAME = 0.5
"""The presence from which a joint of the body is taken to be in the frame; outside, its place is a guess."""
BODY_JOINTS, HAND_JOINTS = 33, 21


@dataclass(frozen=True)
class Landmarks:
    """Who is seen in one frame; coordinates are in its pixels, the third number is a joint's confidence, 0 to 1."""

    bodies: np.ndarray
    """[N, 33, 3]; a confidence of 0: not seen, its place is a guess."""
    hands: np.ndarray
    """[M, 21, 3]."""
    sides: tuple[Side, ...] = ()
    """Which hand each of the M seems to be: right in nine cases of ten."""


See = Callable[[np.ndarray, float], Landmarks]
"""(upright RGB frame uint8 [H, W, 3], seconds since the clip began) -> landmarks; called in the order of time."""


@dataclass(frozen=True)
class Tracker:
    """Something that sees landmarks in frames."""

    tool: str
    """Its name, as files have it."""
    hands: bool
    """Whether it looks for hands."""
    made_from: str
    """Changes whenever its landmarks may."""
    open: Callable[[], AbstractContextManager[See]]
    """Begins a clip. Picklable, as clips are tracked in several processes."""


_GOOGLE = "https://storage.googleapis.com/mediapipe-models"
MODELS = {
    "--body": f"{_GOOGLE}/pose_landmarker/pose_landmarker_full/float16/1/pose_landmarker_full.task",
    "--hands": f"{_GOOGLE}/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task",
}
"""Where the models are to be had that these options name."""


def mediapipe_tracker(body: Path | None = None, hands: Path | Literal[False] | None = None) -> Tracker:
    """Returns MediaPipe's tracker (Tasks API) with models from `.task` files; see `aplt.pose`."""
    require("mediapipe", "pose")
    models = [_found(body, "--body"), *([] if hands is False else [_found(hands, "--hands")])]
    return Tracker("mediapipe", hands is not False, " ".join(map(file_digest, models)), partial(_open, *models))


def _found(given: Path | None, option: str) -> Path:
    address = MODELS[option]
    path = given or default_cache_dir() / "models" / address.rpartition("/")[2]
    if not is_zipfile(path):
        what = "is not a .task file" if path.exists() else "no such file"
        raise InputError(f"{path}: {what}; fetch {address} and put it there, or say with {option} where it is")
    return path


@contextmanager
def _open(body: Path, hands: Path | None = None) -> Iterator[See]:
    with ExitStack() as opened:
        opened.enter_context(_quiet())
        from mediapipe import Image, ImageFormat
        from mediapipe.tasks.python import vision

        look_for_bodies = opened.enter_context(
            _landmarker(body, "--body", vision.PoseLandmarker, vision.PoseLandmarkerOptions, num_poses=PERSONS)
        )
        look_for_hands = hands and opened.enter_context(
            _landmarker(hands, "--hands", vision.HandLandmarker, vision.HandLandmarkerOptions, num_hands=2 * PERSONS)
        )
        last = -1

        def see(frame: np.ndarray, time: float) -> Landmarks:
            nonlocal last
            last = max(last + 1, round(time * 1000))  # it refuses times that do not rise
            # In an array that is not contiguous it finds nothing, and does not say why.
            image = Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(frame))
            found = look_for_bodies.detect_for_video(image, last)
            bodies = [
                [(mark.x, mark.y, mark.visibility if mark.presence >= IN_FRAME else 0.0) for mark in body]
                for body in found.pose_landmarks
            ]
            palms: list[list[tuple[float, float, float]]] = []
            sides: list[Side] = []
            if look_for_hands:
                found = look_for_hands.detect_for_video(image, last)
                for hand, (side, *_) in zip(found.hand_landmarks, found.handedness, strict=True):
                    palms.append([(mark.x, mark.y, side.score) for mark in hand])
                    sides.append("left" if side.category_name == "Left" else "right")
            size = (frame.shape[1], frame.shape[0], 1)
            return Landmarks(
                np.array(bodies).reshape(-1, BODY_JOINTS, 3) * size,
                np.array(palms).reshape(-1, HAND_JOINTS, 3) * size,
                tuple(sides),
            )

        yield see


def _landmarker(path: Path, option: str, kind: Any, options: Any, **more: int) -> Any:
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import RunningMode

    base = BaseOptions(model_asset_path=str(path))
    try:
        return kind.create_from_options(options(base_options=base, running_mode=RunningMode.VIDEO, **more))
    except (RuntimeError, ValueError, OSError) as error:
        advice = f"is it the model for {option}, and did all of it arrive? It is to be had from {MODELS[option]}"
        raise InputError(f"{path}: MediaPipe cannot use it ({reason(error)}); {advice}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Drops what MediaPipe writes to standard error past Python, for which it has no switch; Python's own stays."""
    python, kept = sys.stderr, os.dup(2)
    with open(kept, "w", 1, python.encoding, "replace") as ours, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        sys.stderr = ours
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            sys.stderr = python
