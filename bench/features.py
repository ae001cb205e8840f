"""Seconds and memory of training on frozen features.

    python bench/features.py [--rows 11250] [--size 768] [--classes 52] [--folder DIR] [-- --method fixmatch ...]

Makes a bank of random features whose classes lie apart, unless the folder has one, and runs `aplt train` on it in a
process of its own, with the options after `--`: seconds by the clock and of all cores, and the most memory that the
process had (mapped files count as far as they were read).
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import aplt

CHUNK = 50_000


def write_bank(folder: Path, rows: int, size: int, classes: int) -> None:
    """Writes features.npy [rows, size], float32, and clips.csv."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    centers = 0.35 * rng.standard_normal((classes, size), dtype=np.float32)
    label = rng.integers(0, classes, rows)
    features = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float32, (rows, size))
    for start in range(0, rows, CHUNK):
        some = label[start : start + CHUNK]
        features[start : start + CHUNK] = centers[some] + rng.standard_normal((len(some), size), dtype=np.float32)
    features.flush()
    table = {"path": [f"{row:07d}.mp4" for row in range(rows)], "label": [f"class {k:02d}" for k in label]}
    pd.DataFrame(table).to_csv(folder / "clips.csv", index=False)


def main() -> None:
    """Prints the figures of one training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=11_250)
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--classes", type=int, default=52)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("train", nargs="*", help="options of aplt train")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        bank = options.folder or Path(made) / "bank"
        if not (bank / "features.npy").is_file():
            write_bank(bank, options.rows, options.size, options.classes)
        runs = Path(made) / "runs"
        began = time.perf_counter()
        command = [sys.executable, "-m", "aplt", "train", bank, *options.train, "--runs", runs, "--name", "run"]
        subprocess.run(command, check=True)
        seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        result = aplt.Run(runs / "run").result
    print(
        f"{seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of all cores, {used.ru_maxrss / 2**20:.1f} GiB at most"
    )
    print(f"{result.steps} steps; seconds by phase: {result.seconds}")


if __name__ == "__main__":
    main()
