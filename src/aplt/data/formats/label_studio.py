"""Label Studio: what people chose for videos, or marked on their timelines (https://labelstud.io)."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from aplt.data.formats.annotated import Places
from aplt.data.formats.source import Source
from aplt.errors import InputError
from aplt.storage import read_text

UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What the names of uploaded files begin with."""


def label_studio(source: Source) -> pd.DataFrame:
    """Label Studio's exported tasks (JSON): a choice labels a video, timeline labels are intervals of it.

    Of a task's annotations the first that was not canceled counts; without one it is a clip without a label.
    Frames become seconds by the mean frame rate of each video, or by --rate where it is not there.
    """
    try:
        tasks, places = json.loads(read_text(source.path)), Places(source)
        parts = [_clips(task, source, places) for task in tasks]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{source.path}: not what Label Studio exports as JSON ({type(error).__name__}: {error})"
        ) from error
    rows = [row for part in parts for row in part]
    table = pd.DataFrame(rows, columns=["path", "label", "start", "end"], dtype=object).fillna("")
    return table if (table["start"] != "").any() else table.drop(columns=["start", "end"])


def _clips(task: dict[str, Any], source: Source, places: Places) -> list[dict[str, str]]:
    url = [value for value in task["data"].values() if isinstance(value, str)][0]  # noqa: RUF015
    address = urlsplit(url)
    local = parse_qs(address.query).get("d", [unquote(address.path)])[0]
    file = Path(local)
    name = UPLOADED.sub("", file.name, count=1) if "/upload/" in local else file.name
    place, there = places.find([source.folder / local.lstrip("/"), file, source.folder / name])
    done = [one["result"] for one in task.get("annotations", []) if not one.get("was_cancelled")]
    rows = []
    for result in done[0] if done else []:
        value = result["value"]
        if result["type"] == "choices":
            rows += [{"path": place, "label": choice} for choice in value["choices"][:1]]
        elif result["type"] == "timelinelabels":
            rate = _rate(source, place, there)
            for span in value["ranges"]:
                start, end = ((span["start"] - 1) / rate, span["end"] / rate)
                rows.append(
                    {"path": place, "label": value["timelinelabels"][0], "start": f"{start:.3f}", "end": f"{end:.3f}"}
                )
    return rows or [{"path": place, "label": ""}]


def _rate(source: Source, place: str, there: bool) -> float:
    if there:
        return source.rate_of(place)
    if source.rate is None:
        raise InputError(
            f"{source.path}: its intervals are in frames, and {place} is not there to ask how many a second has; "
            "--videos says where it is, --rate 25 how many"
        )
    return source.rate
