"""Names that hardly mean what they say are named: by check, and before anything is learned from them."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from aplt.clips import Clip, ClipIndex, Split
from aplt.data.check import check_names
from aplt.data.names import doubtful_names
from aplt.data.split_remarks import remark_on_split
from tests.test_cli import aplt


def named(*classes: str, subjects: tuple[str, ...] = ()) -> ClipIndex:
    """Returns an index with a clip of each class and of each subject."""
    clips = [Clip(f"c{k}", Path(f"{k}.mp4"), k) for k in range(len(classes))]
    clips += [Clip(f"s{k}", Path(f"s{k}.mp4"), subject=name) for k, name in enumerate(subjects)]
    return ClipIndex(tuple(clips), classes)


NONE = "-1 -1.0 \u22121 nan NaN None null NULL NA n/a N.A. #N/A <NA> nil ? - -- \u200b unlabeled Unlabelled UNLABELED"
MORE = ("un-labeled", "not labeled", "no label", "No_Label", "unknown", "(unknown)", "unannotated", "\uff2e\uff21")


@pytest.mark.parametrize("name", [*NONE.split(" "), *MORE])
def test_what_looks_like_no_label_is_named(name: str) -> None:
    (finding,) = check_names(named("wave", name))
    assert (finding.id, finding.problem, "no label" in finding.detail) == (name, "class name", True)
    assert "looks like: no label" in str(remark_on_split(named("wave", name), Split((0, 1))))


@pytest.mark.parametrize("name", ["0", "1", "7.5", "none of it", "A-1", "background", "no", "nod", "\u5fae", "nano"])
def test_other_names_are_no_matter(name: str) -> None:
    assert doubtful_names(named("wave", name)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")),
        ("Wave", "wave"),
        ("STRASSE", "stra\u00dfe"),
        ("nod  twice", "nod twice"),
        ("nod\u00a0twice", "nod twice"),
        ("wave\u200b", "wave"),
        ("\uff57ave", "wave"),
    ],
)
def test_names_that_look_the_same_are_named(one: str, other: str) -> None:
    assert [(found.id, found.problem) for found in check_names(named(one, "nod", other))] == [(other, "class name")]
    subjects = check_names(named("nod", "wave", subjects=(one, "s", other, one)))
    assert [(found.id, found.problem) for found in subjects] == [(other, "subject name")]
    assert subjects[0].detail.isascii()  # or the difference could not be seen


@pytest.mark.parametrize("name", ["=cmd('C calc')!A1", "@SUM(1)", "+cmd|calc", "-2+3+cmd|calc"])
def test_formulas_are_named(name: str) -> None:
    (one,) = check_names(named("wave", name))
    (other,) = check_names(named("wave", subjects=(name,)))
    assert (one.id, one.problem, other.problem) == (name, "class name", "subject name")
    assert all("formula" in finding.detail for finding in (one, other))


@pytest.mark.parametrize("name", ["=", "+1", "-arm", "a=f(x)", "@home"])
def test_what_computes_nothing_is_no_matter(name: str) -> None:
    assert not any("formula" in doubt.why for doubt in doubtful_names(named("wave", name)))


def test_the_command_line_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("Nod/a.npy", "Nod/b.npy", "nod/c.npy", "nod/d.npy", "None/e.npy", "None/f.npy"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "in" / place, np.random.default_rng(ord(place[-5])).normal(size=(5, 3, 3)))
    assert aplt("index", tmp_path / "in", "-o", tmp_path / "clips.csv") == 0
    said = capsys.readouterr().err
    assert "class 'None' looks like: no label" in said
    assert "class 'nod' differs from class 'Nod' in case" in said
    assert aplt("check", tmp_path / "clips.csv") == 1
    assert "6 clips checked, 0 with a problem; 2 names to look at" in capsys.readouterr().out
    assert aplt("split", tmp_path / "clips.csv", "-o", tmp_path / "split.csv", "--test", "50%") == 0
    assert "class 'None' looks like: no label" in capsys.readouterr().err
