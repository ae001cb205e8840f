"""Label Studio: what people chose for videos, or marked on their timelines (https://labelstud.io)."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aplt.data.formats.annotated import Places, is_recording
from aplt.data.formats.source import Row, Source
from aplt.errors import InputError
from aplt.storage import read_text

UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What the names of uploaded files begin with."""


def label_studio(source: Source) -> list[Row]:
    """Label Studio's exported tasks (JSON): a choice labels a video, timeline labels are intervals of it.

    Of a task's annotations the first that was not canceled counts; without one it is a clip without a label.
    Frames become seconds by --rate, which is the `frameRate` of the labeling interface, or else by each video's own.
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
    if source.rate is None and any("start" in row for row in rows):
        source.remark(
            "frames are counted at each video's own rate; if the labeling interface has another frameRate (24 where it "
            "says none), give it as --rate"
        )
    return rows


def _clips(task: dict[str, Any], source: Source, places: Places) -> list[Row]:
    texts = [_file_at(value) for value in task["data"].values() if isinstance(value, str)]
    local = next((text for text in texts if is_recording(Path(text).name)), texts[0])
    file = Path(local)
    name = UPLOADED.sub("", file.name, count=1) if "/upload/" in local else file.name
    place, there = places.find([source.folder / local.lstrip("/"), file, source.folder / name])
    done = [one["result"] for one in task.get("annotations", []) if not one.get("was_cancelled")]
    rows = []
    for result in done[0] if done else []:
        if result["type"] == "choices":
            rows += [{"path": place, "label": choice} for choice in result["value"]["choices"][:1]]
        elif result["type"] == "timelinelabels":
            rate, label = _rate(source, place, there), result["value"]["timelinelabels"][0]
            for span in result["value"]["ranges"]:
                start, end = ((span["start"] - 1) / rate, span["end"] / rate)
                rows.append({"path": place, "label": label, "start": f"{start:.3f}", "end": f"{end:.3f}"})
    return rows or [{"path": place, "label": ""}]


def _file_at(text: str) -> str:
    try:
        address = urlsplit(text)
    except ValueError:  # no address
        return text
    return parse_qs(address.query).get("d", [unquote(address.path)])[0]


def _rate(source: Source, place: str, there: bool) -> float:
    if source.rate is None and not there:
        raise InputError(
            f"{source.path}: its intervals are in frames, and {place} is not there to ask how many a second has; "
            "--videos says where it is, --rate 25 how many"
        )
    return source.rate_of(place)
