"""Who does what in a synthetic data set: class sizes, subjects, splits and neutral names."""

from dataclasses import dataclass

import numpy as np

from aplt.errors import InputError
from aplt.synthetic.motions import CLASSES, OTHERS

_PLAN = 3  # the stream of random numbers that decides it; subjects and clips have streams 1 and 2
_TEST_SHARE = 0.25


@dataclass(frozen=True)
class PlannedClip:
    """One clip of the data set; `label` is empty where `motion` belongs to no class."""

    number: int
    motion: str
    label: str
    subject: int
    split: str

    @property
    def name(self) -> str:
        """The clip's id, which says nothing about its label."""
        return f"c{self.number:04d}"


def plan_clips(clips: int, subjects: int, seed: int, imbalance: float, out_of_class: float) -> list[PlannedClip]:
    """Returns who does what: each subject of a split does about as much of each class as the others.

    The arguments are those of `make_dataset`.

    Raises:
        InputError: one of them is out of range.
    """
    _check(clips, subjects, seed, imbalance, out_of_class)
    rng = np.random.default_rng([seed, _PLAN])
    people = rng.permutation(subjects)
    held_out = _test_subjects(subjects)
    train, test = _split_sizes(clips, subjects)
    strange = round(out_of_class * train)
    sizes = {"test": _class_sizes(test, 1.0), "train": _class_sizes(train - strange, imbalance)}
    rows: list[tuple[str, str, int, str]] = []
    for split, members in (("test", people[:held_out]), ("train", people[held_out:])):
        motions = [(name, name) for name, n in zip(CLASSES, sizes[split], strict=True) for _ in range(n)]
        if split == "train":
            motions += [(list(OTHERS)[k % len(OTHERS)], "") for k in range(strange)]
        rows += [(m, label, int(members[k % len(members)]), split) for k, (m, label) in enumerate(motions)]
    # Shuffled, so that a clip's number says nothing about its label.
    return [PlannedClip(number, *rows[row]) for number, row in enumerate(rng.permutation(len(rows)))]


def _check(clips: int, subjects: int, seed: int, imbalance: float, out_of_class: float) -> None:
    if subjects < 2:
        raise InputError(f"subjects must be at least 2, one for train and one for test; found {subjects}")
    if seed < 0:
        raise InputError(f"seed must not be negative; found {seed}")
    if imbalance < 1:
        raise InputError(f"imbalance must be at least 1, the same number of clips in every class; found {imbalance:g}")
    if not 0 <= out_of_class < 1:
        raise InputError(f"out_of_class must be a share from 0 to below 1; found {out_of_class:g}")
    train, test = _split_sizes(clips, subjects)
    if test < len(CLASSES) or train - round(out_of_class * train) < len(CLASSES):
        raise InputError(f"clips must leave one of each of {len(CLASSES)} classes in both splits; found {clips}")


def _split_sizes(clips: int, subjects: int) -> tuple[int, int]:
    test = round(clips * _test_subjects(subjects) / subjects)
    return clips - test, test


def _test_subjects(subjects: int) -> int:
    return max(1, round(_TEST_SHARE * subjects))


def _class_sizes(total: int, imbalance: float) -> list[int]:
    """Returns class sizes that sum to `total` and fall by equal factors from the first class to the last."""
    weight = imbalance ** -np.linspace(0, 1, len(CLASSES))
    share = total * weight / weight.sum()
    sizes = np.floor(share).astype(int)
    sizes[np.argsort(sizes - share, kind="stable")[: total - sizes.sum()]] += 1
    while sizes.min() < 1:
        sizes[sizes.argmin()] += 1
        sizes[sizes.argmax()] -= 1
    return [int(size) for size in sizes]
