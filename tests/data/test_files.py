"""Files from outside: which count, and tables that are read strictly."""

import os
from pathlib import Path

import pytest

from aplt.data.files import files_below, read_table
from aplt.errors import InputError

TOO_LONG = "x" * 300


def below(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_below(folder)]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    touch(tmp_path, "b.txt", "a/2", "a/10", "a-b", "a/c/1", ".hidden/1", "a/.hidden")
    assert below(tmp_path) == [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)]
    assert below(tmp_path) == ["a/10", "a/2", "a/c/1", "a-b", "b.txt"]


def test_the_folders_of_runs_are_left_out_but_not_the_folder_itself(tmp_path: Path) -> None:
    run = ("config.yaml", "split.csv", "rounds/000.npz")
    touch(tmp_path, "nod/a.npy", *(f"runs/deep/first/{name}" for name in run), *run, "half/config.yaml", "half/b.npy")
    found = below(tmp_path)
    assert "rounds/000.npz" in found
    assert "half/b.npy" in found
    assert not any(name.startswith("runs/") for name in found)


def test_a_run_is_no_folder_of_clips(tmp_path: Path) -> None:
    touch(tmp_path, "config.yaml", "split.csv", "origin.json", "rounds/001.npz")
    with pytest.raises(InputError, match="the folder of a run, expected one of clips"):
        below(tmp_path)


def test_pipes_are_no_files_and_links_lead_on(tmp_path: Path) -> None:
    touch(tmp_path / "real", "a.mp4")
    folder = tmp_path / "clips"
    folder.mkdir()
    os.mkfifo(folder / "pipe.mp4")
    (folder / "gone.mp4").symlink_to(tmp_path / "gone.mp4")
    (folder / "nod").symlink_to(tmp_path / "real")
    (folder / "again").symlink_to(folder)
    assert below(folder) == ["nod/a.mp4"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "turning.mp4").symlink_to(tmp_path / "turning.mp4")
    with pytest.raises(InputError, match=r"turning\.mp4: cannot be read \(Too many levels of symbolic links\)"):
        below(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        below(tmp_path / TOO_LONG)


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
    ("content", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "row 2: found 3 fields, expected at most 2 as in the header"),
        # All rows: pandas would take the first field for the row's name.
        ("a,b\n1,2,3\n4,5,6\n", "row 1: found 3 fields, expected at most 2"),
        ("a,b\n1,2,\n", "row 1: found 3 fields"),
        ("a,b,a\n1,2,3\n", "column 'a' stands twice"),
        ('a,b\n1,"2\n3,4\n', "not a CSV table (after line 1: unexpected end of data)"),
        # As Excel's plain "CSV" has it, and its "Unicode Text".
        (
            "a,b\n1,2\n1,Schütteln\n".encode("cp1252"),
            "line 3: not in UTF-8; save it as what spreadsheets call 'CSV UTF-8'",
        ),
        ("a,b\n".encode("utf-16"), "line 1: not in UTF-8; save it as what spreadsheets call 'CSV UTF-8'"),
        ("path; label\na.mp4;nod, twice\n", "found columns 'path', 'label' separated by ';', expected commas"),
        ("path\tlabel\n", "found columns 'path', 'label' separated by tabs, expected commas"),
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
    with pytest.raises(InputError, match="row 2: 'z' stands in a column without a name"):
        read_table(path)
