"""Recordings and windows: long files, what is annotated in them as events, and the rest of them cut into clips.

A table of events has a row per event: `path`, `start` and `end` in seconds of the file, `label`, and where a model has
made them `score` and `reliability` (0 to 1; NaN: not known). Events of a recording may overlap.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.clips import UNKNOWN, Clip
from aplt.data.formats import ANNOTATION_READERS
from aplt.data.formats.annotated import Span
from aplt.data.formats.recognize import recognized
from aplt.data.formats.source import Source, clip_ids
from aplt.data.index import read_rows, to_index
from aplt.data.modality import modality_of_clip
from aplt.errors import InputError
from aplt.storage import way

EVENT_COLUMNS = ("path", "start", "end", "label", "score", "reliability")
FINEST = 1e-6
"""Seconds that sums of window lengths may be off by rounding."""
SHORTEST = 0.01
"""Seconds of a window or stride below which there is nothing to see in one."""


def events_table(rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Returns a table of events of rows in the order of its columns; the last ones may be left out."""
    filled = [[*row, *[math.nan] * (len(EVENT_COLUMNS) - len(row))] for row in rows]
    return pd.DataFrame(filled, columns=list(EVENT_COLUMNS))


def read_events(given: Source) -> tuple[pd.DataFrame, Mapping[str, Sequence[Span]]]:
    """Returns the events in a file of ELAN's or BORIS' or a CSV file, and what was watched for them.

    A CSV file has the columns path, label, start and end, and paths relative to itself. A row without a label is a part
    of a recording that somebody has watched: all that happens in it is among the events.
    """
    source = given.path
    if (format_ := recognized(source)) in ANNOTATION_READERS:
        found = ANNOTATION_READERS[format_](given)
        table = found.events.assign(path=[str(given.videos / path) for path in found.events["path"]])
        return table, {str(given.videos / path): spans for path, spans in found.watched.items()}
    if given.tiers:
        raise InputError(f"--tier would change nothing: {source} is no file of ELAN's")
    rows, root, where = read_rows(source)
    # Two events may be at the same time, so numbers stand for the ids that are made of it.
    index = to_index(
        rows.assign(id=range(len(rows))).astype(str), root, where, needed=("path", "label", "start", "end")
    )
    events, watched = [], defaultdict(list)
    for row, clip in enumerate(index, start=1):
        if clip.end is None:
            raise InputError(f"{source} row {row}: end is empty; an event has a start and an end")
        path, start = str(clip.path), clip.start or 0.0
        if clip.label == UNKNOWN:
            watched[path].append((start, clip.end))
        else:
            events.append((path, start, clip.end, index.class_names[clip.label]))
    return events_table(events), dict(watched)


def windows(start: float, end: float, window: float, stride: float) -> list[Span]:
    """Returns the windows of so many seconds, one every `stride`, that lie between two moments."""
    count = math.floor((end - start - window) / stride + FINEST) + 1
    return [(start + k * stride, start + k * stride + window) for k in range(count)]


def gaps(end: float, taken: Iterable[Span]) -> list[Span]:
    """Returns what lies from 0 to `end` between spans, which may overlap."""
    found, free = [], 0.0
    for first, last in sorted([*taken, (end, end)]):
        if first > free:
            found.append((free, first))
        free = max(free, last)
    return found


