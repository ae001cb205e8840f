"""The skeleton files of an index of videos: what they hold, when they are made, and what stops them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.data.check import check
from aplt.data.index import index_table, read_index
from aplt.data.skeleton import read_clip
from aplt.data.splits import file_of
from aplt.data.tracking.clips import DARK, track_index
from aplt.data.tracking.landmarks import Landmarks, Tracker
from aplt.errors import InputError
from aplt.storage import read_table
from tests.data.tracking.fake import follow_number, pictures, seen, tracker
from tests.data.videos import cut, write_text, write_video

HEADER = "path,label,id,subject,start,end,split,remark\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An index of a video of 12 frames at 10 a second: two intervals of it, and a whole one."""
    write_video(tmp_path / "long.mp4", pictures(12))
    write_video(tmp_path / "short.mp4", pictures(4))
    table = tmp_path / "clips.csv"
    rows = ["long.mp4,nod,a/1,s01,0.2,0.8,train,ok", "long.mp4,,a-1,s01,0.9,,test,", "short.mp4,nod,../ü?,s02,,,,odd"]
    table.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return table


def poses(source: Path, **options: object) -> pd.DataFrame:
    chosen = {"tracker": tracker(), "processes": 1} | options
    return track_index(source, source.with_name("poses.csv"), **chosen)  # type: ignore[arg-type]


def counting(calls: list[float], fail_at: int | None = None) -> Callable[[np.ndarray, float], Landmarks]:
    def see(frame: np.ndarray, time: float) -> Landmarks:
        calls.append(time)
        if len(calls) == fail_at:
            raise KeyboardInterrupt
        return follow_number(frame, time)

    return see


def test_what_files_and_table_hold(source: Path) -> None:
    done: list[tuple[int, int]] = []
    table = poses(source, progress=lambda *now: done.append(now))
    assert done == [(0, 3), (1, 3), (2, 3), (3, 3)]
    written = read_table(source.with_name("poses.csv"))
    assert list(written.columns) == [
        *("path", "id", "frames", "body", "hands", "video", "label", "subject", "split", "remark")
    ]
    assert list(written["id"]) == ["a/1", "a-1", "../ü?"]
    assert list(written["frames"]) == ["6", "3", "4"]
    assert list(written["body"]) == ["0.6667", "1.0", "1.0"]
    assert list(written["hands"]) == ["0.1667", "0.0", "0.75"]
    assert list(written["label"]) == ["nod", "", "nod"]
    assert list(written["remark"]) == ["ok", "", "odd"]
    assert list(table["error"]) == ["", "", ""]
    index = read_index(source.with_name("poses.csv"))
    assert {clip.path.parent for clip in index} == {source.parent / "poses"}
    assert len({clip.path for clip in index}) == 3
    assert [clip.official for clip in index] == ["train", "test", None]
    first, _, last = (read_clip(clip) for clip in index)
    x = first.points[0, :, 0, 0]
    np.testing.assert_allclose(np.diff(x), 1, atol=1e-3)  # frames 2 to 7; where nobody is seen it is filled in
    assert (first.confidence[0, 3:5] == 0).all()
    assert (first.confidence[0, 0, :54] > 0.5).all()
    assert not first.confidence[0, :, 54:].any()  # the right hand, as it looks, is on the left arm
    assert last.points.shape == (1, 4, 75, 2)
    with np.load(index[0].path, allow_pickle=False) as arrays:
        assert float(arrays["fps"]) == pytest.approx(10)
        assert (str(arrays["tool"]), str(arrays["topology"])) == ("fake", "mediapipe-75")


def test_clips_of_one_film_stay_together(source: Path) -> None:
    poses(source)
    index = read_index(source.with_name("poses.csv"))
    assert [file_of(clip) for clip in index] == [file_of(clip) for clip in read_index(source)]
    assert [clip.video for clip in read_index(_written(index_table(index), source))] == [clip.video for clip in index]


def _written(table: pd.DataFrame, source: Path) -> Path:
    table.to_csv(source.with_name("again.csv"), index=False)
    return source.with_name("again.csv")


def test_a_clip_of_one_frame_has_no_frame_rate(source: Path) -> None:
    poses(source, rate=1)
    assert [read_clip(clip).fps for clip in read_index(source.with_name("poses.csv"))] == [None, None, None]


