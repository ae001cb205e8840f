import io
import multiprocessing
import shutil
import weakref
from collections.abc import Iterator
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aplt.clips import Clip
from aplt.data import cache as module
from aplt.data.cache import DecodedVideos, FrameCache
from aplt.data.files import ClipError
from aplt.data.frames import Jpegs
from aplt.data.pictures import Pictures
from aplt.data.video import decode, decode_file
from aplt.storage import default_cache_dir
from tests.data.cached import entries, every, forbid, numbers
from tests.data.videos import clip_of, write_video


@pytest.mark.parametrize("cached", [True, False])
def test_frames_are_those_of_the_video(cache: FrameCache, clip: Clip, cached: bool) -> None:
    times, found = every(cache if cached else DecodedVideos(24, 92), clip)
    expected = list(decode(clip, short_side=24))
    assert times.dtype == np.float64
    assert times.tolist() == [time for time, _ in expected]
    assert (found.dtype, tuple(found.shape)) == (torch.uint8, (12, 3, 24, 32))
    original = np.stack([pixels for _, pixels in expected]).transpose(0, 3, 1, 2)
    assert np.abs(found.numpy().astype(int) - original).mean() < 2


@settings(max_examples=50, deadline=None)
@given(side=st.integers(8, 80), wide=st.integers(8, 80), quality=st.integers(30, 100), seed=st.integers(0, 99))
def test_pixels_are_those_that_pillow_reads(side: int, wide: int, quality: int, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    with io.BytesIO() as stream:
        Image.fromarray(coarse).resize((wide, side)).save(stream, "JPEG", quality=quality)
        jpeg = np.frombuffer(stream.getvalue(), np.uint8)
    stored = Jpegs(np.array([0.0]), np.array([0, len(jpeg)]), jpeg)
    with Image.open(io.BytesIO(jpeg.tobytes())) as image:
        assert np.array_equal(stored.read([0])[0].permute(1, 2, 0).numpy(), np.asarray(image))


def test_rows_come_as_asked_for(cache: FrameCache, clip: Clip) -> None:
    assert numbers(cache, clip, [7, 0, 7, 11, 3]) == [7, 0, 7, 11, 3]


def test_same_pixels_with_and_without_a_cache(cache: FrameCache, clip: Clip) -> None:
    for part in (clip, clip_of(clip.path, 0.3, 0.6)):
        assert torch.equal(every(cache, part)[1], every(DecodedVideos(24, 92), part)[1])


def test_intervals_sizes_and_qualities_have_entries_of_their_own(tmp_path: Path, clip: Clip) -> None:
    root = tmp_path / "cache"
    FrameCache(root, short_side=24, quality=92).build([clip_of(clip.path, 0.3, 0.6)])
    FrameCache(root, short_side=24, quality=92).build([clip])
    cache = FrameCache(root, short_side=24, quality=92)
    assert numbers(cache, clip_of(clip.path, 0.3, 0.6), [0, 1, 2]) == [3, 4, 5]
    assert every(FrameCache(root, short_side=16, quality=92), clip)[1].shape[-2:] == (16, 21)
    every(FrameCache(root, short_side=24, quality=50), clip)
    assert len(entries(tmp_path)) == 4
    every(cache, clip_of(clip.path, 0.0))
    assert len(entries(tmp_path)) == 4


def test_what_is_stored_is_neither_decoded_nor_hashed_again(
    tmp_path: Path, cache: FrameCache, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.build([clip])
    forbid(monkeypatch, "decode")
    forbid(monkeypatch, "content_digest")
    fresh = FrameCache(tmp_path / "cache", short_side=24, quality=92)
    fresh.build([clip])
    assert numbers(fresh, clip, [4]) == [4]
    shutil.rmtree(tmp_path / "cache" / "digests")
    for reader in (cache, fresh):
        assert numbers(reader, clip, [4]) == [4]


def test_a_moved_file_keeps_its_entry(
    tmp_path: Path, cache: FrameCache, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.build([clip])
    moved = clip_of(Path(shutil.move(clip.path, tmp_path / "b.mkv")))
    forbid(monkeypatch, "decode")
    cache.build([moved])
    assert numbers(cache, moved, [4]) == [4]


def test_build_reports_progress(tmp_path: Path, cache: FrameCache) -> None:
    clips = [clip_of(write_video(tmp_path / f"{n}.mkv", n + 2)) for n in range(5)]
    calls: list[tuple[int, int]] = []
    cache.build(clips[3:], processes=1, progress=lambda *done: calls.append(done))
    assert calls == [(0, 2), (1, 2), (2, 2)]
    calls.clear()
    cache.build(clips, processes=2, progress=lambda *done: calls.append(done))
    assert calls == [(2, 5), (3, 5), (4, 5), (5, 5)]
    assert len(entries(tmp_path)) == 5
    assert [len(every(cache, clip)[0]) for clip in reversed(clips)] == [6, 5, 4, 3, 2]


def test_build_in_processes_after_decoding_here(tmp_path: Path, cache: FrameCache) -> None:
    # Forked processes inherit what decoding left behind; threads of a scaler would make them wait forever.
    clips = [clip_of(write_video(tmp_path / f"{n}.mp4", 20 + n, turn=90)) for n in range(4)]
    for clip in clips:
        every(DecodedVideos(24, 92), clip)
    cache.build(clips, processes=2)
    assert len(entries(tmp_path)) == 4


def _build(root: Path, clips: list[Clip], barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    FrameCache(root, short_side=24, quality=92).build(clips, processes=1)


def test_two_processes_may_build_at_once(tmp_path: Path, cache: FrameCache, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = [clip_of(write_video(tmp_path / f"{n}.mkv", 5 + n)) for n in range(6)]
    barrier = multiprocessing.Barrier(2)
    arguments = (tmp_path / "cache", clips, barrier)
    builders = [multiprocessing.Process(target=_build, args=arguments) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(60)
    assert [builder.exitcode for builder in builders] == [0, 0]
    assert len(entries(tmp_path)) == 6
    assert not [p for p in (tmp_path / "cache").rglob(".*") if p.is_file()]  # nothing left aside
    forbid(monkeypatch, "decode")
    for n, clip in enumerate(clips):
        assert numbers(cache, clip, list(range(5 + n))) == list(range(5 + n))


def test_cache_travels_to_loader_workers(cache: FrameCache, clip: Clip) -> None:
    assert numbers(ForkingPickler.loads(ForkingPickler.dumps(cache)), clip, [3]) == [3]


def test_frames_are_compressed_as_they_come(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def long_clip(*_: object, **__: object) -> Iterator[tuple[float, np.ndarray]]:
        for number in range(200):
            pixels = np.full((24, 32, 3), number, dtype=np.uint8)
            alive.append(weakref.ref(pixels))
            assert sum(frame() is not None for frame in alive) <= 3
            yield number / 30, pixels

    monkeypatch.setattr(module, "decode", long_clip)
    frames = DecodedVideos(24, 92).read(clip_of(clip.path, 0, 10), lambda times: [len(times) - 1])
    assert frames.float().mean() == pytest.approx(199, abs=1)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"APLT_CACHE": "/a/own", "XDG_CACHE_HOME": "/b"}, Path("/a/own")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/aplt")),
        ({}, Path.home() / ".cache" / "aplt"),
    ],
)
def test_default_folder(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: Path) -> None:
    for name in ("APLT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_cache_dir() == expected


def test_a_file_with_many_clips_is_decoded_once(
    tmp_path: Path, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mkv", 60, size=(32, 24))
    clips = [clip_of(path, start / 2, start / 2 + 1) for start in range(11)]
    calls: list[Clip] = []

    def counted(clip: Clip, **options: int) -> Iterator[tuple[float, float, np.ndarray]]:
        calls.append(clip)
        return decode_file(clip, **options)

    monkeypatch.setattr(module, "decode_file", counted)
    forbid(monkeypatch, "decode")
    cache.build(clips)
    cache.build([*clips, clip_of(path, 0.2, 5.3), clip_of(path)])
    assert len(calls) == len(entries(tmp_path)) == 1
    for start, clip in enumerate(clips):
        assert numbers(cache, clip, list(range(10))) == [(5 * start + k) % 32 for k in range(10)]
        assert every(cache, clip)[0].tolist() == pytest.approx(np.arange(10) / 10)


@pytest.mark.parametrize(("start", "end"), [(None, 0.4), (3.0, 3.5), (5.6, None)])
def test_few_clips_of_a_long_file_do_not_decode_it_whole(
    tmp_path: Path, cache: FrameCache, monkeypatch: pytest.MonkeyPatch, start: float | None, end: float | None
) -> None:
    path = write_video(tmp_path / "a.mkv", 60)
    forbid(monkeypatch, "decode_file")
    cache.build([clip_of(path, start, end)])
    cache.build([clip_of(path, start, end), clip_of(path, 1.0, 1.3)])
    assert len(entries(tmp_path)) == 2


def test_an_interval_outside_of_a_file_that_is_there_whole(cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    for wrong in (clip_of(clip.path, 0.5, 3.0), clip_of(clip.path, 2.0, 3.0)):
        with pytest.raises(ClipError) as caught:
            cache.build([clip_of(clip.path, 0.0, 0.5), wrong])
        with pytest.raises(ClipError) as expected:
            every(DecodedVideos(24, 92), wrong)
        assert str(caught.value) == str(expected.value)
        assert caught.value.problem == "outside"


def choose_three(times: np.ndarray) -> list[int]:
    """Returns three frames spread over the clip, the last one twice."""
    return [0, len(times) // 2, len(times) - 1, len(times) - 1]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm", ".mpg", ".ts", ".h264"])
def test_of_a_whole_file_only_the_frames_wanted_become_pictures(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = clip_of(write_video(tmp_path / f"a{suffix}", 20))
    made: list[int] = []
    of = Pictures.of
    monkeypatch.setattr(Pictures, "of", lambda self, frame: made.append(0) or of(self, frame))  # type: ignore[func-returns-value]
    videos = DecodedVideos(24, 92)
    found = videos.read(clip, choose_three)
    assert len(made) == (20 if suffix == ".h264" else 3)  # raw streams have no time stamps
    times, whole = every(videos, clip)
    assert torch.equal(found, whole[choose_three(times)])


def test_where_packets_say_other_times_than_frames_the_frames_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, videos = clip_of(write_video(tmp_path / "a.mp4", 20)), DecodedVideos(24, 92)
    expected = videos.read(clip, choose_three)
    for guess in (None, np.arange(5.0), np.arange(60.0)):
        monkeypatch.setattr(module, "packet_times", lambda _, guess=guess: guess)
        assert torch.equal(videos.read(clip, choose_three), expected)


def test_what_a_cache_knows_of_other_clips_does_not_travel_to_its_processes(tmp_path: Path, cache: FrameCache) -> None:
    new = len(ForkingPickler.dumps(cache))
    cache.build([clip_of(write_video(tmp_path / f"{n}.mp4", 2)) for n in range(3)], processes=1)
    assert len(ForkingPickler.dumps(cache)) == new
