"""What several people said of the same clips, merged, compared and settled."""

from pathlib import Path

import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.runs.reviews import COLUMNS, agreements, merged, read_corrections, reviews_of

Row = tuple[str, str, str, str, str]


def written(path: Path, *rows: Row) -> Path:
    """Writes a table of (id, label, by, minute, act)."""
    table = pd.DataFrame(rows, columns=["id", "label", "by", "when", "act"])
    table["when"] = [f"2026-11-26T10:{minute}:00+00:00" for minute in table["when"]]
    table.assign(was="").to_csv(path, index=False, columns=list(COLUMNS))
    return path


def test_the_last_word_of_each_counts_and_disputes_are_told(tmp_path: Path) -> None:
    rows = [("1", "nod", "me"), ("1", "wave", "me"), ("2", "nod", "me"), ("2", "wave", "you"), ("3", "", "you")]
    table = [(id_, label, by, "00", "label" if label else "none") for id_, label, by in rows]
    assert read_corrections(written(tmp_path / "c.csv", *table)) == (
        {"1": "wave", "3": ""},
        {"2": {"me": "nod", "you": "wave"}},
    )
    (tmp_path / "d.csv").write_text("id,label\n1,nod\n2,\n")  # by hand
    assert read_corrections(tmp_path / "d.csv") == ({"1": "nod", "2": ""}, {})
    (tmp_path / "clips.csv").write_text("id,path,label\n1,1.mp4,nod\n2,2.mp4,\n")  # an index
    assert read_corrections(tmp_path / "clips.csv") == ({"1": "nod"}, {})


@pytest.mark.parametrize(
    ("after", "labels"),
    [
        ([], {"wave"}),
        ([("1", "shake", "bob", "04", "label")], {"nod", "shake"}),  # it is open again
        ([("1", "shake", "bob", "04", "label"), ("1", "", "eve", "05", "settled")], {""}),
        ([("1", "", "ann", "04", "withdrawn")], {"shake"}),
    ],
)
def test_what_was_settled_holds_until_somebody_speaks(after: list[Row], labels: set[str], tmp_path: Path) -> None:
    words = [("1", "nod", "ann", "01", "label"), ("1", "shake", "bob", "02", "label")]
    path = written(tmp_path / "c.csv", *words, ("1", "wave", "ann", "03", "settled"), *after)
    assert reviews_of(merged([path]))["1"].labels == labels


def test_tables_are_merged_by_time_and_again_without_change(tmp_path: Path) -> None:
    ann = written(tmp_path / "a.csv", ("1", "nod", "ann", "01", "label"), ("2", "nod", "ann", "04", "label"))
    rows = [
        ("1", "wave", "bob", "03", "label"),
        ("1", "nod", "bob", "03", "label"),
        ("1", "wave", "bob", "03", "label"),
    ]
    bob = written(tmp_path / "b.csv", *rows)
    once = merged([bob, ann])
    assert once[["id", "by"]].to_numpy().tolist() == [["1", "ann"], ["1", "bob"], ["1", "bob"], ["2", "ann"]]
    assert reviews_of(once)["1"].words == {"ann": "nod", "bob": "wave"}
    once.to_csv(tmp_path / "m.csv", index=False)
    assert merged([tmp_path / "m.csv", ann, bob]).equals(once)


def test_people_without_a_name_have_that_of_their_file(tmp_path: Path) -> None:
    for name, label in (("ann", "nod"), ("bob", "wave")):
        (tmp_path / f"{name}.csv").write_text(f"id,label\n1,{label}\n")
    assert reviews_of(merged([tmp_path / "ann.csv", tmp_path / "bob.csv"]))["1"].words == {"ann": "nod", "bob": "wave"}


def test_agreement_is_that_of_the_clips_that_both_have_seen(tmp_path: Path) -> None:
    labels = {"ann": "aaaabbbb.x", "bob": "aaabbbba.a"}
    rows = [
        (str(at), label, by, "01", "label")
        for by, all_ in labels.items()
        for at, label in enumerate(all_)
        if label != "." and (by, at) != ("bob", 9)
    ]
    settled = ("3", "a", "eve", "02", "settled")
    (found,) = agreements(reviews_of(merged([written(tmp_path / "c.csv", *rows, settled)])))
    assert (found.people, found.clips, found.alike) == (("ann", "bob"), 8, 6)
    assert found.kappa == pytest.approx((6 / 8 - 1 / 2) / (1 - 1 / 2))  # as many of each class by either
    same = [("1", "a", by, "01", "label") for by in ("ann", "bob")]
    (found,) = agreements(reviews_of(merged([written(tmp_path / "d.csv", *same)])))
    assert found.kappa is None


def test_rows_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,label,when\n1,a,\n2,b,yesterday\n")
    with pytest.raises(InputError, match=r"c\.csv row 2: when is 'yesterday'"):
        read_corrections(tmp_path / "c.csv")
