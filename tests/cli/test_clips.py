"""aplt index, check and split as a user meets them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from aplt.data.formats import FORMATS
from aplt.data.index import read_index
from tests.test_cli import aplt

ONE = "path,label\nnod/0.npy,nod\n"


pytestmark = pytest.mark.usefixtures("one_process")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two clips of one class."""
    (tmp_path / "data" / "nod").mkdir(parents=True)
    for i in range(2):
        np.save(tmp_path / "data" / "nod" / f"{i}.npy", np.random.default_rng(i).normal(size=(5, 3, 2)))
    return tmp_path / "data"


def test_an_index_inside_its_own_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # once more: the same content may be written again
        assert aplt("index", folder, "-o", folder / "clips.csv") == 0
        assert "2 clips, 1 class, 0 clips without a label" in capsys.readouterr().out
    assert [clip.id for clip in read_index(folder / "clips.csv")] == ["nod/0.npy", "nod/1.npy"]
    assert len(read_index(folder)) == 2


def test_the_names_of_classes_are_shown_and_folders_inside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("P01/nod/a.npy", "P01/wave/b.npy", "P02/nod/c.npy", "d.npy"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "in" / place, np.zeros((4, 3, 3)))
    assert aplt("index", tmp_path / "in", "-o", tmp_path / "clips.csv") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1:] == ["  P01: 2", "  P02: 1"]
    assert "named by the upper folders (P01, P02), not by those inside (nod, wave)" in err
    assert aplt("index", tmp_path / "in" / "P01", "-o", tmp_path / "one.csv") == 0
    assert "upper folders" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((8, 6, 2), "1 person in 2 dimensions, 6 joints, 8 frames"),
        ((2, 8, 6, 3), "2 persons in 3 dimensions, 6 joints, 8 frames"),
        # Two persons in three dimensions as ST-GCN's files have them, or three persons in two.
        ((3, 8, 6, 2), "3 persons in 2 dimensions, 6 joints, 8 frames; if it is [C, T, V, P]"),
    ],
)
def test_how_an_array_is_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: tuple[int, ...], said: str
) -> None:
    (tmp_path / "0.npy").write_text("no array")
    np.save(tmp_path / "1.npy", np.random.default_rng(0).normal(size=shape))
    for words in (("index", tmp_path, "-o", tmp_path / "clips.csv"), ("check", tmp_path)):
        assert aplt(*words) < 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if "read as" in line]
        assert f"'1.npy' is read as {said}" in line
        assert ("transpose(3, 1, 2, 0)" in line) == ("[C, T, V, P]" in said)


def test_an_index_that_was_edited_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "clips.csv").write_text(ONE)
    assert aplt("index", folder, "-o", folder / "clips.csv") == 2
    assert (
        "clips.csv: has other content, perhaps labels that were written by hand, and is not overwritten"
        in capsys.readouterr().err
    )
    assert (folder / "clips.csv").read_text() == ONE


def test_an_index_that_could_not_be_read_is_not_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a/a01_s01_e01_v01.json", "b/a01_s01_e01_v01.json"):
        (folder / name).parent.mkdir()
        (folder / name).touch()
    output = folder / "clips.csv"
    assert aplt("index", folder, "--format", "nucla", "-o", output) == 2
    assert "appears twice" in capsys.readouterr().err
    assert not output.exists()
    (folder / "nod" / os.fsdecode(b"n\xe4he.npy")).touch()
    assert aplt("index", folder, "--format", "folder", "-o", output) == 2
    error = capsys.readouterr().err
    assert "the file name 'nod/n\\udce4he.npy' is not in UTF-8" in error
    assert not output.exists()


def test_places_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").touch()
    for output, message in (
        (folder, "is a folder; -o names the table to write, such as clips.csv"),
        (folder / "a.txt" / "clips.csv", "a.txt: Not a directory"),
        (folder / ("x" * 300), "cannot be read (File name too long)"),
    ):
        assert aplt("index", folder, "-o", output) == 2
        error = capsys.readouterr().err
        assert message in error
        assert "Traceback" not in error
    table = folder / "clips.csv"
    table.write_text("path,label\nnod/0.npy,nod\nnod/1.npy,wave\n")
    assert aplt("split", table, "--test", "0", "-o", folder) == 2
    assert "exists, and is nothing that this command may write over" in capsys.readouterr().err


def test_the_formats_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert aplt("index", "--help") == 0
    out = capsys.readouterr().out
    assert all(f"{name}:" in out for name in FORMATS)


def test_contradicting_options_are_both_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "clips.csv"
    table.write_text("path,label,split\nnod/0.npy,nod,train\nnod/1.npy,wave,train\nnod/2.npy,nod,test\n")
    assert aplt("split", table, "-o", folder / "split.csv") == 0
    assert "1 class is not tested, for want of clips with a label: 'wave'" in capsys.readouterr().err
    assert aplt("split", table, "--test", "30%", "-o", folder / "other.csv") == 2
    error = capsys.readouterr().err
    assert error.startswith("aplt: --test and the split column of the index contradict each other")
    assert "--ignore-official" in error
    assert not (folder / "other.csv").exists()


def test_skeletons_have_no_seconds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "clips.csv"
    rows = "".join(f"nod/0.npy,nod,{i},{i + 1}\nnod/1.npy,wave,{i},{i + 1}\n" for i in range(5))
    table.write_text("path,label,start,end\n" + rows)
    assert aplt("check", table) == 1
    assert "10 clips checked, 10 with a problem" in capsys.readouterr().out
    assert aplt("train", table, "--runs", folder / "runs") == 2
    error = capsys.readouterr().err
    assert "aplt: clip 'nod/" in error
    assert "'fps'" in error


