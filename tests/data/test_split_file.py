"""A split as a file: written, read again, and refused where it does not fit the index."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.clips import Clip, ClipIndex
from aplt.config import SplitSettings
from aplt.data.split_file import load_split, save_split
from aplt.data.splits import make_split
from aplt.errors import InputError
from tests.data.indexes import make_index


def test_file_round_trip_by_id(tmp_path: Path) -> None:
    index = make_index([20, 20], unknown=4)
    split = make_split(index, SplitSettings(labeled=0.2, val=0.1))
    save_split(tmp_path / "split.csv", index, split)
    assert load_split(tmp_path / "split.csv", index) == split
    # Rows of the index may move: ids decide.
    turned = ClipIndex(index.clips[::-1], index.class_names)
    again = load_split(tmp_path / "split.csv", turned)
    assert {turned[p].id for p in again.labeled} == {index[p].id for p in split.labeled}
    assert again.digest(turned) == split.digest(index)


def test_file_may_leave_clips_out_and_lack_digests(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("id,role\nclip0,labeled\nclip3, labeled \n clip1,unlabeled\nclip4,test\n")
    split = load_split(path, make_index([3, 3]))
    assert (split.labeled, split.unlabeled, split.val, split.test) == ((0, 3), (1,), (), (4,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,rol\nclip0,labeled\n", "column 'role' is missing"),
        ("id,role\nclip0,labelled\n", "row 1: role is 'labelled'; did you mean 'labeled'?"),
        ("id,role\nclip99,labeled\n", "row 1: no clip 'clip99' in the index"),
        ("id,role\nclip0,labeled\nclip0,test\nclip3,labeled\n", "clip 'clip0' appears twice"),
        ("id,role\nclip0,labeled\n", "class 'class1' has no labeled clip"),
        ("id,role\nclip6,labeled\n", "no label in the index"),
        ("id,role\nclip0,labeled,x\nclip3,labeled,x\n", "row 1: found 3 fields, expected at most 2"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_split(path, make_index([3, 3], unknown=1))
    assert message in str(caught.value)


def test_changed_label_is_noticed(tmp_path: Path) -> None:
    index = make_index([5, 5])
    save_split(tmp_path / "split.csv", index, make_split(index, SplitSettings()))
    clips = [c if c.id != "clip2" else Clip(c.id, c.path, 1) for c in index]
    with pytest.raises(InputError, match="clip 'clip2' has another label"):
        load_split(tmp_path / "split.csv", ClipIndex(tuple(clips), index.class_names))


def test_split_file_opens_as_a_plain_table(tmp_path: Path) -> None:
    index = make_index([5, 5])
    save_split(tmp_path / "split.csv", index, make_split(index, SplitSettings()))
    assert list(pd.read_csv(tmp_path / "split.csv").columns) == ["id", "role", "digest"]
