"""Corrections of labels: the clips and roles that a run after them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aplt.clips import ROLES, ClipIndex, Role, Split
from aplt.data.index import index_table, read_index, write_index
from aplt.data.split_file import save_split
from aplt.display import counted
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.reviews import NONE, read_corrections, spoken


@dataclass(frozen=True)
class Corrected:
    """Where the corrected clips lie, and what became of the corrections."""

    clips: Path
    used: int
    """Clips with a label by them."""
    none: int
    """Clips of none of the classes; they take no part."""

    @property
    def split(self) -> Path:
        """Where their roles lie, if they had any before."""
        return self.clips.with_name("split.csv")

    def __str__(self) -> str:
        return f"{counted(self.used, 'label')}, {self.none} of no class"


def correct(run: RunDir, clips: Path | None, corrections: Path | None, folder: Path) -> Corrected:
    """Writes the clips of a run with corrected labels, and their roles, for a run to follow it.

    Test and val clips stay what they are, and so do the labeled ones; corrected training clips are labeled, those of
    none of the classes take no part, nor do those that had none before, and all others are unlabeled, whatever the
    index says of them.

    Args:
        run: A finished run.
        clips: The index by now, if it is another file or has more clips; by default the run's own.
        corrections: A table with the columns id and label, and perhaps by; None: labels stay as they are.
        folder: Where the two tables go.

    Raises:
        InputError: a correction is of no clip in the index, or people disagree on one.
    """
    config, before, split = finished(run)
    index = before if clips is None else read_index(clips)
    labels = _labels(corrections, index, clips or Path(config.clips)) if corrections else {}
    role_of: dict[str, Role | None] = {clip.id: None for clip in before}
    role_of |= {before[p].id: role for role in ROLES for p in split.positions(role)}
    made = _write(_laid_over(index, labels), folder)
    corrected = read_index(made)
    roles: dict[Role, list[int]] = {"labeled": [], "unlabeled": [], "val": [], "test": []}
    for position, clip in enumerate(corrected):
        if (role := _role(clip.id, labels, role_of)) is not None:
            roles[role].append(position)
    none = sum(label == NONE for label in labels.values())
    found = Corrected(made, len(labels) - none, none)
    save_split(found.split, corrected, Split(**{role: tuple(members) for role, members in roles.items()}))
    return found


def label_first(clips: Path, corrections: Path, folder: Path) -> Corrected:
    """Writes an index with the labels that people have given laid over it, for a run to begin with.

    Clips of none of the classes are left out. Arguments and errors are those of `correct`.
    """
    index = read_index(clips)
    labels = _labels(corrections, index, clips)
    table = _laid_over(index, labels)
    made = _write(table[[labels.get(id_) != NONE for id_ in table["id"]]], folder)
    none = sum(label == NONE for label in labels.values())
    return Corrected(made, len(labels) - none, none)


def _labels(corrections: Path, index: ClipIndex, source: Path) -> dict[str, str]:
    """Returns the label of each clip of a table of corrections, all of them of clips in the index and undisputed."""
    labels, disputed = read_corrections(corrections)
    for id_, words in disputed.items():
        raise InputError(
            f"{corrections}: people disagree on {counted(len(disputed), 'clip')}, first on '{id_}' ({spoken(words)}); "
            "`aplt review` shows them to be settled"
        )
    known = {clip.id for clip in index}
    for id_ in labels:
        if id_ not in known:
            raise InputError(f"{corrections}: no clip '{id_}' in {source}")
    return labels


def _laid_over(index: ClipIndex, labels: Mapping[str, str]) -> pd.DataFrame:
    table = index_table(index)
    table["label"] = [labels.get(id_, old) for id_, old in zip(table["id"], table["label"], strict=True)]
    group_of = dict(zip(index.class_names, index.groups, strict=bool(index.groups)))
    # Nobody has said of which group a class is that a correction names first: it is one of its own.
    return table.assign(group=[group_of.get(label, label if group_of else "") for label in table["label"]])


def _write(table: pd.DataFrame, folder: Path) -> Path:
    made = folder / "clips.csv"
    folder.mkdir(parents=True, exist_ok=True)
    write_index(table, Path(), made, anew=True)
    return made


def _role(id_: str, labels: Mapping[str, str], before: Mapping[str, Role | None]) -> Role | None:
    """Returns the role of a clip; None of one that takes no part."""
    if labels.get(id_) == NONE:
        return None
    role = before.get(id_, "unlabeled")
    return "labeled" if id_ in labels and role in ("unlabeled", None) else role
