import io
import multiprocessing
import os
import shutil
import time
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
from safetensors.numpy import load

from aplt.clips import Clip
from aplt.data import cache as module
from aplt.data.cache import DecodedVideos, FrameCache
from aplt.data.files import ClipError
from aplt.data.frames import Frames, Jpegs
from aplt.data.video import decode, decode_file
from aplt.errors import InputError
from aplt.storage import aside_of, default_cache_dir
from tests.data.videos import clip_of, cut, number_of, write_text, write_video


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path / "cache", short_side=24, quality=92)


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return clip_of(write_video(tmp_path / "a.mkv", 12))


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "frames").rglob("*.safetensors"))


def numbers(frames: Frames, rows: list[int]) -> list[int]:
    return [number_of(image.permute(1, 2, 0).numpy()) for image in frames.read(rows)]


def forbid(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(module, name, forbidden)


@pytest.mark.parametrize("cached", [True, False])
def test_frames_are_those_of_the_video(cache: FrameCache, clip: Clip, cached: bool) -> None:
    frames = cache.open(clip) if cached else DecodedVideos(24, 92).open(clip)
    expected = list(decode(clip, short_side=24))
    assert frames.times.dtype == np.float64
    assert frames.times.tolist() == [time for time, _ in expected]
    found = frames.read(range(12))
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
    assert numbers(cache.open(clip), [7, 0, 7, 11, 3]) == [7, 0, 7, 11, 3]


def test_same_pixels_with_and_without_a_cache(cache: FrameCache, clip: Clip) -> None:
    uncached = DecodedVideos(24, 92).open(clip)
    assert torch.equal(cache.open(clip).read([0, 5, 11]), uncached.read([0, 5, 11]))


def test_intervals_sizes_and_qualities_have_entries_of_their_own(tmp_path: Path, clip: Clip) -> None:
    root = tmp_path / "cache"
    FrameCache(root, short_side=24, quality=92).build([clip_of(clip.path, 0.3, 0.6)])
    FrameCache(root, short_side=24, quality=92).build([clip])
    part = FrameCache(root, short_side=24, quality=92).open(clip_of(clip.path, 0.3, 0.6))
    assert numbers(part, [0, 1, 2]) == [3, 4, 5]
    assert FrameCache(root, short_side=16, quality=92).open(clip).read([0]).shape[-2:] == (16, 21)
    FrameCache(root, short_side=24, quality=50).open(clip)
    assert len(entries(tmp_path)) == 4
    FrameCache(root, short_side=24, quality=92).open(clip_of(clip.path, 0.0))
    assert len(entries(tmp_path)) == 4


def test_what_is_stored_is_neither_decoded_nor_hashed_again(
    tmp_path: Path, cache: FrameCache, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.build([clip])
    forbid(monkeypatch, "decode")
    forbid(monkeypatch, "file_digest")
    fresh = FrameCache(tmp_path / "cache", short_side=24, quality=92)
    fresh.build([clip])
    assert numbers(fresh.open(clip), [4]) == [4]
    shutil.rmtree(tmp_path / "cache" / "digests")
    for reader in (cache, fresh):
        assert numbers(reader.open(clip), [4]) == [4]


def test_a_moved_file_keeps_its_entry(
    tmp_path: Path, cache: FrameCache, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.build([clip])
    moved = clip_of(Path(shutil.move(clip.path, tmp_path / "b.mkv")))
    forbid(monkeypatch, "decode")
    cache.build([moved])
    assert numbers(cache.open(moved), [4]) == [4]


@pytest.mark.parametrize("fresh", [True, False])
def test_changed_content_is_noticed(tmp_path: Path, cache: FrameCache, clip: Clip, fresh: bool) -> None:
    cache.build([clip])
    before = clip.path.stat()
    # As many bytes at the same path; only the frames' times differ.
    clip.path.write_bytes(write_video(tmp_path / "b.mkv", 12, ticks=[*range(11), 15]).read_bytes())
    assert clip.path.stat().st_size == before.st_size
    os.utime(clip.path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    reader = FrameCache(tmp_path / "cache", short_side=24, quality=92) if fresh else cache
    assert reader.open(clip).times[-1] == pytest.approx(1.5)
    assert len(entries(tmp_path)) == 2
    reader.build([clip])
    assert len(entries(tmp_path)) == 2


def test_a_vanished_video_is_named(cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    clip.path.unlink()
    with pytest.raises(ClipError, match=r"clip 'a' .*no such file"):
        cache.open(clip)


def test_the_cache_may_vanish_at_any_time(tmp_path: Path, cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    opened = cache.open(clip)
    shutil.rmtree(tmp_path / "cache")
    assert numbers(opened, [2, 9]) == [2, 9]
    assert numbers(cache.open(clip), [2, 9]) == [2, 9]
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize(
    "damage", ["truncated", "zero bytes", "garbage", "zeroed images", "swapped images", "falling", "far"]
)
def test_a_damaged_entry_is_made_anew(tmp_path: Path, cache: FrameCache, clip: Clip, damage: str) -> None:
    cache.build([clip])
    (entry,) = entries(tmp_path)
    sound = entry.read_bytes()
    body = len(sound) * 3 // 4
    images = sound.index(b"\xff\xd8\xff")
    places = load(sound)["offset"]
    entry.write_bytes(
        {
            "truncated": sound[:body],
            "zero bytes": b"",
            "garbage": b"\xff" * len(sound),
            "zeroed images": sound[:images] + bytes(len(sound) - images),
            "falling": sound.replace(places.tobytes(), places[::-1].tobytes()),
            "far": sound.replace(places.tobytes(), (places + 10**12).tobytes()),
            "swapped images": sound[:images] + sound[images + 700 :] + sound[images : images + 700],
        }[damage]
    )
    assert numbers(cache.open(clip), [0, 6, 11]) == [0, 6, 11]
    assert entry.read_bytes() == sound


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", '{"state": [1, 2]}', "\x00\xff", "no digest"])
def test_a_damaged_memo_is_made_anew(tmp_path: Path, cache: FrameCache, clip: Clip, content: str) -> None:
    cache.build([clip])
    (memo,) = (tmp_path / "cache" / "digests").rglob("*.json")
    sound = memo.read_text()
    memo.write_text(sound.replace("sha256", "md5") if content == "no digest" else content)
    fresh = FrameCache(tmp_path / "cache", short_side=24, quality=92)
    fresh.build([clip])
    assert numbers(fresh.open(clip), [5]) == [5]
    assert memo.read_text() == sound
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_build_names_the_first_broken_clip(tmp_path: Path, cache: FrameCache, processes: int) -> None:
    clips = [clip_of(write_video(tmp_path / f"{n}.mkv", 6)) for n in range(3)]
    clips[2:2] = [clip_of(write_text(tmp_path / f"bad{n}.mp4")) for n in range(2)]
    with pytest.raises(ClipError) as caught:
        cache.build(clips, processes=processes)
    assert (caught.value.clip, caught.value.problem) == (clips[2], "broken")
    cache.build(clips[:2])


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "nul\0.mp4", "turning.mp4"])
def test_build_names_a_clip_that_is_out_of_reach(tmp_path: Path, cache: FrameCache, name: str) -> None:
    (tmp_path / "turning.mp4").symlink_to("turning.mp4")
    with pytest.raises(ClipError, match="the file cannot be read"):
        cache.build([Clip("far", tmp_path / name)])


def test_build_reports_progress(tmp_path: Path, cache: FrameCache) -> None:
    clips = [clip_of(write_video(tmp_path / f"{n}.mkv", n + 2)) for n in range(5)]
    calls: list[tuple[int, int]] = []
    cache.build(clips[3:], processes=1, progress=lambda *done: calls.append(done))
    assert calls == [(0, 2), (1, 2), (2, 2)]
    calls.clear()
    cache.build(clips, processes=2, progress=lambda *done: calls.append(done))
    assert calls == [(2, 5), (3, 5), (4, 5), (5, 5)]
    assert len(entries(tmp_path)) == 5
    assert [len(cache.open(clip).times) for clip in reversed(clips)] == [6, 5, 4, 3, 2]


def test_build_in_processes_after_decoding_here(tmp_path: Path, cache: FrameCache) -> None:
    # Forked processes inherit what decoding left behind; threads of a scaler would make them wait forever.
    clips = [clip_of(write_video(tmp_path / f"{n}.mp4", 20 + n, turn=90)) for n in range(4)]
    for clip in clips:
        DecodedVideos(24, 92).open(clip)
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
        assert numbers(cache.open(clip), list(range(5 + n))) == list(range(5 + n))


def test_what_a_kill_left_is_removed_but_not_what_others_are_writing(
    tmp_path: Path, cache: FrameCache, clip: Clip
) -> None:
    cache.build([clip])
    (entry,) = entries(tmp_path)
    old, young = aside_of(entry), aside_of(entry)
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    cache.build([clip])
    assert (old.exists(), young.exists(), entry.exists()) == (False, True, True)


def test_cache_travels_to_loader_workers(cache: FrameCache, clip: Clip) -> None:
    assert numbers(ForkingPickler.loads(ForkingPickler.dumps(cache)).open(clip), [3]) == [3]


def test_frames_are_compressed_as_they_come(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def long_clip(*_: object, **__: object) -> Iterator[tuple[float, np.ndarray]]:
        for number in range(200):
            pixels = np.full((24, 32, 3), number, dtype=np.uint8)
            alive.append(weakref.ref(pixels))
            assert sum(frame() is not None for frame in alive) <= 3
            yield number / 30, pixels

    monkeypatch.setattr(module, "decode", long_clip)
    assert len(DecodedVideos(24, 92).open(clip).times) == 200


@pytest.mark.parametrize("blocked", ["cache", "cache/frames", "cache/digests"])
def test_an_unwritable_folder_is_named_with_a_way_out(
    tmp_path: Path, cache: FrameCache, clip: Clip, blocked: str
) -> None:
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).touch()
    with pytest.raises(InputError, match=r"cache: the frame cache cannot be written .*input\.cache_dir"):
        cache.build([clip])


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


def test_a_picture_too_wide_for_a_jpeg_names_its_clip(tmp_path: Path) -> None:
    clip = clip_of(write_video(tmp_path / "wide.mkv", 1, size=(66_000, 2)))
    with pytest.raises(ClipError, match="'wide'"):
        DecodedVideos(24, 92).open(clip)


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
        frames = cache.open(clip)
        assert numbers(frames, list(range(10))) == [(5 * start + k) % 32 for k in range(10)]
        assert frames.times.tolist() == pytest.approx(np.arange(10) / 10)


@pytest.mark.parametrize(("start", "end"), [(None, 0.4), (3.0, 3.5), (5.6, None)])
def test_few_clips_of_a_long_file_do_not_decode_it_whole(
    tmp_path: Path, cache: FrameCache, monkeypatch: pytest.MonkeyPatch, start: float | None, end: float | None
) -> None:
    path = write_video(tmp_path / "a.mkv", 60)
    forbid(monkeypatch, "decode_file")
    cache.build([clip_of(path, start, end)])
    cache.build([clip_of(path, start, end), clip_of(path, 1.0, 1.3)])
    assert len(entries(tmp_path)) == 2


def test_clips_before_the_damage_of_a_file_can_be_used(tmp_path: Path, cache: FrameCache) -> None:
    path = cut(write_video(tmp_path / "a.mkv", 60), 0.8)
    clips = [clip_of(path, start, start + 1.0) for start in (0.0, 1.0, 2.0, 3.0)]
    cache.build(clips)
    assert numbers(cache.open(clips[2]), [0, 9]) == [20, 29]
    with pytest.raises(ClipError, match="truncated"):
        cache.build([*clips, clip_of(path, 4.5, 5.5)])


def test_an_interval_outside_of_a_file_that_is_there_whole(cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    for wrong in (clip_of(clip.path, 0.5, 3.0), clip_of(clip.path, 2.0, 3.0)):
        with pytest.raises(ClipError) as caught:
            cache.build([clip_of(clip.path, 0.0, 0.5), wrong])
        with pytest.raises(ClipError) as expected:
            DecodedVideos(24, 92).open(wrong)
        assert str(caught.value) == str(expected.value)
        assert caught.value.problem == "outside"


def test_damage_in_a_whole_file_is_mended_clip_by_clip(tmp_path: Path, cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    (entry,) = entries(tmp_path)
    sound = entry.read_bytes()
    images = sound.index(b"\xff\xd8\xff")
    entry.write_bytes(sound[:images] + bytes(3000) + sound[images + 3000 :])
    part = clip_of(clip.path, 0.0, 0.5)
    for _ in range(2):
        assert numbers(cache.open(part), [0, 4]) == [0, 4]
    assert len(entries(tmp_path)) == 2
