"""Files cut anywhere are told from whole ones, whatever their container says of its pictures."""

import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from aplt.data.ends import ends_early
from aplt.data.files import ClipError
from aplt.data.video import decode
from tests.data.videos import clip_of, number_of, write_video

# Name, and the muxer's options, of each kind of file.
KINDS = {
    "plain.mp4": {},
    "fast.mp4": {"movflags": "faststart"},
    "pieces.mp4": {"movflags": "frag_keyframe+empty_moov"},
    "a.mov": {},
    "a.mkv": {},
    "live.mkv": {"live": "1"},
    "a.webm": {},
    "live.webm": {"live": "1"},
    "a.avi": {},
    "a.flv": {},
    "a.ts": {},
    "a.m2ts": {"mpegts_m2ts_mode": "1"},
    "a.mpg": {},
    "a.vob": {},
    "a.ogv": {},
    "a.gif": {},
    "a.wmv": {},
    "a.asf": {},
    "a.mxf": {},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {name: write_video(folder / name, 50, rate=25, key_every=10, muxer=KINDS[name]) for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_whole_and_a_cut_one_is_not(name: str, whole: dict[str, Path], tmp_path: Path) -> None:
    assert not ends_early(whole[name])
    content = whole[name].read_bytes()
    # Not where no picture is yet, and at odd places, for packets are of even length.
    places = np.random.default_rng(0).uniform(0.3, 0.9, 12)
    for place in places:
        path = tmp_path / name
        path.write_bytes(content[: int(place * len(content)) // 2 * 2 + 1])
        with pytest.raises(ClipError) as caught:
            list(decode(clip_of(path)))
        assert (caught.value.problem, "truncated" in str(caught.value)) == ("broken", True)


def test_an_end_mark_that_is_missing_tells_of_a_cut_between_two_parts(whole: dict[str, Path], tmp_path: Path) -> None:
    footer = bytes.fromhex("060e2b34 02050101 0d010201 0104")
    for name, part in (("a.ogv", b"OggS"), ("a.gif", b"\x21\xf9\x04"), ("a.mxf", footer)):
        content = whole[name].read_bytes()
        path = tmp_path / name
        path.write_bytes(content[: content.rindex(part)])
        assert ends_early(path)


def test_what_is_no_video_and_what_follows_the_end_are_no_early_end(whole: dict[str, Path], tmp_path: Path) -> None:
    for content in (b"", b"text", bytes(5000), b"GIF89a", b"RIFF", b"\x1a\x45\xdf\xa3", b"G" * 100):
        (tmp_path / "a").write_bytes(content)
        assert isinstance(ends_early(tmp_path / "a"), bool)
    for name in ("fast.mp4", "a.mkv", "a.avi", "a.gif", "a.flv"):
        path = Path(shutil.copy(whole[name], tmp_path))
        path.write_bytes(path.read_bytes() + bytes(3000))
        assert not ends_early(path)


def held(path: Path) -> Path:
    """Writes ten pictures, of which the last lasts two seconds, where the container can say so."""
    source = write_video(path.with_name("source.mp4"), 10)
    with av.open(str(source)) as read, av.open(str(path), "w") as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            if packet.pts * packet.time_base > 0.85:
                packet.duration = int(2 / packet.time_base)
            packet.stream = stream
            write.mux(packet)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".flv", ".webm"])
def test_a_last_picture_that_is_held_is_no_missing_end(tmp_path: Path, suffix: str) -> None:
    path = held(tmp_path / f"held{suffix}") if suffix != ".webm" else write_video(tmp_path / "a.webm", 10)
    found = list(decode(clip_of(path)))
    assert [number_of(pixels) for _, pixels in found] == list(range(10))
    np.testing.assert_allclose([time for time, _ in found], np.arange(10) / 10, atol=0.002)
    if suffix != ".webm":
        # It is on screen all the time.
        assert [number_of(pixels) for _, pixels in decode(clip_of(path, 1.5, 2.5))] == [9]


def test_a_header_may_announce_more_than_follows(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.webm", 30)
    content = path.read_bytes().replace(b"DURATION", b"ANYTHING")
    at = content.index(b"\x44\x89\x88") + 3
    path.write_bytes(content[:at] + np.array([9000.0], ">f8").tobytes() + content[at + 8 :])
    assert len(list(decode(clip_of(path)))) == 30
