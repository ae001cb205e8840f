import csv
import multiprocessing
import re
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aplt.data.synthetic import CLASSES, Difficulty, make_dataset, render_clip
from aplt.data.synthetic.figure import SIDES, pose_skeleton, reach, rotation
from aplt.data.synthetic.motions import MOTIONS, OTHERS
from aplt.data.synthetic.plan import plan_clips
from aplt.data.synthetic.render import render_take
from aplt.data.synthetic.shapes import Looks
from aplt.data.synthetic.subjects import Take, act, draw_subject, draw_take
from aplt.errors import InputError

# The least that has every class in both splits, one subject each.
CLIPS, SUBJECTS, SIZE = 24, 2, 32

# Only the named movement moves: whatever else changes in the image is an error.
QUIET = Difficulty(
    distractor=0.0,
    fidget=0.0,
    habit_yaw=(0.0, 0.0),
    yaw=(0.0, 0.0),
    pitch=(8.0, 8.0),
    zoom=(0.95, 0.95),
    shift=0.0,
    drift=0.0,
    gain=(1.0, 1.0),
    gradient=0.0,
    flicker=0.0,
    noise=(0.0, 0.0),
)


def table(index: Path) -> list[dict[str, str]]:
    with index.open(newline="") as stream:
        return list(csv.DictReader(stream))


def make(folder: Path, **options: int | float) -> Path:
    chosen: dict[str, int | float] = {"clips": CLIPS, "subjects": SUBJECTS, "size": SIZE, "processes": 1}
    return make_dataset(folder, **(chosen | options))  # type: ignore[arg-type]


