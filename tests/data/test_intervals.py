"""Clips cut from a file that was decoded whole, and how long a clip is."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from aplt.data.files import ClipError
from aplt.data.intervals import Timeline
from aplt.data.video import about_seconds, announced_end, decode, decode_file, seconds_of
from tests.data.decoding import failure
from tests.data.videos import clip_of, write_video

Result = TypeVar("Result")


def outcome(work: Callable[[], Result]) -> Result | str:
    """Returns what work returns, or the error of the clip in words."""
    try:
        return work()
    except ClipError as error:
        return str(error)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_clips_cut_from_a_whole_file_are_those_that_are_decoded(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(7)
    for number in range(6):
        steps = rng.choice([1, 1, 2, 3, 12], 30) if number else np.ones(30, dtype=int)
        ticks = (int(rng.integers(9)) + np.cumsum(steps)).tolist()
        path = write_video(tmp_path / f"{number}{suffix}", 30, size=(16, 16), ticks=ticks, key_every=7)
        whole = list(decode_file(clip_of(path)))
        appears, ends = np.array([frame[:2] for frame in whole]).T
        timeline = Timeline(appears, ends, announced_end(clip_of(path)))
        last = (ticks[-1] - ticks[0]) / 10
        for _ in range(25):
            start, end = sorted(rng.uniform(0, last + 0.6, 2).round(rng.integers(1, 4)).tolist())
            clip = clip_of(path, *rng.permutation([(start, end + 0.05), (start, None), (None, end + 0.05)])[0])
            expected, found = outcome(lambda: list(decode(clip))), outcome(lambda: timeline.rows(clip))  # noqa: B023
            if isinstance(expected, str) or isinstance(found, str):
                assert found == expected
                continue
            assert found[1].tolist() == [time for time, _ in expected]
            assert all(
                np.array_equal(whole[row][2], pixels) for row, (_, pixels) in zip(found[0], expected, strict=True)
            )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".flv"])
def test_how_long_a_clip_is(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 30, rate=25)
    assert seconds_of(clip_of(path)) == pytest.approx(1.2, abs=0.05)
    assert about_seconds(clip_of(path)) == pytest.approx(1.2, abs=0.1)
    assert seconds_of(clip_of(path, 0.5)) == pytest.approx(0.7, abs=0.05)
    assert (seconds_of(clip_of(path, 0.5, 0.75)), about_seconds(clip_of(path, 0.5, 0.75))) == (0.25, 0.25)


def test_sound_does_not_make_a_film_longer(tmp_path: Path) -> None:
    assert seconds_of(clip_of(write_video(tmp_path / "a.mkv", 10, sound=3.0))) == pytest.approx(1.0, abs=0.11)


def test_a_long_frame_before_a_clip_does_not_excuse_an_end_outside(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 21, ticks=[0, *range(20, 40)], key_every=100)
    clip = clip_of(path, 2.5, 4.6)
    assert failure(clip).problem == "outside"
    appears, ends = np.array([frame[:2] for frame in decode_file(clip_of(path))]).T
    with pytest.raises(ClipError) as caught:
        Timeline(appears, ends, announced_end(clip)).rows(clip)
    assert str(caught.value) == str(failure(clip))
