"""Skeletons by name: whole trees, sides in pairs, and each known by its number of joints."""

import pytest

from aplt.topology import TOPOLOGIES, Topology, topology_of


@pytest.mark.parametrize("known", TOPOLOGIES, ids=lambda known: known.name)
def test_each_is_one_tree_with_sides_in_pairs(known: Topology) -> None:
    count = len(known.joints)
    assert len(set(known.joints)) == count == len(known.parents)
    assert str(count) in known.name
    assert sum(joint == parent for joint, parent in enumerate(known.parents)) == 1
    for joint in range(count):
        above = joint
        for _ in range(count):
            above = known.parents[above]
        assert known.parents[above] == above
    left = [joint for joint in known.joints if "left" in joint]
    right = [joint for joint in known.joints if "right" in joint]
    assert len(known.pairs) == len(left) == len(right)
    # A mirrored skeleton has the same bones.
    swap = dict(enumerate(range(count))) | dict(known.pairs) | {b: a for a, b in known.pairs}
    assert all(known.parents[swap[joint]] == swap[known.parents[joint]] for joint in range(count))


def test_each_is_found_by_its_joints() -> None:
    for known in TOPOLOGIES:
        for dimensions in (2, 3):
            if known.name not in ("kinect-25", "openpose-25"):
                assert topology_of(len(known.joints), dimensions) is known
    assert [found.name for dimensions in (2, 3) if (found := topology_of(25, dimensions))] == [
        "openpose-25",
        "kinect-25",
    ]
    assert topology_of(19, 3) is None


def test_joints_are_where_files_have_them() -> None:
    """As the trackers number them: a few joints of each, by their position."""
    for name, places in {
        "kinect-20": {0: "hip center", 3: "head", 7: "left hand", 11: "right hand", 19: "right foot"},
        "kinect-25": {3: "head", 7: "left hand", 11: "right hand", 20: "spine shoulder", 24: "right thumb"},
        "coco-17": {0: "nose", 9: "left wrist", 10: "right wrist", 16: "right ankle"},
        "openpose-18": {1: "neck", 4: "right wrist", 7: "left wrist", 17: "left ear"},
        "openpose-25": {8: "hip center", 4: "right wrist", 19: "left big toe", 24: "right heel"},
        "halpe-26": {17: "head", 18: "neck", 19: "hip center", 25: "right heel"},
        "mediapipe-33": {0: "nose", 15: "left wrist", 16: "right wrist", 32: "right foot index"},
        "mediapipe-75": {33: "left hand", 37: "left thumb 4", 54: "right hand", 74: "right little finger 4"},
        "hand-21": {0: "hand", 4: "thumb 4", 8: "index finger 4", 20: "little finger 4"},
    }.items():
        (known,) = (one for one in TOPOLOGIES if one.name == name)
        assert {place: known.joints[place] for place in places} == places
