"""Events in the formats of other programs."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from aplt.clips import Clip
from aplt.data.recordings import EVENT_COLUMNS, events_table
from aplt.errors import InputError
from aplt.runs.event_files import WRITERS, require_fit
from aplt.runs.timeline import Recording


def recording(name: str, *events: tuple[float, float, str, float]) -> Recording:
    return Recording(Clip(name, Path(name)), 4000.0, events_table((name, *event) for event in events))


ONE = recording("a.mp4", (1.5, 3.0, "nod, twice", 0.91234), (3661.5, 3662.9999, 'a "b"', 0.5))


def test_csv_is_the_table_of_events() -> None:
    text = WRITERS["csv"].write([ONE, recording("b.mp4")])
    found = pd.read_csv(io.StringIO(text))
    assert tuple(found.columns) == EVENT_COLUMNS
    assert found.iloc[:, :5].to_numpy().tolist() == [
        ["a.mp4", 1.5, 3.0, "nod, twice", 0.9123],
        ["a.mp4", 3661.5, 3663.0, 'a "b"', 0.5],
    ]


def test_json_has_recordings_without_events_too() -> None:
    first, second = json.loads(WRITERS["json"].write([ONE, recording("b.mp4")]))
    assert (first["path"], first["seconds"], second["events"]) == ("a.mp4", 4000.0, [])
    assert first["events"][0] == {"start": 1.5, "end": 3.0, "label": "nod, twice", "score": 0.9123, "reliability": None}


def test_subtitles() -> None:
    lines = WRITERS["srt"].write([ONE]).splitlines()
    assert lines[:3] == ["1", "00:00:01,500 --> 00:00:03,000", "nod, twice (91%)"]
    assert lines[5] == "01:01:01,500 --> 01:01:03,000"


@pytest.mark.parametrize("name", ["srt", "elan"])
def test_a_file_of_one_recording_is_asked_for_before_any_is_read(name: str) -> None:
    parts = [ONE.clip, ONE.clip]
    require_fit(name, parts)
    with pytest.raises(InputError, match=f"--format {name} makes the file of one recording; found 2"):
        require_fit(name, [*parts, recording("b.mp4").clip])
    require_fit("boris", [*parts, recording("b.mp4").clip])


@pytest.mark.parametrize("name", ["csv", "json"])
def test_what_is_written_begins_as_announced(name: str) -> None:
    assert WRITERS[name].write([ONE]).startswith(WRITERS[name].begins)
