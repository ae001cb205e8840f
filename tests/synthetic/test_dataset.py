"""The synthetic data set: its files, splits, options, and what is done twice."""

import csv
import multiprocessing
import re
from collections import Counter, defaultdict
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.synthetic import CLASSES, Difficulty, make_dataset, make_keypoints, render_clip
from aplt.synthetic.keypoints import clip_keypoints
from aplt.synthetic.motions import OTHERS
from aplt.synthetic.plan import plan_clips
from aplt.synthetic.subjects import draw_subject, draw_take
from tests.synthetic.sketch import sketch

# The least that has every class in both splits, one subject each.
CLIPS, SUBJECTS, SIZE = 24, 2, 32


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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aplt.synthetic.dataset.render_clip", sketch)


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


@pytest.mark.slow
def test_files_do_not_depend_on_the_processes_even_when_spawned(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiprocessing, "Pool", multiprocessing.get_context("spawn").Pool)
    index = make(tmp_path / "two", processes=2)
    assert index.read_bytes() == made.read_bytes()
    for row in table(index):
        assert (index.parent / row["path"]).read_bytes() == (made.parent / row["path"]).read_bytes()


@pytest.mark.usefixtures("sketched")
def test_a_seed_gives_the_same_table_and_frames_and_another_seed_other_ones(tmp_path: Path) -> None:
    first, same, other = (make(tmp_path / name, seed=seed) for name, seed in (("first", 1), ("same", 1), ("other", 2)))
    assert same.read_bytes() == first.read_bytes()
    assert other.read_bytes() != first.read_bytes()
    for row in table(first)[:4]:
        frames, rate, _ = decode(first.parent / row["path"])
        again, rate_again, _ = decode(same.parent / row["path"])
        assert rate == rate_again
        np.testing.assert_array_equal(frames, again)
        different, _, _ = decode(other.parent / row["path"])
        assert different.shape != frames.shape or np.abs(different.astype(int) - frames).mean() > 5


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


@pytest.mark.usefixtures("sketched")
def test_the_table_of_an_imbalanced_data_set_is_imbalanced_in_train_only(tmp_path: Path) -> None:
    rows = table(make(tmp_path, clips=240, imbalance=5.0))
    train, test = (Counter(row["label"] for row in rows if row["split"] == split) for split in ("train", "test"))
    assert train[CLASSES[0]] / train[CLASSES[-1]] == pytest.approx(5, rel=0.2)
    assert set(test.values()) == {10}
    assert len({row["path"] for row in rows}) == 240


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


def test_keypoints_are_of_the_people_in_the_films(made: Path, tmp_path: Path) -> None:
    index = make_keypoints(tmp_path / "points", clips=CLIPS, subjects=SUBJECTS, processes=1)
    assert pd.read_csv(index).drop(columns="path").equals(pd.read_csv(made).drop(columns="path"))
    for clip, film in zip(read_index(index), read_index(made), strict=True):
        points = np.load(clip.path)
        with av.open(str(film.path)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert points.shape == (len(frames), 17, 2)
        assert points.dtype == np.float32
        assert ((points[:, :13] > -20) & (points[:, :13] < 132)).all()  # legs may leave the image
        nose, hips = points[:, 0].mean(axis=0), points[:, 11:13].mean(axis=(0, 1))
        assert nose[1] < hips[1]  # rows count downward
        assert points[:, 5, 0].mean() > points[:, 6, 0].mean()  # who faces the camera has the left on its right
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "points").rglob("*")}
    assert make_keypoints(tmp_path / "points", clips=CLIPS, subjects=SUBJECTS) == index
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "points").rglob("*")} == before


def test_keypoints_lie_on_what_is_drawn() -> None:
    """The nose of a person who nods moves up and down as the head in the film does."""
    frames, _ = render_clip("nodding", seed=0, number=1, subject=0)
    points = clip_keypoints("nodding", seed=0, number=1, subject=0)
    column, row = points[:, 0].mean(axis=0).round().astype(int)
    around = frames[:, row - 12 : row + 12, column - 6 : column + 6].astype(float).mean(axis=(2, 3))
    rows = np.arange(around.shape[1])
    dark = around.max(axis=1, keepdims=True) - around
    moved = (dark * rows).sum(axis=1) / dark.sum(axis=1)
    assert abs(np.corrcoef(moved, points[:, 0, 1])[0, 1]) > 0.5
