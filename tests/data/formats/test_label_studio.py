"""Label Studio's exports as indexes, and predictions as its tasks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aplt.clips import Clip
from aplt.data.recordings import events_table
from aplt.errors import InputError
from aplt.runs.event_files import WRITERS
from aplt.runs.label_studio import clips_to_label_studio
from aplt.runs.timeline import Recording
from tests.data.formats.files import indexed, touch
from tests.data.videos import write_video


def export(path: Path, *tasks: tuple[str, list[dict[str, Any]]]) -> Path:
    """Writes tasks with an annotation that was canceled and one that was not."""
    found = [
        {
            "id": number,
            "data": {"video": url},
            "annotations": [{"result": [{"broken": 1}], "was_cancelled": True}, {"result": results}] if results else [],
        }
        for number, (url, results) in enumerate(tasks)
    ]
    path.write_text(json.dumps(found))
    return path


def span(label: str, start: int, end: int) -> dict[str, Any]:
    value = {"ranges": [{"start": start, "end": end}], "timelinelabels": [label]}
    return {"type": "timelinelabels", "to_name": "video", "value": value}


def test_choices(tmp_path: Path) -> None:
    touch(tmp_path, "films/a b.mp4", "c.mp4", "d.mp4")
    choice = {"type": "choices", "value": {"choices": ["nod"]}}
    path = export(
        tmp_path / "x.json",
        ("/data/local-files/?d=films/a%20b.mp4", [choice]),
        ("/data/upload/3/0123abcd-c.mp4", [choice]),
        ("https://lab.org/store/d.mp4", []),
    )
    table, _ = indexed(path)
    assert table[["path", "label"]].to_numpy().tolist() == [["films/a b.mp4", "nod"], ["c.mp4", "nod"], ["d.mp4", ""]]
    assert table.columns.tolist() == ["path", "label"]


def test_timelines(tmp_path: Path) -> None:
    path = export(tmp_path / "x.json", ("a.mp4", [span("nod", 1, 25), span("wave", 51, 100)]))
    with pytest.raises(InputError, match=r"--rate 25"):
        indexed(path)
    table, _ = indexed(path, rate=25)
    assert table[["label", "start", "end"]].to_numpy().tolist() == [
        ["nod", "0.000", "1.000"],
        ["wave", "2.000", "4.000"],
    ]


def test_frames_are_counted_as_the_interface_does(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 100, rate=30)
    path = export(tmp_path / "x.json", ("a.mp4", [span("nod", 25, 48), span("look", 25, 48)]))
    table, remarks = indexed(path)
    assert table["start"].tolist() == ["0.800", "0.800"]
    assert table.index.tolist() == ["a.mp4#0.800-1.600", "a.mp4#0.800-1.600~2"]
    assert "give it as --rate" in remarks[0]
    table, remarks = indexed(path, rate=24)
    assert table["start"].tolist() == ["1.000", "1.000"]
    assert not remarks


def test_other_data_of_a_task_and_relations_between_results(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    tasks = json.loads(export(tmp_path / "x.json", ("a.mp4", [relation, span("nod", 1, 25)])).read_text())
    tasks[0]["data"] = {"participant": "P01", **tasks[0]["data"]}
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    table, _ = indexed(tmp_path / "x.json", rate=25)
    assert table[["path", "label"]].to_numpy().tolist() == [["a.mp4", "nod"]]


@pytest.mark.parametrize("text", ["[{}]", '[{"data": {}}]', "[1]", "{", '{"a": 1}'])
def test_what_is_no_export(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=r"x\.json|no clips"):
        indexed(tmp_path / "x.json", "label-studio")


def test_events_come_back_from_the_tasks_that_show_them(tmp_path: Path) -> None:
    video = write_video(touch(tmp_path, "films/x.txt") / "films" / "a b.mp4", 60, rate=20)
    rows = [(str(video), 0.5, 1.0, "nod", 0.9), (str(video), 2.0, 2.01, "wave", 0.5)]
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "tasks.json"
    found = Recording(Clip("a", video), 3.0, events_table(rows))
    output.write_text(WRITERS["label-studio"].write([found], output, None))
    (task,) = json.loads(output.read_text())
    assert output.read_text().startswith(WRITERS["label-studio"].begins)
    (prediction,) = task["predictions"]
    assert prediction["score"] == 0.7
    confirmed = export(tmp_path / "out" / "done.json", (task["data"]["video"], prediction["result"]))
    table, _ = indexed(confirmed)
    assert ((tmp_path / "out") / table["path"].iloc[0]).resolve() == video
    assert table[["label", "start", "end"]].to_numpy().tolist() == [
        ["nod", "0.500", "1.000"],
        ["wave", "2.000", "2.050"],
    ]


def test_choices_of_predicted_clips(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a.mp4", "b.mp4"], "prediction_1": ["nod", np.nan], "score_1": [0.8, np.nan]})
    first, second = json.loads(clips_to_label_studio(table, tmp_path / "tasks.json"))
    assert first["predictions"][0]["result"][0]["value"] == {"choices": ["nod"]}
    assert second["predictions"][0]["result"] == []
