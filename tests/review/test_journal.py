"""Corrections are on the disk before anybody is told so, and nothing takes them away."""

import errno
import os
from pathlib import Path

import pandas as pd
import pytest

from aplt.errors import InputError
from aplt.review.journal import Journal, Said
from aplt.runs.reviews import read_corrections

NOD, WAVE, NONE = Said("label", "nod"), Said("label", '=wave, "it"'), Said("none", "")


def test_what_is_said_is_there_when_it_is_opened_again(journal: Journal) -> None:
    journal.say([("1", NOD, "wave"), ("2", WAVE, "nod")])
    journal.say([("1", NONE, "wave")])
    assert Journal(journal.path, "ann").now == {"1": NONE, "2": WAVE} == journal.now
    assert Journal(journal.path, "bob").now == {}
    assert read_corrections(journal.path)[0] == {"1": "", "2": WAVE.label}
    table = pd.read_csv(journal.path, keep_default_na=False)
    assert table["was"].tolist() == ["wave", "nod", "wave"]
    assert pd.to_datetime(table["when"]).notna().all()


def test_undo_takes_back_what_was_said_together_and_adds_rows(journal: Journal) -> None:
    journal.say([("1", NOD, "wave")])
    journal.say([("1", NONE, "wave"), ("2", NOD, "nod")])
    assert journal.undo() == ["1", "2"]
    assert journal.now == {"1": NOD}
    assert journal.undo() == ["1"]
    assert journal.undo() == []
    assert not journal.now
    assert not Journal(journal.path, "ann").now
    assert not read_corrections(journal.path)[0]
    assert len(pd.read_csv(journal.path)) == 6


def test_two_people_in_one_file(journal: Journal) -> None:
    other = Journal(journal.path, "bob")
    journal.say([("1", NOD, ""), ("2", NOD, "")])
    other.say([("1", NOD, ""), ("2", NONE, "")])
    assert read_corrections(journal.path) == ({"1": "nod"}, {"2": {"ann": "nod", "bob": ""}})


def test_a_row_that_a_kill_cut_short_is_dropped(journal: Journal) -> None:
    journal.say([("1", NOD, "")])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b"2,nod,an")
    assert Journal(journal.path, "ann").now == {"1": NOD}
    assert journal.path.read_bytes() == whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_has_saved_can_be_added_to(journal: Journal, separator: str, encoding: str) -> None:
    journal.say([("1", NOD, ""), ("2", NONE, "")])
    table = pd.read_csv(journal.path, keep_default_na=False).assign(note="seen twice")
    order = ["by", "note", "id", "label", "act", "was", "when"]
    table[order].to_csv(journal.path, sep=separator, encoding=encoding, index=False)
    again = Journal(journal.path, "ann")
    assert again.now == {"1": NOD, "2": NONE}
    again.say([("3", WAVE, "")])
    assert Journal(journal.path, "ann").now == {"1": NOD, "2": NONE, "3": WAVE}
    assert read_corrections(journal.path)[0] == {"1": "nod", "2": "", "3": WAVE.label}
    assert pd.read_csv(journal.path, keep_default_na=False)["note"].tolist() == ["seen twice", "seen twice", ""]


def test_a_whole_row_without_its_new_line_stays(journal: Journal) -> None:
    journal.say([("1", NOD, ""), ("2", WAVE, "")])
    journal.path.write_bytes(journal.path.read_bytes().removesuffix(b"\n"))
    again = Journal(journal.path, "ann")
    again.say([("3", NOD, "")])
    assert Journal(journal.path, "ann").now == {"1": NOD, "2": WAVE, "3": NOD}


@pytest.mark.parametrize("kept", [0, 7])
def test_a_header_that_was_cut_short_is_whole_again(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "corrections.csv"
    whole = Journal(path, "ann").path.read_bytes()
    path.write_bytes(whole[:kept])
    Journal(path, "ann").say([("1", NOD, "")])
    assert Journal(path, "ann").now == {"1": NOD}


def test_what_was_settled_stays_while_nobody_says_otherwise(journal: Journal) -> None:
    bob, carl = Journal(journal.path, "bob"), Journal(journal.path, "carl")
    journal.say([("1", NOD, "")])
    bob.say([("1", Said("label", "wave"), "")])
    journal.say([("1", Said("settled", "nod"), "")])
    settled: tuple[dict[str, str], dict[str, dict[str, str]]] = {"1": "nod"}, {}
    assert read_corrections(journal.path) == settled
    carl.say([("1", NOD, "")])
    assert read_corrections(journal.path) == settled
    carl.undo()
    assert read_corrections(journal.path) == settled
    carl.say([("1", Said("label", "wave"), "")])
    assert read_corrections(journal.path)[1] == {"1": {"ann": "nod", "bob": "wave", "carl": "wave"}}
    carl.undo()
    bob.undo()  # what he has said before
    assert read_corrections(journal.path) == settled
    bob.say([("1", Said("label", "nod"), "")])
    bob.undo()
    bob.say([("1", Said("label", "wave"), "")])
    journal.say([("1", Said("settled", "nod"), "")])
    assert not Journal(journal.path, "carl").now
    journal.undo()
    assert read_corrections(journal.path)[1] == {"1": {"ann": "nod", "bob": "wave"}}


def test_a_settlement_comes_back_when_what_followed_is_taken_back(journal: Journal) -> None:
    bob = Journal(journal.path, "bob")
    bob.say([("1", Said("label", "wave"), "")])
    for said in (Said("settled", "nod"), NOD, Said("label", "shake")):
        journal.say([("1", said, "")])
    journal.undo()
    assert read_corrections(journal.path) == ({"1": "nod"}, {})


def test_a_full_disk_is_told_and_leaves_no_half_row(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.say([("1", NOD, "")])
    whole = journal.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="No space left on device"):
            journal.say([("2", NOD, "")])
    assert journal.path.read_bytes() == whole
    assert journal.now == {"1": NOD}
    assert journal.undo() == ["1"]


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,label,by,when,was,act\n1,nod,ann,,,shout\n")
    with pytest.raises(InputError, match=r"c\.csv row 1: act is 'shout'"):
        Journal(tmp_path / "c.csv", "ann")
