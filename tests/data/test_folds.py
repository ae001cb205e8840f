"""Folds of subjects, as settings of a plan."""

from dataclasses import replace
from pathlib import Path

import pytest

from aplt.config import SplitSettings
from aplt.data.folds import draw_folds
from aplt.data.splits import make_split
from aplt.errors import InputError
from tests.data.indexes import make_index
from tests.data.test_splits_of_files import films


def test_each_subject_is_tested_on_once() -> None:
    index = make_index([60, 60], subjects=8)
    folds = draw_folds(index, SplitSettings(), 4)
    tested = [name for fold in folds for name in fold["test_subjects"]]
    assert sorted(tested) == sorted({clip.subject for clip in index if clip.subject})
    positions = [p for fold in folds for p in make_split(index, SplitSettings(**fold)).test]
    assert sorted(positions) == list(range(120))
    assert folds == draw_folds(index, SplitSettings(), 4) != draw_folds(index, SplitSettings(seed=1), 4)


def test_folds_of_another_column_and_beside_an_official_split() -> None:
    index = replace(make_index([30, 30], official=True), columns={"view": tuple("abc" * 20)})
    folds = draw_folds(index, SplitSettings(by="view"), 3)
    assert [fold["by"] for fold in folds] == ["view"] * 3
    assert all(len(make_split(index, SplitSettings(**fold)).test) == 20 for fold in folds)
    with pytest.raises(InputError, match="4 folds need as many values of 'view'"):
        draw_folds(index, SplitSettings(by="view"), 4)
    with pytest.raises(InputError, match="no subject"):
        draw_folds(index, SplitSettings(), 3)


def test_who_shares_a_film_is_in_one_fold() -> None:
    index = make_index([20, 20], subjects=4)
    duet = {"s0": Path("duet.mp4"), "s1": Path("duet.mp4")}
    clips = tuple(replace(clip, path=duet.get(clip.subject or "", clip.path)) for clip in index)
    (first, second, third) = draw_folds(replace(index, clips=clips), SplitSettings(), 3)
    assert sorted(map(tuple, (fold["test_subjects"] for fold in (first, second, third)))) == [
        ("s0", "s1"),
        ("s2",),
        ("s3",),
    ]
    with pytest.raises(InputError, match="share no film, found 1"):
        draw_folds(films(12, 3, subjects=6), SplitSettings(), 2)
