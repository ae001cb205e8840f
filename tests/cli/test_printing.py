"""Terminals that cannot show a name show another character, after the work and in errors; scripts lose nothing."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.test_cli import aplt

pytestmark = pytest.mark.usefixtures("one_process")

# The last one is no text at all: a byte of another encoding, as file names may hold.
NAME = "\u5fae\u52a8\u4f5c \U0001f3ac \udcff"
ENCODINGS = ("utf-8", "cp1252")


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    output: bytes
    error: bytes


def run(encoding: str, *words: object) -> Done:
    """Runs the command line at a terminal of this encoding."""
    output, error = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        # As Python opens them.
        patch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding, errors="strict"))
        patch.setattr(sys, "stderr", io.TextIOWrapper(error, encoding, errors="backslashreplace"))
        status = aplt(*words)
        sys.stdout.flush()
        sys.stderr.flush()
        return Done(status, output.getvalue(), error.getvalue())


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
    assert done.status == 0
    shown = done.output.decode(encoding)
    assert ("\u5fae" in shown, "?" in shown) == (encoding == "utf-8", encoding != "utf-8")
    assert "\u5fae\u52a8\u4f5c" in (folder / f"{encoding}.csv").read_text(encoding="utf-8")
    for words in (("split", folder / f"{encoding}.csv", "-o", folder / "s.csv"), ("check", folder / "clips")):
        assert run(encoding, *words).status < 2


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_error_is_still_a_sentence(tmp_path: Path, encoding: str) -> None:
    done = run(encoding, "check", tmp_path / NAME)
    assert (done.status, done.output) == (2, b"")
    assert done.error.startswith(b"aplt: ")
    assert done.error.count(b"\n") == 1


def test_python_opens_a_terminal_like_that(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "aplt", "check", str(tmp_path / NAME)]
    done = subprocess.run(words, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "cp1252"})
    assert Done(done.returncode, done.stdout, done.stderr) == run("cp1252", "check", tmp_path / NAME)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_loses_no_letter(folder: Path, encoding: str) -> None:
    (folder / "one.csv").write_text("path,label\n\u5fae.npy,\u52a8\n\U0001f3ac.npy,b\n", encoding="utf-8")
    done = run(encoding, "check", folder / "one.csv", "--json")
    found = json.loads(done.output.decode(encoding))
    assert [finding["id"] for finding in found] == ["\u5fae.npy", "\U0001f3ac.npy", "b", "\u52a8"]
