"""Pose files of other tools: what each is read as, what is missing in them, and what is wrong with one."""

import itertools
import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aplt.clips import Clip
from aplt.data.pose_files import hdf5
from aplt.data.skeleton import Poses, how_read, read_skeleton
from aplt.errors import InputError
from tests.data.pose_files.files import (
    COLUMNS,
    EARS,
    FRAMES,
    deeplabcut,
    deeplabcut_blocks,
    deeplabcut_table,
    holistic,
    landmarks,
    ntu,
    openpose,
    sleap,
    sleap_analysis,
    sure,
    walk,
)


def read(path: Path, content: Any) -> Poses:
    path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
    return read_skeleton(path)


def read_json(tmp_path: Path, content: Any) -> Poses:
    return read(tmp_path / "a.json", json.dumps(content))


def coco(points: np.ndarray, **more: Any) -> list[dict[str, Any]]:
    return [{"image_id": f"{t}.jpg", "keypoints": one.ravel().tolist(), **more} for t, one in enumerate(points)]


def test_openpose_persons_are_followed_whatever_their_order(tmp_path: Path) -> None:
    main, other = sure(walk(25), 0.9), sure(walk(25, at=900))
    main[2, 4] = 0
    people = [[main[t], other[t]][:: 1 - 2 * (t % 2)] for t in range(FRAMES)]
    people[0], people[3], people[5] = [main[0]], [main[3]], [main[5]]
    found = read_skeleton(openpose(tmp_path / "clip", people))
    assert found.points.shape == (2, FRAMES, 25, 2)
    seen = np.ones((FRAMES, 25), dtype=bool)
    seen[2, 4] = False
    np.testing.assert_allclose(found.points[0][seen], main[..., :2][seen], rtol=1e-6)
    np.testing.assert_allclose(found.confidence[0], np.where(seen, 0.9, 0), rtol=1e-6)
    assert abs(found.points[0, 2, 4] - main[[1, 3], 4, :2].mean(axis=0)).max() < 5  # filled, not at the corner
    assert (found.points[1, [0, 5]] == 0).all()  # not there yet, and no more
    np.testing.assert_allclose(found.points[1, [1, 2, 4]], other[[1, 2, 4], :, :2], rtol=1e-6)
    assert abs(found.points[1, 3] - other[[2, 4], :, :2].mean(axis=0)).max() < 5  # lost in between
    assert (found.confidence[1].any(axis=1) == [False, True, True, False, True, False]).all()


def test_openpose_hands_and_frames_without_anybody(tmp_path: Path) -> None:
    whole = sure(walk(67))
    found = read_skeleton(
        openpose(tmp_path / "clip", [[one] if t != 2 else [] for t, one in enumerate(whole)], hands=True)
    )
    assert found.points.shape == (1, FRAMES, 67, 2)
    assert (found.confidence[0].any(axis=1) == [True, True, False, True, True, True]).all()
    clip = Clip("c", tmp_path / "clip")
    assert "'c' is read as OpenPose: 1 person in 2 dimensions, 67 joints (the skeleton openpose-67)" in how_read(clip)


def test_a_joint_not_seen_beside_frames_of_nobody_stays_with_its_body(tmp_path: Path) -> None:
    body = sure(walk(25))
    body[2, 3:], body[4, :9] = 0, 0  # no joint is seen all the time
    nobody: list[list[np.ndarray]] = [[], []]
    frames = [*nobody, *([one] for one in body[2:])]
    second = [[sure(walk(25, at=2000))[0], *frame] for frame in frames]
    found = read_skeleton(openpose(tmp_path / "clip", second))
    assert (found.points[1, :2] == 0).all()
    assert abs(found.points[1, 2:] - body[3, :, :2]).max() < 20


@pytest.mark.parametrize(
    "lay_out",
    [
        lambda frames: [landmarks(one) for one in frames] + [None],
        lambda frames: [{"landmarks": landmarks(one)} for one in frames],
        lambda frames: [{"frame": t, "pose_landmarks": {"landmark": landmarks(one)}} for t, one in enumerate(frames)],
        lambda frames: {
            "fps": 30,
            "frames": [{"poseLandmarks": [landmarks(one)], "worldLandmarks": []} for one in frames],
        },
    ],
)
def test_mediapipe_in_several_layouts(tmp_path: Path, lay_out: Any) -> None:
    body = sure(walk(33, 3) / 900)
    found = read_json(tmp_path, lay_out(body))
    np.testing.assert_allclose(found.points[0, :FRAMES], body[..., :3], rtol=1e-6)
    assert (found.confidence[0, :FRAMES] == 0.5).all()
    assert "MediaPipe: 1 person in 3 dimensions, 33 joints (the skeleton mediapipe-33)" in how_read(
        Clip("a", tmp_path / "a.json")
    )


