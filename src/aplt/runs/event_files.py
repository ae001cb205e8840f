"""Events as files: CSV, JSON, subtitles, ELAN, BORIS, Label Studio. A format is a function and a line in `WRITERS`."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from aplt.clips import Clip
from aplt.data.recordings import EVENT_COLUMNS
from aplt.errors import InputError
from aplt.runs.annotation_files import to_boris, to_elan
from aplt.runs.label_studio import BEGINS, events_to_label_studio
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
    """Returns subtitles (SubRip), of one file, that say class and score of each event while it lasts."""
    events = _all(recordings)
    blocks = [
        f"{number}\n{_srt_time(start)} --> {_srt_time(end)}\n{label} ({score:.0%})\n"
        for number, (_, start, end, label, score, _) in enumerate(events.itertuples(index=False), start=1)
    ]
    return "\n".join(blocks)


class Writer(NamedTuple):
    """A format of events."""

    write: Callable[..., str]
    """(recordings, output, original) -> text; those that add nothing to files need the recordings alone."""
    begins: tuple[str, ...]
    """What only such a file of ours begins with, by which one that may be written over is known; (): nothing does."""
    ending: str
    adds: bool = False
    """Whether events can be added to a copy of a person's file."""
    alone: bool = False
    """Whether a file is of one recording."""


WRITERS = {
    "csv": Writer(lambda found, *_: to_csv(found), (",".join(EVENT_COLUMNS) + "\n",), ".csv"),
    "json": Writer(lambda found, *_: to_json(found), ('[\n  {\n    "path": ',), ".json"),
    "srt": Writer(lambda found, *_: to_srt(found), (), ".srt", alone=True),
    "label-studio": Writer(events_to_label_studio, (BEGINS,), ".json"),
    # People go on editing these: none is written over.
    "elan": Writer(to_elan, (), ".eaf", adds=True, alone=True),
    "boris": Writer(to_boris, (), ".boris", adds=True),
}


def require_fit(format_: str, clips: Sequence[Clip]) -> None:
    """Refuses recordings that one file of a format cannot tell apart."""
    count = len({clip.path for clip in clips})
    if WRITERS[format_].alone and count > 1:
        raise InputError(f"--format {format_} makes the file of one recording; found {count}")


def _all(recordings: Sequence[Recording]) -> pd.DataFrame:
    tables = [_rounded(one.events) for one in recordings]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(EVENT_COLUMNS))


def _rounded(events: pd.DataFrame) -> pd.DataFrame:
    return events.round({"start": 3, "end": 3, "score": 4, "reliability": 4})


def _srt_time(seconds: float) -> str:
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
