"""A few damaged files of every kind, and a few kills; `make fuzz` has more."""

import subprocess
import sys
from pathlib import Path

import pytest
from bench.fuzz_kinds import KINDS
from bench.kills import WORK


def run(*words: object) -> str:
    """Returns what a program in bench/ prints."""
    command = [sys.executable, "-m", *map(str, words)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_falls(kind: str, tmp_path: Path) -> None:
    assert "falls {}" in run("bench.fuzz", kind, "--inputs", 100, "--seed", 7, "-o", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("work", WORK)
def test_killed_work_ends_like_any_other(work: str, tmp_path: Path) -> None:
    assert "wrong: []" in run("bench.kills", work, "--kills", 3, "-o", tmp_path)