def test_fewer_frames_and_no_hands(source: Path) -> None:
    table = poses(source, rate=5, tracker=tracker(hands=False))
    assert list(table["frames"]) == [3, 2, 2]
    assert table["hands"].isna().all()
    index = read_index(source.with_name("poses.csv"))
    assert read_clip(index[0]).points.shape == (1, 3, 33, 2)
    with np.load(index[0].path) as arrays:
        assert float(arrays["fps"]) == pytest.approx(5)
        assert str(arrays["topology"]) == "mediapipe-33"


def test_what_is_there_is_not_made_again_unless_it_would_be_another(source: Path) -> None:
    poses(source)
    calls: list[float] = []
    again = tracker(counting(calls))
    poses(source, tracker=again)
    assert not calls
    files = sorted(source.with_name("poses").iterdir())
    cut(files[1], 0.5)
    poses(source, tracker=again)
    assert len(calls) in (3, 4, 6)  # those of one clip
    for other in ({"rate": 5.0}, {"tracker": tracker(again.open().__enter__(), made_from="another model")}):
        calls.clear()
        poses(source, **{"tracker": again} | other)
        assert len(calls) >= 7
    write_video(source.with_name("short.mp4"), pictures(5))
    calls.clear()
    poses(source, tracker=tracker(counting(calls), made_from="another model"))
    assert len(calls) == 5
    assert sorted(source.with_name("poses").iterdir()) == files


def test_a_stop_loses_no_finished_clip(source: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        poses(source, tracker=tracker(counting([], fail_at=8)))  # in the second clip
    assert not source.with_name("poses.csv").exists()
    assert len(list(source.with_name("poses").iterdir())) == 1
    calls: list[float] = []
    poses(source, tracker=tracker(counting(calls)))
    assert len(calls) == 3 + 4


def test_broken_clips_are_left_out_with_the_reason(source: Path) -> None:
    write_text(source.with_name("short.mp4"))
    table = poses(source)
    assert list(table["error"] == "") == [True, True, False]
    assert "short.mp4" in table["error"][2]
    written = read_table(source.with_name("poses.csv"))
    assert list(written["id"]) == ["a/1", "a-1"]
    assert list(written["frames"]) == ["6", "3"]
    assert list(written["label"]) == ["nod", ""]
    source.with_name("poses.csv").unlink()
    source.with_name("long.mp4").unlink()
    assert (poses(source)["error"] != "").all()
    assert not source.with_name("poses.csv").exists()


def test_clips_without_anybody_stay_and_check_names_them(source: Path) -> None:
    assert list(poses(source, tracker=tracker(lambda *_: seen()))["body"]) == [0, 0, 0]
    index = read_index(source.with_name("poses.csv"))
    assert {finding.problem for finding in check(index, processes=1)} == {"nobody"}
    calls: list[float] = []
    poses(source, tracker=tracker(counting(calls)))
    assert not calls


def test_dark_frames_are_brightened_for_the_tracker_and_no_others(source: Path) -> None:
    means: dict[float, float] = {}

    def see(frame: np.ndarray, time: float) -> Landmarks:
        means[time] = frame.mean()
        return seen()

    write_video(
        source.with_name("short.mp4"), [np.full((48, 64, 3), level, np.uint8) for level in (0, 10, 40, 120, 250)]
    )
    source.write_text("path\nshort.mp4\n")
    poses(source, tracker=tracker(see))
    levels = list(means.values())
    assert levels[0] == pytest.approx(0, abs=3)
    assert min(levels[1:]) > DARK
    assert levels[3] == pytest.approx(120, abs=4)
    assert levels[4] == pytest.approx(250, abs=4)


def test_several_processes_give_the_same(source: Path) -> None:
    made = poses(source)
    for path in source.with_name("poses").iterdir():
        path.unlink()
    pd.testing.assert_frame_equal(poses(source, processes=2, tracker=Tracker("fake", True, "fake", _Fake)), made)


def test_skeletons_beside_the_videos_are_refused(source: Path) -> None:
    (source.parent / "poses").mkdir()
    write_video(source.parent / "poses" / "0.mp4", 3)
    source.write_text("path\nposes/0.mp4\n")
    with pytest.raises(InputError, match="among the clips"):
        poses(source)


def test_clips_that_are_no_videos(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", np.ones((4, 3, 2)))
    with pytest.raises(InputError, match="expected videos"):
        poses(tmp_path)


class _Fake:
    def __enter__(self) -> Callable[[np.ndarray, float], Landmarks]:
        return follow_number

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""
