"""Writing so that a kill or an error leaves the old file or the new one."""

import errno
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aplt.errors import InputError
from aplt.storage import (
    aside_of,
    atomic,
    read_arrays,
    read_json,
    read_table,
    read_text,
    write_arrays,
    write_csv,
    write_text,
)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file.txt"
    write_text(path, "old")
    with pytest.raises(ValueError, match="closed"), atomic(path) as stream:
        stream.close()
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_nobody_sees_a_file_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with atomic(path) as stream:
        stream.write(b"whole")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"whole"


def test_files_can_be_read_by_others_as_usual(tmp_path: Path) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.touch()
    write_text(ours, "")
    assert ours.stat().st_mode == plain.stat().st_mode


def test_a_disk_that_fails_while_a_file_is_read_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    for read in (read_text, read_json, read_arrays):
        with pytest.raises(OSError, match=r"Input/output error: '.*file'"):
            read(tmp_path / "file")


def test_a_table_takes_the_place_of_what_a_kill_left_of_it(tmp_path: Path) -> None:
    table, other = tmp_path / "a[1].csv", tmp_path / "b.csv"
    for path in (table, other):
        aside_of(path).write_text("half")
    own = tmp_path / ".a[1].csv.mine.aside"
    own.write_text("not ours")
    write_csv(table, pd.DataFrame({"a": [1]}))
    assert table.read_text() == "a\n1\n"
    left = sorted(path.name.partition(".csv")[0] for path in tmp_path.glob(".*"))
    assert left == [".a[1]", ".b"]
    assert own.exists()


def test_a_column_of_numbers_has_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "id,score\na,0.95\nb,1e-3\n")
    assert read_table(tmp_path / "a.csv", ("id",), numbers=("score",))["score"].tolist() == [0.95, 0.001]
    for value in ('"0,95"', "", "high"):
        write_text(tmp_path / "a.csv", f"id,score\na,1\nb,{value}\n")
        with pytest.raises(InputError, match=r"a\.csv row 2: score is '.*', expected a number"):
            read_table(tmp_path / "a.csv", numbers=("score",))
    with pytest.raises(InputError, match="column 'weight' is missing"):
        read_table(tmp_path / "a.csv", numbers=("weight",))


def test_arrays_survive_and_objects_are_refused(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", {"x": np.arange(3), "round": np.array(7)})
    found = read_arrays(tmp_path / "a.npz")
    assert found["x"].tolist() == [0, 1, 2]
    assert int(found["round"]) == 7
    np.savez(tmp_path / "b.npz", x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_arrays(tmp_path / "b.npz")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_arrays_are_an_input_error_or_what_was_written(data: st.DataObject) -> None:
    arrays: dict[str, np.ndarray] = {
        "label": np.arange(40),
        "distance": np.linspace(0, 1, 9, dtype=np.float32),
        "round": np.array(3),
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "001.npz"
        write_arrays(path, arrays)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])
        try:
            found = read_arrays(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017 - either outcome is fine
        else:
            assert all(np.array_equal(found[name], arrays[name]) for name in found)


def test_a_write_that_fails_names_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotADirectoryError) as caught:
        write_text(tmp_path / "file" / "a.txt", "")
    assert caught.value.filename == str(tmp_path / "file")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left") as stopped:
        write_text(tmp_path / "b.txt", "")
    assert stopped.value.filename == str(tmp_path / "b.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
