"""Clips of one file, such as the parts of a film, stay on one side of a split."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aplt.clips import Clip, ClipIndex, Split
from aplt.config import SplitSettings
from aplt.data.split_remarks import remark_on_files, remark_on_split
from aplt.data.splits import make_split
from tests.data.indexes import make_index


def films(files: int, parts: int, classes: int = 3, subjects: int = 0) -> ClipIndex:
    """Returns an index of `parts` overlapping parts of each of `files` films, with any class in any film."""
    labels = np.random.default_rng(0).integers(classes, size=(files, parts))
    clips = tuple(
        Clip(
            f"{file}-{part}",
            # Two spellings of one path are one file.
            Path("films", *([] if part % 2 else ["..", "films"]), f"{file}.mp4"),
            int(labels[file, part]),
            f"s{(file + part % 2) % subjects}" if subjects else None,
            start=part / 2,
            end=part / 2 + 1,
        )
        for file in range(files)
        for part in range(parts)
    )
    return ClipIndex(clips, tuple(f"class{k}" for k in range(classes)))


def sides(index: ClipIndex, split: Split) -> tuple[set[str], set[str], set[str]]:
    """Returns the files of training, val and test clips."""
    roles = ((*split.labeled, *split.unlabeled), split.val, split.test)
    train, val, test = ({index[p].path.name for p in positions} for positions in roles)
    return train, val, test


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("files", "parts"), [(20, 6), (5, 30), (60, 2), (2, 40)])
def test_the_clips_of_a_file_stay_together(files: int, parts: int, seed: int) -> None:
    index = films(files, parts)
    drawn = SplitSettings(seed=seed, labeled=0.2, val=0.2 if files > 2 else 0.0)
    split = make_split(index, drawn)
    train, val, test = sides(index, split)
    assert not train & test
    assert not train & val
    assert not val & test
    assert len(split.labeled) + len(split.unlabeled) + len(split.val) + len(split.test) == len(index)
    # About a fifth, as far as whole files allow it, and of each class about its share.
    assert abs(len(split.test) - 0.2 * len(index)) <= (parts if files > 2 else 0.3 * len(index))
    assert {index[p].label for p in split.labeled} == {0, 1, 2}
    assert split == make_split(index, drawn)
    assert remark_on_files(index, split) is None


def test_one_file_cannot_be_divided_and_that_is_said() -> None:
    index = films(1, 12, classes=2)
    split = make_split(index, SplitSettings())
    assert (split.test, len(split.labeled) + len(split.unlabeled)) == ((), 12)
    assert "no clips are held out" in str(remark_on_split(index, split))
    # A class in a single file stays in training.
    rare = ClipIndex(tuple(replace(c, label=int(c.path.name == "3.mp4")) for c in films(8, 4)), ("often", "rare"))
    for seed in range(8):
        assert "3.mp4" in sides(rare, make_split(rare, SplitSettings(seed=seed)))[0]


def test_who_says_otherwise_gets_it_with_a_remark() -> None:
    index = films(4, 6)
    official = [replace(clip, official="test" if k % 3 == 0 else "train") for k, clip in enumerate(index)]
    divided = ClipIndex(tuple(official), index.class_names)
    split = make_split(divided, SplitSettings())
    assert sides(divided, split)[0] == sides(divided, split)[2] == {f"{file}.mp4" for file in range(4)}
    remark = remark_on_split(divided, split)
    assert remark is not None
    assert "4 files, such as" in remark
    train, _, test = sides(index, make_split(divided, SplitSettings(ignore_official=True)))
    assert test
    assert not train & test


def test_people_who_share_a_film_are_held_out_together() -> None:
    # s0 and s1 share films, s2 and s3, s4 and s5.
    index = films(30, 4, subjects=6)
    pairs = tuple(replace(c, subject=f"s{int(c.path.stem) % 3 * 2 + int(c.id[-1]) % 2}") for c in index)
    index = ClipIndex(pairs, index.class_names)
    for seed in range(6):
        split = make_split(index, SplitSettings(by_subject=True, seed=seed))
        train, _, test = sides(index, split)
        assert not train & test
        assert len({index[p].subject for p in split.test}) == 2


def test_where_no_file_is_shared_nothing_changes() -> None:
    # As drawn before files were kept together.
    split = make_split(make_index([7, 9], unknown=2), SplitSettings(seed=3, labeled=0.5, val=0.1))
    assert split == Split((0, 1, 4, 7, 11, 12), (2, 3, 8, 9, 14, 16, 17), (6, 13), (5, 10, 15))
    split = make_split(make_index([7, 9], subjects=4), SplitSettings(seed=3, labeled=0.5, by_subject=True))
    assert split == Split((0, 1, 2, 8, 12, 13), (4, 5, 6, 9, 10, 14), (), (3, 7, 11, 15))
