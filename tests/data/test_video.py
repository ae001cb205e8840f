import gc
import shutil
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from aplt.clips import Clip
from aplt.data.files import ClipError
from aplt.data.intervals import Timeline, nearest_frames
from aplt.data.video import about_seconds, announced_end, decode, decode_file, seconds_of, survey
from tests.data.videos import CODECS, clip_of, cut, number_of, set_matrix, write_sound, write_text, write_video


def shown(clip: Clip) -> list[int]:
    """The numbers of the frames that the clip holds."""
    return [number_of(pixels) for _, pixels in decode(clip)]


def times(clip: Clip) -> list[float]:
    return [time for time, _ in decode(clip)]


def packets_of(path: Path) -> "list[av.Packet[av.VideoStream]]":
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def failure(clip: Clip) -> ClipError:
    with pytest.raises(ClipError) as caught:
        for _ in decode(clip):
            pass
    message = str(caught.value)
    assert message.startswith(f"clip '{clip.id}' ({clip.path}): ")
    assert "\n" not in message
    return caught.value


@pytest.mark.parametrize("suffix", CODECS)
def test_every_frame_comes_in_order_with_its_time(tmp_path: Path, suffix: str) -> None:
    # MPEG-2 and raw H.264 files know certain frame rates only.
    rate = 25 if suffix in (".mpg", ".h264") else 10
    clip = clip_of(write_video(tmp_path / f"a{suffix}", 12, rate=rate))
    assert shown(clip) == list(range(12))
    np.testing.assert_allclose(times(clip), np.arange(12) / rate, atol=0.001)
    assert (survey(clip).frames, survey(clip).damaged) == (12, 0)


@pytest.mark.parametrize("pixel_format", ["gray", "gray10le", "yuv420p10le", "yuv444p", "bgra", "rgb48le"])
def test_pixel_formats_become_rgb(tmp_path: Path, pixel_format: str) -> None:
    clip = clip_of(write_video(tmp_path / "a.mkv", 9, pixel_format=pixel_format))
    frames = [pixels for _, pixels in decode(clip)]
    assert {(f.shape, str(f.dtype)) for f in frames} == {((48, 64, 3), "uint8")}
    assert [number_of(f) for f in frames] == list(range(9))
    assert np.ptp(frames[5].astype(int), axis=2).max() <= 2  # gray: three equal channels


def test_odd_sizes(tmp_path: Path) -> None:
    clip = clip_of(write_video(tmp_path / "a.mkv", 3, size=(33, 25), pixel_format="yuv420p"))
    assert [pixels.shape for _, pixels in decode(clip)] == [(25, 33, 3)] * 3
    assert shown(clip) == [0, 1, 2]


@pytest.mark.parametrize(
    ("size", "short_side", "expected"),
    [
        ((64, 48), 24, (24, 32)),
        ((48, 64), 24, (32, 24)),
        ((64, 48), 48, (48, 64)),
        ((64, 48), 100, (48, 64)),  # never enlarged
        ((65, 33), 16, (16, 32)),
        ((2, 60), 1, (30, 1)),
    ],
)
def test_short_side(tmp_path: Path, size: tuple[int, int], short_side: int, expected: tuple[int, int]) -> None:
    clip = clip_of(write_video(tmp_path / "a.mkv", 2, size=size))
    assert [pixels.shape[:2] for _, pixels in decode(clip, short_side=short_side)] == [expected] * 2


def test_scaling_averages(tmp_path: Path) -> None:
    # The white corner is a sixteenth of the area; skipping pixels instead of averaging them would lose or keep it.
    clip = clip_of(write_video(tmp_path / "a.mkv", 1, size=(64, 64)))
    ((_, pixels),) = decode(clip, short_side=1)
    assert abs(int(pixels[0, 0, 0]) - 255 / 16) <= 3


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_rotation_is_honored(tmp_path: Path, turn: int, corner: tuple[int, int]) -> None:
    path = write_video(tmp_path / "a.mp4", 2, turn=turn)
    for short_side, (height, width) in ((None, (48, 64)), (24, (24, 32))):
        upright = (width, height) if turn in (90, 270) else (height, width)
        for _, pixels in decode(clip_of(path), short_side=short_side):
            assert pixels.shape[:2] == upright
            assert [c for c in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if pixels[*c].mean() > 200] == [corner]


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((-1, 0, 0, 1), (0, -1)),  # mirrored
        ((1, 0, 0, -1), (-1, 0)),  # upside down
        ((0, 1, 1, 0), (0, 0)),  # mirrored along the diagonal
        ((0, -1, -1, 0), (-1, -1)),  # along the other
        ((0.01, 1, -1, 0.01), (0, -1)),  # not quite a quarter
        ((-2, 0, 0, 2), (0, -1)),  # enlarged, too
        ((0, 0, 0, 0), (0, 0)),  # nonsense
    ],
)
def test_the_display_matrix_is_applied_whole(
    tmp_path: Path, matrix: tuple[float, float, float, float], corner: tuple[int, int]
) -> None:
    path = set_matrix(write_video(tmp_path / "a.mp4", 3), matrix)
    shape = (64, 48, 3) if abs(matrix[1]) > abs(matrix[0]) else (48, 64, 3)
    for _, pixels in decode(clip_of(path)):
        assert pixels.shape == shape
        assert [c for c in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if pixels[*c].mean() > 200] == [corner]


