"""What a tracker loses: bodies on one point, joints and persons that are not seen, coordinates far away."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aplt.clips import Clip, ClipIndex
from aplt.config import SkeletonInput
from aplt.data.bodies import FAR, normalize
from aplt.data.check import check
from aplt.data.files import ClipError
from aplt.data.skeleton import read_skeleton
from aplt.data.skeleton_views import SkeletonViews
from tests.data.one_view import view_of
from tests.data.videos import clip_of

RNG = np.random.default_rng(0)
# A body of 300 pixels that waves one arm, in the right half of a picture.
STILL = RNG.normal(size=(1, 10, 3)).repeat(40, axis=0)
STILL[:, 3, 1] += np.sin(np.linspace(0, 9, 40))
BODY = (STILL * 300 + (1500, 400, 100)).astype(np.float32)


def read(tmp_path: Path, array: np.ndarray, name: str = "a") -> np.ndarray:
    np.save(tmp_path / f"{name}.npy", array)
    return read_skeleton(tmp_path / f"{name}.npy").points


def on_a_point(frames: slice) -> np.ndarray:
    found = BODY.copy()
    found[frames] = found[frames].mean(axis=1, keepdims=True)
    return found


def jitter(frames: slice) -> np.ndarray:
    found = on_a_point(frames)
    found[frames] += RNG.normal(size=found[frames].shape)
    return found


def moving() -> np.ndarray:
    walk = np.cumsum(RNG.normal(size=(40, 1, 3)), axis=0) * 30 + 900
    return walk.repeat(10, axis=1).astype(np.float32)


def glitch(value: float) -> np.ndarray:
    found = BODY.copy()
    found[20, 3] = value
    return found


@pytest.mark.parametrize("make", [on_a_point, jitter])
@pytest.mark.parametrize("frames", [slice(25), slice(36), slice(10, 33), slice(2, 4)])
def test_a_collapsed_stretch_does_not_change_the_unit(make: Callable[[slice], np.ndarray], frames: slice) -> None:
    found, usual = normalize(make(frames)[None])[0], normalize(BODY[None])[0]
    good = np.delete(np.arange(40), np.arange(40)[frames])
    np.testing.assert_allclose(found[good] - found[good[-1]], usual[good] - usual[good[-1]], atol=0.02)
    assert np.abs(found).max() < 10


def test_no_clip_has_values_that_ruin_the_others() -> None:
    loose = BODY.copy()
    loose[:, 4] = 1e8 * RNG.normal(size=(40, 3))
    for clip in (moving(), on_a_point(slice(40)), glitch(1e9), glitch(-1e15), loose, BODY * 1e12, np.zeros_like(BODY)):
        assert np.isfinite(normalize(clip[None])).all()
        assert np.abs(normalize(clip[None])).max() <= FAR
    # A single wrong frame leaves the others as they are.
    np.testing.assert_array_equal(
        np.delete(normalize(glitch(1e9)[None]), 20, 1), np.delete(normalize(BODY[None]), 20, 1)
    )


def test_a_second_person_counts_where_the_first_is_only_a_point() -> None:
    two = np.stack([on_a_point(slice(40)), BODY])
    np.testing.assert_array_equal(normalize(two)[1], normalize(BODY[None])[0])


def test_joints_never_seen_change_nothing_and_lie_at_the_center(tmp_path: Path) -> None:
    unseen = BODY.copy()
    unseen[:, 7:] = np.nan
    found = normalize(read(tmp_path, unseen))
    left_out = normalize(BODY[None, :, :7])
    np.testing.assert_allclose(found[:, :, :7], left_out, atol=1e-5)
    np.testing.assert_allclose(found[:, :, 7:], left_out.mean(axis=2, keepdims=True).repeat(3, axis=2), atol=1e-5)
    elsewhere = normalize(read(tmp_path, unseen + np.array([900, -200, 0], np.float32)))
    np.testing.assert_allclose(elsewhere, found, atol=1e-4)


def test_a_dimension_never_seen_is_none(tmp_path: Path) -> None:
    flat = BODY.copy()
    flat[..., 2] = np.nan
    found = normalize(read(tmp_path, flat))
    np.testing.assert_allclose(found[..., :2], normalize(BODY[None, ..., :2]), atol=1e-5)
    assert (found[..., 2] == 0).all()
    # Of one joint only.
    deep = BODY.copy()
    deep[:, 2, 2] = np.nan
    np.testing.assert_allclose(normalize(read(tmp_path, deep))[0, :, 2, 2], normalize(read(tmp_path, deep))[0, 0, 2, 2])


def test_a_joint_that_is_lost_goes_on_with_its_body(tmp_path: Path) -> None:
    walk = BODY + np.linspace(0, 3000, 40, dtype=np.float32)[:, None, None]
    lost = walk.copy()
    lost[5:, 8] = np.nan
    np.testing.assert_allclose(read(tmp_path, lost)[0, :, 8], walk[:, 8], atol=0.3 * 300)


def test_a_person_never_seen_is_nobody_however_that_is_written(tmp_path: Path) -> None:
    for absent in (0.0, np.nan):
        for order in (1, -1):
            two = np.stack([BODY, np.full_like(BODY, absent)][::order])
            np.save(tmp_path / "two.npy", two)
            clips = {0: clip_of(tmp_path / "two.npy")}
            one = SkeletonViews(clips, SkeletonInput(frames=8), (4, 8, 10, 1))
            np.save(tmp_path / "one.npy", BODY)
            alone = SkeletonViews({0: clip_of(tmp_path / "one.npy")}, SkeletonInput(frames=8), (4, 8, 10, 1))
            assert (view_of(one, 0, "center", (0,)) == view_of(alone, 0, "center", (0,))).all()
    np.save(tmp_path / "two.npy", np.stack([BODY, BODY]))
    with pytest.raises(ClipError, match="at most 1 person"):
        view_of(SkeletonViews(clips, SkeletonInput(frames=8), (4, 8, 10, 1)), 0, "center", (0,))


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.zeros_like(BODY), "nobody"),
        (on_a_point(slice(25)), "collapsed"),
        (jitter(slice(10)), "collapsed"),
        (np.stack([BODY, moving()]), "collapsed"),
        (glitch(1e9), "far off"),
        (glitch(0.0), None),  # read as not seen
        (BODY * 1000, "odd size"),
        (BODY / 1000, "odd size"),
        (np.full((17, *BODY.shape), BODY), "other kind"),
        (on_a_point(slice(2)), None),
        (glitch(np.nan), None),
        (BODY - BODY[:, :1], None),  # centered by one joint
        (np.concatenate([BODY[None], np.zeros((20, *BODY.shape), np.float32)]), None),
    ],
)
def test_check_names_what_is_no_movement(tmp_path: Path, array: np.ndarray, problem: str | None) -> None:
    arrays = {"a": BODY + 1, "b": BODY + 2, "odd": array}
    for name, one in arrays.items():
        np.save(tmp_path / f"{name}.npy", one)
    index = ClipIndex(tuple(Clip(name, tmp_path / f"{name}.npy") for name in arrays), ("nod", "wave"))
    expected = [("odd", problem)] if problem else []
    assert [(one.id, one.problem) for one in check(index, processes=1)] == expected
