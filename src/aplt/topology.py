"""Skeletons that trackers are known for: their joints by name, and the bones between them.

A skeleton is known by its joints' names where a file has them, else by their number, so that nobody has to type bones
or pairs of sides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Topology:
    """The joints of a skeleton in the order that files have them, each with the joint that it hangs on."""

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    """The position of each joint's parent; the root is its own."""

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The positions of what is left and right of one kind."""
        return pairs_of(self.joints)


def topology_of(joints: int, dimensions: int) -> Topology | None:
    """Returns the skeleton with this many joints in 2 or 3 dimensions; None if no tracker here has one."""
    return next((known for known in TOPOLOGIES if _fits(known, joints, dimensions)), None)


def topology_named(names: Sequence[str]) -> tuple[Topology, list[int]] | None:
    """Returns the skeleton whose joints have these names, and the positions in `names` of each; None if none has.

    Names may be spelled as trackers do: `LShoulder`, `left_shoulder`.
    """
    place = {_words(name): position for position, name in enumerate(names)}
    for known in TOPOLOGIES:
        wanted = [_words(joint) for joint in known.joints]
        if len(names) == len(wanted) and place.keys() == set(wanted):
            return known, [place[joint] for joint in wanted]
    return None


def pairs_of(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Returns the positions of the joints whose names differ by left and right alone."""
    place = {_words(name): position for position, name in enumerate(names)}
    sides = ((words, frozenset(word.replace("left", "right") for word in words)) for words in place)
    return tuple((place[left], place[right]) for left, right in sides if right != left and right in place)


@lru_cache(maxsize=4096)  # the same names in every file of a data set
def _words(name: str) -> frozenset[str]:
    """Returns the words of a joint's name, however it joins and shortens them."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return frozenset(SHORT.get(word.lower(), word.lower()) for word in words)


SHORT = {"l": "left", "r": "right", "mid": "center"}
"""What trackers shorten, or name otherwise than here."""


def _fits(known: Topology, joints: int, dimensions: int) -> bool:
    # 25 joints are those of the second Kinect in space, and of OpenPose in a picture.
    return len(known.joints) == joints and dimensions == {"kinect-25": 3, "openpose-25": 2}.get(known.name, dimensions)


def _topology(name: str, tree: str) -> Topology:
    """Returns the skeleton of a text with a line for each joint: its name, and after a comma its parent's."""
    rows = [[part.strip() for part in line.split(",")] for line in tree.strip().splitlines()]
    joints = tuple(row[0] for row in rows)
    return Topology(name, joints, tuple(joints.index(row[-1]) for row in rows))


_FINGERS = ("thumb", "index finger", "middle finger", "ring finger", "little finger")


def _hand(side: str, wrist: str) -> str:
    """Returns the lines of one hand of 21 joints: its own wrist, and four joints of each finger."""
    lines = [f"{side}hand, {wrist}"]
    for finger in _FINGERS:
        above = f"{side}hand"
        for number in range(1, 5):
            joint = f"{side}{finger} {number}"
            lines.append(f"{joint}, {above}")
            above = joint
    return "\n".join(lines)


_OPENPOSE_ARMS_AND_NECK = """
nose, neck
neck
right shoulder, neck
right elbow, right shoulder
right wrist, right elbow
left shoulder, neck
left elbow, left shoulder
left wrist, left elbow
"""
_OPENPOSE_FACE = """right eye, nose
left eye, nose
right ear, right eye
left ear, left eye"""
_OPENPOSE_18 = f"""{_OPENPOSE_ARMS_AND_NECK.strip()}
right hip, neck
right knee, right hip
right ankle, right knee
left hip, neck
left knee, left hip
left ankle, left knee
{_OPENPOSE_FACE}
"""
_OPENPOSE_25 = f"""{_OPENPOSE_ARMS_AND_NECK.strip()}
hip center, neck
right hip, hip center
right knee, right hip
right ankle, right knee
left hip, hip center
left knee, left hip
left ankle, left knee
{_OPENPOSE_FACE}
left big toe, left ankle
left small toe, left big toe
left heel, left ankle
right big toe, right ankle
right small toe, right big toe
right heel, right ankle
"""
_COCO_17 = """
nose
left eye, nose
right eye, nose
left ear, left eye
right ear, right eye
left shoulder, nose
right shoulder, nose
left elbow, left shoulder
right elbow, right shoulder
left wrist, left elbow
right wrist, right elbow
left hip, left shoulder
right hip, right shoulder
left knee, left hip
right knee, right hip
left ankle, left knee
right ankle, right knee
"""
_MEDIAPIPE_33 = """
nose
left eye inner, nose
left eye, left eye inner
left eye outer, left eye
right eye inner, nose
right eye, right eye inner
right eye outer, right eye
left ear, left eye outer
right ear, right eye outer
left mouth, nose
right mouth, nose
left shoulder, nose
right shoulder, nose
left elbow, left shoulder
right elbow, right shoulder
left wrist, left elbow
right wrist, right elbow
left pinky, left wrist
right pinky, right wrist
left index, left wrist
right index, right wrist
left thumb, left wrist
right thumb, right wrist
left hip, left shoulder
right hip, right shoulder
left knee, left hip
right knee, right hip
left ankle, left knee
right ankle, right knee
left heel, left ankle
right heel, right ankle
left foot index, left ankle
right foot index, right ankle
"""

