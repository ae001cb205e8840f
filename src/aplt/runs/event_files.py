"""Events as files: CSV, JSON and subtitles. A format is a function and a line in `WRITERS`."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from aplt.data.recordings import EVENT_COLUMNS
from aplt.errors import InputError
from aplt.runs.timeline import Recording


def to_csv(recordings: Sequence[Recording]) -> str:
    """Returns a row per event: path, start, end, label, score, reliability."""
    return _all(recordings).to_csv(index=False)


def to_json(recordings: Sequence[Recording]) -> str:
    """Returns a list of recordings, each with its path, its seconds and its events."""
    found = [
        {
            "path": str(one.clip.path),
            "start": one.clip.start or 0.0,
            "seconds": round(one.seconds, 3),
            "events": json.loads(_rounded(one.events).drop(columns="path").to_json(orient="records")),
        }
        for one in recordings
    ]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def to_srt(recordings: Sequence[Recording]) -> str:
    """Returns subtitles (SubRip) that say class and score of each event while it lasts.

    Raises:
        InputError: events of several files, whose times subtitles cannot tell apart.
    """
    if len({one.clip.path for one in recordings}) > 1:
        raise InputError("--format srt makes the subtitles of one file; found several")
    events = _all(recordings)
    blocks = [
        f"{number}\n{_srt_time(start)} --> {_srt_time(end)}\n{label} ({score:.0%})\n"
        for number, (_, start, end, label, score, _) in enumerate(events.itertuples(index=False), start=1)
    ]
    return "\n".join(blocks)


class Writer(NamedTuple):
    """A format of events."""

    write: Callable[[Sequence[Recording]], str]
    begins: tuple[str, ...]
    """What only such a file of ours begins with, by which one that may be written over is known; (): nothing does."""


WRITERS = {
    "csv": Writer(to_csv, (",".join(EVENT_COLUMNS) + "\n",)),
    "json": Writer(to_json, ('[\n  {\n    "path": ',)),
    "srt": Writer(to_srt, ()),
}


def _all(recordings: Sequence[Recording]) -> pd.DataFrame:
    tables = [_rounded(one.events) for one in recordings]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(EVENT_COLUMNS))


def _rounded(events: pd.DataFrame) -> pd.DataFrame:
    return events.round({"start": 3, "end": 3, "score": 4, "reliability": 4})


def _srt_time(seconds: float) -> str:
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
