"""Which clips are labeled, unlabeled, val and test: drawn from a seed."""

import math
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from aplt.clips import UNKNOWN, Clip, ClipIndex, OfficialSplit, Split
from aplt.config import SplitSettings
from aplt.display import counted
from aplt.errors import InputError, suggest
from aplt.settings import as_setting

Parts = dict[OfficialSplit, list[int]]
COLUMN = "the split column of the index"
DEFAULTS = SplitSettings()


def _as_setting(name: str) -> str:
    return as_setting(f"split.{name}")


def make_split(index: ClipIndex, settings: SplitSettings, called: Callable[[str], str] = _as_setting) -> Split:
    """Returns a split drawn from `settings.seed`; `called` gives the name of a setting in an error.

    Test and val clips are those of the official column, or those of the subjects that are named, or a draw of whole
    subjects or of a share of each class, in which all clips of a file stay together; a class keeps a clip to train on.
    Labels are then drawn from the rest, class by class: at least one per class, and with the same seed a larger share
    contains every smaller one. Clips without a known label are unlabeled.

    Raises:
        InputError: fewer than two classes, a class that has no clip left to label, or a setting that does not fit the
            index or contradicts another.
    """
    require_classes(index)
    index = by_column(index, settings.by, called)
    parts = _parts(index, settings, called)
    labels = index.labels
    known = [position for position in parts["train"] if labels[position] != UNKNOWN]
    fraction = settings.labeled
    if fraction is None:
        fraction = 1.0 if len(known) < len(parts["train"]) else 0.1
    labeled = []
    for label, members in by_class(index, known).items():
        if not members:
            raise InputError(f"class '{index.class_names[label]}' has no training clip with a label to learn from")
        # A stream of its own for each class: adding a class does not reshuffle the others.
        order = np.random.default_rng([settings.seed, 1, label]).permutation(members)
        labeled.extend(order[: max(1, round_half_up(fraction * len(members)))].tolist())
    unlabeled = set(parts["train"]) - set(labeled)
    return Split(tuple(sorted(labeled)), tuple(sorted(unlabeled)), tuple(parts["val"]), tuple(parts["test"]))


def by_column(index: ClipIndex, column: str, called: Callable[[str], str] = _as_setting) -> ClipIndex:
    """Returns the index with the values of one of its columns in place of the subjects."""
    if column == "subject":
        return index
    if column not in index.columns:
        raise InputError(f"{called('by')} is '{column}', no column of the index{suggest(column, index.columns)}")
    values = (value.strip() or None for value in index.columns[column])
    clips = (replace(clip, subject=value) for clip, value in zip(index, values, strict=True))
    return replace(index, clips=tuple(clips))


def require_classes(index: ClipIndex) -> None:
    """Raises an InputError where fewer than two classes have a labeled clip: there is nothing to learn."""
    if index.num_classes < 2:
        found = f"all that have one are '{index.class_names[0]}'" if index.class_names else "none has one"
        raise InputError(
            f"training needs clips with labels of at least two classes; of {counted(len(index), 'clip')}, {found}: put "
            "clips into folders named after their class or fill in `label`; `aplt suggest` says of which first"
        )


def round_half_up(value: float) -> int:
    """Returns the nearest whole number, halves upward; a hair of float error below a half does not matter."""
    return math.floor(value + 0.5 + 1e-9)


def by_class(index: ClipIndex, positions: Sequence[int]) -> dict[int, list[int]]:
    """Returns the positions of each class, in order; all must have a label."""
    members: dict[int, list[int]] = {label: [] for label in range(index.num_classes)}
    for position in positions:
        members[index[position].label].append(position)
    return members


