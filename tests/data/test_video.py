"""Videos of every make come out as the frames that are on screen."""

import gc
import shutil
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from aplt.data.video import decode, examine
from tests.data.decoding import shown, times
from tests.data.videos import CODECS, clip_of, number_of, set_matrix, write_video


@pytest.mark.parametrize("suffix", CODECS)
def test_every_frame_comes_in_order_with_its_time(tmp_path: Path, suffix: str) -> None:
    # MPEG-2 and raw H.264 files know certain frame rates only.
    rate = 25 if suffix in (".mpg", ".h264") else 10
    clip = clip_of(write_video(tmp_path / f"a{suffix}", 12, rate=rate))
    assert shown(clip) == list(range(12))
    np.testing.assert_allclose(times(clip), np.arange(12) / rate, atol=0.001)
    assert (examine(clip).frames, examine(clip).doubt) == (12, None)


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
