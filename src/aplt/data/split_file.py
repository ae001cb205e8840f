"""A split as a file, by clip id: written, and read again with a check of each clip's row."""

import hashlib
from collections import defaultdict
from pathlib import Path

import pandas as pd

from aplt.clips import ROLES, UNKNOWN, ClipIndex, Split
from aplt.data.splits import by_class, require_classes
from aplt.errors import InputError, suggest
from aplt.storage import read_table, write_csv

FILE_COLUMNS = ("id", "role", "digest")


def save_split(path: Path, index: ClipIndex, split: Split) -> None:
    """Writes `id,role,digest`, one row per clip that takes part; the digest is that of the clip's row in the index."""
    rows = [
        (index[position].id, role, clip_digest(index, position)) for role in ROLES for position in split.positions(role)
    ]
    write_csv(path, pd.DataFrame(rows, columns=list(FILE_COLUMNS)))


def load_split(path: Path, index: ClipIndex, advice: str = "make the split again") -> Split:
    """Returns the split in a file written by `save_split` (or by hand: the digest column may be missing).

    `advice` is what to do where the index no longer fits it.

    Raises:
        InputError: fewer than two classes, an unreadable file, an unknown id or role, or a clip that has changed since
            the split was made.
    """
    require_classes(index)
    table = read_table(path, ("id", "role"))
    position_of = {clip.id: position for position, clip in enumerate(index)}
    digests = table["digest"] if "digest" in table else [""] * len(table)
    members: dict[str, list[int]] = defaultdict(list)
    seen: set[int] = set()
    for row, values in enumerate(zip(table["id"], table["role"], digests, strict=True), start=1):
        id_, role, digest = (value.strip() for value in values)
        if role not in ROLES:
            raise InputError(f"{path} row {row}: role is '{role}'{suggest(role, ROLES)}")
        if id_ not in position_of:
            raise InputError(f"{path} row {row}: no clip '{id_}' in the index; {advice}")
        position = position_of[id_]
        if position in seen:
            raise InputError(f"{path} row {row}: clip '{id_}' appears twice")
        seen.add(position)
        if digest and digest != clip_digest(index, position):
            raise InputError(
                f"{path} row {row}: clip '{id_}' has another label, subject or interval in the index than when this "
                f"split was made; {advice}"
            )
        if role == "labeled" and index[position].label == UNKNOWN:
            raise InputError(f"{path} row {row}: clip '{id_}' has the role 'labeled', but no label in the index")
        members[role].append(position)
    split = Split(**{role: tuple(sorted(members[role])) for role in ROLES})
    for label, found in by_class(index, split.labeled).items():
        if not found:
            raise InputError(f"{path}: class '{index.class_names[label]}' has no labeled clip")
    return split


def clip_digest(index: ClipIndex, position: int) -> str:
    """Returns 12 hex digits over a clip's label, subject and interval: changes when its row does."""
    clip = index[position]
    label = "" if clip.label == UNKNOWN else index.class_names[clip.label]
    text = "\t".join(map(str, (label, clip.subject, clip.start, clip.end)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
