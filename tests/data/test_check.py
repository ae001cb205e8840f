import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from aplt.clips import Clip, ClipIndex
from aplt.config import SkeletonInput
from aplt.data.batches import single_views
from aplt.data.check import Finding, check
from aplt.data.files import ClipError
from aplt.data.pose_files import READERS
from aplt.data.skeleton_views import SkeletonViews
from tests.data.videos import clip_of, cut, write_sound, write_text, write_video

pytestmark = pytest.mark.usefixtures("one_process")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One clip of each kind, named by what is wrong with it; `good` is copied, and stands twice as two intervals."""
    write_video(tmp_path / "good.mp4", 20)
    shutil.copy(tmp_path / "good.mp4", tmp_path / "copied.mp4")
    write_text(tmp_path / "text.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "empty2.mp4").touch()
    write_video(tmp_path / "one.mp4", 1)
    write_sound(tmp_path / "sound.mp4")
    write_video(tmp_path / "late.mp4", 20, muxer={"movflags": "faststart"})
    cut(tmp_path / "late.mp4", 0.8)
    return tmp_path


def index_of(*clips: Clip) -> ClipIndex:
    return ClipIndex(clips, ("nod", "wave"))


def all_clips(folder: Path) -> list[Clip]:
    names = ("text", "good", "empty", "copied", "one", "gone", "sound", "late", "empty2")
    whole = [clip_of(folder / f"{name}.mp4") for name in names]
    parts = [
        Clip("first", folder / "good.mp4", start=0.0, end=1.0),
        Clip("second", folder / "good.mp4", start=1.0, end=2.0),
        Clip("again", folder / "copied.mp4", start=1.0, end=2.0),
        Clip("outside", folder / "good.mp4", start=7.0, end=9.0),
    ]
    return whole + parts


EXPECTED = [
    ("text", "broken"),
    ("empty", "empty"),
    ("copied", "duplicate"),
    ("one", "too short"),
    ("gone", "missing"),
    ("sound", "no video stream"),
    ("late", "broken"),
    ("empty2", "empty"),
    ("again", "duplicate"),
    ("outside", "outside"),
]


@pytest.mark.parametrize("processes", [1, 2])
def test_every_problem_is_named_in_the_order_of_the_index(folder: Path, processes: int) -> None:
    findings = check(index_of(*all_clips(folder)), processes=processes)
    assert [(finding.id, finding.problem) for finding in findings] == EXPECTED
    for finding in findings:
        assert finding.path is not None
        assert finding.path.parent == folder
        assert finding.detail
        assert "\n" not in finding.detail


def test_a_duplicate_names_the_clip_before_it(folder: Path) -> None:
    clips = [clip_of(folder / "good.mp4"), clip_of(folder / "copied.mp4")]
    (finding,) = check(index_of(*clips))
    assert (finding.id, "'good'" in finding.detail) == ("copied", True)
    (finding,) = check(index_of(*reversed(clips)))
    assert (finding.id, "'copied'" in finding.detail) == ("good", True)


def test_a_duplicate_in_another_class_is_a_contradiction(folder: Path) -> None:
    nod = replace(clip_of(folder / "good.mp4"), label=0)
    same, wave, unlabeled = (replace(nod, id=id_, label=label) for id_, label in (("s", 0), ("w", 1), ("u", -1)))
    first, second, third = (finding.detail for finding in check(index_of(nod, same, wave, unlabeled)))
    assert first == third == f"has the same content as clip 'good' ({nod.path})"
    assert second == f"{first}, but is labeled 'wave' and that one 'nod': one of the labels is wrong"


def test_one_file_twice_is_a_duplicate_unless_the_intervals_differ(folder: Path) -> None:
    whole = clip_of(folder / "good.mp4")
    same = replace(whole, id="same", label=1, path=folder / ".." / folder.name / "good.mp4")
    part = replace(whole, id="part", end=1.5)
    assert [finding.id for finding in check(index_of(whole, part, same))] == ["same"]


def test_the_same_size_is_no_duplicate(tmp_path: Path) -> None:
    for name, last in (("a", 11), ("b", 15)):
        write_video(tmp_path / f"{name}.mkv", 12, ticks=[*range(11), last])
    assert (tmp_path / "a.mkv").stat().st_size == (tmp_path / "b.mkv").stat().st_size
    assert check(index_of(clip_of(tmp_path / "a.mkv"), clip_of(tmp_path / "b.mkv"))) == []


def test_a_clip_needs_two_frames(tmp_path: Path) -> None:
    assert check(index_of(clip_of(write_video(tmp_path / "b.mp4", 2)))) == []
    clip = clip_of(write_video(tmp_path / "a.mp4", 1))
    (finding,) = check(index_of(clip))
    assert finding == Finding("a", clip.path, "too short", "has 1 frame, expected at least 2")


@pytest.mark.parametrize("processes", [1, 2])
def test_progress(folder: Path, processes: int) -> None:
    clips = all_clips(folder)[:5]
    calls: list[tuple[int, int]] = []
    check(index_of(*clips), processes=processes, progress=lambda *done: calls.append(done))
    assert calls == [(n, 5) for n in range(1, 6)]


def test_skeletons(tmp_path: Path) -> None:
    sequence = np.random.default_rng(0).normal(size=(8, 20, 3)).astype(np.float32)
    np.save(tmp_path / "good.npy", sequence)
    np.save(tmp_path / "copied.npy", sequence)
    np.save(tmp_path / "one.npy", sequence[:1])
    np.save(tmp_path / "flat.npy", sequence[0, 0])
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "empty.json").touch()
    names = ("good.npy", "copied.npy", "one.npy", "flat.npy", "text.npz", "empty.json", "gone.txt")
    findings = check(index_of(*(clip_of(tmp_path / name) for name in names)), processes=1)
    assert [(finding.id, finding.problem) for finding in findings] == [
        ("copied", "duplicate"),
        ("one", "too short"),
        ("flat", "broken"),
        ("text", "broken"),
        ("empty", "empty"),
        ("gone", "missing"),
    ]


def test_clips_unlike_the_rest_are_named(tmp_path: Path) -> None:
    for name, joints in (("a", 15), ("b", 20), ("c", 20)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(joints + ord(name)).normal(size=(8, joints, 3)))
    video = write_video(tmp_path / "film.mp4", 5)
    clips = [*(clip_of(tmp_path / f"{name}.npy") for name in "abc"), clip_of(video)]
    findings = check(index_of(*clips))
    assert [(finding.id, finding.problem) for finding in findings] == [("a", "other kind"), ("film", "other kind")]
    most = "2 of 4 clips are each a skeleton of 20 joints in 3 dimensions"
    assert findings[0].detail.startswith(f"is a skeleton of 15 joints in 3 dimensions, but {most}")
    assert findings[1].detail.startswith(f"is a video, but {most}")
    assert check(index_of(*clips[1:3])) == []


def test_more_persons_than_training_takes_are_a_problem(tmp_path: Path) -> None:
    for name, persons in (("a", 16), ("b", 17)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(persons).normal(size=(persons, 8, 15, 3)))
    (finding,) = check(index_of(*(clip_of(tmp_path / f"{name}.npy") for name in "ab")))
    assert (finding.id, finding.detail) == ("b", "has 17 persons, expected at most 16")


def test_intervals_of_skeletons_are_a_problem(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(8, 20, 3)))
    whole = clip_of(tmp_path / "a.npy")
    (finding,) = check(index_of(whole, replace(whole, id="part", end=1.0)))
    assert (finding.id, finding.problem) == ("part", "outside")
    assert "'fps'" in finding.detail
    assert "a.npy" not in finding.detail  # the path is said already


def test_what_cannot_be_looked_at_and_pipes_do_not_stop_the_check(tmp_path: Path) -> None:
    for suffix in ("mp4", "npy"):
        os.mkfifo(tmp_path / f"pipe.{suffix}")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "turning.mp4").symlink_to("turning.mp4")
    names = ("x" * 300 + ".mp4", "x" * 300 + ".npy", "nul\0.mp4", "nul\0.npy", "turning.mp4", "pipe.mp4", "pipe.npy")
    clips = [Clip(str(i), tmp_path / name) for i, name in enumerate((*names, "folder.mp4"))]
    findings = check(index_of(*clips), processes=1)
    assert [finding.problem for finding in findings] == ["broken"] * 5 + ["missing"] * 3
    assert all("cannot be read" in finding.detail for finding in findings[:5])
    assert all("not a regular file" in finding.detail for finding in findings[5:])


def test_a_decoder_that_fails_costs_no_other_clip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(folder / "a.npy", np.ones((4, 5, 3)))

    def fail(*_: object, **__: object) -> None:
        raise AttributeError("of one clip")

    monkeypatch.setitem(READERS, ".npy", fail)
    names = ("a.npy", "good.mp4", "one.mp4")
    index = index_of(*(clip_of(folder / name) for name in names))
    assert [(one.id, one.problem) for one in check(index, processes=1)] == [("a", "broken"), ("one", "too short")]
    views = SkeletonViews({0: index[0], 1: index[0]}, SkeletonInput(frames=8), (3, 8, 5, 1))
    assert all(isinstance(view, ClipError) for _, view in single_views(views, [0, 1], 0))


@pytest.mark.parametrize("suffix", [".mp4", ".flv", ".h264"])
def test_frames_that_the_decoder_flags_as_damaged_are_counted(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    # Large pictures, in the middle of which there are no headers.
    noise = [rng.integers(0, 256, (12, 16, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(40)]
    path = write_video(tmp_path / f"a{suffix}", noise, rate=25, key_every=10)
    good = index_of(clip_of(path))
    assert check(good) == []
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        hurt = [packet for packet in container.demux(video=0) if packet.size][16]
        assert hurt.pos is not None
        begin = hurt.pos + hurt.size // 2
    content[begin : begin + 40] = rng.integers(256, size=40).astype(np.uint8).tobytes()
    path.write_bytes(content)
    (finding,) = check(good)
    assert finding.problem == "damaged"
    flagged = int(re.search(r"flags (\d+) of \d+ frames", finding.detail)[1])  # type: ignore[index]
    assert 0 < flagged < 20


def test_a_clip_that_stands_still_by_its_time_stamps_is_named(tmp_path: Path) -> None:
    still = clip_of(write_video(tmp_path / "still.mkv", 20, ticks=[*range(10), *range(5000, 5010)]))
    held = clip_of(write_video(tmp_path / "held.mkv", 20, ticks=[*range(10), *range(50, 60)]))
    (finding,) = check(index_of(still, held))
    assert (finding.id, finding.problem, "one of 20 frames" in finding.detail) == ("still", "still", True)
