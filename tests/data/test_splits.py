"""Splits: properties that must hold for any index."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.clips import ROLES
from aplt.config import SplitSettings
from aplt.data.split_remarks import remark_on_share, remark_on_split
from aplt.data.splits import make_split, round_half_up
from aplt.errors import InputError
from tests.data.indexes import make_index


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
    index = replace(make_index([9, 1, 1, 9]), class_names=("left wave", "nodd", "right wave", "nod"))
    remark = remark_on_split(index, make_split(index, SplitSettings()))
    untested = "'nodd' (did you mean 'nod'?), 'right wave'"  # no hint for the other side
    assert remark == f"2 classes are not tested, for want of clips with a label: {untested}"


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