def decode(path: Path) -> tuple[np.ndarray, float, str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate is not None
        return np.stack(frames), float(stream.average_rate), stream.codec_context.name


def quiet_take(motion: str, number: int = 0) -> Take:
    return draw_take(0, number, motion, draw_subject(0, number, QUIET), QUIET)


def change(take: Take, size: int = 64) -> np.ndarray:
    """Where the image changes over the clip, [size, size]."""
    frames = render_take(take, size).astype(float)
    return np.asarray(np.abs(np.diff(frames, axis=0)).mean(axis=(0, 3)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of two plain frames, for tests of what stands around the rendering."""

    def sketch(motion: str, *, seed: int, number: int, subject: int, size: int) -> tuple[np.ndarray, float]:
        color = [seed * 50, number * 5, subject * 20 + len(motion)]
        return np.full((2, size, size, 3), color, np.uint8), 25.0

    monkeypatch.setattr("aplt.data.synthetic.dataset.render_clip", sketch)


def test_pixels_follow_from_seed_and_number_alone() -> None:
    first, fps = render_clip("nodding", seed=3, number=5, subject=1, size=SIZE)
    render_clip("waving", seed=4, number=6, subject=0, size=SIZE)
    again, fps_again = render_clip("nodding", seed=3, number=5, subject=1, size=SIZE)
    assert fps == fps_again
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(("seed", "number", "subject"), [(4, 5, 1), (3, 6, 1), (3, 5, 2)])
def test_seed_number_and_subject_each_change_the_clip(seed: int, number: int, subject: int) -> None:
    first, _ = render_clip("nodding", seed=3, number=5, subject=1, size=SIZE)
    second, _ = render_clip("nodding", seed=seed, number=number, subject=subject, size=SIZE)
    assert first.shape != second.shape or np.abs(first.astype(int) - second).mean() > 5


@pytest.mark.parametrize(("seed", "number"), [(4, 5), (3, 6)])
def test_seed_and_number_change_how_the_same_person_moves(seed: int, number: int) -> None:
    person, hard = draw_subject(3, 1, Difficulty()), Difficulty()
    first, second = draw_take(3, 5, "nodding", person, hard), draw_take(seed, number, "nodding", person, hard)
    for name in ("amplitude", "tempo", "onset", "yaw", "zoom", "gain", "noise", "seed"):
        assert getattr(first, name) != getattr(second, name)


def test_subject_looks_the_same_in_all_clips_and_unlike_others() -> None:
    takes = [draw_take(0, number, "waving", draw_subject(0, 7, QUIET), QUIET) for number in range(2)]
    assert takes[0].subject.looks == takes[1].subject.looks
    assert takes[0].subject.body == takes[1].subject.body
    assert takes[0].subject.looks != draw_subject(0, 8, QUIET).looks


def test_files_do_not_depend_on_the_processes_even_when_spawned(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiprocessing, "Pool", multiprocessing.get_context("spawn").Pool)
    index = make(tmp_path / "two", processes=2)
    assert index.read_bytes() == made.read_bytes()
    for row in table(index):
        assert (index.parent / row["path"]).read_bytes() == (made.parent / row["path"]).read_bytes()


def test_files_are_the_rendered_clips_as_h264(made: Path) -> None:
    plan = {clip.name: clip for clip in plan_clips(CLIPS, SUBJECTS, 0, 1.0, 0.0)}
    for row in table(made)[:4]:
        clip = plan[row["id"]]
        expected, fps = render_clip(clip.motion, seed=0, number=clip.number, subject=clip.subject, size=SIZE)
        frames, rate, codec = decode(made.parent / row["path"])
        assert codec == "h264"
        assert rate == fps
        assert frames.shape == expected.shape
        assert 1.2 <= len(frames) / fps <= 2.05
        # Lossy, and color is stored at half the resolution; still the same picture.
        assert np.abs(frames.astype(int).mean(-1) - expected.mean(-1)).mean() < 4


def test_every_class_is_in_both_splits_and_no_subject_is(made: Path) -> None:
    rows = table(made)
    assert list(rows[0]) == ["path", "label", "id", "subject", "split"]
    classes, subjects = defaultdict(set), defaultdict(set)
    for row in rows:
        classes[row["split"]].add(row["label"])
        subjects[row["split"]].add(row["subject"])
    assert classes["train"] == classes["test"] == set(CLASSES)
    assert not subjects["train"] & subjects["test"]


def test_a_quarter_of_the_subjects_is_held_out_and_everyone_does_every_class() -> None:
    plan = plan_clips(600, 12, 0, 1.0, 0.0)
    test = {clip.subject for clip in plan if clip.split == "test"}
    assert len(test) == 3
    assert {clip.subject for clip in plan if clip.split == "train"} == set(range(12)) - test
    assert sum(clip.split == "test" for clip in plan) == 150
    done = {(clip.subject, clip.label) for clip in plan}
    assert len(done) == 12 * len(CLASSES)


def test_names_and_order_say_nothing_about_label_or_split(made: Path) -> None:
    for row in table(made):
        assert re.fullmatch(r"clips/c\d{4}\.mp4", row["path"])
    plan = plan_clips(600, 12, 0, 1.0, 0.0)
    number = np.array([clip.number for clip in plan])
    for value in (
        [CLASSES.index(clip.label) for clip in plan],
        [clip.subject for clip in plan],
        [clip.split == "test" for clip in plan],
    ):
        assert abs(np.corrcoef(number, np.array(value))[0, 1]) < 0.15


def test_imbalance_is_the_ratio_of_largest_to_smallest_class_in_train_only() -> None:
    plan = plan_clips(1200, 12, 0, 10.0, 0.0)
    train = Counter(clip.label for clip in plan if clip.split == "train")
    test = Counter(clip.label for clip in plan if clip.split == "test")
    sizes = [train[name] for name in CLASSES]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] / sizes[-1] == pytest.approx(10, rel=0.1)
    assert set(test.values()) == {25}
    assert len(plan) == 1200


def test_the_rarest_class_of_a_very_long_tail_keeps_a_clip() -> None:
    train = Counter(clip.label for clip in plan_clips(120, 4, 0, 1000.0, 0.0) if clip.split == "train")
    assert min(train[name] for name in CLASSES) == 1
    assert sum(train.values()) == 90


@pytest.mark.usefixtures("sketched")
def test_out_of_class_clips_have_no_label_and_are_in_train(tmp_path: Path) -> None:
    plan = plan_clips(400, 4, 0, 1.0, 0.2)
    strange = [clip for clip in plan if not clip.label]
    assert len(strange) == 60
    assert len(plan) == 400
    assert {clip.split for clip in strange} == {"train"}
    assert {clip.motion for clip in strange} == set(OTHERS)
    assert all(clip.motion == clip.label for clip in plan if clip.label)
    rows = table(make(tmp_path, clips=28, out_of_class=0.1))
    assert Counter(row["label"] for row in rows)[""] == 1
    assert len(list((tmp_path / "clips").iterdir())) == 28


@pytest.mark.usefixtures("sketched")
def test_same_options_render_nothing_and_other_options_render_anew(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []

    def run(clips: int, seed: int) -> None:
        make_dataset(
            tmp_path,
            clips=clips,
            subjects=SUBJECTS,
            seed=seed,
            size=SIZE,
            processes=1,
            progress=lambda done, total: steps.append((done, total)),
        )

    run(26, 0)
    assert steps == [(n, 26) for n in range(1, 27)]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    steps.clear()
    run(26, 0)
    assert steps == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before

    old = (tmp_path / "clips/c0000.mp4").read_bytes()
    run(26, 1)
    assert len(steps) == 26
    assert (tmp_path / "clips/c0000.mp4").read_bytes() != old
    run(CLIPS, 1)
    # The two clips too many are gone.
    files = {f"clips/{path.name}" for path in (tmp_path / "clips").iterdir()}
    assert files == {row["path"] for row in table(tmp_path / "clips.csv")}


@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("held_another", [False, True])
def test_an_interrupted_data_set_is_made_anew(tmp_path: Path, held_another: bool) -> None:
    class StopError(Exception):
        pass

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise StopError

    whole, broken = make(tmp_path / "whole"), tmp_path / "broken"
    if held_another:
        make(broken, seed=1)
    with pytest.raises(StopError):
        make_dataset(broken, clips=CLIPS, subjects=SUBJECTS, size=SIZE, processes=1, progress=stop)
    # No index may say that these clips, partly of the old seed, are a data set.
    assert not (broken / "clips.csv").exists()
    assert make(broken).read_bytes() == whole.read_bytes()
    for row in table(whole):
        assert (broken / row["path"]).read_bytes() == (whole.parent / row["path"]).read_bytes()


@pytest.mark.parametrize("mine", ["clips.csv", "clips/holiday.mp4"])
def test_clips_of_someone_else_are_left_alone(tmp_path: Path, mine: str) -> None:
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_text("mine")
    with pytest.raises(InputError, match="not made here"):
        make(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / mine]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("clips", 23),
        ("subjects", 1),
        ("seed", -1),
        ("size", 33),
        ("size", 16),
        ("imbalance", 0.5),
        ("out_of_class", 1.0),
        ("out_of_class", 0.2),
    ],
)
def test_options_out_of_range_are_named(tmp_path: Path, option: str, value: float) -> None:
    with pytest.raises(InputError, match=r"clips must|" + option):
        make(tmp_path, **{option: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("motion", [*MOTIONS, *OTHERS])
def test_each_movement_moves_its_part_of_the_image(motion: str) -> None:
    moved = change(quiet_take(motion))
    rows = moved.sum(axis=1) / moved.sum()
    part = (MOTIONS | OTHERS)[motion].part
    assert moved.max() > 3
    if part == "head":
        assert rows[:30].sum() > 0.99
    elif part == "shoulders":
        assert rows[:45].sum() > 0.9
    elif part == "legs":
        assert rows[32:].sum() > 0.95


@pytest.mark.parametrize("motion", CLASSES)
def test_nothing_moves_before_the_movement_begins(motion: str) -> None:
    take = replace(quiet_take(motion), onset=0.5, length=1.0, frames=40, fps=25)
    frames = render_take(take, SIZE)
    assert (frames[:13] == frames[0]).all()
    assert (frames[13:] != frames[0]).any()


def test_shrugging_raises_both_shoulders() -> None:
    take = quiet_take("shrugging")
    shoulder = pose_skeleton(take.subject.body, act(take)).shoulder
    assert (np.ptp(shoulder[..., 1], axis=0) > 0.03).all()


def test_the_face_turns_with_the_head() -> None:
    take = quiet_take("turning head")
    # Eyes, brows and mouth are all that is dark on a shaven, pale head before a pale wall.
    pale = (230.0, 200.0, 180.0)
    looks = Looks(pale, pale, pale, pale, pale, pale, pale, hair_style="bald", chair_back=False)
    take = replace(
        take, subject=replace(take.subject, looks=looks, posture=np.zeros(3)), stays=True, arms=("lap", "lap")
    )

    def features(side: int) -> float:
        head = render_take(replace(take, side=side), 96)[-1, 2:20, 36:60].mean(axis=-1)
        return float(np.average(np.arange(24), weights=np.clip(110 - head, 0, None).sum(axis=0) + 1e-9))

    assert features(1) - features(0) > 4


@pytest.mark.parametrize("motion", ["touching face", "touching neck", "waving", "shaking leg"])
def test_the_side_decides_which_limb_moves(motion: str) -> None:
    for side, sign in enumerate(SIDES):
        moved = change(replace(quiet_take(motion), side=side, arms=("lap", "lap"), legs="apart", variant=0.5))
        across = np.average(np.arange(64) - 31.5, weights=moved.sum(axis=0))
        assert across * sign > 2


@pytest.mark.parametrize(("motion", "axis"), [("nodding", 1), ("shaking head", 0)])
def test_nodding_and_shaking_swing_while_held_movements_do_not(motion: str, axis: int) -> None:
    def turns(name: str) -> int:
        # Long enough for two swings at the nominal tempo.
        take = replace(quiet_take(name), frames=45, fps=25, onset=0.1, length=1.6, tempo=1.0, stays=True)
        angle = act(take).head[:, axis]
        speed = np.diff(angle)
        speed = np.sign(speed[np.abs(speed) > 1e-3])
        return int((np.diff(speed) != 0).sum())

    assert turns(motion) >= 3
    assert turns("turning head") == turns("head up") == 0


def test_angles_turn_the_way_they_are_documented() -> None:
    nose, crown = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    yaw, pitch, roll = rotation(np.eye(3) * 0.3)
    assert (yaw @ nose)[0] > 0.2
    assert (pitch @ nose)[1] > 0.2
    assert (roll @ crown)[0] > 0.2


Point = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)


@given(root=Point, goal=Point, pole=Point, upper=st.floats(0.2, 0.5), lower=st.floats(0.2, 0.5))
def test_bones_keep_their_length(
    root: np.ndarray, goal: np.ndarray, pole: np.ndarray, upper: float, lower: float
) -> None:
    away = goal - root
    bent = pole - (pole @ away) * away / max(away @ away, 1e-9)
    if np.linalg.norm(bent) < 1e-3 or np.linalg.norm(away) < 1e-3:
        return  # a pole along the limb names no side to bend to
    middle, end = reach(root, goal, upper, lower, pole)
    assert np.linalg.norm(middle - root) == pytest.approx(upper, abs=1e-6)
    assert np.linalg.norm(end - middle) == pytest.approx(lower, abs=1e-6)
    if abs(upper - lower) + 0.01 < np.linalg.norm(away) < upper + lower - 0.01:
        np.testing.assert_allclose(end, goal, atol=1e-6)
