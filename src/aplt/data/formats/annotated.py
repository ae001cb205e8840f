"""What programs for annotation know of recordings: events, what was watched, and which file they are of."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pandas as pd

from aplt.data.files import POSES_OF, files_below, slug
from aplt.data.formats.source import Source, clip_ids
from aplt.data.modality import MODALITIES
from aplt.errors import InputError
from aplt.storage import way

WATCHED = "watched"
"""The tier, or state, that says which parts somebody has watched: all that happens in them is annotated."""
OWN = "aplt"
"""What aplt calls the tiers and observations that it adds; they are no annotation of a person's."""

Span = tuple[float, float]
EventRow = dict[str, str | float]


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
    rows: Sequence[EventRow]
    """Events, with `label`, `start` and `end`, and columns of the program."""
    watched: Sequence[Span] = ()


def together(parts: Sequence[Annotated], source: Source, none: str) -> Annotations:
    """Returns the annotations of several recordings; a remark says where several files are of one.

    Raises:
        InputError: there are none, which `none` says.
    """
    if not parts:
        raise InputError(f"{source.path}: {none}")
    rows: list[EventRow] = []
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
    times = {name: table[name].map("{:.3f}".format) for name in ("start", "end")}
    table.insert(2, "id", clip_ids(table.assign(**times)))
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
        self._by_name: defaultdict[str, list[Path]] = defaultdict(list)
        for path in files_below(source.apart) if source.apart else ():
            if is_recording(path.name):
                tracked = POSES_OF.fullmatch(path.name)
                self._by_name[tracked[1] if tracked else path.stem].append(path)

    def find(self, candidates: Sequence[Path]) -> tuple[str, bool]:
        """Returns the path of the first candidate that is there, or else of the last one, and whether it is there.

        With --videos it is the file in that folder with the name of one of them, whatever its ending, or the skeletons
        of `aplt pose` for it; of several the one below the same folders.

        Raises:
            InputError: several are equally alike.
        """
        if self._source.apart is not None:
            alike = [found for candidate in candidates for found in self._alike(candidate)]
            most = max(alike)[0] if alike else None
            best = sorted({path for likeness, path in alike if likeness == most})
            if len(best) > 1:
                raise InputError(
                    f"{self._source.apart}: {candidates[-1].name} may be {self._relative(best[0])} or "
                    f"{self._relative(best[1])}; --videos with a folder that has only one of them tells"
                )
            return (self._relative(best[0]), True) if best else (candidates[-1].name, False)
        place = next((path for path in candidates if _exists(path)), None)
        return self._relative(place or candidates[-1]), place is not None

    def _alike(self, named: Path) -> Iterator[tuple[tuple[int, bool], Path]]:
        """Yields files of a name, each with how many of its folders have the same names, and if its ending has."""
        folders = named.parent.parts[::-1]
        for path in self._by_name.get(named.stem, ()):
            same = takewhile(lambda pair: pair[0] == pair[1], zip(folders, path.parent.parts[::-1], strict=False))
            yield (sum(1 for _ in same), path.suffix == named.suffix), path
        for count in range(len(named.parts)):
            for path in self._by_name.get(slug("/".join(named.parts[-count - 1 :])), ()):
                yield (count, False), path

    def _relative(self, path: Path) -> str:
        return way(path.resolve(), self._source.videos.resolve())


def is_recording(name: str) -> bool:
    """Returns whether a file of this name may be a recording that aplt reads: no sound, no text."""
    return any(Path(name).suffix.lower() in modality.scanned for modality in MODALITIES.values())


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name of this system
        return False