def test_pixels_become_square(tmp_path: Path) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4", 2, size=(32, 48), aspect=2))
    assert [pixels.shape[:2] for _, pixels in decode(clip)] == [(48, 64)] * 2
    assert [pixels.shape[:2] for _, pixels in decode(clip, short_side=24)] == [(24, 32)] * 2


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


@pytest.mark.parametrize("name", ["Ünïcode 微动作 🎬.mp4", "12:30.mp4", "50%d.mp4", "a b'c.mp4"])
def test_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.move(write_video(tmp_path / "a.mp4", 3), name)
    assert shown(clip_of(Path(name))) == [0, 1, 2]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_changes_nothing(tmp_path: Path, suffix: str) -> None:
    clip = clip_of(write_video(tmp_path / f"a{suffix}", 10, sound=4.0))
    assert shown(clip) == list(range(10))


def test_sound_that_lasts_longer_is_not_a_missing_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 10, sound=4.0)
    # Without the video's own duration, only the container's is left, which is the sound's.
    path.write_bytes(path.read_bytes().replace(b"DURATION", b"ANYTHING"))
    assert shown(clip_of(path)) == list(range(10))


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


def test_metadata_in_another_encoding(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 3)
    path.write_bytes(path.read_bytes().replace(b"VideoHandler", b"Vid\xe9o\xffHandle"))
    assert shown(clip_of(path)) == [0, 1, 2]


@pytest.mark.parametrize(
    "text", ["1.2", "", "1:2", "a:b:c", "00:00:nan", "-1:-1:-1", "9:9:9:9", "00:00:1e9", "\u0661:00:00", "0" * 18]
)
def test_a_tag_is_free_text(tmp_path: Path, text: str) -> None:
    path = write_video(tmp_path / "a.webm", 12)
    content = path.read_bytes()
    at = content.index(b"00:00:0", content.index(b"DURATION"))
    path.write_bytes(content[:at] + text.encode().ljust(18, b"\0") + content[at + 18 :])
    assert shown(clip_of(path)) == list(range(12))


@pytest.mark.parametrize("error", [ValueError, MemoryError, ZeroDivisionError, AttributeError])
def test_whatever_a_decoder_raises_names_its_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4", 3))

    def fail(*_: object) -> None:
        raise error("in\ntwo lines")

    monkeypatch.setattr("aplt.data.pictures._scaled", fail)
    found = failure(clip)
    assert (found.problem, error.__name__ in str(found)) == ("broken", True)
    monkeypatch.setattr("av.open", fail)
    assert failure(clip).problem == "broken"


@pytest.mark.parametrize("cover", [False, True])
def test_sound_alone_is_no_video(tmp_path: Path, cover: bool) -> None:
    error = failure(clip_of(write_sound(tmp_path / "a.mp4", cover=cover)))
    assert error.problem == "no video stream"


def test_missing(tmp_path: Path) -> None:
    assert failure(clip_of(tmp_path / "a.mp4")).problem == "missing"
    assert failure(clip_of(tmp_path)).problem == "missing"


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert failure(clip_of(tmp_path / "a.mp4")).problem == "empty"


def test_text(tmp_path: Path) -> None:
    error = failure(clip_of(write_text(tmp_path / "a.mp4")))
    assert (error.problem, "cannot read it as a video" in str(error)) == ("broken", True)


def test_unknown_codec(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 3)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9"))
    error = failure(clip_of(path))
    assert (error.problem, "decoder" in str(error)) == ("broken", True)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.97])
