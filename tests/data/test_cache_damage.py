"""A frame cache whose files, or whose videos, are damaged, gone or out of reach."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from aplt.clips import Clip
from aplt.data.cache import DecodedVideos, FrameCache
from aplt.data.files import ClipError
from aplt.errors import InputError
from aplt.storage import aside_of
from tests.data.cached import entries, every, numbers
from tests.data.videos import clip_of, cut, number_of, write_text, write_video


@pytest.mark.parametrize("fresh", [True, False])
def test_changed_content_is_noticed(tmp_path: Path, cache: FrameCache, clip: Clip, fresh: bool) -> None:
    cache.build([clip])
    before = clip.path.stat()
    # As many bytes at the same path; only the frames' times differ.
    clip.path.write_bytes(write_video(tmp_path / "b.mkv", 12, ticks=[*range(11), 15]).read_bytes())
    assert clip.path.stat().st_size == before.st_size
    os.utime(clip.path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    reader = FrameCache(tmp_path / "cache", short_side=24, quality=92) if fresh else cache
    assert every(reader, clip)[0][-1] == pytest.approx(1.5)
    assert len(entries(tmp_path)) == 2
    reader.build([clip])
    assert len(entries(tmp_path)) == 2


def test_a_vanished_video_is_named(cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    clip.path.unlink()
    with pytest.raises(ClipError, match=r"clip 'a' .*no such file"):
        every(cache, clip)


def test_the_cache_may_vanish_at_any_time(tmp_path: Path, cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    shutil.rmtree(tmp_path / "cache")
    assert numbers(cache, clip, [2, 9]) == [2, 9]
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize(
    "damage", ["truncated", "zero bytes", "garbage", "zeroed images", "swapped images", "falling", "far", "more times"]
)
def test_a_damaged_entry_is_made_anew(tmp_path: Path, cache: FrameCache, clip: Clip, damage: str) -> None:
    cache.build([clip])
    (entry,) = entries(tmp_path)
    sound = entry.read_bytes()
    body = len(sound) * 3 // 4
    images = sound.index(b"\xff\xd8\xff")
    arrays = load(sound)
    places = arrays["offset"]
    entry.write_bytes(
        {
            "truncated": sound[:body],
            "zero bytes": b"",
            "garbage": b"\xff" * len(sound),
            "zeroed images": sound[:images] + bytes(len(sound) - images),
            "falling": sound.replace(places.tobytes(), places[::-1].tobytes()),
            "far": sound.replace(places.tobytes(), (places + 10**12).tobytes()),
            "more times": save(arrays | {"time": np.arange(20.0)}),
            "swapped images": sound[:images] + sound[images + 700 :] + sound[images : images + 700],
        }[damage]
    )
    assert numbers(cache, clip, [0, 6, 11]) == [0, 6, 11]
    assert entry.read_bytes() == sound


@pytest.mark.parametrize("announced", [np.array(1.2), np.array([]), np.array([1.2, 1.2])])
def test_intervals_are_read_where_the_entry_of_their_file_is_damaged(
    tmp_path: Path, cache: FrameCache, clip: Clip, announced: np.ndarray
) -> None:
    halves = [replace(clip, end=0.6), replace(clip, id="b", start=0.6)]
    cache.build(halves)
    (entry,) = entries(tmp_path)
    entry.write_bytes(save(load(entry.read_bytes()) | {"announced": announced}))
    assert [numbers(cache, half, [0, 5]) for half in halves] == [[0, 5], [6, 11]]


def test_frames_that_a_damaged_entry_makes_up_are_chosen_anew(tmp_path: Path, cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    (entry,) = entries(tmp_path)
    arrays = load(entry.read_bytes())
    offset = np.append(arrays["offset"], [10**9, 2 * 10**9])
    entry.write_bytes(save(arrays | {"time": np.arange(14.0), "offset": offset}))
    counts: list[int] = []
    found = cache.read(clip, lambda times: counts.append(len(times)) or [0, len(times) - 1])  # type: ignore[func-returns-value]
    assert counts == [14, 12]
    assert [number_of(image.permute(1, 2, 0).numpy()) for image in found] == [0, 11]


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", '{"state": [1, 2]}', "\x00\xff", "no digest"])
def test_a_damaged_memo_is_made_anew(tmp_path: Path, cache: FrameCache, clip: Clip, content: str) -> None:
    cache.build([clip])
    (memo,) = (tmp_path / "cache" / "digests").rglob("*.json")
    sound = memo.read_text()
    memo.write_text(sound.replace("sha256", "md5") if content == "no digest" else content)
    fresh = FrameCache(tmp_path / "cache", short_side=24, quality=92)
    fresh.build([clip])
    assert numbers(fresh, clip, [5]) == [5]
    assert memo.read_text() == sound
    assert len(entries(tmp_path)) == 1


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


@pytest.mark.parametrize("blocked", ["cache", "cache/frames", "cache/digests"])
def test_an_unwritable_folder_is_named_with_a_way_out(
    tmp_path: Path, cache: FrameCache, clip: Clip, blocked: str
) -> None:
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).touch()
    with pytest.raises(InputError, match=r"cache: the frame cache cannot be written .*input\.cache_dir"):
        cache.build([clip])


def test_damage_in_a_whole_file_is_mended_clip_by_clip(tmp_path: Path, cache: FrameCache, clip: Clip) -> None:
    cache.build([clip])
    (entry,) = entries(tmp_path)
    sound = entry.read_bytes()
    images = sound.index(b"\xff\xd8\xff")
    entry.write_bytes(sound[:images] + bytes(3000) + sound[images + 3000 :])
    part = clip_of(clip.path, 0.0, 0.5)
    for _ in range(2):
        assert numbers(cache, part, [0, 4]) == [0, 4]
    assert len(entries(tmp_path)) == 2


def test_clips_before_the_damage_of_a_file_can_be_used(tmp_path: Path, cache: FrameCache) -> None:
    path = cut(write_video(tmp_path / "a.mkv", 60), 0.8)
    clips = [clip_of(path, start, start + 1.0) for start in (0.0, 1.0, 2.0, 3.0)]
    cache.build(clips)
    assert numbers(cache, clips[2], [0, 9]) == [20, 29]
    with pytest.raises(ClipError, match="truncated"):
        cache.build([*clips, clip_of(path, 4.5, 5.5)])


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


def test_a_picture_too_wide_for_a_jpeg_names_its_clip(tmp_path: Path) -> None:
    clip = clip_of(write_video(tmp_path / "wide.mkv", 1, size=(66_000, 2)))
    with pytest.raises(ClipError, match="'wide'"):
        every(DecodedVideos(24, 92), clip)
