"""Skeletons that trackers are known for: their joints by name, and the bones between them.

A skeleton is known by its joints' names where a file has them, else by their number, so that nobody has to type bones
or pairs of sides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")


@dataclass(frozen=True)
class Topology:
    """The joints of a skeleton in the order that files have them, each with the joint that it hangs on."""

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    """The position of each joint's parent; the root is its own."""

    @cached_property
    def lines(self) -> tuple[tuple[int, int], ...]:
        """The positions of the joints that a picture joins: each with its parent, and the trunk's two sides."""
        bones = [(joint, parent) for joint, parent in enumerate(self.parents) if joint != parent]
        across = [pair for pair in self.pairs if {"shoulder", "hip"} & _words(self.joints[pair[0]])]
        return (*bones, *across)

    def side_of(self, line: tuple[int, int]) -> Side | None:
        """Returns the side of the body that a line between two joints is on; None between the sides, or on neither."""
        found = {side for side in SIDES for joint in line if side in _words(self.joints[joint])}
        return found.pop() if len(found) == 1 else None

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
        if len(names) == len(known.joints) and place.keys() == {_words(joint) for joint in known.joints}:
            return known, [place[_words(joint)] for joint in known.joints]
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


def _topology(name: str, *limbs: str) -> Topology:
    """Returns the skeleton whose joints, in the order in which they are first named, are those of some limbs.

    A limb goes from joint to joint, each of which hangs on the one before. A joint in parentheses comes in a later
    limb; `*` stands for left and right in turn.
    """
    parents: dict[str, str] = {}
    for limb in limbs:
        above = ""
        for part in limb.split(" > "):
            joint = part.strip("()")
            for side in ("left", "right") if "*" in joint else ("",):
                own = joint.replace("*", side)
                if own == part.replace("*", side):
                    parents.setdefault(own, above.replace("*", side) or own)
            above = joint
    joints = tuple(parents)
    return Topology(name, joints, tuple(joints.index(parent) for parent in parents.values()))


def _hand(side: str) -> list[str]:
    """Returns the limbs of one hand of 21 joints: its own wrist, and four joints of each finger."""
    return [" > ".join([f"{side}hand", *(f"{side}{name} {number}" for number in range(1, 5))]) for name in FINGERS]


FINGERS = ("thumb", "index finger", "middle finger", "ring finger", "little finger")
BOTH_HANDS = [limb for side in ("left ", "right ") for limb in (f"{side}wrist > {side}hand", *_hand(side))]
OPENPOSE_HEAD = ("nose > right eye", "nose > left eye", "right eye > right ear", "left eye > left ear")
OPENPOSE_ARMS = (
    "(neck) > nose",
    "neck > right shoulder > right elbow > right wrist",
    "neck > left shoulder > left elbow > left wrist",
)
OPENPOSE_18 = (
    *OPENPOSE_ARMS,
    "neck > right hip > right knee > right ankle",
    "neck > left hip > left knee > left ankle",
    *OPENPOSE_HEAD,
)
OPENPOSE_25 = (
    *OPENPOSE_ARMS,
    "neck > hip center > right hip > right knee > right ankle",
    "hip center > left hip > left knee > left ankle",
    *OPENPOSE_HEAD,
    *("left ankle > left big toe > left small toe", "left ankle > left heel"),
    *("right ankle > right big toe > right small toe", "right ankle > right heel"),
)
MEDIAPIPE_33 = (
    "nose > left eye inner > left eye > left eye outer",
    "nose > right eye inner > right eye > right eye outer",
    "* eye outer > * ear",
    "nose > * mouth",
    "nose > * shoulder > * elbow > * wrist",
    *("* wrist > * pinky", "* wrist > * index", "* wrist > * thumb"),
    "* shoulder > * hip > * knee > * ankle > * heel",
    "* ankle > * foot index",
)

TOPOLOGIES = (
    _topology(
        "kinect-20",  # the first Kinect, as in N-UCLA
        "hip center > spine > shoulder center > head",
        "shoulder center > left shoulder > left elbow > left wrist > left hand",
        "shoulder center > right shoulder > right elbow > right wrist > right hand",
        "hip center > left hip > left knee > left ankle > left foot",
        "hip center > right hip > right knee > right ankle > right foot",
    ),
    _topology(
        "kinect-25",  # the second Kinect, as in NTU RGB+D and SMG
        "spine base > spine middle",
        "(spine shoulder) > neck > head",
        "(spine shoulder) > left shoulder > left elbow > left wrist > left hand",
        "(spine shoulder) > right shoulder > right elbow > right wrist > right hand",
        "spine base > left hip > left knee > left ankle > left foot",
        "spine base > right hip > right knee > right ankle > right foot",
        "spine middle > spine shoulder",
        *("left hand > left hand tip", "left hand > left thumb"),
        *("right hand > right hand tip", "right hand > right thumb"),
    ),
    _topology(
        "kard-15",  # as KARD's documentation numbers them
        "(neck) > head",
        "(torso) > neck > right shoulder > right elbow > right hand",
        "neck > left shoulder > left elbow > left hand",
        "torso > right hip > right knee > right foot",
        "torso > left hip > left knee > left foot",
    ),
    _topology(
        "coco-17",
        "nose > * eye > * ear",
        "nose > * shoulder > * elbow > * wrist",
        "* shoulder > * hip > * knee > * ankle",
    ),
    _topology("openpose-18", *OPENPOSE_18),
    _topology("openpose-25", *OPENPOSE_25),
    _topology("openpose-67", *OPENPOSE_25, *BOTH_HANDS),
    _topology(
        "halpe-26",
        "(head) > nose > * eye > * ear",
        "(neck) > * shoulder > * elbow > * wrist",
        "(hip center) > * hip > * knee > * ankle",
        "(neck) > head",
        "(hip center) > neck",
        "hip center",
        "* ankle > * big toe > * small toe",
        "* ankle > * heel",
    ),
    _topology(
        "ma52-28",  # MA-52's poses: OpenPose's body and five points a hand, which are taken to be left before right
        *OPENPOSE_18,
        *(f"{side} wrist > {side} {finger}" for side in ("left", "right") for finger in FINGERS),
    ),
    _topology("mediapipe-33", *MEDIAPIPE_33),
    _topology("mediapipe-75", *MEDIAPIPE_33, *BOTH_HANDS),
    _topology("hand-21", *_hand("")),
)