def test_mediapipe_hands_whose_visibility_is_null_are_seen(tmp_path: Path) -> None:
    body, hand = sure(walk(33, 3)), sure(walk(21, 3))
    unknown = [[one | {"visibility": None} for one in landmarks(joints)] for joints in hand]
    frames = [
        {"pose_landmarks": landmarks(one), "left_hand_landmarks": left} for one, left in zip(body, unknown, strict=True)
    ]
    assert (read_json(tmp_path, frames).confidence[0] == [0.5] * 33 + [1] * 21 + [0] * 21).all()


def test_mediapipe_hands_come_with_the_body(tmp_path: Path) -> None:
    body, hand = sure(walk(33, 3)), sure(walk(21, 3), score=0)  # hands have no visibility
    frames: list[dict[str, Any]] = [
        {"pose_landmarks": landmarks(one), "right_hand_landmarks": landmarks(hand[0])} for one in body
    ]
    frames[1] = {"pose_landmarks": None, "left_hand_landmarks": None}
    found = read_json(tmp_path, frames)
    assert found.points.shape == (1, FRAMES, 75, 3)
    assert (found.confidence[0, 0] == [0.5] * 33 + [0] * 21 + [1] * 21).all()
    assert not found.confidence[0, 1].any()


def test_coco_points_without_scores(tmp_path: Path) -> None:
    body = walk(21)
    found = read_json(tmp_path, [{"image_id": t, "keypoints": one.tolist()} for t, one in enumerate(body)])
    np.testing.assert_allclose(found.points[0], body, rtol=1e-6)


def test_coco_results_of_several_videos_are_no_clip(tmp_path: Path) -> None:
    entries = [{"image_id": f"cam{k}/00{t}.jpg", "keypoints": [1, 2, 1] * 17} for k in range(2) for t in range(3)]
    with pytest.raises(InputError, match=r"frames of one video, found names that differ: cam0/\.jpg, cam1/\.jpg"):
        read_json(tmp_path, entries)
    assert read_json(tmp_path, entries[:3]).points.shape == (1, 3, 17, 2)


def test_coco_results_in_several_layouts(tmp_path: Path) -> None:
    body = sure(walk(17))
    body[3, 2] = 0
    entries = coco(body, score=2.9, category_id=1)
    instances = [
        {"frame_id": t + 1, "instances": [{"keypoints": one[:, :2].tolist(), "keypoint_scores": one[:, 2].tolist()}]}
        for t, one in enumerate(body)
    ]
    first = read_json(tmp_path, entries)
    assert first.confidence[0, 3, 2] == 0
    for content in ({"annotations": entries[::-1]}, {"instance_info": instances}, instances):
        found = read_json(tmp_path, content)
        np.testing.assert_array_equal(found.points, first.points)
        np.testing.assert_array_equal(found.confidence, first.confidence)
    wide = read_json(tmp_path, coco(sure(walk(26))))
    assert wide.points.shape == (1, FRAMES, 26, 2)


def test_frames_that_a_file_leaves_out_are_frames_of_nobody(tmp_path: Path) -> None:
    entries = coco(sure(walk(17)))
    del entries[2]
    assert read_json(tmp_path, entries).confidence[0].any(axis=1).tolist() == [True, True, False, True, True, True]
    for entry in entries:  # every tenth frame of a video
        entry["image_id"] = int(entry["image_id"].split(".")[0]) * 10 + 7
    assert read_json(tmp_path, entries).points.shape[1] == FRAMES
    for number, entry in enumerate(entries):
        entry["image_id"] = number**9  # no frames in turn
    assert read_json(tmp_path, entries).points.shape[1] == FRAMES - 1


@pytest.mark.parametrize("who", [None, ["m1", "m2"]])
def test_deeplabcut_tables(tmp_path: Path, who: list[str] | None) -> None:
    parts = ["snout", "leftear", "rightear"]
    points = np.stack([sure(walk(3)) for _ in who or [""]])
    points[0, 2, 1] = np.nan
    found = read(tmp_path / "a.csv", deeplabcut(points, parts, who))
    assert found.joints == tuple(parts)
    seen = ~np.isnan(points[..., 0])
    np.testing.assert_allclose(found.points[seen], points[..., :2][seen], rtol=1e-6)
    np.testing.assert_array_equal(found.confidence, np.where(seen, np.float32(0.5), 0))