TOPOLOGIES = (
    _topology(
        "kinect-20",  # the first Kinect, as in N-UCLA
        """
        hip center
        spine, hip center
        shoulder center, spine
        head, shoulder center
        left shoulder, shoulder center
        left elbow, left shoulder
        left wrist, left elbow
        left hand, left wrist
        right shoulder, shoulder center
        right elbow, right shoulder
        right wrist, right elbow
        right hand, right wrist
        left hip, hip center
        left knee, left hip
        left ankle, left knee
        left foot, left ankle
        right hip, hip center
        right knee, right hip
        right ankle, right knee
        right foot, right ankle
        """,
    ),
    _topology(
        "kinect-25",  # the second Kinect, as in NTU RGB+D and SMG
        """
        spine base
        spine middle, spine base
        neck, spine shoulder
        head, neck
        left shoulder, spine shoulder
        left elbow, left shoulder
        left wrist, left elbow
        left hand, left wrist
        right shoulder, spine shoulder
        right elbow, right shoulder
        right wrist, right elbow
        right hand, right wrist
        left hip, spine base
        left knee, left hip
        left ankle, left knee
        left foot, left ankle
        right hip, spine base
        right knee, right hip
        right ankle, right knee
        right foot, right ankle
        spine shoulder, spine middle
        left hand tip, left hand
        left thumb, left hand
        right hand tip, right hand
        right thumb, right hand
        """,
    ),
    _topology(
        "kard-15",  # as KARD's documentation numbers them
        """
        head, neck
        neck, torso
        right shoulder, neck
        right elbow, right shoulder
        right hand, right elbow
        left shoulder, neck
        left elbow, left shoulder
        left hand, left elbow
        torso
        right hip, torso
        right knee, right hip
        right foot, right knee
        left hip, torso
        left knee, left hip
        left foot, left knee
        """,
    ),
    _topology("coco-17", _COCO_17),
    _topology("openpose-18", _OPENPOSE_18),
    _topology("openpose-25", _OPENPOSE_25),
    _topology(
        "openpose-67",  # the body and both hands
        "\n".join((_OPENPOSE_25.strip(), _hand("left ", "left wrist"), _hand("right ", "right wrist"))),
    ),
    _topology(
        "halpe-26",
        """
        nose, head
        left eye, nose
        right eye, nose
        left ear, left eye
        right ear, right eye
        left shoulder, neck
        right shoulder, neck
        left elbow, left shoulder
        right elbow, right shoulder
        left wrist, left elbow
        right wrist, right elbow
        left hip, hip center
        right hip, hip center
        left knee, left hip
        right knee, right hip
        left ankle, left knee
        right ankle, right knee
        head, neck
        neck, hip center
        hip center
        left big toe, left ankle
        right big toe, right ankle
        left small toe, left big toe
        right small toe, right big toe
        left heel, left ankle
        right heel, right ankle
        """,
    ),
    _topology(
        "ma52-28",  # MA-52's poses: OpenPose's body and five points a hand, which are taken to be left before right
        _OPENPOSE_18 + "\n".join(f"{side} {finger}, {side} wrist" for side in ("left", "right") for finger in _FINGERS),
    ),
    _topology("mediapipe-33", _MEDIAPIPE_33),
    _topology(
        "mediapipe-75",  # the body and both hands
        "\n".join((_MEDIAPIPE_33.strip(), _hand("left ", "left wrist"), _hand("right ", "right wrist"))),
    ),
    _topology("hand-21", _hand("", "hand")),
)
