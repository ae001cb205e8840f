"""Corrections of labels: a table that only grows, and the clips and roles that a run after them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aplt.clips import Role, Split
from aplt.data.index import index_table, read_index, write_index
from aplt.data.split_file import save_split
from aplt.display import counted
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.storage import read_table

COLUMNS = ("id", "label", "by", "when", "was", "act")
"""clip, its label now, who said so, when (ISO 8601), the label that was shown, and one of `ACTS`."""
ACTS = ("label", "none", "withdrawn")
"""A clip has the label, is of none of the classes, or is as if nothing had been said of it."""
NONE = ""
"""The label of a clip of none of the classes."""


@dataclass(frozen=True)
class Corrected:
    """Where the corrected clips and their roles lie, and what became of the corrections."""

    clips: Path
    split: Path
    used: int
    """Clips with a label by them."""
    none: int
    """Clips of none of the classes; they take no part."""
    disputed: tuple[str, ...]
    """Clips that people label differently; they stay as they were."""

    def __str__(self) -> str:
        parts = [f"{counted(self.used, 'label')}", f"{self.none} of no class"]
        if self.disputed:
            parts.append(f"{len(self.disputed)} that people disagree on, such as {self.disputed[0]}, left as they were")
        return ", ".join(parts)


def read_corrections(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Returns the label of each corrected clip by id, and the ids that people do not agree on.

    Of what one person says of a clip the last row counts. Without the column act an empty label means none.

    Raises:
        InputError: no such table.
    """
    table = read_table(path, needed=("id", "label"))
    table = table.assign(**{name: table.get(name, "") for name in ("by", "act")})
    last = table.drop_duplicates(["id", "by"], keep="last")
    last = last[last["act"] != "withdrawn"]
    said = last.groupby("id", sort=False)["label"].agg(["first", "nunique"])
    agreed = said.index[said["nunique"] == 1]
    return said.loc[agreed, "first"].to_dict(), tuple(said.index[said["nunique"] > 1])


def correct(run: RunDir, clips: Path | None, corrections: Path | None, folder: Path) -> Corrected:
    """Writes the clips of a run with corrected labels, and their roles, for a run to follow it.

    Test and val clips stay what they are, and so do the labeled ones; corrected training clips are labeled, those of
    none of the classes take no part, and all others are unlabeled, whatever the index says of them.

    Args:
        run: A finished run.
        clips: The index by now, if it is another file or has more clips; by default the run's own.
        corrections: A table with the columns id and label, and perhaps by; None: labels stay as they are.
        folder: Where the two tables go.

    Raises:
        InputError: the run is not finished, its clips have changed, or a correction is of no clip in the index.
    """
    config, before, split = finished(run)
    index = before if clips is None else read_index(clips)
    labels, disputed = read_corrections(corrections) if corrections else ({}, ())
    known = {clip.id for clip in index}
    for id_ in (*labels, *disputed):
        if id_ not in known:
            raise InputError(f"{corrections}: no clip '{id_}' in {clips or config.clips}")
    role_of: dict[str, Role] = {before[p].id: "labeled" for p in split.labeled}
    role_of |= {before[p].id: role for role in ("val", "test") for p in split.positions(role)}
    table = index_table(index)
    table["label"] = [labels.get(id_, label) for id_, label in zip(table["id"], table["label"], strict=True)]
    made = folder / "clips.csv"
    folder.mkdir(parents=True, exist_ok=True)
    made.unlink(missing_ok=True)
    write_index(table, Path(), made)
    corrected = read_index(made)
    roles: dict[Role, list[int]] = {"labeled": [], "unlabeled": [], "val": [], "test": []}
    for position, clip in enumerate(corrected):
        if (role := _role(clip.id, labels, role_of)) is not None:
            roles[role].append(position)
    file = folder / "split.csv"
    save_split(file, corrected, Split(**{role: tuple(members) for role, members in roles.items()}))
    none = sum(label == NONE for label in labels.values())
    return Corrected(made, file, len(labels) - none, none, disputed)


def _role(id_: str, labels: Mapping[str, str], before: Mapping[str, Role]) -> Role | None:
    """Returns the role of a clip; None of one that takes no part."""
    if labels.get(id_) == NONE:
        return None
    if id_ in before:
        return before[id_]
    return "labeled" if id_ in labels else "unlabeled"