def test_labels_of_less_than_two_classes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "clips.csv"
    for label, found in (("", "none has one"), ("nod", "'nod'")):
        table.write_text(f"path,label\nnod/0.npy,{label}\nnod/1.npy,\n")
        for words in (["train", table, "--runs", folder / "runs"], ["split", table, "-o", folder / "split.csv"]):
            assert aplt(*words) == 2
            (error,) = capsys.readouterr().err.splitlines()
            assert "at least two classes; of 2 clips" in error
            assert found in error
        # To check and to predict, no labels are needed.
        assert aplt("check", table) == 0
        out, err = capsys.readouterr()
        assert out.splitlines()[-1] == "2 clips checked, 0 with a problem"
        assert error in err.splitlines()
    assert not (folder / "split.csv").exists()


def test_what_is_wrong_with_many_clips_alike_is_said_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        np.save(folder / "nod" / f"{name}.npy", np.zeros((3, 40, 17)))
    aplt("check", folder)
    lines = capsys.readouterr().out.splitlines()
    (place,) = [number for number, line in enumerate(lines) if "expected an array" in line]
    assert lines[place].startswith("nod/a.npy: broken: ")
    assert lines[place + 1] == "  the same of 2 other clips, the last nod/c.npy"


def test_index_says_why_no_array_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "nod").mkdir(parents=True)
    np.save(tmp_path / "data" / "nod" / "a.npy", np.zeros((3, 40, 17)))
    assert aplt("index", tmp_path / "data", "-o", tmp_path / "clips.csv") == 0
    assert "no clip is usable; the first: clip 'nod/a.npy'" in capsys.readouterr().err


def test_a_clip_without_a_subject_among_others_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "clips.csv"
    table.write_text("path,label,subject\nnod/0.npy,nod,s1\nnod/1.npy,wave,\n")
    assert aplt("check", table) == 1
    assert "nod/1.npy: no subject: has no subject, as others have" in capsys.readouterr().out


def test_classes_with_too_few_labels_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder / "clips.csv"
    np.save(folder / "nod" / "2.npy", np.random.default_rng(2).normal(size=(5, 3, 2)))
    table.write_text("path,label\nnod/0.npy,nod\nnod/1.npy,nod\nnod/2.npy,wave\n")
    assert aplt("check", table) == 1
    assert capsys.readouterr().out.splitlines() == [
        "  nod: 2",
        "  wave: 1",
        "class 'wave': few labels: has 1 labeled clip, needs 2",
        "3 clips checked, 0 with a problem; 1 of 2 classes with too few labels",
    ]
    assert aplt("check", table, "--json") == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["id"], finding["path"], finding["problem"]) == ("wave", None, "few labels")
    table.write_text("path,label,split\nnod/0.npy,nod,train\nnod/1.npy,wave,test\nnod/2.npy,wave,test\n")
    assert aplt("check", table) == 1
    assert "class 'wave': few labels: has 0 labeled training clips, needs 1" in capsys.readouterr().out
    table.write_text("path,label,split\nnod/0.npy,nod,train\nnod/1.npy,wave,train\nnod/2.npy,wave,test\n")
    assert aplt("check", table) == 0


def test_a_split_destroys_nothing_but_an_earlier_split(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, output, link = folder / "clips.csv", folder / "split.csv", folder / "link.csv"
    table.write_text("path,label\nnod/0.npy,nod\nnod/1.npy,wave\n")
    link.symlink_to(table)
    words = ["split", table, "--test", "0"]
    for taken in (table, link, folder / "nod" / ".." / "clips.csv", folder / "nod" / "0.npy"):
        before = taken.read_bytes()
        assert aplt(*words, "-o", taken) == 2
        assert capsys.readouterr().err.startswith(f"aplt: {taken}: is one of the files to read")
        assert taken.read_bytes() == before
    for content in ("my notes", "", "id,role\nnod/0.npy,labeled\n"):
        output.write_text(content)
        assert aplt(*words, "-o", output) == 2
        assert "split.csv: exists, and is nothing that this command may write over" in capsys.readouterr().err
        assert output.read_text() == content
    output.unlink()
    for _ in range(2):
        assert aplt(*words, "-o", output) == 0
    for taken in (table, folder / "nod" / "0.npy"):
        before = taken.read_bytes()
        assert aplt("index", folder, "-o", taken) == 2
        assert taken.read_bytes() == before


def test_what_is_left_out_is_said_by_ending_and_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.jpg", "nod/b.JPG", "nod/notes.txt", "README", "clips.csv", ".hidden.txt"):
        (folder / name).write_text("x")
    assert aplt("index", folder, "-o", folder.parent / "clips.csv") == 0
    said = capsys.readouterr().err
    assert f"left out of {folder}: 2 .jpg, 1 .txt, 1 without an ending\n" in said
    (folder / "clips.csv").unlink()
    aplt("check", folder)
    assert "2 .jpg, 1 .txt, 1 without an ending\n" in capsys.readouterr().err
    # Of another format, too.
    (folder / "a01_s01_e01_v01.json").write_text("{}")
    assert aplt("index", folder, "--format", "nucla", "-o", folder.parent / "nucla.csv") == 0
    assert "2 .npy" in capsys.readouterr().err
    aplt("check", folder.parent / "clips.csv")
    assert "left out" not in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".asf", ".vob", ".h264", ".mjpeg", ".mxf", ".M2V", ".3g2", ".ogm"])
def test_a_folder_takes_what_can_be_read(folder: Path, suffix: str) -> None:
    (folder / "nod" / f"film{suffix}").write_text("x")
    assert f"nod/film{suffix}" in {clip.id for clip in read_index(folder)}
