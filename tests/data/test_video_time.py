"""When a frame is on screen: intervals, uneven rates, time stamps that are wrong, and the frames at given times."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aplt.data.intervals import nearest_frames
from tests.data.decoding import failure, packets_of, shown, times
from tests.data.videos import clip_of, write_video


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_frame_rate(tmp_path: Path, suffix: str) -> None:
    ticks = [0, 1, 5, 6, 20, 21]
    path = write_video(tmp_path / f"a{suffix}", 6, ticks=ticks)
    np.testing.assert_allclose(times(clip_of(path)), np.array(ticks) / 10, atol=0.001)
    # Frame 3 is on screen from 0.6 to 2.0 s, so it is what an interval within that time shows.
    assert shown(clip_of(path, 1.0, 1.5)) == [3]
    assert times(clip_of(path, 1.0, 1.5)) == [0.0]
    assert shown(clip_of(path, 1.0, 2.05)) == [3, 4]
    np.testing.assert_allclose(times(clip_of(path, 1.0, 2.05)), [0.0, 1.0], atol=0.001)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".webm"])
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.3, 0.7, range(3, 7)),
        (None, 0.5, range(5)),
        (0.0, 0.5, range(5)),
        (2.0, None, range(20, 30)),
        (1.5, 1.6, [15]),
        (2.6, 3.0, range(26, 30)),
        (0.996, 1.204, range(10, 12)),  # rounded bounds
        (1.05, 1.25, range(10, 13)),  # 10 is still on screen at 1.05
    ],
)
def test_interval(
    tmp_path: Path, suffix: str, start: float | None, end: float | None, expected: range | list[int]
) -> None:
    path = write_video(tmp_path / f"a{suffix}", 30, size=(32, 32), key_every=8)
    clip = clip_of(path, start, end)
    assert shown(clip) == list(expected)
    wanted = np.maximum(np.array(expected) / 10 - (start or 0.0), 0)
    np.testing.assert_allclose(times(clip), wanted, atol=0.006)


@pytest.mark.parametrize("begin", range(27))
def test_frame_numbers_over_the_rate_give_these_frames(tmp_path_factory: pytest.TempPathFactory, begin: int) -> None:
    # How published lists mark intervals: frame numbers, turned into seconds with three decimals.
    path = tmp_path_factory.getbasetemp() / "thirty.mkv"
    if not path.exists():
        write_video(path, 30, size=(16, 16), rate=30)
    clip = clip_of(path, round(begin / 30, 3), round((begin + 3) / 30, 3))
    assert shown(clip) == [begin, begin + 1, begin + 2]


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_interval_does_not_decode_what_is_before(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 200, size=(32, 32), key_every=5)
    content = bytearray(path.read_bytes())
    hurt = packets_of(path)[18]
    assert hurt.pos is not None
    content[hurt.pos : hurt.pos + hurt.size] = bytes(hurt.size)
    path.write_bytes(content)
    assert failure(clip_of(path)).problem == "broken"
    assert len(shown(clip_of(path, 15.3, 15.8))) == 5
    assert shown(clip_of(path, 0.0, 0.3)) == [0, 1, 2]


def test_time_starts_with_the_first_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", 12, ticks=range(50, 62))
    np.testing.assert_allclose(times(clip_of(path)), np.arange(12) / 10, atol=0.001)
    assert shown(clip_of(path, 0.5, 0.8)) == [5, 6, 7]


def test_repeated_time_stamps_still_rise(tmp_path: Path) -> None:
    clip = clip_of(write_video(tmp_path / "a.mkv", 6, ticks=[0, 1, 1, 1, 5, 6]))
    assert shown(clip) == list(range(6))
    found = times(clip)
    assert all(a < b for a, b in pairwise(found))
    assert found[-1] == pytest.approx(0.6, abs=0.001)


def leaping(path: Path, leaps: dict[int, float]) -> Path:
    """Writes 30 pictures, those numbered in `leaps` stamped so many seconds ahead of their time."""
    source = write_video(path.with_name("source.mkv"), 30)
    with av.open(str(source)) as read, av.open(str(path), "w") as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(read.demux(video=0)):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            packet.pts += int(leaps.get(number, 0) / packet.time_base)
            packet.stream = stream
            write.mux(packet)
    return path


@pytest.mark.parametrize("number", [(12,), (12, 13), (1,), (5, 20), (28,)])
@pytest.mark.parametrize("seconds", [0.35, 7.0, 9800.0])
def test_time_stamps_that_leap_are_mended(tmp_path: Path, number: tuple[int, ...], seconds: float) -> None:
    path = leaping(tmp_path / "a.mkv", dict.fromkeys(number, seconds))
    np.testing.assert_allclose(times(clip_of(path)), np.arange(30) / 10, atol=0.002)
    assert shown(clip_of(path, 2.0, 2.3)) == [20, 21, 22]


def test_at_most_so_many_in_a_row_are_mended(tmp_path: Path) -> None:
    for count, mended in ((8, True), (9, False)):
        path = leaping(tmp_path / "a.mkv", dict.fromkeys(range(6, 6 + count), 7.0))
        found = times(clip_of(path))
        assert np.allclose(found, np.arange(30) / 10, atol=0.002) == mended
        assert all(a < b for a, b in pairwise(found))


def test_time_that_leaps_for_good_is_kept(tmp_path: Path) -> None:
    # A picture that was held, however long.
    path = leaping(tmp_path / "a.mkv", dict.fromkeys(range(20, 30), 50.0))
    np.testing.assert_allclose(times(clip_of(path)), [*np.arange(20) / 10, *(np.arange(20, 30) / 10 + 50)], atol=0.002)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
@pytest.mark.parametrize(("start", "end"), [(5.0, 6.0), (5.0, None), (2.5, 9.0), (None, 9.0), (1.0, 1.001)])
def test_interval_outside(tmp_path: Path, suffix: str, start: float | None, end: float | None) -> None:
    path = write_video(tmp_path / f"a{suffix}", 30, size=(32, 32))
    error = failure(clip_of(path, start, end))
    assert error.problem == "outside"
    assert f"the interval {start or 0:g}-" in str(error)


def test_interval_may_end_a_little_late(tmp_path: Path) -> None:
    assert shown(clip_of(write_video(tmp_path / "a.mp4", 30), 2.0, 3.2)) == list(range(20, 30))


@given(gaps=st.lists(st.floats(0.01, 2), min_size=0, max_size=20), wanted=st.lists(st.floats(-1, 30), max_size=20))
def test_nearest_frames_is_what_is_on_screen(gaps: list[float], wanted: list[float]) -> None:
    appears = np.concatenate([[0.0], np.cumsum(gaps)])
    rows = nearest_frames(appears, np.array(wanted))
    for moment, row in zip(wanted, rows, strict=True):
        assert row == max((r for r, time in enumerate(appears) if time <= moment + 1e-6), default=0)


def test_nearest_frames_at_the_frames_own_times() -> None:
    appears = np.cumsum(np.full(1000, 1 / 30)) - 1 / 30
    assert nearest_frames(appears, np.arange(1000) / 30).tolist() == list(range(1000))
    assert all(a <= b for a, b in pairwise(nearest_frames(appears, np.linspace(0, 40, 77)).tolist()))
