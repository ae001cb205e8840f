"""What needs no network starts at once: it imports neither torch nor what computes with it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.report.fake_run import fake_run

HEAVY = ("torch", "torchvision", "accelerate", "sklearn", "scipy.stats", "av")
PROGRAM = f"""
import sys
from aplt.cli.main import main
try:
    main()
finally:
    print("heavy:", *(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("nod/0", "nod/1", "nod/2", "wave/0", "wave/1", "wave/2"):
        path = tmp_path / "clips" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.random.default_rng(0).random((4, 5, 3)))
    fake_run(tmp_path / "run")
    return tmp_path


def heavy_after(folder: Path, *arguments: str) -> str:
    """Returns which of HEAVY a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("index", "--help"),
        ("index", "clips", "-o", "clips.csv"),
        ("split", "clips", "-o", "split.csv"),
        ("check", "clips"),
        ("report", "run"),
    ],
)
def test_nothing_heavy_is_imported(folder: Path, arguments: tuple[str, ...]) -> None:
    assert heavy_after(folder, *arguments) == "heavy:"
