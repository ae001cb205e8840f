"""Which files below a folder count."""

import os
from pathlib import Path

import pytest

from aplt.data.files import files_below
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
