"""BORIS: coded behaviors, as a project or as its exported tables of events (https://www.boris.unito.it)."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from aplt.data.formats.annotated import (
    OWN,
    WATCHED,
    Annotated,
    Annotations,
    EventRow,
    Places,
    Span,
    clips_of,
    inside,
    together,
)
from aplt.data.formats.recognize import recognized
from aplt.data.formats.source import Source
from aplt.errors import InputError
from aplt.storage import read_json, read_table, require_columns

NOTHING = {"No focal subject": "", "Not defined": ""}
"""What its tables say for no subject and no category."""


def boris(source: Source) -> pd.DataFrame:
    """BORIS' .boris projects, and events that it exported as .csv or .tsv, tabular or aggregated; behaviors are labels.

    A state named `watched`, or an observation's own interval, says which parts somebody has watched. Subjects,
    modifiers and categories become columns. Points in time become clips where windows are asked for.
    """
    return clips_of(read_boris(source), source)


def read_boris(source: Source) -> Annotations:
    """Returns the annotations in a file of BORIS, or in all below a folder."""
    endings = (".boris", ".csv", ".tsv")
    places = Places(source)
    found: list[Annotated] = []
    for path in source.files:
        if path.suffix.lower() not in endings or recognized(path) != "boris":
            continue
        left: Counter[str] = Counter()
        try:
            observations = list(_of_project(path) if path.suffix.lower() == ".boris" else _of_table(path))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: not what BORIS writes ({type(error).__name__}: {error})") from error
        for observation in observations:
            found += _annotated(observation, path, places, source.window, left)
        if said := ", ".join(f"{count} x {what}" for what, count in left.items() if count):
            source.remark(f"left out of {path}: {said}")
    return together(found, source, "no observation of a video in it")


class Mark(NamedTuple):
    """A key that was pressed: the moment of a point, or the start or end of a state."""

    time: float
    subject: str
    behavior: str
    modifiers: str
    is_state: bool


Event = tuple[float, float, EventRow]
"""When what happened starts and ends, a point as it starts, and its columns."""


@dataclass
class Observation:
    """What was coded in one sitting; times are those of its clock."""

    name: str
    media: list[tuple[str, float, float]]
    """The files of the first player, and when each begins and ends; those of others show the same moments."""
    events: list[Event]
    watched: list[Span] = field(default_factory=list)
    unpaired: int = 0
    """States that begin and do not end."""
    others: int = 0
    """Files in other players."""


def _annotated(
    observation: Observation, path: Path, places: Places, window: float | None, left: Counter[str]
) -> Iterator[Annotated]:
    """Yields what is coded in each file of an observation; counts what is left out."""
    left["state without an end"] += observation.unpaired
    left["video in another player than the first"] += observation.others
    if not observation.media:
        left["observation of no video"] += 1
    if observation.name.split(" ")[0] == OWN:
        left["observation that aplt has added"] += 1
        return
    for start, end, _ in observation.events:
        shown = any(begins <= start < ends or inside(start, end, begins, ends) for _, begins, ends in observation.media)
        left["event beyond the videos, as long as the file says they are"] += not shown and bool(observation.media)
    for name, begins, ends in observation.media:
        rows: list[EventRow] = []
        for start, end, columns in observation.events:
            span = inside(start, end, begins, ends)
            if start == end and begins <= start < ends:
                span = None
                if window:  # a clip around the point, moved to lie within the file
                    first = max(0.0, min(start - window / 2, ends - window) - begins)
                    span = first, first + window
                left["point in time (--window 2 makes clips of 2 seconds)"] += not window
            if span:
                rows.append(columns | {"start": span[0], "end": span[1]})
        watched = [part for span in observation.watched if (part := inside(*span, begins, ends))]
        file = Path(name.replace("\\", "/"))
        place, _ = places.find([path.parent / file, path.parent / file.name])
        yield Annotated(f"'{observation.name}' of {path.name}", place, rows, watched)


def _of_project(path: Path) -> Iterator[Observation]:
    project = read_json(path)
    conf = project["behaviors_conf"].values()
    states = {behavior["code"] for behavior in conf if "state" in behavior["type"].lower()}
    category = {behavior["code"]: behavior.get("category") or "" for behavior in conf}
    for name, one in project["observations"].items():
        files = one["file"] if one["type"] == "MEDIA" else {}
        offset = float(one.get("time offset") or 0.0)
        info = one.get("media_info") or {}
        created = info.get("media_creation_time", {}) if one.get("media_creation_date_as_offset") else {}
        first = list(files.get("1") or [])
        lengths = [info.get("length", {}).get(file) for file in first]
        begins = [float(created[file]) + offset for file in first] if created else None
        marks = [
            Mark(float(time), subject, code, modifiers, code in states)
            for time, subject, code, modifiers, *_ in (one["events"] if files else [])
        ]
        events, watched, unpaired = _paired(marks, category)
        start, end = (float(bound) for bound in one.get("observation time interval") or (0, 0))
        yield Observation(
            name,
            _clock(path, name, first, lengths, offset, begins),
            events,
            watched + [(start + offset, end + offset)] * (end > start),
            unpaired,
            sum(len(played or []) for player, played in files.items() if player != "1"),
        )


def _of_table(path: Path) -> Iterator[Observation]:
    table = read_table(path, ("Observation id", "Subject", "Behavior", "Behavior type"))
    moments = ["Start (s)", "Stop (s)"] if "Start (s)" in table else ["Time"]
    require_columns(table, moments, path)
    modified = [name for name in table if str(name).startswith("Modifier")]
    for name, group in table.replace(NOTHING).groupby("Observation id", sort=False):
        rows = group.to_dict("records")
        players = [one for one in rows[0].get("Source", "").split("|") if one.startswith("player #")]
        files = [one.split(":", 1)[1].split(";") for one in players]
        lengths = rows[0].get("Media duration (s)", "").split("|")[0].split(";")
        if not files:  # of an older version, which names the file of each event
            files = [
                sorted({row.get("Media file", row.get("Media file name", "")) for row in rows} - {"", "NA", "LIVE"})
            ]
        marks: list[Mark] = []
        for row in rows:
            is_state = row["Behavior type"].upper() != "POINT"
            modifiers = "|".join(row[column] for column in modified if row[column])
            pressed = (float(row[moment]) for moment in (moments if is_state else moments[:1]))
            marks += [Mark(time, row["Subject"], row["Behavior"], modifiers, is_state) for time in pressed]
        category = {row["Behavior"]: row.get("Behavioral category", "") for row in rows}
        offset = _number(rows[0].get("Time offset (s)", "")) or 0.0
        media = _clock(path, str(name), files[0], [_number(length) for length in lengths], offset)
        yield Observation(str(name), media, *_paired(marks, category), sum(map(len, files[1:])))


def _paired(marks: Iterable[Mark], category: dict[str, str]) -> tuple[list[Event], list[Span], int]:
    """Returns the events, what was watched, and how many states have no end.

    A state ends when the same one of the same subject and with the same modifiers is pressed again, as in BORIS.
    """
    began: dict[Mark, float] = {}
    events: list[Event] = []
    watched: list[Span] = []
    for mark in sorted(marks, key=lambda mark: mark.time):
        state = mark._replace(time=0.0)
        if mark.is_state and state not in began:
            began[state] = mark.time
            continue
        start = began.pop(state) if mark.is_state else mark.time
        if mark.behavior == WATCHED:
            watched.append((start, mark.time))
            continue
        more = {"subject": mark.subject, "modifiers": mark.modifiers, "category": category.get(mark.behavior, "")}
        columns: EventRow = {"label": mark.behavior, **{key: value for key, value in more.items() if value}}
        events.append((start, mark.time, columns))
    return events, watched, len(began)


def _clock(
    path: Path,
    name: str,
    files: Sequence[str],
    lengths: Sequence[float | None],
    offset: float,
    begins: Sequence[float] | None = None,
) -> list[tuple[str, float, float]]:
    """Returns when each file begins and ends on the observation's clock: one after the other, or as said."""
    media = []
    now = offset
    for place, file in enumerate(files):
        length = lengths[place] if place < len(lengths) else None
        if length is None and place + 1 < len(files):
            raise InputError(f"{path}: observation '{name}' has several videos and does not say how long {file} is")
        now = now if begins is None else begins[place]
        end = math.inf if length is None else now + float(length)
        media.append((file, now, end))
        now = end
    return media


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # NA
        return None
