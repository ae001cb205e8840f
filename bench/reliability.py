"""How true stated reliabilities are, and whether promises are kept: against the hidden labels of unlabeled clips.

    python -m bench.reliability nucla/clips.csv kard/clips.csv --labeled 5% 10% 20% --seeds 3 -o build/reliability

Trains a run for each cell and, without clips to test on, four more over its labeled clips; with `--folds 0` a fifth of
the clips is held out to measure by instead. Writes a row per cell: labels, precision of all labels, the mean of what
was stated, the expected calibration error over ten bins, and for each precision asked how many labels were promised
and how many of them are right. It goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import aplt
from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.crossfit import crossfit
from aplt.runs.labels import labels_of

ASKED = (0.8, 0.9, 0.95)


def cell(clips: Path, labeled: str, seed: int, given: argparse.Namespace) -> dict[str, object]:
    """Returns the row of one cell."""
    name = f"{clips.parent.name}-{labeled}-{seed}"
    run = RunDir(given.output / name)
    if run.config.exists() and not run.result.exists():
        aplt.resume(run.path)
    elif not run.result.exists():
        split = {"by_subject": given.by_subject, "test": 0.0 if given.folds else 0.2}
        settings = {"train": {"budget": given.budget}, "split": split}
        aplt.train(
            clips, labeled=labeled, seed=seed, name=name, runs=given.output, method=given.method, settings=settings
        )
    try:
        if given.folds:
            crossfit(run, given.folds, given.jobs)
    except InputError as error:  # one label per class
        return {"clips": clips.parent.name, "labeled": labeled, "seed": seed, "refused": str(error)}
    truth = {one.id: one.label for one in read_index(clips)}
    names = read_index(clips).class_names
    table = labels_of(run).table
    right = np.array([names[truth[id_]] == label for id_, label in zip(table["id"], table["label"], strict=True)])
    stated = table["reliability"].to_numpy(dtype=float)
    row: dict[str, object] = {
        "clips": clips.parent.name,
        "labeled": labeled,
        "seed": seed,
        "held_out": len(pd.read_csv(run.held_out)),
        "labels": len(table),
        "precision": right.mean().round(4),
        "stated": stated.mean().round(4),
        "calibration_error": calibration_error(stated, right),
    }
    for asked in ASKED:
        try:
            kept = labels_of(run, asked, 0.9).table["id"]
        except InputError:
            row |= {f"promised_{asked}": 0, f"right_{asked}": None}
        else:
            of = table["id"].isin(kept).to_numpy()
            row |= {f"promised_{asked}": int(of.sum()), f"right_{asked}": right[of].mean().round(4)}
    return row


def calibration_error(stated: np.ndarray, right: np.ndarray) -> float:
    """Returns the mean distance of what is stated from what is right over ten bins, by their clips; NaN: not stated."""
    if np.isnan(stated).any():
        return float("nan")
    place = np.clip((stated * 10).astype(int), 0, 9)
    gaps = [abs(stated[place == k].mean() - right[place == k].mean()) * (place == k).mean() for k in np.unique(place)]
    return round(float(sum(gaps)), 4)


def main() -> int:
    """Works through the cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--labeled", nargs="+", default=["5%", "10%", "20%"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--method", default="aplt")
    parser.add_argument("--by-subject", action="store_true")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/reliability"))
    given = parser.parse_args()
    rows = []
    for clips in given.clips:
        for labeled in given.labeled:
            for seed in range(given.seeds):
                rows.append(cell(clips, labeled, seed, given))
                pd.DataFrame(rows).to_csv(given.output / "reliability.csv", index=False)
                print(rows[-1], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
