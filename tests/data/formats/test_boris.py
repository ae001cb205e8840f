"""BORIS' projects and exported tables as indexes."""

import json
from pathlib import Path
from typing import Any

import pytest

from aplt.data.formats.source import Source
from aplt.data.recordings import read_events
from aplt.errors import InputError
from tests.data.formats.files import indexed, touch

STATE, POINT = "State event", "Point event"


def project(path: Path, **observations: dict[str, Any]) -> Path:
    """Writes a project with two states and a point; returns its path."""
    kinds = {"nod": STATE, "wave": STATE, "blink": POINT, "watched": STATE}
    conf = {
        str(number): {"code": code, "type": type_, "category": "head" * (code == "nod"), "modifiers": {}}
        for number, (code, type_) in enumerate(kinds.items())
    }
    path.write_text(json.dumps({"behaviors_conf": conf, "observations": observations, "mine": {"ü": 1}}))
    return path


def seen(events: list[list[Any]], *files: str, **more: Any) -> dict[str, Any]:
    """Returns an observation of videos of ten seconds."""
    info = {"length": dict.fromkeys(files, 10.0), "offset": {"1": 0.0}}
    return {
        "type": "MEDIA",
        "file": {"1": list(files)},
        "events": events,
        "media_info": info,
        "time offset": 0.0,
    } | more


def spans(path: Path, **options: Any) -> list[list[str]]:
    return indexed(path, **options)[0][["path", "label", "start", "end"]].to_numpy().tolist()


def test_states_of_a_project(tmp_path: Path) -> None:
    events = [
        [1.0, "ann", "nod", "left|big", "", 25],
        [1.2, "ann", "nod", "", ""],
        [1.5, "ben", "nod", "left|big", ""],
        [1.8, "ann", "nod", "", ""],
        [2.0, "ann", "nod", "left|big", ""],
        [4.0, "ben", "nod", "left|big", ""],
        [4.5, "", "wave", "", ""],
    ]
    path = project(
        touch(tmp_path, "a.mp4") / "p.boris", sitting=seen(events, "a.mp4"), live={"type": "LIVE", "events": []}
    )
    table, remarks = indexed(path)
    assert table.index.tolist() == ["a.mp4#1.000-2.000", "a.mp4#1.200-1.800", "a.mp4#1.500-4.000"]
    assert table["subject"].tolist() == ["ann", "ann", "ben"]
    assert table["modifiers"].tolist() == ["left|big", "", "left|big"]
    assert set(table["category"]) == {"head"}
    assert any("1 x state without an end" in remark and "1 x observation of no video" in remark for remark in remarks)


def test_points_become_clips_of_the_windows_length(tmp_path: Path) -> None:
    events = [[time, "", "blink", "", ""] for time in (0.5, 5.0, 9.9)]
    path = project(touch(tmp_path, "a.mp4") / "p.boris", one=seen(events, "a.mp4"))
    table, remarks = indexed(path)
    assert table.empty
    assert any("3 x point in time (--window" in remark for remark in remarks)
    rows = [row[2:] for row in spans(path, window=2.0) if row[1]]
    assert rows == [["0.000", "2.000"], ["4.000", "6.000"], ["8.000", "10.000"]]


def test_what_lies_beyond_the_videos_is_said(tmp_path: Path) -> None:
    events = [[time, "", "nod", "", ""] for time in (9.0, 11.0, 12.0, 13.0)] + [[14.0, "", "blink", "", ""]]
    path = project(touch(tmp_path, "a.mp4") / "p.boris", one=seen(events, "a.mp4"))
    table, remarks = indexed(path)
    assert table[["start", "end"]].to_numpy().tolist() == [["9.000", "10.000"]]
    assert any("2 x event beyond the videos" in remark for remark in remarks)


