"""Pose files in folders of clips: which are found, what they belong to, and that they train."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from aplt.clips import Clip, ClipIndex
from aplt.config import SkeletonInput
from aplt.data.check import check
from aplt.data.formats.leftovers import left_out
from aplt.data.index import read_index
from aplt.data.modality import how_read, modality_of
from aplt.data.skeleton import read_skeleton
from aplt.data.skeleton_views import SkeletonViews
from aplt.errors import InputError
from aplt.runs.predict import gather_clips
from tests.data.one_view import view_of
from tests.data.pose_files.files import FRAMES, contents, deeplabcut, openpose, sure, walk


def test_a_folder_of_pose_files_is_an_index(tmp_path: Path) -> None:
    for name, content in contents().items():
        (tmp_path / "nod").mkdir(exist_ok=True)
        (tmp_path / "nod" / name).write_bytes(content)
    (tmp_path / "nod" / "dlc.h5").write_bytes(b"\x89HDF\r\n\x1a\n")  # beside the same as .csv
    (tmp_path / "nod" / "notes.json").write_text('{"rater": "x"}')
    (tmp_path / "clips_of_mine.csv").write_text("path,label\n")
    openpose(tmp_path / "wave" / "one", [[one] for one in sure(walk(25))])
    openpose(tmp_path / "wave" / "two", [[one] for one in sure(walk(25))])
    index = read_index(tmp_path)
    named = [f"nod/{name}.{ending}" for name, ending in (("coco", "json"), ("dlc", "csv"), ("mediapipe", "json"))]
    assert [clip.id for clip in index] == [*named, "nod/mmpose.json", "nod/ntu.skeleton", "wave/one", "wave/two"]
    assert modality_of(index).name == "skeleton"
    assert left_out(tmp_path, (clip.path for clip in index)) == "1 .h5, 1 .json, 1 .pkl"
    assert "'nod/coco.json' is read as COCO keypoints: 1 person" in how_read(index)


def test_folders_of_openpose_are_checked_and_read(tmp_path: Path) -> None:
    body = sure(walk(25))
    for name in ("nod/a", "nod/b", "wave/c", "wave/d"):
        openpose(tmp_path / name, [[one] for one in body + walk(25)[:1, :1, :1]])
    openpose(tmp_path / "wave" / "e", [[]])
    index = read_index(tmp_path)
    assert [(one.id, one.problem) for one in check(index, processes=1)] == [("wave/e", "broken")]
    views = SkeletonViews(dict(enumerate(index[:4])), SkeletonInput(frames=4))
    assert view_of(views, 0, "weak", (0,)).shape == (3, 4, 25, 1)
    (alone,) = gather_clips([tmp_path / "nod" / "a"])
    assert alone.path.resolve() == (tmp_path / "nod" / "a").resolve()


def test_a_table_of_deeplabcut_is_a_clip_to_predict_and_not_an_index(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(deeplabcut(sure(walk(3))[None], ["snout", "leftear", "rightear"]))
    assert [clip.path for clip in gather_clips([tmp_path / "a.csv"])] == [tmp_path / "a.csv"]
    still = SkeletonInput(frames=4, weak_tilt=0, weak_noise=0, weak_crop=1)
    views = SkeletonViews({0: Clip("a", tmp_path / "a.csv")}, still)
    assert view_of(views, 0, "strong", (0,)).shape == (3, 4, 3, 1)
    seen = {view_of(views, 0, "weak", (key,)).numpy().round(3).tobytes() for key in range(20)}
    assert len(seen) == 2  # as it is and mirrored: its ears are sides, by their names


def test_joints_are_brought_in_one_order_by_their_names(tmp_path: Path) -> None:
    points, parts = sure(walk(4))[None], ["nose", "neck", "left_paw", "right_paw"]
    order = [0, 1, 3, 2]
    (tmp_path / "a.csv").write_text(deeplabcut(points, parts))
    (tmp_path / "b.csv").write_text(deeplabcut(points[:, :, order], [parts[k] for k in order]))
    (tmp_path / "c.csv").write_text(deeplabcut(points, [*parts[:3], "tail"]))
    clips = {k: Clip(name, tmp_path / f"{name}.csv") for k, name in enumerate("abc")}
    views = SkeletonViews({0: clips[0], 1: clips[1]}, SkeletonInput(frames=4))
    assert torch.equal(view_of(views, 0, "center", (0,)), view_of(views, 1, "center", (0,)))
    kept = SkeletonInput(frames=4, joints=views.joints)
    again = SkeletonViews({1: clips[1], 2: clips[2]}, kept, views.clip_shape)
    assert torch.equal(view_of(again, 1, "center", (0,)), view_of(views, 0, "center", (0,)))
    with pytest.raises(InputError, match=r"expected the joints nose, .*, 'tail' among them"):
        view_of(again, 2, "center", (0,))
    index = ClipIndex((clips[0], clips[1], clips[2]), ())
    assert [(one.id, one.problem) for one in check(index, processes=1)] == [("c", "other kind")]


@pytest.mark.parametrize(
    ("points", "dimensions", "remark"),
    [
        (sure(walk(17)), 2, "beside pixels, is the confidence"),
        (sure(walk(17))[None], 2, "is the confidence"),
        (sure(walk(17) / 900), 3, "is taken for a depth"),
        (sure(walk(17)) * [1, 1, 0], 3, ""),  # flat
        (walk(17, 3), 3, ""),
        (sure(walk(17)) * [1, 1, 4], 3, ""),
        (sure(walk(17, at=0) / 60, 0.9), 3, "is taken for a depth"),  # body sizes or meters, with negative ones
    ],
)
def test_a_third_channel_from_0_to_1_beside_pixels_is_a_confidence(
    tmp_path: Path, points: np.ndarray, dimensions: int, remark: str
) -> None:
    np.save(tmp_path / "a.npy", points)
    found = read_skeleton(tmp_path / "a.npy")
    assert found.points.shape == (1, FRAMES, 17, dimensions)
    assert (found.confidence == (0.5 if dimensions == 2 else 1)).all()
    assert remark in how_read([Clip("a", tmp_path / "a.npy")])
    assert bool(remark) == bool(found.remark)


def test_joints_at_zero_are_not_seen_unless_the_body_is_there(tmp_path: Path) -> None:
    picture, space = walk(17), walk(17, 3, at=600)
    picture[2, 4], space[2, 4] = 0, 0
    near = walk(17, at=0)
    near[:, 0] = 0  # a body about its first joint, whatever is drawn for the others
    two = np.stack([walk(17), np.zeros((FRAMES, 17, 2))])
    for points, lost in ((picture, 1), (space, 1), (near, 0), (two, FRAMES * 17)):
        np.save(tmp_path / "a.npy", points)
        found = read_skeleton(tmp_path / "a.npy")
        assert (found.confidence == 0).sum() == lost
        if lost == 1:
            assert found.confidence[0, 2, 4] == 0
            assert abs(found.points[0, 2, 4] - points[[1, 3], 4].mean(axis=0)).max() < 5
    (tmp_path / "a.json").write_text(json.dumps({"skeletons": space.tolist()}))
    assert (read_skeleton(tmp_path / "a.json").confidence == 1).all()  # N-UCLA's are as they are
