"""Clips, the index that lists them and the split that gives each its role: free of torch.

N clips in the index, K classes. Label -1 means unknown. A position is a clip's row number in the index; arrays are
aligned by position, never by sort order.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, overload

import numpy as np

from aplt.errors import InputError

UNKNOWN = -1
OfficialSplit = Literal["train", "val", "test"]
OFFICIAL: tuple[OfficialSplit, ...] = ("train", "val", "test")
Role = Literal["labeled", "unlabeled", "val", "test"]
ROLES: tuple[Role, ...] = ("labeled", "unlabeled", "val", "test")


@dataclass(frozen=True, slots=True)
class Clip:
    """One sample: a video file, an interval of one (`start`, `end` in seconds), or a skeleton sequence."""

    id: str
    path: Path
    label: int = UNKNOWN
    subject: str | None = None
    start: float | None = None
    end: float | None = None
    official: OfficialSplit | None = None
    video: Path | None = None
    """The video that its file was made from, where that is not the file itself."""
    bank: Path | None = None
    """The folder of features that stand for it; its own file is not read then, and need not be there."""
    row: int = 0
    """Its row in these features."""


@dataclass(frozen=True)
class ClipIndex(Sequence[Clip]):
    """The immutable table of all clips; `class_names[k]` names label k, and `groups[k]` its group, if it has one."""

    clips: tuple[Clip, ...]
    class_names: tuple[str, ...]
    groups: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other columns of the table, such as the view of a camera: a value for each clip."""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for row, clip in enumerate(self.clips):
            if clip.id in seen:
                raise InputError(f"clip id '{clip.id}' (row {row + 1}) appears twice; ids must be unique")
            seen.add(clip.id)

    def __len__(self) -> int:
        return len(self.clips)

    @overload
    def __getitem__(self, position: int) -> Clip: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Clip]: ...
    def __getitem__(self, position: int | slice) -> Clip | Sequence[Clip]:
        return self.clips[position]

    @property
    def num_classes(self) -> int:
        """K, the number of classes."""
        return len(self.class_names)

    @cached_property
    def labels(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Labels of all clips [N], -1 where unknown; read-only. Only splits and evaluation may read hidden ones."""
        labels = np.array([clip.label for clip in self.clips], dtype=np.int64)
        labels.flags.writeable = False
        return labels

    @property
    def known(self) -> dict[str, str]:
        """The class of each clip of known label, by its id."""
        return {clip.id: self.class_names[clip.label] for clip in self.clips if clip.label != UNKNOWN}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids, labels, subjects, intervals and class names: changes when the index does."""
        text = "\n".join(
            "\t".join(map(str, (c.id, c.label, c.subject, c.start, c.end, c.official))) for c in self.clips
        )
        return _digest(text + "\n" + "\t".join(self.class_names))


@dataclass(frozen=True)
class Split:
    """Which positions are labeled, unlabeled, val and test: disjoint and sorted; others take no part."""

    labeled: tuple[int, ...]
    unlabeled: tuple[int, ...] = ()
    val: tuple[int, ...] = ()
    test: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        together = [position for role in ROLES for position in self.positions(role)]
        if len(set(together)) != len(together):
            raise InputError("a split gives one clip two roles; labeled, unlabeled, val and test must be disjoint")

    def positions(self, role: Role) -> tuple[int, ...]:
        """Returns the positions of the clips with this role."""
        found: tuple[int, ...] = getattr(self, role)
        return found

    def digest(self, index: ClipIndex) -> str:
        """SHA-256 over (clip id, role): the same whatever the order of the rows."""
        return _digest("\n".join(sorted(f"{index[p].id}\t{r}" for r in ROLES for p in self.positions(r))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
