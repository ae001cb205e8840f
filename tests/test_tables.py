"""CSV tables are read strictly: as they are written, or refused with the row that is at fault."""

import os
from pathlib import Path

import pytest

from aplt.errors import InputError
from aplt.storage import read_table

TOO_LONG = "x" * 300


def table_of(tmp_path: Path, content: str | bytes) -> list[list[str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_table(path)
    return [list(table.columns), *table.to_numpy().tolist()]


def test_tables_are_read_as_they_stand(tmp_path: Path) -> None:
    assert table_of(tmp_path, '\ufeffa, b\n1,"x, y"\n\n NA,\n') == [["a", "b"], ["1", "x, y"], [" NA", ""]]
    assert table_of(tmp_path, "a,b\r\n1,2\r\n") == [["a", "b"], ["1", "2"]]
    assert table_of(tmp_path, "a,b\n1\n") == [["a", "b"], ["1", ""]]


@pytest.mark.parametrize(
    "content",
    [
        "path; label\na.mp4;nod, twice\n",
        "path\tlabel\na.mp4\tnod, twice\n",
        "path\tlabel\r\na.mp4\tnod, twice\r\n".encode("utf-16"),  # what Excel calls Unicode Text
        '\ufeffpath,label\na.mp4,"nod, twice"\n'.encode("utf-16-be"),
        "sep=;\r\npath;label\r\na.mp4;nod, twice\r\n",
    ],
)
def test_tables_as_spreadsheets_write_them(tmp_path: Path, content: str | bytes) -> None:
    assert table_of(tmp_path, content) == [["path", "label"], ["a.mp4", "nod, twice"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "row 2: found 3 fields, expected at most 2 as in the header"),
        # All rows: pandas would take the first field for the row's name.
        ("a,b\n1,2,3\n4,5,6\n", "row 1: found 3 fields, expected at most 2"),
        ("a,b\n1,2,\n", "row 1: found 3 fields"),
        ("a,b,a\n1,2,3\n", "column 'a' appears twice"),
        ('a,b\n1,"2\n3,4\n', "not a CSV table (after line 1: unexpected end of data)"),
        # As Excel's plain "CSV" has it.
        (
            "a,b\n1,2\n1,Schütteln\n".encode("cp1252"),
            "line 3: not in UTF-8; save it as what spreadsheets call 'CSV UTF-8'",
        ),
        ("\n\n", "not a CSV table (the file is empty)"),
    ],
)
def test_tables_that_would_be_misread_are_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        table_of(tmp_path, content)
    assert message in str(caught.value)
    assert "t.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_table_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, message in (
        ("pipe.csv", "not a regular file"),
        ("", "not a regular file"),
        ("none.csv", "no such file"),
        ("pipe.csv/none.csv", "no such file"),
        (TOO_LONG, "cannot be read"),
        ("nul\0", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            read_table(tmp_path / name)


def test_columns_without_a_name_are_dropped_where_they_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_text("path,label,,\na.mp4,x,,\nb.mp4,y\n")
    table = read_table(path)
    assert list(table.columns) == ["path", "label"]
    assert table["label"].tolist() == ["x", "y"]
    path.write_text("path,label,\na.mp4,x,\nb.mp4,y,z\n")
    with pytest.raises(InputError, match="row 2: 'z' is in a column without a name"):
        read_table(path)


def test_a_needed_column_is_missed_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,role\n1,test\n")
    assert read_table(path, ("role", "id"))["role"].tolist() == ["test"]
    with pytest.raises(InputError, match=r"t\.csv: column 'label' is missing; found columns: id, role"):
        read_table(path, ("id", "label"))