def test_the_clock_of_several_videos(tmp_path: Path) -> None:
    touch(tmp_path, "films/a.mp4", "films/b.mp4")
    events = [
        [103.0, "", "nod", "", ""],
        [104.0, "", "nod", "", ""],
        [109.0, "", "wave", "", ""],
        [113, "", "wave", "", ""],
    ]
    one = seen(events, "films\\a.mp4", "/gone/b.mp4", **{"time offset": 100.0, "observation time interval": [2, 15]})
    one["file"]["2"] = ["side.mp4"]
    path = project(tmp_path / "p.boris", one=one)
    (tmp_path / "films" / "b.mp4").rename(tmp_path / "b.mp4")
    expected = [
        ["b.mp4", "wave", "0.000", "3.000"],
        ["films/a.mp4", "nod", "3.000", "4.000"],
        ["films/a.mp4", "wave", "9.000", "10.000"],
    ]
    assert spans(path) == expected
    _, watched = read_events(Source(path, remark=lambda _: None))
    assert watched == {str(tmp_path / "films/a.mp4"): [(2.0, 10.0)], str(tmp_path / "b.mp4"): [(0.0, 5.0)]}
    made = {"films\\a.mp4": 1000.0, "/gone/b.mp4": 5000.0}
    one |= {"media_creation_date_as_offset": True, "media_info": one["media_info"] | {"media_creation_time": made}}
    one["events"] = [[5101.0, "", "nod", "", ""], [5102.0, "", "nod", "", ""]]
    assert spans(project(path, one=one)) == [["b.mp4", "nod", "1.000", "2.000"]]
    del one["media_info"]["length"]["films\\a.mp4"], one["media_creation_date_as_offset"]
    with pytest.raises(InputError, match=r"'one'.*how long"):
        indexed(project(path, one=one))


def test_a_state_says_what_was_watched_and_own_observations_are_no_labels(tmp_path: Path) -> None:
    events = [[1.0, "", "watched", "", ""], [4.0, "", "watched", "", ""]]
    own = seen([[1.0, "", "nod", "", ""], [4.0, "", "nod", "", ""]], "b.mp4")
    path = project(touch(tmp_path, "a.mp4", "b.mp4") / "p.boris", one=seen(events, "a.mp4"), **{"aplt b": own})
    found, watched = read_events(Source(path, remark=lambda _: None))
    assert found.empty
    assert watched == {str(tmp_path / "a.mp4"): [(1.0, 4.0)]}


HEAD = "Observation id,Observation date,Source,Time offset (s),Media duration (s),Subject,Behavior,Behavioral category"
SOURCE = "x,2026-01-01 10:00:00,player #1:a.mp4;b.mp4|player #2:c.mp4,0.0,10.000;10.000|9.000"
AGGREGATED = f"""{HEAD},Modifier #1,Modifier #2,Behavior type,Start (s),Stop (s),Media file name
{SOURCE},No focal subject,nod,head,,,STATE,1.0,2.5,a.mp4
{SOURCE},ann,wave,,left,big,STATE,11.0,12.0,b.mp4
{SOURCE},ann,blink,,,,POINT,15.0,15.0,b.mp4
"""
TABULAR = f"""{HEAD},Modifier #1,Modifier #2,Behavior type,Time,Media file name
{SOURCE},,nod,head,,,START,1.0,a.mp4
{SOURCE},,nod,head,,,STOP,2.5,a.mp4
{SOURCE},ann,wave,,left,big,START,11.0,b.mp4
{SOURCE},ann,wave,,left,big,STOP,12.0,b.mp4
{SOURCE},ann,blink,,,,POINT,15.0,b.mp4
"""


@pytest.mark.parametrize("text", [AGGREGATED, TABULAR, AGGREGATED.replace(",", "\t")])
def test_exported_events(tmp_path: Path, text: str) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    path = tmp_path / f"events.{'tsv' if chr(9) in text else 'csv'}"
    path.write_text(text)
    expected = [["a.mp4", "nod", "1.000", "2.500"], ["b.mp4", "wave", "1.000", "2.000"]]
    assert spans(path) == expected
    table, _ = indexed(path, window=1.0)
    own = table[table["start"] != ""]
    assert own[["label", "start", "end"]].iloc[2].tolist() == ["blink", "4.500", "5.500"]
    assert own["modifiers"].tolist() == ["", "left|big", ""]
    assert own["subject"].tolist() == ["", "ann", "ann"]


@pytest.mark.parametrize(
    "text", ["{}", '{"behaviors_conf": [], "observations": {}}', "{", '{"behaviors_conf": {}, "observations": {}}']
)
def test_what_is_no_project(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.boris").write_text(text)
    with pytest.raises(InputError, match=r"p\.boris"):
        indexed(tmp_path / "p.boris")