@pytest.mark.parametrize("kind", ["plain.mp4", "faststart.mp4", "a.mkv", "a.webm", "a.avi"])
def test_truncated(tmp_path: Path, kind: str, share: float) -> None:
    muxer = {"movflags": "faststart"} if kind == "faststart.mp4" else None
    path = cut(write_video(tmp_path / kind, 30, size=(96, 96), muxer=muxer), share)
    error = failure(clip_of(path))
    assert error.problem == "broken"
    assert "truncated" in str(error)


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_truncated_between_frames(tmp_path: Path, suffix: str) -> None:
    # No half frame tells: only the header knows that there were more.
    path = write_video(tmp_path / f"a{suffix}", 30, muxer={"movflags": "faststart"})
    last = packets_of(path)[14]
    assert last.pos is not None
    path.write_bytes(path.read_bytes()[: last.pos + last.size])
    error = failure(clip_of(path))
    assert (error.problem, "truncated" in str(error)) == ("broken", True)


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_half_of_the_last_frame_is_missing(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 30, muxer={"movflags": "faststart"})
    last = packets_of(path)[-1]
    assert last.pos is not None
    path.write_bytes(path.read_bytes()[: last.pos + last.size // 2])
    assert failure(clip_of(path)).problem == "broken"


def test_truncated_with_sound(tmp_path: Path) -> None:
    path = cut(write_video(tmp_path / "a.mkv", 30, sound=3.0), 0.6)
    assert failure(clip_of(path)).problem == "broken"


def test_frames_before_the_damage_are_yielded(tmp_path: Path) -> None:
    path = cut(write_video(tmp_path / "a.mp4", 30, muxer={"movflags": "faststart"}), 0.7)
    seen: list[int] = []

    def read_all() -> None:
        seen.extend(number_of(pixels) for _, pixels in decode(clip_of(path)))

    with pytest.raises(ClipError):
        read_all()
    assert len(seen) > 5
    assert seen == list(range(len(seen)))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
@pytest.mark.parametrize(("start", "end"), [(5.0, 6.0), (5.0, None), (2.5, 9.0), (None, 9.0), (1.0, 1.001)])
def test_interval_outside(tmp_path: Path, suffix: str, start: float | None, end: float | None) -> None:
    path = write_video(tmp_path / f"a{suffix}", 30, size=(32, 32))
    error = failure(clip_of(path, start, end))
    assert error.problem == "outside"
    assert f"the interval {start or 0:g}-" in str(error)


def test_interval_may_end_a_little_late(tmp_path: Path) -> None:
    assert shown(clip_of(write_video(tmp_path / "a.mp4", 30), 2.0, 3.2)) == list(range(20, 30))


def test_error_travels_between_processes(tmp_path: Path) -> None:
    error = failure(clip_of(tmp_path / "a.mp4"))
    copy = ForkingPickler.loads(ForkingPickler.dumps(error))
    assert (str(copy), copy.problem, copy.clip, copy.why) == (str(error), error.problem, error.clip, error.why)


def test_no_frame_outlives_its_turn(tmp_path: Path) -> None:
    # Frames in reference cycles wait for the garbage collector: memory grows, and forked workers hang on their scalers.
    clip = clip_of(write_video(tmp_path / "a.mp4", 30, turn=90))
    gc.collect()
    gc.disable()
    try:
        assert len(list(decode(clip, short_side=16))) == 30
        assert not [thing for thing in gc.get_objects() if type(thing) is VideoFrame]
    finally:
        gc.enable()


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


def test_a_long_frame_before_a_clip_does_not_excuse_an_end_outside(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 21, ticks=[0, *range(20, 40)], key_every=100)
    clip = clip_of(path, 2.5, 4.6)
    assert failure(clip).problem == "outside"
    appears, ends = np.array([frame[:2] for frame in decode_file(clip_of(path))]).T
    with pytest.raises(ClipError) as caught:
        Timeline(appears, ends, announced_end(clip)).rows(clip)
    assert str(caught.value) == str(failure(clip))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".flv"])
def test_how_long_a_clip_is(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 30, rate=25)
    assert seconds_of(clip_of(path)) == pytest.approx(1.2, abs=0.05)
    assert about_seconds(clip_of(path)) == pytest.approx(1.2, abs=0.1)
    assert seconds_of(clip_of(path, 0.5)) == pytest.approx(0.7, abs=0.05)
    assert (seconds_of(clip_of(path, 0.5, 0.75)), about_seconds(clip_of(path, 0.5, 0.75))) == (0.25, 0.25)


def test_sound_does_not_make_a_film_longer(tmp_path: Path) -> None:
    assert seconds_of(clip_of(write_video(tmp_path / "a.mkv", 10, sound=3.0))) == pytest.approx(1.0, abs=0.11)
