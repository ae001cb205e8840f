"""Trains a plan of 24 cells with three Ray workers, kills two of them, and compares with what one process leaves.

    python -m bench.ray_workers
    python -m bench.ray_workers --kills 6

A worker is killed (SIGKILL) while it trains a cell that has a checkpoint. The cell must be continued from there by
another worker, and all files must be, byte for byte but for times, those of one process that nobody disturbed.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import argparse
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import ray
from tests.runs.clips import TINY, write_clips

import aplt
from aplt.comparison.page import main_tables
from aplt.comparison.results import Comparison
from aplt.rundir import RunDir

from .kills import left_in

WORKERS = 3
LONG = {"rounds": 2, "steps_per_round": 12, "checkpoint_minutes": 1e-9}  # a checkpoint after every step


@dataclass(frozen=True)
class Kill:
    """A worker that was killed, and the run that it was training."""

    worker: int
    run: RunDir
    when: int

    @property
    def continued(self) -> bool:
        """Whether the run went on: one that begins anew writes origin.json anew."""
        return self.run.result.exists() and self.run.origin.stat().st_mtime_ns < self.when


def compare(clips: Path, output: Path, launcher: str) -> Comparison:
    """Trains 24 cells and returns the comparison."""
    settings = {key: value for key, value in TINY.items() if key != "split"}
    return aplt.compare(
        clips,
        methods=["supervised", "fixmatch", "aplt"],
        labeled=[0.2, 0.4],
        seeds=4,
        settings=settings | {"train": TINY["train"] | LONG},
        upper_bound=False,
        output=output,
        launcher=launcher,
        launcher_settings={"num_cpus": 1} if launcher == "ray" else None,
    )


def at_work() -> dict[int, RunDir]:
    """Returns the run that each Ray worker trains: it holds the lock there."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            locks = [Path(file.path) for file in process.open_files() if file.path.endswith("/.lock")]
        except psutil.Error:  # it has ended
            continue
        if locks and locks[0].parent.name.startswith("seed"):
            found[process.pid] = RunDir(locks[0].parent)
    return found


def kill_workers(count: int, kills: list[Kill]) -> None:
    """Kills workers once all are at work: each in the middle of another cell."""
    while len(kills) < count:
        time.sleep(0.05)
        runs = at_work()
        known = {kill.run.path for kill in kills}
        for worker, run in runs.items():
            if len(runs) == WORKERS and len(kills) < count and run.checkpoint.exists() and run.path not in known:
                os.kill(worker, signal.SIGKILL)
                kills.append(Kill(worker, run, time.time_ns()))


def main() -> int:
    """Returns 1 where something else is left, or a killed cell was begun anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        clips = write_clips(home / "clips")
        alone = compare(clips, home / "one" / "study", "local")
        ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
        kills: list[Kill] = []
        threading.Thread(target=kill_workers, args=(given.kills, kills), daemon=True).start()
        together = compare(clips, home / "three" / "study", "ray")
        ray.shutdown()
        for kill in kills:
            told = "continued from its checkpoint" if kill.continued else "NOT continued"
            print(f"killed worker {kill.worker} at {kill.run.path.relative_to(together.folder.runs)}: {told}")
        expected, found = left_in(alone.folder.path), left_in(together.folder.path)
        differ = sorted(key for key in {**expected, **found} if expected.get(key) != found.get(key))
        print(f"{len(together.rows)} cells, {len(found)} files; other content in: {', '.join(differ) or 'none'}")
        one, three = (main_tables(comparison) for comparison in (alone, together))
        print(f"the tables are {'the same' if one == three else 'NOT the same'}:\n{three}")
        whole = len(kills) == given.kills and all(kill.continued for kill in kills)
        return int(bool(differ) or one != three or not whole or len(together.rows) != together.planned)


if __name__ == "__main__":
    sys.exit(main())
