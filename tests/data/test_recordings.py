"""Long files cut into windows, beside what is annotated in them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.clips import UNKNOWN, Clip, ClipIndex
from aplt.config import SplitSettings
from aplt.data.formats import scan
from aplt.data.formats.source import Source
from aplt.data.index import to_index
from aplt.data.recordings import cut_folder, cut_recordings, gaps, read_events, require_windows, windows
from aplt.data.splits import make_split
from aplt.errors import InputError


def table(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["path", "label", "start", "end"])


def spans(cut: pd.DataFrame, label: str) -> list[tuple[float, float]]:
    own = cut[cut["label"] == label]
    return list(zip(own["start"].astype(float), own["end"].astype(float), strict=True))


def test_windows_by_hand() -> None:
    assert windows(1.0, 5.5, 2.0, 1.0) == [(1, 3), (2, 4), (3, 5)]
    assert windows(0.0, 1.9, 2.0, 1.0) == []
    assert len(windows(0.0, 0.3, 0.1, 0.1)) == 3  # 0.1 three times is a hair more than 0.3
    assert gaps(10.0, [(2, 4), (3, 5), (0, 1), (9, 12)]) == [(1, 2), (5, 9)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(1, 20)), max_size=8),
    st.integers(1, 30),
    st.integers(1, 10),
    st.lists(st.tuples(st.integers(0, 90), st.integers(1, 40)), max_size=2),
)
def test_windows_overlap_no_event_and_fill_what_is_between(
    drawn: list[tuple[int, int]], window: int, stride: int, seen: list[tuple[int, int]]
) -> None:
    events = [(start, min(start + length, 100)) for start, length in drawn]
    watched = [(start, min(start + length, 100)) for start, length in seen]
    rows = [("a.mp4", "nod", str(start), str(end)) for start, end in events]
    cut = cut_recordings(
        table(("a.mp4", "", "", ""), *rows),
        lambda _: 100.0,
        window=window,
        stride=stride,
        none="nothing",
        watched={"a.mp4": watched} if watched else None,
    )
    assert spans(cut, "nod") == events
    made = spans(cut, "nothing") + spans(cut, "")
    assert all(end - start == window and start >= 0 and end <= 100 for start, end in made)
    assert not any(start < last and first < end for start, end in made for first, last in events)
    busy = watched if watched else [(0, 100)] * bool(events)
    for start, end in spans(cut, "nothing"):  # every second of it was watched
        assert all(any(first <= moment < last for first, last in busy) for moment in np.arange(start, end))
    for start, end in spans(cut, ""):
        assert not any(start < last and first < end for first, last in busy)
    # Nothing is left out but what is shorter than a window.
    free = [m for m in range(100) if not any(a <= m < b for a, b in [*events, *made])]
    edges = {0, 100, *(moment for span in [*events, *watched] for moment in span)}
    for first in free:
        run = next(n for n in range(1, 102) if first + n not in free or first + n in edges)
        assert run < window + stride


def test_what_stays_whole() -> None:
    rows = table(("short.mp4", "", "", ""), ("long.mp4", "wave", "", ""), ("other.mp4", "", "", ""))
    cut = cut_recordings(rows, {"short.mp4": 1.9, "other.mp4": 5.0}.__getitem__, window=2, stride=2)
    assert cut["id"].tolist()[2:] == ["other.mp4#0.000-2.000", "other.mp4#2.000-4.000"]
    assert cut[["path", "label", "start"]].to_numpy().tolist()[:2] == [["short.mp4", "", ""], ["long.mp4", "wave", ""]]


def test_windows_have_the_subject_and_split_of_their_recording() -> None:
    rows = table(("a.mp4", "nod", "1", "2"), ("a.mp4", "wave", "3", "4")).assign(split="train", subject=["s1", "s2"])
    cut = cut_recordings(rows, lambda _: 6.0, window=1, stride=1)
    made = cut[cut["label"] == ""]
    assert len(made) == 4
    assert set(made["split"]) == {"train"}
    assert set(made["subject"]) == {""}  # two people are in it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abcd":
        (tmp_path / "films").mkdir(exist_ok=True)
        np.savez(tmp_path / "films" / f"{name}.npz", skeleton=np.random.default_rng(0).random((100, 5, 3)), fps=10)
    rows = [
        f"films/{name}.npz,{start},{start + 1},{'nod' if start < 4 else 'wave'}"
        for name in "abc"
        for start in (1, 3, 5, 7)
    ]
    (tmp_path / "events.csv").write_text("\n".join(["path,start,end,label", *rows, "films/c.npz,0,6,"]) + "\n")
    return tmp_path


def cut_index(folder: Path, none: str = "nothing") -> ClipIndex:
    films = folder / "films"
    cut = cut_folder(
        scan(Source(films), "folder"), films, window=1, stride=0.5, events=Source(folder / "events.csv"), none=none
    )
    return to_index(cut, films, films)


def test_a_folder_with_events(folder: Path) -> None:
    index = cut_index(folder)
    assert index.class_names == ("nod", "nothing", "wave")

    def count(name: str, label: str | None) -> int:
        number = UNKNOWN if label is None else index.class_names.index(label)
        return sum(clip.path.stem == name and clip.label == number for clip in index)

    assert [count(name, "nod") for name in "abcd"] == [2, 2, 2, 0]
    assert [count(name, "nothing") for name in "abcd"] == [7, 7, 3, 0]
    assert [count(name, None) for name in "abcd"] == [0, 0, 4, 19]


def test_what_was_watched_is_said_by_source_and_events(folder: Path) -> None:
    films = folder / "films"
    table = scan(Source(films), "folder")
    events = Source(folder / "events.csv")
    cut = cut_folder(table, films, window=1, stride=1, events=events, none="nothing", watched={"d.npz": [(2.0, 4.0)]})
    nothing = cut[cut["label"] == "nothing"]
    assert nothing["start"][nothing["path"] == "d.npz"].tolist() == ["2.000", "3.000"]
    assert nothing["end"][nothing["path"] == "c.npz"].astype(float).max() <= 6


def test_a_recording_stays_together_in_splits(folder: Path) -> None:
    index = cut_index(folder)
    split = make_split(index, SplitSettings(test=0.3))
    sides = [{index[p].path for p in part} for part in ((*split.labeled, *split.unlabeled), split.test)]
    assert split.test
    assert not sides[0] & sides[1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("path,start,end,label\nfilms/a.npz,1,,nod\n", "row 1: end is empty"),
        ("path,start,end,label\nfilms/x.npz,1,2,nod\n", r"x\.npz is not one of the clips"),
        ("path,label\nfilms/a.npz,nod\n", "'start'"),
        ("path,start,end,label\nfilms/a.npz,3,2,nod\n", "interval"),
    ],
)
def test_events_that_cannot_be_used(folder: Path, content: str, expected: str) -> None:
    (folder / "events.csv").write_text(content)
    with pytest.raises(InputError, match=expected):
        cut_index(folder)


def test_events_that_a_model_has_written_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("path,start,end,label,score,reliability\nb.mp4,1,2.5,nod,0.9,\n")
    events, watched = read_events(Source(tmp_path / "e.csv"))
    assert events.iloc[0, :4].tolist() == [str(tmp_path / "b.mp4"), 1.0, 2.5, "nod"]
    assert not watched


@pytest.mark.parametrize(("window", "stride"), [(0, None), (2, 3), (2, 0), (float("nan"), None), (2, -1)])
def test_windows_that_cannot_be(window: float, stride: float | None) -> None:
    with pytest.raises(InputError, match=r"--(window|stride) is"):
        require_windows(window, stride)


def test_a_skeleton_without_a_frame_rate_has_no_seconds(folder: Path) -> None:
    np.save(folder / "films" / "e.npy", np.random.default_rng(0).random((100, 5, 3)))
    with pytest.raises(InputError, match=r"e\.npy.*'fps'"):
        cut_index(folder)
    assert Clip("a", folder)  # others can