def test_joints_of_a_known_skeleton_are_put_in_its_order(tmp_path: Path) -> None:
    names = ["nose", "left_eye", "RightEye", "LEar", "REar"]
    names += [f"{side}{joint}" for joint in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee") for side in "LR"]
    names += ["left ankle", "ankle_right"]
    points = sure(walk(17))[None]
    order = np.random.default_rng(0).permutation(17)
    found = read(tmp_path / "a.csv", deeplabcut(points[:, :, order], [names[place] for place in order]))
    np.testing.assert_allclose(found.points, points[..., :2], rtol=1e-6)
    assert found.joints[9] == "left wrist"
    # As many with other names are no such skeleton.
    read(tmp_path / "a.csv", deeplabcut(points, [f"p{place}" for place in range(17)]))
    assert "named p0, p1, p2 and so on, with the bones of coco-17" in how_read(Clip("a", tmp_path / "a.csv"))


def test_ntu_skeletons_say_how_each_joint_was_found(tmp_path: Path) -> None:
    points, states = walk(25, 3, at=3), np.full((FRAMES, 25), 2)
    states[1, 2], states[2, 3] = 0, 1
    found = read(tmp_path / "a.skeleton", ntu(points, states))
    np.testing.assert_array_equal(found.confidence[0], np.array([0, 0.5, 1])[states])
    np.testing.assert_allclose(found.points[0][states > 0], points[states > 0], rtol=1e-5)


def test_sleap_files(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    points = np.stack([sure(walk(3)), sure(walk(3, at=900))])
    files = {"a.h5": sleap_analysis(points), "b.h5": sleap_analysis(points, by_frame=True), "c.slp": sleap(*points)}
    for name, content in files.items():
        found = read(tmp_path / name, content)
        assert found.joints == EARS
        order = [1, 0] if name == "c.slp" else [0, 1]  # what is placed by hand is sure
        np.testing.assert_allclose(found.points, points[order, ..., :2], rtol=1e-6)


@pytest.mark.parametrize("by", ["track", "number"])
def test_what_somebody_corrects_in_sleap_takes_the_place_of_a_prediction(tmp_path: Path, by: str) -> None:
    pytest.importorskip("h5py")
    predicted, placed = sure(walk(3)), sure(walk(3, at=50))
    placed[2, 1, 2] = 0  # not visible
    found = read(tmp_path / "a.slp", sleap(predicted, placed, corrected=by))
    assert len(found.points) == 1
    np.testing.assert_allclose(found.points[0, :2], placed[:2, :, :2], rtol=1e-6)
    assert found.confidence[0, 2, 1] == 0
    assert found.confidence[0, 2, 0] == 1


def test_what_somebody_corrects_in_a_sleap_analysis_has_no_score(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    points = sure(walk(3))[None]
    points[0, 2:4, :, 2] = np.nan
    found = read(tmp_path / "a.h5", sleap_analysis(points))
    np.testing.assert_allclose(found.points, points[..., :2], rtol=1e-6)
    assert (found.confidence[0, 2:4] == 1).all()


def test_a_deeplabcut_table_whose_first_frame_shows_nobody(tmp_path: Path) -> None:
    points = sure(walk(3))
    rows = deeplabcut(points[None], ["nose", "ear", "tail"]).splitlines()
    rows[3] = "0" + "," * 9
    (tmp_path / "a.csv").write_text("\n".join(rows))
    found = read_skeleton(tmp_path / "a.csv")
    assert found.points.shape == (1, FRAMES, 3, 2)
    assert not found.confidence[0, 0].any()
    np.testing.assert_allclose(found.points[0, 1:], points[1:, :, :2], rtol=1e-6)


def test_deeplabcut_hdf5_and_its_names_are_never_unpickled(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    points = sure(walk(2))
    found = read(tmp_path / "a.h5", deeplabcut_table(points, pickle.dumps(COLUMNS, protocol=0)))
    np.testing.assert_allclose(found.points[0], points[..., :2], rtol=1e-6)
    assert found.joints == ("snout", "tail")
    again = read(tmp_path / "b.h5", deeplabcut_blocks(points))
    np.testing.assert_array_equal(again.points, found.points)
    hostile = b"cos\nsystem\n(Vtouch " + str(tmp_path / "left").encode() + b"\ntR."
    with pytest.raises(InputError, match=r"it names os\.system"):
        read(tmp_path / "a.h5", deeplabcut_table(points, hostile))
    assert not (tmp_path / "left").exists()


def test_pose_files_keep_body_and_hands(tmp_path: Path) -> None:
    pytest.importorskip("pose_format")
    points = sure(walk(84, 3))
    points[2, 3] = 0
    found = read(tmp_path / "a.pose", holistic(points))
    assert found.points.shape == (1, FRAMES, 75, 3)
    np.testing.assert_allclose(found.points[0, 1, 33:], points[1, 42:, :3], rtol=1e-6)
    assert found.confidence[0, 2, 3] == 0
    assert found.fps == 25


BODY = sure(walk(17))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", {"version": 1.3, "people": []}, "one frame of OpenPose; a clip is the folder"),
        ("a.json", {"bodies": [], "joints": []}, "found the keys bodies, joints; known are N-UCLA"),
        ("a.json", [{"frame": 0, "angles": [1, 2]}], "found the keys frame, angles; known are"),
        ("a.json", [{"keypoints": [1, 2, 0.5]}], "expected a frame's number"),
        ("a.json", coco(BODY)[:2] + coco(sure(walk(26)))[2:], "same joints in all frames, found 17 and 26"),
        ("a.json", [*coco(BODY), "end"], "expected entries of one kind, found 'end' among them"),
        ("a.json", [{"frame_id": 1, "instances": ["x"]}], "expected persons {'keypoints': ..}, found 'x'"),
        ("a.json", coco(BODY * 0), "nobody is seen in any frame"),
        ("a.json", [[{"x": 1}]] * 3, "unreadable as a skeleton ('y')"),
        ("a.json", [[[1, 2, 3]]] * 3, "expected landmarks [{'x': .., 'y': .., ..}, ..], found 1"),
        ("a.csv", "path,label\na.npy,nod\n", "expected DeepLabCut's header rows"),
        ("a.csv", "scorer,D,D\ncoords,x,y\n0,1,2\n", "found rows that begin with scorer, coords"),
        (
            "a.csv",
            "scorer,D\nbodyparts,nose\ncoords,width\n0,1\n",
            "x, y and likelihood of each body part, found width",
        ),
        ("a.csv", deeplabcut(BODY[None], list("abcdefghijklmnopq")).replace("\n1,", "\n1,x", 1), "unreadable"),
        ("a.skeleton", "2\n1\n72057594037931101 0 1", "it ends within frame 1"),
        ("a.skeleton", "two frames", "unreadable as a skeleton"),
    ],
)
def test_what_is_no_pose_file_says_what_it_is(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / name, content if isinstance(content, str) else json.dumps(content))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_folder_of_openpose(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    openpose(openpose(tmp_path / "two", [[BODY[0]]]), [[BODY[0]]], video="w")
    cut = openpose(tmp_path / "cut", [[one] for one in BODY])
    (cut / "v_000000000003_keypoints.json").write_text('{"people": [{"pose_key')
    for name, message in (
        ("empty", "json) of one video, found none"),
        ("two", "found those of 2 (v, w), each of which needs one of its own"),
        ("cut", "v_000000000003_keypoints.json: expected OpenPose's"),
    ):
        with pytest.raises(InputError) as caught:
            read_skeleton(tmp_path / name)
        assert message.replace("json) of", "json of") in str(caught.value)


def test_a_missing_package_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, package in (("a.pose", "pose_format"), ("a.h5", "h5py"), ("a.slp", "h5py")):
        monkeypatch.setitem(__import__("sys").modules, package, None)
        with pytest.raises(InputError, match=rf"{package}.*pip install 'aplt\[pose-files\]'"):
            read(tmp_path / name, b"x")


@pytest.mark.skipif(sys.platform != "linux", reason="HDF5 has a process of its own on Linux alone")
@pytest.mark.parametrize("fall", [lambda _: os._exit(1), lambda _: all(itertools.count(1))])
def test_a_file_that_hdf5_crashes_on_or_never_ends_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fall: Callable[[Any], Any]
) -> None:
    monkeypatch.setattr(hdf5, "PATIENCE", 1)
    monkeypatch.setattr(hdf5, "_sleap_analysis", fall)  # what HDF5 does in C, with attributes whose places are damaged
    (tmp_path / "a.h5").write_bytes(sleap_analysis(sure(walk(3))[None]))
    with pytest.raises(InputError, match="crashes on it, or does not come to an end"):
        read_skeleton(tmp_path / "a.h5")
