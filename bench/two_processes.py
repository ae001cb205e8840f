"""A training by one process and by several: seconds of each phase, and the share of time that each waits.

    python -m bench.two_processes clips.csv --steps 300 --processes 2

Each process has one thread. One waits while it does not compute: for gradients of the others, for the main process's
decisions, or for clips.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aplt


def work(clips: Path, steps: int, runs: Path) -> None:
    """Trains as the process that the launcher has made of this one, and tells what it took."""
    begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    settings = {"train": {"steps": steps, "workers": 0}, "split": {"labeled": 0.1}}
    run = aplt.train(str(clips), settings=settings, seed=0, name="run", runs=str(runs))
    wall, now = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF)
    busy = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    rank, seconds = os.environ.get("RANK", "0"), run.result.seconds
    phases = f"offline {seconds.offline:.1f} s, online {seconds.online:.1f} s, evaluation {seconds.evaluation:.1f} s, "
    print(f"  process {rank}: {phases if rank == '0' else ''}{wall:.1f} s in all, {1 - busy / wall:.0%} of it waiting")


def main() -> None:
    """Prints a line for each process of each training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        work(given.clips, given.steps, given.work)
        return
    here = os.environ | {"OMP_NUM_THREADS": "1"}
    for processes in (1, given.processes):
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
        with tempfile.TemporaryDirectory() as folder:
            print(f"{processes} process{'es' if processes > 1 else ''}", flush=True)
            line = [sys.executable, *(launcher if processes > 1 else []), __file__, given.clips.resolve()]
            subprocess.run([*line, "--steps", str(given.steps), "--work", folder], env=here, check=True)


if __name__ == "__main__":
    main()
