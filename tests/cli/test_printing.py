"""Terminals that cannot show a name show another character, after the work and in errors; scripts lose nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# The last one is no text at all: a byte of another encoding, as file names may hold.
NAME = "\u5fae\u52a8\u4f5c \U0001f3ac \udcff"
ENCODINGS = ("utf-8", "cp1252")


def run(encoding: str, *words: object) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "aplt", *map(str, words)]
    return subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("\u5fae")
    for name in ("\u5fae\u52a8\u4f5c", "\U0001f3ac"):
        (root / "clips" / name).mkdir(parents=True)
        for k in range(3):
            np.save(root / "clips" / name / f"{k}.npy", np.random.default_rng(k + len(name)).normal(size=(5, 3, 3)))
    return root


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_work_is_done_and_said(folder: Path, encoding: str) -> None:
    done = run(encoding, "index", folder / "clips", "-o", folder / f"{encoding}.csv")
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    shown = done.stdout.decode(encoding)
    assert ("\u5fae" in shown, "?" in shown) == (encoding == "utf-8", encoding != "utf-8")
    assert "\u5fae\u52a8\u4f5c" in (folder / f"{encoding}.csv").read_text(encoding="utf-8")
    for words in (("split", folder / f"{encoding}.csv", "-o", folder / "s.csv"), ("check", folder / "clips")):
        done = run(encoding, *words)
        assert b"Traceback" not in done.stderr
        assert done.returncode < 2


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_error_is_still_a_sentence(tmp_path: Path, encoding: str) -> None:
    done = run(encoding, "check", tmp_path / NAME)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"aplt: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_loses_no_letter(folder: Path, encoding: str) -> None:
    (folder / "one.csv").write_text("path,label\n\u5fae.npy,\u52a8\n\U0001f3ac.npy,b\n", encoding="utf-8")
    done = run(encoding, "check", folder / "one.csv", "--json")
    found = json.loads(done.stdout.decode(encoding))
    assert [finding["id"] for finding in found] == ["\u5fae.npy", "\U0001f3ac.npy", "b", "\u52a8"]
