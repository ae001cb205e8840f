"""Skeletons: the files, and the views."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from aplt.clips import Clip
from aplt.config import SkeletonInput
from aplt.data.bodies import FAR, normalize
from aplt.data.files import ClipError
from aplt.data.modality import MODALITIES
from aplt.data.pose_files import READERS
from aplt.data.skeleton import read_clip, read_skeleton
from aplt.data.skeleton_views import Limits, SkeletonViews, mirrored, resampled, times_of
from aplt.data.views import KINDS, Request
from aplt.errors import InputError
from tests.data.one_view import view_of

WALK = np.cumsum(np.random.default_rng(0).normal(size=(1, 20, 6, 3)), axis=1).astype(np.float32)


OFF = ("turn", *(f"strong_{name}" for name in ("tilt", "shear", "scale", "mask", "warp", "noise", "shift")))
STILL: dict[str, object] = {"frames": 20, "strong_crop": 1, "mirror": [], **dict.fromkeys(OFF, 0)}


def saved(tmp_path: Path, array: np.ndarray, name: str = "a.npy") -> Path:
    path = tmp_path / name
    np.save(path, array) if path.suffix == ".npy" else np.savez(path, array)
    return path


def views(tmp_path: Path, *arrays: np.ndarray, **change: object) -> SkeletonViews:
    clips = {i: Clip(f"clip{i}", saved(tmp_path, array, f"{i}.npy")) for i, array in enumerate(arrays)}
    return SkeletonViews(clips, SkeletonInput.model_validate({"frames": 8, **change}))


def test_reads_arrays_of_one_or_more_persons(tmp_path: Path) -> None:
    assert np.array_equal(read_skeleton(saved(tmp_path, WALK[0])).points, WALK)
    two = np.concatenate([WALK, WALK + 1])
    assert np.array_equal(read_skeleton(saved(tmp_path, two, "b.npz")).points, two)


def test_reads_published_formats(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text(json.dumps({"file_name": "n", "skeletons": WALK[0].tolist(), "label": 1}))
    np.testing.assert_allclose(read_skeleton(tmp_path / "n.json").points, WALK, rtol=1e-6)
    kard = np.arange(2 * 15 * 3).reshape(30, 3)
    np.savetxt(tmp_path / "k.txt", kard)
    assert read_skeleton(tmp_path / "k.txt").points.shape == (1, 2, 15, 3)
    assert read_skeleton(tmp_path / "k.txt").points[0, 1, 0].tolist() == [45, 46, 47]


def test_confidences_come_with_the_points_or_from_what_is_missing(tmp_path: Path) -> None:
    sure = np.linspace(0.1, 2, 20 * 6).reshape(20, 6)
    sure[3, 2], sure[4, 1] = 0, np.nan
    np.savez(tmp_path / "a.npz", skeleton=WALK[0], confidence=sure)
    found = read_skeleton(tmp_path / "a.npz")
    np.testing.assert_allclose(found.confidence[0], np.clip(np.nan_to_num(sure), 0, 1), rtol=1e-6)
    np.testing.assert_allclose(found.points[0, 3, 2], WALK[0, [2, 4], 2].mean(axis=0), atol=1)  # filled, not believed
    gappy = np.concatenate([WALK, WALK, np.zeros_like(WALK)])
    gappy[0, 5, 1, 2] = np.nan
    found = read_skeleton(saved(tmp_path, gappy))
    expected = np.ones((3, 20, 6))
    expected[0, 5, 1], expected[2] = 0, 0
    np.testing.assert_array_equal(found.confidence, expected)
    np.savez(tmp_path / "b.npz", skeleton=WALK[0], confidence=sure[1:])
    with pytest.raises(InputError, match=r"expected confidences of shape \[20, 6\], found \[19, 6\]"):
        read_skeleton(tmp_path / "b.npz")


def test_gaps_are_filled_over_time(tmp_path: Path) -> None:
    gappy = np.ones((5, 2, 3), dtype=np.float32)
    gappy[:, 0, 0] = [np.nan, 1, np.nan, 3, np.nan]
    gappy[:, 1, 2] = np.nan
    found = read_skeleton(saved(tmp_path, gappy)).points
    assert found[0, :, 0, 0].tolist() == [1, 1, 2, 3, 3]
    assert np.isnan(found[0, :, 1, 2]).all()
    assert not np.isnan(normalize(found)).any()


@pytest.mark.parametrize("value", [1e16, -3e37, 1e300])
def test_what_is_no_position_is_cut_off(tmp_path: Path, value: float) -> None:
    walk = WALK.astype(np.float64)
    walk[0, 3, 2, 1] = value
    with np.errstate(all="raise"):
        found = read_skeleton(saved(tmp_path, walk))
        assert np.sign(value) * normalize(found.points)[0, 3, 2, 1] == FAR
    assert found.confidence.all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"no array", "unreadable as a skeleton"),
        ("a.json", b'{"joints": []}', "unreadable as a skeleton"),
        ("a.txt", b"1 2\n3 4\n", "unreadable as a skeleton"),
        ("a.bvh", b"", "skeletons are read from .csv, .h5, .json, .npy, .npz"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_skeleton(tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)


def test_damaged_bytes_are_said_and_a_mistake_of_the_readers_is_not_taken_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", np.random.default_rng(0).normal(size=(6, 5, 3)))
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[:200] + b"\xff" * 40 + whole[240:])
    np.save(tmp_path / "b.npy", np.zeros((6, 5, 3)))
    header = (tmp_path / "b.npy").read_bytes()
    (tmp_path / "b.npy").write_bytes(header.replace(b"'shape': (6", b"'shape': ((", 1))
    for name in ("a.npz", "b.npy"):
        with pytest.raises(InputError, match=f"{name}: unreadable as a skeleton"):
            read_skeleton(tmp_path / name)

    def mistaken(path: Path) -> np.ndarray:
        raise AttributeError(path)

    monkeypatch.setitem(READERS, ".npy", mistaken)
    with pytest.raises(AttributeError):
        read_skeleton(tmp_path / "b.npy")


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="unreadable as a skeleton"):
        read_skeleton(tmp_path / "a.npy")


def test_wrong_shapes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found shape \[4, 5\]"):
        read_skeleton(saved(tmp_path, np.zeros((4, 5))))
    for shape in ((4, 5, 1), (4, 5, 4), (2, 4, 5, 17)):
        with pytest.raises(InputError) as caught:
            read_skeleton(saved(tmp_path, np.zeros(shape)))
        assert f"with C = 2 or 3, found shape {list(shape)}" in str(caught.value)
    # As ST-GCN's files are, and what is said of them leads to what is right.
    whole = np.random.default_rng(0).normal(size=(3, 4, 5, 6))
    for array, right in ((whole[..., 0], whole[..., 0].transpose(1, 2, 0)), (whole, whole.transpose(3, 1, 2, 0))):
        with pytest.raises(InputError) as caught:
            read_skeleton(saved(tmp_path, array))
        axes = re.search(r"transpose(\(.*?\))", str(caught.value))
        assert axes is not None
        np.testing.assert_array_equal(array.transpose(json.loads(axes[1].replace("(", "[").replace(")", "]"))), right)
    with pytest.raises(InputError, match="no finite coordinate"):
        read_skeleton(saved(tmp_path, np.full((4, 5, 3), np.nan)))


def test_normalize_takes_out_place_and_size_but_keeps_the_path() -> None:
    found = normalize(WALK)
    np.testing.assert_allclose(found, normalize(WALK * 50 + 7), atol=1e-4)
    np.testing.assert_allclose(found[0, 0].mean(axis=0), 0, atol=1e-5)
    assert np.abs(found[0, -1].mean(axis=0)).max() > 0.1
    absent = normalize(np.concatenate([WALK + 9, np.zeros_like(WALK)]))
    assert (absent[1] == 0).all()


def seen_from(first: int, sequence: np.ndarray) -> np.ndarray:
    """Returns the sequence with its frames before `first` empty."""
    seen = sequence.copy()
    seen[:, :first] = 0
    return seen


def test_normalize_goes_by_the_first_person_who_is_there() -> None:
    away = WALK + 9
    nobody = np.zeros_like(away)
    np.testing.assert_array_equal(normalize(np.concatenate([nobody, away]))[1], normalize(away)[0])
    late = normalize(seen_from(5, away))
    np.testing.assert_array_equal(late[:, 5:], normalize(away[:, 5:]))
    assert (late[:, :5] == 0).all()
    # Seen so seldom that the median over all frames would be no size at all.
    np.testing.assert_array_equal(normalize(seen_from(15, away))[:, 15:], normalize(away[:, 15:]))
    gone = away.copy()
    gone[:, 3:] = 0
    np.testing.assert_array_equal(normalize(gone)[:, :3], normalize(away[:, :3]))
    assert (normalize(np.concatenate([nobody, nobody])) == 0).all()


def test_normalize_of_ordinary_clips_is_what_it_was() -> None:
    center = WALK[0].mean(axis=1, keepdims=True)
    size = float(np.median(np.linalg.norm(WALK[0] - center, axis=-1).mean(axis=1)))
    two = np.concatenate([WALK, WALK * 2 + 3])
    np.testing.assert_array_equal(normalize(two), ((two - center[:1]) / size).astype(np.float32))


def test_views_have_one_shape_whatever_the_length_and_the_persons(tmp_path: Path) -> None:
    made = views(tmp_path, WALK[0], WALK[0, :1], np.concatenate([WALK, WALK])[:, :3])
    assert made.clip_shape == (4, 8, 6, 2)
    for position in range(3):
        for kind in ("center", "weak", "strong"):
            view = view_of(made, position, kind, (1,))
            assert view.shape == made.clip_shape
            assert view.isfinite().all()
    assert (view_of(made, 0, "strong", (1,))[..., 1] == 0).all()


def test_views_are_pure_functions_of_their_key(tmp_path: Path) -> None:
    made = views(tmp_path, WALK[0])
    for kind in ("weak", "strong"):
        first, same, other = (view_of(made, 0, kind, key) for key in ((1, 2), (1, 2), (1, 3)))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)
    assert torch.equal(view_of(made, 0, "center", (1,)), view_of(made, 0, "center", (2,)))


def test_strong_varies_more_than_weak(tmp_path: Path) -> None:
    made = views(tmp_path, WALK[0], turn=0)
    center = view_of(made, 0, "center", (0,))
    weak, strong = (
        np.mean([float((view_of(made, 0, kind, (i,)) - center).square().mean()) for i in range(20)])
        for kind in ("weak", "strong")
    )
    assert 0 < weak < strong / 2


def test_rotation_alone_keeps_distances(tmp_path: Path) -> None:
    for walk in (WALK[0], WALK[0, ..., 1:]):
        made = views(tmp_path, walk, frames=20, weak_tilt=40, weak_noise=0, weak_crop=1, mirror=[])
        center, turned = (view_of(made, 0, kind, (0,))[:-1] for kind in ("center", "weak"))
        torch.testing.assert_close(turned.norm(dim=0), center.norm(dim=0), rtol=1e-4, atol=1e-4)
        assert not torch.allclose(turned, center, atol=0.1)


def test_views_turn_about_the_height(tmp_path: Path) -> None:
    still = {"weak_tilt": 0, "weak_noise": 0, "weak_crop": 1, "frames": 20, "mirror": []}
    center = view_of(views(tmp_path, WALK[0], **still), 0, "center", (0,))
    made = views(tmp_path, WALK[0], turn=60, **still)
    angles = []
    for key in range(50):
        view = view_of(made, 0, "weak", (key,))
        torch.testing.assert_close(view[1], center[1], rtol=1e-4, atol=1e-5)
        before, after = (torch.complex(one[0], one[2]).flatten() for one in (center, view))
        angles.append(math.degrees(float(torch.angle((after * before.conj()).sum()))))
    assert 50 < max(angles) <= 60
    assert -60 <= min(angles) < -50


def test_a_shift_holds_for_the_whole_view(tmp_path: Path) -> None:
    made = views(tmp_path, WALK[0], **STILL | {"strong_shift": 0.1})
    away = view_of(made, 0, "strong", (0,))[:-1] - view_of(made, 0, "center", (0,))[:-1]
    torch.testing.assert_close(away, away[:, :1].expand_as(away), rtol=0, atol=1e-4)
    assert 0.05 < away[:, 0].std() < 0.2


def test_a_known_skeleton_is_mirrored_by_its_own_sides(tmp_path: Path) -> None:
    clip = np.random.default_rng(0).normal(size=(12, 20, 3)).astype(np.float32)
    still = {"turn": 0, "weak_tilt": 0, "weak_noise": 0, "weak_crop": 1}
    known, unknown = views(tmp_path, clip, **still), views(tmp_path, clip[:, :19], **still)
    off = views(tmp_path, clip, mirror=[], **still)
    for made, kinds in ((known, 2), (unknown, 1), (off, 1)):
        seen = {view_of(made, 0, "weak", (key,)).numpy().round(3).tobytes() for key in range(20)}
        assert len(seen) == kinds
    center = view_of(known, 0, "center", (0,))
    mirror = next(
        view for key in range(20) if not torch.allclose(view := view_of(known, 0, "weak", (key,)), center, atol=1e-4)
    )
    torch.testing.assert_close(mirror[0, :, 6], -center[0, :, 10], rtol=1e-4, atol=1e-4)  # left wrist, right wrist
    torch.testing.assert_close(mirror[1, :, 3], center[1, :, 3], rtol=1e-4, atol=1e-4)  # head


def test_mirroring_swaps_sides_and_twice_is_nothing(tmp_path: Path) -> None:
    pairs = [(0, 1), (2, 5)]
    turned = mirrored(WALK, pairs)
    np.testing.assert_array_equal(turned[0, :, 2], WALK[0, :, 5] * [-1, 1, 1])
    np.testing.assert_array_equal(turned[0, :, 3], WALK[0, :, 3] * [-1, 1, 1])
    np.testing.assert_array_equal(mirrored(turned, pairs), WALK)
    plain = {"turn": 0, "weak_tilt": 0, "weak_noise": 0, "weak_crop": 1}
    made = views(tmp_path, WALK[0], mirror=pairs, **plain)
    center = view_of(made, 0, "center", (0,))
    kept = [bool(torch.allclose(view_of(made, 0, "weak", (key,)), center, atol=1e-4)) for key in range(20)]
    assert 4 < sum(kept) < 16  # the others are mirrored
    with pytest.raises(InputError, match="names joint 6, but the clips have 6 joints"):
        views(tmp_path, WALK[0], mirror=[(0, 6)])


def test_masking_hides_whole_joints_for_the_whole_clip(tmp_path: Path) -> None:
    made = views(tmp_path, WALK[0], **STILL | {"strong_mask": 0.4})
    view, center = (view_of(made, 0, kind, (3,)) for kind in ("strong", "center"))
    changed = ~torch.isclose(view[:-1], center[:-1], atol=1e-4).all(dim=0)
    assert torch.equal(view[-1] == 0, changed)
    assert torch.equal(changed.all(dim=0), changed.any(dim=0))
    assert 0 < changed.any(dim=0).sum() < 6
    shown = ~changed.any(dim=0)[:, 0]
    torch.testing.assert_close(
        view[:-1, :, ~shown], view[:-1, :, shown].mean(dim=2, keepdim=True).expand_as(view[:-1, :, ~shown])
    )


def test_time_never_runs_backward() -> None:
    ramp = np.linspace(0, 1, 50, dtype=np.float32).reshape(1, 50, 1, 1)
    drawn = np.random.default_rng(0).random((3, 50, 1))
    limits = Limits(turn=0, tilt=0, noise=0, crop=0.6, warp=0.9)
    lines = resampled([ramp] * 50, times_of(30, drawn[0], drawn[1], drawn[2], limits), 1)[:, 0, :, 0, 0]
    assert (np.diff(lines) >= -1e-6).all()
    assert (lines[:, -1] - lines[:, 0] >= 0.6 - 1e-4).all()


def test_a_view_does_not_depend_on_the_others_of_its_batch(tmp_path: Path) -> None:
    made = views(tmp_path, WALK[0], WALK[0, 3:9], np.concatenate([WALK, WALK + 1]))
    for kind in KINDS:
        requests = [Request(position, (position, key)) for key in range(3) for position in range(3)]
        for request, view in zip(requests, made(kind, requests), strict=True):
            assert torch.equal(view, view_of(made, request.position, kind, request.key))


def test_intervals_need_a_frame_rate(tmp_path: Path) -> None:
    path = saved(tmp_path, WALK[0])
    for start, end in ((0.0, None), (None, 1.0), (0.5, 1.0)):
        clip = Clip("part", path, start=start, end=end)
        with pytest.raises(InputError, match=r"'part'.*a\.npy.*'fps'"):
            SkeletonViews({0: clip}, SkeletonInput(frames=8))


def test_other_joints_are_an_error_that_names_the_clip(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'clip1'.*expected 6 joints of 3 coordinates.*found 5 joints of 3"):
        views(tmp_path, WALK[0], WALK[0, :, :5])


def test_intervals_of_skeletons_with_a_frame_rate(tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((30, 5, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", skeleton=points, fps=10.0)
    np.savez(tmp_path / "only.npz", points, fps=np.array([10]))
    for name in ("a.npz", "only.npz"):
        for start, end, rows in ((0.5, 1.0, slice(5, 10)), (None, 1.0, slice(0, 10)), (2.0, None, slice(20, 30))):
            found = read_clip(Clip("a", tmp_path / name, start=start, end=end))
            assert np.array_equal(found.points[0], points[rows])
            assert found.confidence.shape == found.points.shape[:3]
    assert MODALITIES["skeleton"].seconds(Clip("a", tmp_path / "a.npz")) == 3.0
    for start, end in ((1.0, 3.5), (4.0, 5.0)):
        with pytest.raises(ClipError, match=r"outside of the file, which lasts 3\.00 s"):
            read_clip(Clip("a", tmp_path / "a.npz", start=start, end=end))


@pytest.mark.parametrize("fps", [0, -1.0, np.nan, [1, 2]])
def test_a_frame_rate_that_is_none(tmp_path: Path, fps: float) -> None:
    np.savez(tmp_path / "a.npz", skeleton=WALK[0], fps=fps)
    with pytest.raises(InputError, match="'fps'"):
        read_skeleton(tmp_path / "a.npz")