def _parts(index: ClipIndex, settings: SplitSettings, called: Callable[[str], str]) -> Parts:
    official = not settings.ignore_official and any(clip.official for clip in index)
    parts: Parts = {"train": [], "val": [], "test": []}
    for position, clip in enumerate(index):
        if official and clip.official is None and clip.label != UNKNOWN:
            raise InputError(f"clip '{clip.id}' has a label but no split, while others have one")
        parts[(clip.official if official else None) or "train"].append(position)
    named = _named_subjects(index, parts, settings, called)
    if settings.by_subject:
        require_subjects(index)
    # A column without test clips means that none are wanted, unless a share is asked for; a run's config.yaml lists
    # the default, too, so that is no asking.
    no_test = official and (parts["test"] or settings.test == DEFAULTS.test)
    shares: dict[OfficialSplit, float] = {
        "test": 0.0 if no_test or settings.test_subjects else settings.test,
        "val": settings.val,
    }
    parts = _hold_out(index, _move(index, parts, lambda clip: named.get(clip.subject or "", "train")), shares, settings)
    _require_whole_subjects(index, parts, settings, named, called)
    return parts


def _named_subjects(
    index: ClipIndex, parts: Parts, settings: SplitSettings, called: Callable[[str], str]
) -> dict[str, OfficialSplit]:
    """Returns the part of each subject that the settings name, once nothing else claims to say what that part is."""
    named: dict[str, OfficialSplit] = {}
    subjects = {clip.subject for clip in index if clip.subject}
    held_out: tuple[OfficialSplit, ...] = ("test", "val")
    for part in held_out:
        given = [name for name in (part, f"{part}_subjects") if getattr(settings, name) != getattr(DEFAULTS, name)]
        claims = [called(name) for name in given] + [COLUMN] * bool(parts[part])
        if len(claims) > 1:
            hint = f"; ignore the column with {called('ignore_official')}" if COLUMN in claims else ""
            raise InputError(f"{claims[0]} and {claims[1]} contradict each other on which clips are for {part}{hint}")
        for name in getattr(settings, f"{part}_subjects"):
            if not subjects:
                raise InputError(f"{called(f'{part}_subjects')} names '{name}', but no clip has a subject in the index")
            if name not in subjects:
                raise InputError(f"no clip of subject '{name}'{suggest(name, subjects)}")
            if named.setdefault(name, part) != part:
                raise InputError(f"{called('test_subjects')} and {called('val_subjects')} both name '{name}'")
    return named


def _require_whole_subjects(
    index: ClipIndex,
    parts: Parts,
    settings: SplitSettings,
    named: dict[str, OfficialSplit],
    called: Callable[[str], str],
) -> None:
    """Raises an InputError where the official column divides the clips of a subject that is to be held out whole."""
    home = dict(named)
    for part, positions in parts.items():
        for position in positions:
            subject = index[position].subject or ""
            if (settings.by_subject or subject in named) and home.setdefault(subject, part) != part:
                setting = f"{named[subject]}_subjects" if subject in named else "by_subject"
                raise InputError(
                    f"{called(setting)} and {COLUMN} contradict each other: clip '{index[position].id}' of "
                    f"subject '{subject}' is for {part}, others for {home[subject]}; ignore the column with "
                    f"{called('ignore_official')}"
                )


def _hold_out(index: ClipIndex, parts: Parts, shares: dict[OfficialSplit, float], settings: SplitSettings) -> Parts:
    """Moves shares of the training clips to test and val."""
    if not any(shares.values()):
        return parts
    if settings.by_subject:
        return _hold_out_subjects(index, parts, shares, settings.seed)
    if len({file_of(index[position]) for position in parts["train"]}) < len(parts["train"]):
        return _hold_out_files(index, parts, shares, settings.seed)
    known = [position for position in parts["train"] if index[position].label != UNKNOWN]
    held: dict[str, OfficialSplit] = {}
    for label, members in by_class(index, known).items():
        order = np.random.default_rng([settings.seed, 0, label]).permutation(members).tolist()
        for part, share in shares.items():
            # The last clip of a class is trained on: what nothing was learned of cannot be tested.
            count = min(max(1, round_half_up(share * len(members))) if share else 0, max(0, len(order) - 1))
            held |= dict.fromkeys((index[position].id for position in order[:count]), part)
            order = order[count:]
    return _move(index, parts, lambda clip: held.get(clip.id, "train"))