def cut_recordings(
    table: pd.DataFrame,
    seconds: Callable[[str], float],
    *,
    window: float,
    stride: float,
    none: str = "",
    watched: Mapping[str, Sequence[Span]] | None = None,
) -> pd.DataFrame:
    """Returns the table of clips in which recordings are cut into windows, as unlabeled clips.

    A recording is a file of which some rows are intervals, or one without a label that is longer than the window. Rows
    with an interval or a label stay as they are, and windows overlap none of the intervals. They have the recording's
    subject and split. A rest that is shorter than the window is left out.

    Args:
        table: Strings with the columns of clips.csv, at least path and label.
        seconds: Returns how long the file with this `path` is.
        window: Seconds of each window.
        stride: Seconds from the start of one to that of the next.
        none: The label of windows in what was watched: the class of what is no event.
        watched: What an annotator has watched of the recordings, by path; of others with intervals, all.
    """
    table = table.reindex(columns=list(dict.fromkeys([*table.columns, "id", "start", "end"])), fill_value="")
    parts = []
    for path, rows in table.groupby("path", sort=False):
        is_interval = (rows["start"] != "") | (rows["end"] != "")
        spans = (watched or {}).get(str(path), [])
        whole = not is_interval.any() and not spans
        if whole and (rows["label"] != "").all():
            parts.append(rows)
            continue
        length = seconds(str(path))
        if whole and length <= window + FINEST:
            parts.append(rows)
            continue
        bounds = zip(rows["start"][is_interval], rows["end"][is_interval], strict=True)
        taken = [(float(first or 0), float(last or length)) for first, last in bounds]
        spans = spans or [(0.0, length)] * bool(is_interval.any())
        one = {name: rows[name].unique() for name in ("subject", "split") if name in rows}
        same = {name: values[0] if len(values) == 1 else "" for name, values in one.items()}
        cut = [
            {"path": path, "label": label, "start": f"{first:.3f}", "end": f"{last:.3f}"} | same
            for label, others in ((none, gaps(length, spans)), ("", spans))
            for free in gaps(length, [*taken, *others])
            for first, last in windows(*free, window, stride)
        ]
        made = pd.DataFrame(cut, columns=["path", "label", "start", "end", *same])
        parts += [rows[is_interval | (rows["label"] != "")], made.assign(id=clip_ids(made))]
    return pd.concat(parts, ignore_index=True).fillna("")


def require_windows(window: float, stride: float | None) -> float:
    """Returns the stride, by default half a window.

    Raises:
        InputError: one of them is no length of time, or windows would leave out what is between them.
    """
    step = window / 2 if stride is None else stride
    for name, value in (("window", window), ("stride", step)):
        if not SHORTEST <= value < math.inf:
            raise InputError(f"--{name} is {value:g}, expected seconds")
    if step > window:
        raise InputError(
            f"--stride is {step:g}, expected at most the window, {window:g} s: what is between is not seen"
        )
    return step


def cut_folder(
    table: pd.DataFrame,
    root: Path,
    *,
    window: float,
    stride: float | None,
    events: Source | None,
    none: str,
    watched: Mapping[str, Sequence[Span]] | None = None,
) -> pd.DataFrame:
    """Returns the table of a folder's clips with its recordings cut; see `cut_recordings`.

    Args:
        table: As `aplt.data.formats.scan` returns it; paths are relative to `root`.
        root: The folder.
        window: Seconds of each window.
        stride: Seconds from one to the next; None: half a window.
        events: Where events in the folder's files are, besides those that are rows of the table; and what was watched.
        none: See `cut_recordings`.
        watched: See `cut_recordings`.
    """
    step = require_windows(window, stride)
    if events is not None:
        found, spans = read_events(events)
        home = root.resolve()
        inside = {path: way(Path(path).resolve(), home) for path in {*found["path"], *spans}}
        known = set(table["path"])
        for path in inside.values():
            if path not in known:
                raise InputError(
                    f"{events.path}: {path} is not one of the clips in {root}; paths in it are relative to its folder"
                )
        watched = {**(watched or {}), **{inside[path]: there for path, there in spans.items()}}
        times = {name: found[name].map("{:.3f}".format) for name in ("start", "end")}
        rows = found.assign(path=found["path"].map(inside), **times).drop(
            columns=["score", "reliability"], errors="ignore"
        )
        rows = rows if "id" in rows else rows.assign(id=clip_ids(rows))
        table = pd.concat([table, rows], ignore_index=True).fillna("")

    def seconds(path: str) -> float:
        clip = Clip(id=path, path=root / path)
        return modality_of_clip(clip).seconds(clip)

    return cut_recordings(table, seconds, window=window, stride=step, none=none, watched=watched)
