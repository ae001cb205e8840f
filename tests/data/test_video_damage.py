"""Files that are no video, or not all of one, are named and never taken for a shorter clip."""

from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

from aplt.data.files import ClipError
from aplt.data.video import decode
from tests.data.decoding import failure, packets_of
from tests.data.videos import clip_of, cut, number_of, write_sound, write_text, write_video


@pytest.mark.parametrize("error", [ValueError, MemoryError, ZeroDivisionError, AttributeError])
def test_whatever_a_decoder_raises_names_its_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4", 3))

    def fail(*_: object) -> None:
        raise error("in\ntwo lines")

    for broken in ("aplt.data.pictures._scaled", "aplt.data.video.Pictures.of"):
        with monkeypatch.context() as patch:
            patch.setattr(broken, fail)
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


def test_error_travels_between_processes(tmp_path: Path) -> None:
    error = failure(clip_of(tmp_path / "a.mp4"))
    copy = ForkingPickler.loads(ForkingPickler.dumps(error))
    assert (str(copy), copy.problem, copy.clip, copy.why) == (str(error), error.problem, error.clip, error.why)
