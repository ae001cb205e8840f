"""ELAN: annotations in tiers, beside the recordings that a file links (https://archive.mpi.nl/tla/elan)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import numpy as np
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
    is_recording,
    together,
)
from aplt.data.formats.source import Source
from aplt.errors import InputError
from aplt.reference import installed
from aplt.storage import reason


def elan(source: Source) -> pd.DataFrame:
    """The annotations in ELAN's .eaf files: labels from one tier, or those of --tier, and the recording from its link.

    A tier named `watched` says which parts somebody has watched. Participants are subjects.
    """
    return clips_of(read_elan(source), source)


def read_elan(source: Source) -> Annotations:
    """Returns the annotations in an .eaf file, or in all below a folder."""
    files = [path for path in source.files if path == source.path or path.suffix.lower() == ".eaf"]
    places, found, without = Places(source), [], []
    for path in files:
        document = _read(path)
        try:
            tiers = _chosen(document, path, source.tiers)
        except InputError as error:
            if source.path in files or not source.tiers:
                raise
            without.append(str(error))
            continue
        found.append(_annotated(document, path, tiers, places, source))
    if without and found:
        source.remark(f"{len(without)} of {len(files)} files left out; the first: {without[0]}")
    return together(found, source, without[0] if without else "no .eaf file in it")


def linked(media: Iterable[Mapping[str, str]], path: Path) -> Iterator[tuple[list[Path], float]]:
    """Yields where each recording that a file links may be, and at which of its seconds the annotations' time begins.

    Args:
        media: the attributes of the file's elements MEDIA_DESCRIPTOR.
        path: the file.
    """
    for attributes in media:
        relative, url = unquote(attributes.get("RELATIVE_MEDIA_URL", "")), attributes.get("MEDIA_URL", "")
        file = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else Path(unquote(url))
        name = (file.name or Path(relative).name).split("\\")[-1]
        if name and is_recording(name):
            # As ELAN looks for it; its relative links begin with file:/ at times.
            beside = [path.parent / relative.removeprefix("file:").lstrip("/")] if relative else []
            yield [*beside, file, path.parent / name], int(attributes.get("TIME_ORIGIN") or 0) / 1000


def _read(path: Path) -> Any:
    Eaf = installed("pympi", "annotations").Elan.Eaf
    try:
        return Eaf(str(path), suppress_version_warning=True)
    except Exception as error:
        raise InputError(
            f"{path}: cannot be read as a file of ELAN's ({type(error).__name__}: {reason(error)})"
        ) from error


def _chosen(document: Any, path: Path, asked: Sequence[str]) -> Sequence[str]:
    """Returns the tiers to read; an error names those there are."""
    own = [name for name in document.tiers if name == WATCHED or name.replace("-", " ").split()[:1] == [OWN]]
    filled = [name for name, (aligned, refers, *_) in document.tiers.items() if aligned or refers]
    persons = [name for name in filled if name not in own] or filled
    there = f"the tiers with annotations are: {', '.join(persons) or 'none'}"
    for name in asked:
        if name not in document.tiers:
            raise InputError(f"{path}: no tier '{name}'; {there}")
    if asked:
        return asked
    aligned = [name for name in filled if document.tiers[name][0] and name not in own]
    if len(aligned) != 1:
        raise InputError(f"{path}: --tier says which tier has the labels, several times for several; {there}")
    return aligned


def _annotated(document: Any, path: Path, tiers: Sequence[str], places: Places, source: Source) -> Annotated:
    place, origin = _recording(document, path, places, source)
    spans = _spans(document)
    rows: list[EventRow] = []
    unplaced = 0
    for tier in tiers:
        aligned, refers, attributes, _ = document.tiers[tier]
        values = {id_: label for id_, (_, _, label, *_) in aligned.items()}
        values |= {id_: label for id_, (_, label, *_) in refers.items()}
        person = {"subject": attributes["PARTICIPANT"]} if attributes.get("PARTICIPANT") else {}
        for id_, label in values.items():
            start, end = (moment + origin for moment in spans.get(id_, (0.0, 0.0)))
            if end > max(start, 0.0):
                row: EventRow = {"label": label.strip(), "start": max(start, 0.0), "end": end}
                rows.append(row | person | ({"tier": tier} if len(tiers) > 1 else {}))
            else:
                unplaced += 1
    if unplaced:
        source.remark(f"left out of {path}: {unplaced} x annotation without a time in the recording")
    ids = document.tiers.get(WATCHED, ((),))[0]
    watched = [(max(0.0, start + origin), end + origin) for start, end in (spans[id_] for id_ in ids if id_ in spans)]
    return Annotated(path.name, place, rows, watched)


def _recording(document: Any, path: Path, places: Places, source: Source) -> tuple[str, float]:
    """Returns the path of the recording, and at which of its seconds the annotations' time begins.

    Of several, such as two cameras, the first that is there: their clips would show the same moments twice.
    """
    candidates = list(linked(document.media_descriptors, path)) or [([path.with_suffix(".mp4")], 0.0)]
    found = [(*places.find(files), origin) for files, origin in candidates]
    place, _, origin = next((one for one in found if one[1]), found[0])
    if len(found) > 1:
        others = [other for other, *_ in found if other != place]
        source.remark(f"{path}: links {len(found)} recordings; read is {place}, not {', '.join(others)}")
    return place, origin


def _spans(document: Any) -> dict[str, Span]:
    """Returns when each annotation is, in seconds of the annotations' time; without those that are not to be told.

    Times that a file leaves open, within a parent annotation, divide it evenly, as ELAN draws them. So do several
    children of an annotation without times of their own.
    """
    spans: dict[str, Span] = {}
    children: dict[str, list[list[str]]] = {}
    for aligned, refers, *_ in document.tiers.values():
        slots = list(dict.fromkeys(slot for values in aligned.values() for slot in values[:2]))
        known = [place for place, slot in enumerate(slots) if document.timeslots.get(slot) is not None]
        if known:
            times = [document.timeslots[slots[place]] / 1000 for place in known]
            moment = dict(zip(slots, np.interp(range(len(slots)), known, times).tolist(), strict=True))
            spans |= {id_: (moment[first], moment[last]) for id_, (first, last, *_) in aligned.items()}
        of: dict[str, list[str]] = {}
        for id_, (parent, *_) in refers.items():
            of.setdefault(parent, []).append(id_)
        for parent, ids in of.items():
            children.setdefault(parent, []).append(ids)
    reached = list(spans)
    for parent in reached:  # grows while it is read
        start, end = spans[parent]
        for ids in children.get(parent, []):
            edges = np.linspace(start, end, len(ids) + 1).tolist()
            spans |= dict(zip(ids, pairwise(edges), strict=False))
            reached += ids
    return spans