def _hold_out_files(index: ClipIndex, parts: Parts, shares: dict[OfficialSplit, float], seed: int) -> Parts:
    """Moves whole files to test and val, so that these have about their share of each class; each class keeps a clip.

    A part has one file at least, even if that is larger than the share; none, where none can be spared.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for position in parts["train"]:
        members[file_of(index[position])].append(position)
    labels = {name: index.labels[positions] for name, positions in members.items()}
    count = {name: np.bincount(of[of != UNKNOWN], minlength=index.num_classes) for name, of in labels.items()}
    total = np.sum(list(count.values()), axis=0)
    left = total
    order = np.random.default_rng([seed, 0]).permutation(sorted(members)).tolist()
    held: dict[str, OfficialSplit] = {}
    for part, share in ((part, share) for part, share in shares.items() if share):
        missing = share * total
        spare = [name for name in order if name not in held and count[name].any() and _spares(left, count[name])]
        far = {name: abs(missing - count[name]).sum() for name in spare}
        for name in spare:
            nearer = abs(missing - count[name]).sum() < abs(missing).sum()
            if nearer and _spares(left, count[name]):
                held[name], left, missing = part, left - count[name], missing - count[name]
        if spare and part not in held.values():
            nearest = min(spare, key=lambda name: far[name])
            held[nearest], left = part, left - count[nearest]
    return _move(index, parts, lambda clip: held.get(file_of(clip), "train"))


def _spares(left: np.ndarray, count: np.ndarray) -> bool:
    """Returns whether each class of a file keeps training clips without it."""
    return bool((left - count)[count > 0].all())


def _hold_out_subjects(index: ClipIndex, parts: Parts, shares: dict[OfficialSplit, float], seed: int) -> Parts:
    group = together(index, parts["train"])
    subjects = sorted(set(group.values()))
    order = np.random.default_rng([seed, 0]).permutation(subjects).tolist()
    held: dict[str, OfficialSplit] = {}
    for part, share in shares.items():
        count = max(1, round_half_up(share * len(subjects))) if share else 0
        if count and len(order) <= count:
            found = counted(len(subjects), "subject")
            raise InputError(f"too few subjects to hold out {count} for {part} and train on one: found {found}")
        held |= dict.fromkeys(order[:count], part)
        order = order[count:]
    return _move(index, parts, lambda clip: held.get(group[clip.subject or ""], "train"))


def together(index: ClipIndex, positions: Sequence[int]) -> dict[str, str]:
    """Returns for each subject the one that stands for all with whom they share files, and stay together."""
    group = {index[position].subject or "": index[position].subject or "" for position in positions}
    films: dict[str, set[str]] = defaultdict(set)
    for position in positions:
        films[file_of(index[position])].add(index[position].subject or "")
    for cast in films.values():
        together = {group[subject] for subject in cast}
        if len(together) > 1:
            group |= {subject: min(together) for subject, one in group.items() if one in together}
    return group


def file_of(clip: Clip) -> str:
    """Returns which file a clip is of: the video, where a skeleton was tracked in it."""
    return os.path.normpath(clip.video or clip.path)


def _move(index: ClipIndex, parts: Parts, part_of: Callable[[Clip], OfficialSplit]) -> Parts:
    """Moves training clips to the part that is theirs."""
    moved: Parts = {"train": [], "val": list(parts["val"]), "test": list(parts["test"])}
    for position in parts["train"]:
        moved[part_of(index[position])].append(position)
    return {part: sorted(positions) for part, positions in moved.items()}


def require_subjects(index: ClipIndex) -> None:
    """Raises an InputError that names a clip without a subject."""
    for clip in index:
        if not clip.subject:
            raise InputError(f"clip '{clip.id}' has no subject; splitting by subject needs one for every clip")
