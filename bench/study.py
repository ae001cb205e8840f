"""Several methods, label shares and seeds on one index: mean and deviation of the last EMA model, by round.

    python bench/study.py clips.csv --methods supervised,aplt --labeled 5%,10% --seeds 3 -o runs/study

Options of `aplt train` that all cells share go through --set. Finished cells are not trained again.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aplt.config import merge, parse_assignments
from aplt.parallel import in_processes
from aplt.rundir import RunDir
from aplt.training.configure import configure
from aplt.training.loop import train_or_reuse

Cell = tuple[str, str, int]  # method, labeled, seed


def run_cell(cell: Cell, clips: str, shared: dict[str, Any], output: Path) -> None:
    """Trains one cell unless it is there."""
    method, labeled, seed = cell
    own = {"clips": clips, "method": method, "split": {"labeled": labeled, "seed": seed}, "train": {"seed": seed}}
    train_or_reuse(configure(merge(shared, own), "study"), folder(output, cell))


def folder(output: Path, cell: Cell) -> RunDir:
    """Returns a cell's run folder."""
    method, labeled, seed = cell
    return RunDir(output / f"{method}-{labeled.strip('%')}-{seed}")


def spread(values: list[float]) -> str:
    """Returns mean and deviation in percent."""
    return f"{100 * np.mean(values):5.1f} ± {100 * np.std(values, ddof=1) if len(values) > 1 else 0:4.1f}"


def row(output: Path, method: str, labeled: str, seeds: int) -> str:
    """Returns one line of the table."""
    runs = [folder(output, (method, labeled, seed)) for seed in range(seeds)]
    results = [run.read_result() for run in runs]
    lines = [run.read_metrics() for run in runs]
    # Offline pseudo-labels where the method has them, else those that the online steps made.
    kind = "pseudo" if any(line["pseudo"] for line in lines[0]) else "online"
    believed = [[line[kind] for line in of_run if line[kind]] for of_run in lines]
    rounds = [quality(at) for at in zip(*believed, strict=True)]
    step = 1000 * np.mean([result["seconds"]["online"] / result["steps"] for result in results])
    seconds = np.mean([result["seconds"]["total"] for result in results])
    top1, f1 = (spread([result[name] for result in results]) for name in ("top1", "macro_f1"))
    return f"{labeled:>5}  {method:17} {top1}   {f1}   {step:5.0f} {seconds:7.0f}   {' '.join(rounds) or '-'}"


def quality(labels: Sequence[dict[str, float | None]]) -> str:
    """Returns the mean precision and coverage of one round's labels over the seeds, in percent."""
    precision = [100 * known for of_run in labels if (known := of_run["precision"]) is not None]
    coverage = [100 * (of_run["coverage"] or 0.0) for of_run in labels]
    return f"{np.mean(precision):.0f}/{np.mean(coverage):.0f}" if precision else f"-/{np.mean(coverage):.0f}"


def main() -> None:
    """Trains what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips")
    parser.add_argument("--methods", default="supervised,fixmatch_teacher,aplt_paper,aplt")
    parser.add_argument("--labeled", default="10%")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="cells trained at once, one thread each")
    parser.add_argument("--set", action="append", default=[], metavar="key=value")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/study"))
    options = parser.parse_args()
    methods, shares = options.methods.split(","), options.labeled.split(",")
    cells = [(m, share, seed) for seed in range(options.seeds) for share in shares for m in methods]
    work = partial(run_cell, clips=options.clips, shared=parse_assignments(options.set), output=options.output)
    for _ in in_processes(work, cells, options.jobs):
        pass
    print(
        "share  method            top-1 in %     macro F1 in %  ms/step seconds   labels by round: precision/coverage"
    )
    for share in shares:
        for method in methods:
            print(row(options.output, method, share, options.seeds))


if __name__ == "__main__":
    main()
