"""What needs no network starts at once: it imports neither torch nor what computes with it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.comparison.fake_comparison import fake_comparison
from tests.report.fake_run import fake_run

HEAVY = {
    "torch",
    "torchvision",
    "accelerate",
    "sklearn",
    "scipy.stats",
    "av",
    "matplotlib",
    "aplt.tensors",
    "aplt.runs",
}
ARRAYS = {"numpy", "pandas"}
# What is done one after the other in one process, and what is not imported by then.
NOT_NEEDED = {
    "import aplt": HEAVY | ARRAYS,
    "aplt --help": HEAVY | ARRAYS,
    "aplt report run": HEAVY | {"aplt.data", "aplt.models"},
    "aplt index --help": HEAVY,
    "aplt index clips -o clips.csv": HEAVY,
    "aplt split clips -o split.csv": HEAVY,
    "aplt check clips": HEAVY,
    "aplt report study": HEAVY - {"scipy.stats"},
}
PROGRAM = """
import json, sys
import aplt
imported = {"import aplt": [*sys.modules]}
from aplt.cli.main import main
for command in sys.argv[1:]:
    sys.argv = command.split()
    try:
        main()
    except SystemExit as end:
        assert end.code != 2, command
    imported[command] = [*sys.modules]
with open("imported.json", "w") as stream:
    json.dump(imported, stream)
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("light")
    for name in ("nod/0", "nod/1", "nod/2", "wave/0", "wave/1", "wave/2"):
        path = folder / "clips" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.random.default_rng(0).random((4, 5, 3)))
    fake_run(folder / "run")
    fake_comparison(folder / "study")
    _, *commands = NOT_NEEDED
    words = [sys.executable, "-c", PROGRAM, *commands]
    done = subprocess.run(words, cwd=folder, env=os.environ | {"NO_COLOR": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "study" / "report.html").exists()
    found: dict[str, list[str]] = json.loads((folder / "imported.json").read_text())
    return found


@pytest.mark.parametrize("step", NOT_NEEDED)
def test_nothing_heavy_is_imported(step: str, imported: dict[str, list[str]]) -> None:
    assert [name for name in imported[step] if name in NOT_NEEDED[step]] == []


def test_what_is_imported_is_noticed(imported: dict[str, list[str]]) -> None:
    assert {*imported["aplt report run"]} >= {"aplt.report.page", "pandas"}
    assert "aplt.data" in imported["aplt check clips"]
