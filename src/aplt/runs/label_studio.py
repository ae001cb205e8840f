"""Predictions as tasks for Label Studio, which shows them to be corrected.

Its labeling interface must have a video named `video`, and timeline labels named `timeline`, or choices named `choice`.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from aplt.clips import Clip
from aplt.data.video import frame_rate
from aplt.runs.timeline import Recording
from aplt.storage import seen_from

BEGINS = '[\n  {\n    "data": {\n      "video": '


def events_to_label_studio(recordings: Sequence[Recording], output: Path, *_: object) -> str:
    """Returns a task for each recording, with its events as timeline labels; frames count from 1."""
    tasks = []
    for one in recordings:
        rate = frame_rate(Clip(one.clip.id, one.clip.path))
        results = [
            {
                "type": "timelinelabels",
                "from_name": "timeline",
                "value": {
                    "ranges": [
                        {"start": round(start * rate) + 1, "end": max(round(end * rate), round(start * rate) + 1)}
                    ],
                    "timelinelabels": [label],
                },
                "score": round(score, 4),
            }
            for _, start, end, label, score, _ in one.events.itertuples(index=False, name=None)
        ]
        tasks.append(_task(one.clip.path, output, results))
    return json.dumps(tasks, indent=2, ensure_ascii=False) + "\n"


def clips_to_label_studio(table: pd.DataFrame, output: Path) -> str:
    """Returns a task for each clip of a table of predictions, with its best class as a choice."""
    tasks = []
    for path, label, score in table[["path", "prediction_1", "score_1"]].itertuples(index=False, name=None):
        value = {"type": "choices", "from_name": "choice", "value": {"choices": [label]}, "score": score}
        tasks.append(_task(Path(path), output, [value] if isinstance(label, str) else []))
    return json.dumps(tasks, indent=2, ensure_ascii=False) + "\n"


def _task(path: Path, output: Path, results: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns a task; its address is that of a file in Label Studio's local storage, which is the output's folder."""
    found = [{"id": f"aplt{number}", "to_name": "video"} | result for number, result in enumerate(results)]
    prediction = {"model_version": "aplt", "result": found}
    if found:
        prediction["score"] = round(sum(result["score"] for result in found) / len(found), 4)
    return {"data": {"video": f"/data/local-files/?d={quote(seen_from(path, output))}"}, "predictions": [prediction]}
