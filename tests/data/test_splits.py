"""Splits: properties that must hold for any index."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.clips import ROLES, Clip, ClipIndex, OfficialSplit, Split
from aplt.config import SplitSettings
from aplt.data.splits import (
    make_split,
    remark_on_files,
    remark_on_people,
    remark_on_share,
    remark_on_split,
    round_half_up,
)
from aplt.errors import InputError
from aplt.settings import as_option


def make_index(sizes: list[int], subjects: int = 0, unknown: int = 0, official: bool = False) -> ClipIndex:
    """Returns an index with sizes[k] clips of class k, and `unknown` clips without a label."""
    labels = [k for k, size in enumerate(sizes) for _ in range(size)] + [-1] * unknown
    clips = tuple(
        Clip(
            id=f"clip{i}",
            path=Path(f"{i}.mp4"),
            label=label,
            subject=f"s{i % subjects}" if subjects else None,
            official=(("train", "train", "test")[i % 3] if label >= 0 else "train") if official else None,
        )
        for i, label in enumerate(labels)
    )
    return ClipIndex(clips, tuple(f"class{k}" for k in range(len(sizes))))


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.lists(st.integers(5, 30), min_size=2, max_size=5),
    unknown=st.integers(0, 10),
    labeled=st.floats(0.01, 1),
    val=st.sampled_from([0.0, 0.1, 0.2]),
    seed=st.integers(0, 50),
)
def test_invariants(sizes: list[int], unknown: int, labeled: float, val: float, seed: int) -> None:
    index = make_index(sizes, unknown=unknown)
    drawn = SplitSettings(labeled=labeled, val=val, seed=seed)
    split = make_split(index, drawn)
    everyone = sorted(p for role in ROLES for p in split.positions(role))
    assert everyone == list(range(len(index)))  # each clip has one role
    for k, size in enumerate(sizes):
        count = {role: sum(index[p].label == k for p in split.positions(role)) for role in ROLES}
        train = count["labeled"] + count["unlabeled"]
        assert count["labeled"] == max(1, round_half_up(labeled * train))
        assert count["test"] == max(1, round_half_up(0.2 * size))
    assert all(index[p].label >= 0 for p in (*split.labeled, *split.val, *split.test))
    assert split == make_split(index, drawn)
    # More labels only add to fewer: what a label-efficiency curve needs.
    more = make_split(index, drawn.model_copy(update={"labeled": min(1.0, labeled * 2)}))
    assert set(split.labeled) <= set(more.labeled)
    assert split.test == more.test


@settings(max_examples=40, deadline=None)
@given(subjects=st.integers(3, 9), seed=st.integers(0, 30))
def test_subjects_are_not_shared(subjects: int, seed: int) -> None:
    index = make_index([60, 60], subjects=subjects)
    split = make_split(index, SplitSettings(labeled=0.2, val=0.2, test=0.3, by_subject=True, seed=seed))
    train, val, test = (
        {index[p].subject for p in positions} for positions in (split.labeled + split.unlabeled, split.val, split.test)
    )
    assert val
    assert test
    assert not train & val | train & test | val & test


def test_a_share_that_each_class_makes_larger_is_remarked() -> None:
    index = make_index([20, 20])
    few, enough = (make_split(index, SplitSettings(labeled=asked)) for asked in (0.01, 0.2))
    said = "6.2% of the known labels are used, more than the 1.0% asked for: each class needs one"
    assert remark_on_share(index, few, 0.01) == said
    assert remark_on_share(index, enough, 0.2) is None
    assert remark_on_share(index, make_split(index, SplitSettings()), None) is None


def test_seeds_differ() -> None:
    index = make_index([40, 40])
    assert len({make_split(index, SplitSettings(seed=seed)).labeled for seed in range(5)}) == 5


def test_named_subjects() -> None:
    index = make_index([30, 30], subjects=6)
    split = make_split(index, SplitSettings(labeled=0.5, test_subjects=("s1", "s2"), val_subjects=("s3",)))
    assert {index[p].subject for p in split.test} == {"s1", "s2"}
    assert {index[p].subject for p in split.val} == {"s3"}
    assert Counter(index[p].label for p in split.labeled) == {0: 8, 1: 8}
    with pytest.raises(InputError, match="no clip of subject 's9'"):
        make_split(index, SplitSettings(test_subjects=("s9",)))


def test_named_val_subjects_leave_the_test_share_to_the_rest() -> None:
    index = make_index([30, 30], subjects=6)
    split = make_split(index, SplitSettings(val_subjects=("s3",)))
    assert {index[p].subject for p in split.val} == {"s3"}
    assert Counter(index[p].label for p in split.test) == {0: 5, 1: 5}
    whole = make_split(index, SplitSettings(val_subjects=("s3",), test=0.4, by_subject=True))
    assert {index[p].subject for p in whole.val} == {"s3"}
    tested, trained = ({index[p].subject for p in part} for part in (whole.test, whole.labeled + whole.unlabeled))
    assert (len(tested), len(trained)) == (2, 3)
    assert not tested & trained


def test_named_test_subjects_leave_the_val_share_to_the_rest() -> None:
    index = make_index([30, 30], subjects=6)
    split = make_split(index, SplitSettings(test_subjects=("s0",), val=0.2))
    assert {index[p].subject for p in split.test} == {"s0"}
    assert Counter(index[p].label for p in split.val) == {0: 5, 1: 5}
    whole = make_split(index, SplitSettings(test_subjects=("s0",), val=0.2, by_subject=True))
    assert [len({index[p].subject for p in part}) for part in (whole.test, whole.val)] == [1, 1]
    assert not {index[p].subject for p in whole.val} & {index[p].subject for p in whole.labeled + whole.unlabeled}


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


def test_default_share_uses_all_labels_where_there_are_unlabeled_clips() -> None:
    assert len(make_split(make_index([20, 20], unknown=9), SplitSettings()).labeled) == 32
    assert len(make_split(make_index([20, 20]), SplitSettings()).labeled) == 4


def test_unlabeled_clips_are_never_held_out() -> None:
    split = make_split(make_index([10, 10], unknown=30), SplitSettings())
    assert set(range(20, 50)) <= set(split.unlabeled)


@pytest.mark.parametrize(
    ("sizes", "change", "message"),
    [
        ([10, 0], {}, "class 'class1' has no training clip with a label"),
        ([], {}, "at least two classes; of 4 clips, none has one"),
        ([10], {}, "at least two classes; of 14 clips, all that have one are 'class0'"),
        ([10, 10], {"by_subject": True}, "clip 'clip0' has no subject"),
    ],
)
def test_says_what_does_not_fit(sizes: list[int], change: dict[str, bool], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make_split(make_index(sizes, unknown=4), SplitSettings(**change))
    assert message in str(caught.value)


def test_the_last_clip_of_a_class_is_trained_on() -> None:
    index = make_index([10, 1, 2])
    for change in ({"test": 0}, {}, {"val": 0.2}, {"test": 0.9}):
        split = make_split(index, SplitSettings(labeled=0.1, **change))
        assert 10 in split.labeled
        assert {11, 12} & set(split.labeled)
    remark = remark_on_split(index, make_split(index, SplitSettings()))
    assert remark == "1 class is not tested, for want of clips with a label: 'class1'"
    assert remark_on_split(index, make_split(index, SplitSettings(test=0))) is None


def test_whole_values_of_another_column_are_held_out() -> None:
    index = make_index([30, 30], subjects=5)
    views = tuple(f"v{i % 3}" for i in range(60))
    index = replace(index, columns={"view": views})
    drawn = make_split(index, SplitSettings(by="view", by_subject=True, test=0.3))
    named = make_split(index, SplitSettings(by="view", test_subjects=("v2",)))
    for split in (drawn, named):
        trained = {views[p] for p in (*split.labeled, *split.unlabeled)}
        assert len(trained) == 2
        assert {views[p] for p in split.test} == {"v0", "v1", "v2"} - trained
    assert {views[p] for p in named.test} == {"v2"}
    with pytest.raises(InputError, match=r"split\.by' is 'veiw', no column of the index; did you mean 'view'"):
        make_split(index, SplitSettings(by="veiw"))


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
