"""What needs no network starts at once: it imports neither torch nor what computes with it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aplt.rundir import RunDir
from aplt.storage import read_table, write_csv, write_text
from tests.comparison.fake_comparison import fake_comparison
from tests.report.fake_run import fake_run

HEAVY = {
    "torch",
    "torchvision",
    "accelerate",
    "sklearn",
    "scipy",
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
    "aplt report seen": HEAVY | {"aplt.models"},
    "aplt index --help": HEAVY,
    "aplt index clips -o clips.csv": HEAVY,
    "aplt split clips -o split.csv": HEAVY,
    "aplt check clips": HEAVY,
    "aplt report study": HEAVY - {"scipy", "scipy.stats"},
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


def imported_by(folder: Path) -> dict[str, list[str]]:
    """Returns what has been imported after each of the steps."""
    for name in ("nod/0", "nod/1", "nod/2", "wave/0", "wave/1", "wave/2"):
        path = folder / "clips" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.random.default_rng(0).random((4, 5, 3)))
    fake_run(folder / "run")
    seen = RunDir(fake_run(folder / "seen"))
    write_text(seen.config, seen.config.read_text().replace("clips.csv", "seen.csv"))
    ids = read_table(seen.split)["id"]
    write_csv(folder / "seen.csv", pd.DataFrame({"path": "clips/nod/0.npy", "label": "nod", "id": ids}))
    fake_comparison(folder / "study")
    _, *commands = NOT_NEEDED
    words = [sys.executable, "-c", PROGRAM, *commands]
    done = subprocess.run(words, cwd=folder, env=os.environ | {"NO_COLOR": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "study" / "report.html").exists()
    found: dict[str, list[str]] = json.loads((folder / "imported.json").read_text())
    return found


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    imported = imported_by(tmp_path)
    found = {step: [name for name in imported[step] if name in heavy] for step, heavy in NOT_NEEDED.items()}
    assert found == {step: [] for step in NOT_NEEDED}
    # What is imported is noticed.
    assert {*imported["aplt report run"]} >= {"aplt.report.page", "pandas"}
    assert "aplt.data.stills" in imported["aplt report seen"]
    assert "aplt.data" in imported["aplt check clips"]


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_threads_do_not_wait_busily_for_long_unless_told_to(given: dict[str, str], found: str) -> None:
    usual = {key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    words = [sys.executable, "-c", "import os, aplt; print(os.environ.get('GOMP_SPINCOUNT'))"]
    done = subprocess.run(words, env=usual | given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found
