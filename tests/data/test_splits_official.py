"""The parts that an index names, and what settings make of them."""

from pathlib import Path

import pytest

from aplt.clips import Clip, ClipIndex, OfficialSplit, Split
from aplt.config import SplitSettings
from aplt.data.split_remarks import remark_on_people
from aplt.data.splits import make_split
from aplt.errors import InputError
from aplt.settings import as_option
from tests.data.indexes import make_index


def official_index(parts: dict[str, OfficialSplit]) -> ClipIndex:
    """Returns an index of 2 classes with ten clips for each (subject, part); "s1*" is further clips of s1."""
    clips = tuple(
        Clip(f"{name}-{i}", Path(f"{name}-{i}.mp4"), i % 2, name.strip("*"), official=part)
        for name, part in parts.items()
        for i in range(10)
    )
    return ClipIndex(clips, ("a", "b"))


WHOLE: dict[str, OfficialSplit] = {"s1": "train", "s2": "train", "s3": "train", "s4": "test", "s5": "test"}

WITH_VAL: dict[str, OfficialSplit] = {**WHOLE, "s6": "val"}

UNTESTED: dict[str, OfficialSplit] = {"s1": "train", "s2": "train", "s3": "train", "s6": "val"}

SHARED: dict[str, OfficialSplit] = {**WHOLE, "s3*": "test"}


def roles_of(index: ClipIndex, split: Split) -> dict[str, set[str | None]]:
    trained = split.labeled + split.unlabeled
    parts = {"train": trained, "val": split.val, "test": split.test}
    return {part: {index[p].subject for p in positions} for part, positions in parts.items()}


def test_the_official_column_and_settings_that_do_not_touch_it() -> None:
    index = official_index(WHOLE)
    honored = roles_of(index, make_split(index, SplitSettings(val_subjects=("s2",))))
    assert honored == {"train": {"s1", "s3"}, "val": {"s2"}, "test": {"s4", "s5"}}
    # Its subjects are whole, as by_subject asks; and a share to validate on is drawn from its training clips.
    assert make_split(index, SplitSettings(by_subject=True)) == make_split(index, SplitSettings())
    drawn = make_split(index, SplitSettings(val=0.2))
    assert (len(drawn.val), roles_of(index, drawn)["test"]) == (6, {"s4", "s5"})
    whole = roles_of(index, make_split(index, SplitSettings(val=0.2, by_subject=True)))
    assert (len(whole["val"]), len(whole["train"])) == (1, 2)


def test_an_official_column_without_test_clips() -> None:
    index = official_index(UNTESTED)
    for unasked in (SplitSettings(), SplitSettings(test=0)):
        assert roles_of(index, make_split(index, unasked)) == {
            "train": {"s1", "s2", "s3"},
            "val": {"s6"},
            "test": set(),
        }
    assert len(make_split(index, SplitSettings(test=0.4)).test) == 12
    named = roles_of(index, make_split(index, SplitSettings(test_subjects=("s1",))))
    assert named == {"train": {"s2", "s3"}, "val": {"s6"}, "test": {"s1"}}


@pytest.mark.parametrize(
    ("parts", "change", "one", "other"),
    [
        (WHOLE, {"test": 0.3}, "test", "the split column of the index"),
        (WHOLE, {"test": 0}, "test", "the split column of the index"),
        (WHOLE, {"test_subjects": ("s1",)}, "test_subjects", "the split column of the index"),
        (WITH_VAL, {"val": 0.1}, "val", "the split column of the index"),
        (WITH_VAL, {"val_subjects": ("s1",)}, "val_subjects", "the split column of the index"),
        (WHOLE, {"val_subjects": ("s4",)}, "val_subjects", "the split column of the index"),
        (UNTESTED, {"test_subjects": ("s6",)}, "test_subjects", "the split column of the index"),
        (SHARED, {"by_subject": True}, "by_subject", "the split column of the index"),
        (SHARED, {"val_subjects": ("s3",)}, "val_subjects", "the split column of the index"),
        (WHOLE, {"ignore_official": True, "test": 0.3, "test_subjects": ("s1",)}, "test", "test_subjects"),
        (WHOLE, {"ignore_official": True, "val": 0.1, "val_subjects": ("s1",)}, "val", "val_subjects"),
        (
            WHOLE,
            {"ignore_official": True, "test_subjects": ("s1", "s2"), "val_subjects": ("s2",)},
            "test_subjects",
            "val_subjects",
        ),
    ],
)
def test_contradictions_are_named(
    parts: dict[str, OfficialSplit], change: dict[str, object], one: str, other: str
) -> None:
    index, settings = official_index(parts), SplitSettings.model_validate(change)
    with pytest.raises(InputError) as caught:
        make_split(index, settings)
    assert f"setting 'split.{one}'" in str(caught.value)
    assert (f"setting 'split.{other}'" if other in change else other) in str(caught.value)
    if "split column" in other:
        assert str(caught.value).endswith("; ignore the column with setting 'split.ignore_official'")
    # The same as options.
    with pytest.raises(InputError) as caught:
        make_split(index, settings, as_option)
    assert "setting" not in str(caught.value)
    assert f"--{one.replace('_', '-')}" in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "change"),
    [
        (WHOLE, {"labeled": 0.3}),
        (WITH_VAL, {}),
        (UNTESTED, {}),
        (WHOLE, {"val_subjects": ["s1"]}),
        (WHOLE, {"ignore_official": True, "test_subjects": ["s1"]}),
    ],
)
def test_the_whole_settings_of_a_run_repeat_its_split(
    parts: dict[str, OfficialSplit], change: dict[str, object]
) -> None:
    first = SplitSettings.model_validate(change)
    whole = SplitSettings.model_validate(first.model_dump(mode="json"))
    assert whole.model_fields_set > first.model_fields_set
    index = official_index(parts)
    assert make_split(index, whole) == make_split(index, first)


def test_official_parts_are_honored_or_ignored() -> None:
    index = make_index([30, 30], unknown=5, official=True)
    split = make_split(index, SplitSettings(labeled=0.1))
    assert set(split.test) == {p for p in range(60) if p % 3 == 2}
    assert set(split.unlabeled) >= {60, 61, 62, 63, 64}
    ignored = make_split(index, SplitSettings(labeled=0.1, ignore_official=True))
    assert set(ignored.test) != set(split.test)
    assert len(ignored.test) == 12


def test_people_on_both_sides_are_remarked_unless_the_index_says_so() -> None:
    index = official_index(SHARED)
    assert remark_on_people(index, make_split(index, SplitSettings())) is None
    drawn = make_split(index, SplitSettings(ignore_official=True))
    assert "same people" in (remark_on_people(index, drawn) or "")
    apart = make_split(index, SplitSettings(ignore_official=True, by_subject=True))
    assert remark_on_people(index, apart) is None
