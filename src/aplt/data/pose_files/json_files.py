"""Poses as JSON, known by their content: N-UCLA, OpenPose, MediaPipe, and what is written like COCO's results."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aplt.data.pose_files.tracked import Tracked, detection, followed, in_time

FRAME = re.compile(r"(.*?)_?(\d*)_keypoints\.json")
"""Name of OpenPose's file of one frame: that of the video or image, and the frame's number."""
BODY_JOINTS, HAND_JOINTS = 33, 21
NUMBERS = ("image_id", "frame_id", "frame", "frame_index", "frame_idx", "frame_number")
"""What a frame's number, or its image's name, is called."""
BODIES = ("poselandmarks", "landmarks", "handlandmarks", "multihandlandmarks", "poseworldlandmarks", "worldlandmarks")
"""What MediaPipe's interfaces call the landmarks of bodies, or of hands alone; the first that is there counts."""
HANDS = ("lefthandlandmarks", "righthandlandmarks")
KNOWN = (
    "known are N-UCLA's {'skeletons': ..}, MediaPipe's [{'landmarks': [{'x': .., 'y': .., ..}, ..]}, ..], and what is "
    "like COCO's results [{'image_id': .., 'keypoints': [x, y, score, ..]}, ..], as of RTMPose, AlphaPose and ViTPose"
)


def read_json(path: Path) -> Tracked:
    """Returns the poses in a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict) and "skeletons" in content:
        return Tracked("N-UCLA", np.array(content["skeletons"], dtype=np.float64))
    if isinstance(content, dict) and "people" in content:
        raise ValueError("it is one frame of OpenPose; a clip is the folder with the files of all its frames")
    inside = ("annotations", "instance_info", "frames") if isinstance(content, dict) else ()
    entries = next((content[key] for key in inside if key in content), content)
    first = next((entry for entry in entries if entry), None) if isinstance(entries, list) else content
    keys = _folded(first).keys() if isinstance(first, dict) else set()
    if isinstance(entries, list) and keys & {"keypoints", "instances"}:
        return Tracked("COCO keypoints", *followed(in_time(_coco(entries))))
    if isinstance(entries, list) and (isinstance(first, list) or keys & {*BODIES, *HANDS}):
        return _mediapipe(entries)
    names = f"the keys {', '.join(map(str, first))}" if isinstance(first, dict) else str(first)
    raise ValueError(f"found {names:.80}; {KNOWN}")


def read_openpose(folder: Path) -> Tracked:
    """Returns the persons in a folder of OpenPose's files, one a frame: the bodies, with the hands if there are any."""
    files = [(match, path) for path in sorted(folder.iterdir()) if (match := FRAME.fullmatch(path.name))]
    videos = sorted({match[1] for match, _ in files})
    if len(videos) != 1:
        found = f"those of {len(videos)} ({', '.join(videos[:3])}), each of which needs one of its own"
        raise ValueError(
            f"expected a folder with the *_keypoints.json of one video, found {found if videos else 'none'}"
        )
    frames = [(int(match[2] or 0), list(_people(path))) for match, path in files]
    hands = any(hand for _, people in frames for person in people for hand in person[1:])
    lost = [0.0] * 3 * HAND_JOINTS
    whole = (
        (
            number,
            [detection(body + (left or lost) + (right or lost) if hands else body) for body, left, right in people],
        )
        for number, people in frames
    )
    return Tracked("OpenPose", *followed(in_time(whole)))


def _people(path: Path) -> Iterator[tuple[list[float], list[float], list[float]]]:
    """Yields the numbers of each person's body and hands in OpenPose's file of a frame."""
    try:
        for person in json.loads(path.read_text(encoding="utf-8"))["people"]:
            hands = (person.get(f"hand_{side}_keypoints_2d", []) for side in ("left", "right"))
            yield (person["pose_keypoints_2d"], *hands)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path.name}: expected OpenPose's {{'people': [{{'pose_keypoints_2d': ..}}]}} in it"
        ) from error


def _coco(entries: list[Any]) -> Iterator[tuple[Any, list[np.ndarray]]]:
    """Yields the persons of each entry: a frame's, or one person's, who say which frame's."""
    for position, entry in enumerate(entries):
        number = _number(entry, position if "instances" in entry else None)
        persons = []
        for person in entry.get("instances", [entry]):
            if not isinstance(person, dict):
                raise ValueError(f"expected persons {{'keypoints': ..}}, found {person!r:.40}")
            joints, scores = person["keypoints"], person.get("keypoint_scores")
            if scores is None and np.shape(joints)[1:] == (2,):
                scores = np.ones(len(joints))
            if scores is not None:
                joints = np.column_stack([np.array(joints, dtype=np.float64).reshape(len(scores), -1), scores])
            persons.append(detection(joints, dimensions=2 if scores is None else joints.shape[1] - 1))
        yield number, persons


def _mediapipe(entries: list[Any]) -> Tracked:
    """Returns the bodies in frames of landmarks, the first with the hands if there are any."""
    frames, hands = [], False
    for position, entry in enumerate(entries):
        if isinstance(entry, list | None):
            entry = {"landmarks": entry}
        number, folded = _number(entry, position), _folded(entry)
        bodies = _landmarks(next((folded[name] for name in BODIES if folded.get(name)), None))
        both = [_landmarks(folded.get(name)) for name in HANDS]
        hands |= any(both)
        frames.append((number, bodies, both))
    whole = []
    for number, bodies, both in frames:
        if hands:
            first = [
                *(bodies[:1] or [_unseen(BODY_JOINTS)]),
                *(hand[0] if hand else _unseen(HAND_JOINTS) for hand in both),
            ]
            others = [np.concatenate([body, _unseen(2 * HAND_JOINTS)]) for body in bodies[1:]]
            bodies = [np.concatenate(first), *others]
        whole.append((number, bodies))
    points, confidence = followed(in_time(whole))
    deep = np.nan_to_num(points[..., 2]).any()
    return Tracked("MediaPipe", points if deep else points[..., :2], confidence)


def _number(entry: Any, position: int | None) -> Any:
    """Returns what an entry says of the number of its frame, else its position."""
    if not isinstance(entry, dict):
        raise ValueError(f"expected entries of one kind, found {entry!r:.40} among them")
    return next((entry[name] for name in NUMBERS if name in entry), position)


def _folded(frame: dict[str, Any]) -> dict[str, Any]:
    return {str(key).replace("_", "").lower(): value for key, value in frame.items()}


def _landmarks(value: Any) -> list[np.ndarray]:
    """Returns the joints [V, 4] of each person in landmarks, of one or several, in a list or a message."""
    if isinstance(value, dict):
        value = next((inner for key, inner in value.items() if str(key).startswith("landmark")), None)
    if not value:
        return []
    if not isinstance(value, list):
        raise ValueError(f"expected landmarks [{{'x': .., 'y': .., ..}}, ..], found {value!r:.40}")
    if not isinstance(value[0], dict) or "x" not in value[0]:
        return [person for one in value for person in _landmarks(one)]
    # Where nothing is said of it, some versions write null.
    seen = [next((one[key] for key in ("visibility", "score") if one.get(key) is not None), 1) for one in value]
    joints = [[one["x"], one["y"], one.get("z") or 0, sure] for one, sure in zip(value, seen, strict=True)]
    found = np.array(joints, dtype=np.float64)
    if not found[:, 3].any():  # which hands have in some versions
        found[:, 3] = 1
    return [detection(found, dimensions=3)]


def _unseen(joints: int) -> np.ndarray:
    return np.full((joints, 4), np.nan)
