"""What programs for annotation know of recordings: events, what was watched, and which file they are of."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aplt.data.files import files_below
from aplt.data.formats.source import Source
from aplt.data.modality import MODALITIES
from aplt.errors import InputError

WATCHED = "watched"
"""The tier, or state, that says which parts somebody has watched: all that happens in them is annotated."""
OWN = "aplt"
"""What aplt calls the tiers and observations that it adds; they are no annotation of a person's."""

Span = tuple[float, float]
Row = dict[str, str | float]


@dataclass(frozen=True)
class Annotations:
    """What is annotated in recordings; paths are relative to the source's `videos`."""

    events: pd.DataFrame
    """`path`, `id`, `label` ("": not named yet), `start` and `end` in seconds, and columns of the program."""
    watched: Mapping[str, Sequence[Span]]
    recordings: tuple[str, ...]
    """Their paths, also those without an event."""


@dataclass(frozen=True)
class Annotated:
    """What one file, or one observation of it, says of one recording."""

    where: str
    path: str
    rows: Sequence[Row]
    """Events, with `label`, `start` and `end`, and columns of the program."""
    watched: Sequence[Span] = ()


def together(parts: Sequence[Annotated], source: Source, none: str) -> Annotations:
    """Returns the annotations of several recordings; a remark says where several files are of one.

    Raises:
        InputError: there are none, which `none` says.
    """
    if not parts:
        raise InputError(f"{source.path}: {none}")
    rows: list[Row] = []
    watched: dict[str, list[Span]] = defaultdict(list)
    named: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        named[part.path].append(part.where)
        watched[part.path] += part.watched
        rows += [{"path": part.path, **row} for row in part.rows]
    for path, where in named.items():
        if len(where) > 1:
            source.remark(
                f"{path} is annotated in {', '.join(where[:3])}{' and more' * (len(where) > 3)}: all are read"
            )
    table = pd.DataFrame(
        rows, columns=list(dict.fromkeys(["path", "label", "start", "end", *(k for r in rows for k in r)]))
    )
    table = table.fillna("").sort_values(["path", "start"], kind="stable", ignore_index=True)
    table.insert(2, "id", list(_ids(table)))
    return Annotations(table, {path: spans for path, spans in watched.items() if spans}, tuple(named))


def clips_of(found: Annotations, source: Source) -> pd.DataFrame:
    """Returns the table of the annotated clips, as strings; with windows to be cut, of the recordings, too."""
    times = {name: found.events[name].map("{:.3f}".format) for name in ("start", "end")}
    whole = pd.DataFrame({"path": found.recordings if source.window else (), "label": ""}, dtype=object)
    whole["id"] = whole["path"]
    return pd.concat([found.events.assign(**times), whole], ignore_index=True).fillna("")


def inside(start: float, end: float, begins: float, ends: float) -> Span | None:
    """Returns a span on the clock of a file that lies there from `begins` to `ends`; None where they do not meet."""
    first, last = max(start, begins) - begins, min(end, ends) - begins
    return (first, last) if first < last else None


class Places:
    """Where the recordings lie that annotations name; they may have been moved, or named on another system."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._by_stem: dict[str, Path] = {}
        for path in files_below(source.apart) if source.apart else ():
            if is_recording(path.name):
                self._by_stem.setdefault(path.stem, path)

    def find(self, candidates: Sequence[Path]) -> tuple[str, bool]:
        """Returns the path of the first candidate that is there, or else of the last one, and whether it is there.

        With --videos it is the file in that folder with the name of one of them, whatever its ending.
        """
        if self._source.apart is not None:
            named = (self._by_stem.get(path.stem) for path in candidates)
            place = next((path for path in named if path), None)
            return (self._relative(place), True) if place else (candidates[-1].name, False)
        place = next((path for path in candidates if _exists(path)), None)
        return self._relative(place or candidates[-1]), place is not None

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(path.resolve(), self._source.videos.resolve())).as_posix()


def is_recording(name: str) -> bool:
    """Returns whether a file of this name may be a recording that aplt reads: no sound, no text."""
    return any(Path(name).suffix.lower() in modality.scanned for modality in MODALITIES.values())


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name of this system
        return False


def _ids(table: pd.DataFrame) -> Iterator[str]:
    """Yields path#start-end, which stays when labels are corrected; several at the same time are numbered."""
    seen: Counter[str] = Counter()
    for path, start, end in table[["path", "start", "end"]].itertuples(index=False, name=None):
        name = f"{path}#{start:.3f}-{end:.3f}"
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}~{seen[name]}"
