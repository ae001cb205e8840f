"""Finished cells as rows of compare.csv."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.compare.cells import Cell
from aplt.data.index import read_index
from aplt.report.tables import read_csv
from aplt.rundir import CompareDir, RunDir, write_csv
from aplt.values import UNKNOWN

TIMES = ("seconds", "offline_seconds", "online_seconds", "evaluation_seconds", "ms_per_step")
COLUMNS = (
    *("dataset", "fold", "method", "labeled", "labeled_clips", "seed", "top1", "top5", "macro_f1"),
    *("val_top1", "top1_by_val", "pseudo_precision", "pseudo_coverage", "online_precision", "online_coverage"),
    *("wrong_labels", "wrong_fitted", "steps", "version", "run", *TIMES),
)


def write_cells(folder: CompareDir, rows: list[dict[str, Any]]) -> None:
    """Writes compare.csv."""
    write_csv(folder.cells, pd.DataFrame(rows, columns=list(COLUMNS)))


def cell_row(cell: Cell, folder: CompareDir) -> dict[str, Any]:
    """Returns a finished cell's row; a figure that it does not have is None.

    top1, top5 and macro_f1 are of the last EMA model on the test clips, top1_by_val of that after the round with the
    best accuracy on the val clips (a classifier fitted at the end has no rounds). The labels' precision and coverage
    are of the last round, offline and online.
    """
    run = cell.run
    result, rounds = run.read_result(), run.read_metrics()
    pseudo, online = rounds[-1]["pseudo"] or {}, rounds[-1]["online"] or {}
    wrong, fitted = wrong_labels(run, _truth(cell.config.clips))
    seconds, steps = result["seconds"], result["steps"]
    times = (
        *(seconds[part] for part in ("total", "offline", "online", "evaluation")),
        1000 * seconds["online"] / steps,
    )
    return {
        "dataset": cell.dataset,
        "fold": "" if cell.fold is None else str(cell.fold),
        "method": cell.method,
        "labeled": cell.labeled,
        "labeled_clips": result["counts"]["labeled"],
        "seed": cell.seed,
        **{figure: result[figure] for figure in ("top1", "top5", "macro_f1")},
        "val_top1": result["val"]["top1"] if result["val"] else None,
        "top1_by_val": chosen_by_val(rounds) if cell.config.head == "trained" else None,
        "pseudo_precision": pseudo.get("precision"),
        "pseudo_coverage": pseudo.get("coverage"),
        "online_precision": online.get("precision"),
        "online_coverage": online.get("coverage"),
        "wrong_labels": wrong,
        "wrong_fitted": fitted,
        "steps": steps,
        "version": result["versions"]["aplt"],
        "run": cell.path.relative_to(folder.path).as_posix(),
        **{name: round(value, 3) for name, value in zip(TIMES, times, strict=True)},
    }


def wrong_labels(run: RunDir, truth: dict[str, str]) -> tuple[int | None, float | None]:
    """Returns how many labels that the last offline phase accepted are wrong, and what share the final model repeats.

    Such a share tells how far the network has fitted its own mistakes. None where there was no offline phase, no
    unlabeled clip has a known label, or none was wrong.

    Args:
        run: a finished run.
        truth: label by clip id; clips of unknown label are not in it.
    """
    if not run.pseudo_labels.exists():
        return None, None
    table = read_csv(run.pseudo_labels, ("id", "label"))
    if "offline_label" not in table:
        return None, None
    known = table["id"].map(truth)
    if not known.notna().any():
        return None, None
    wrong = (table["accepted"] == "True") & known.notna() & (table["offline_label"] != known)
    repeated = table["label"][wrong] == table["offline_label"][wrong]
    return int(wrong.sum()), float(repeated.mean()) if wrong.any() else None


def chosen_by_val(rounds: list[dict[str, Any]]) -> float | None:
    """Returns the test accuracy after the first of the rounds with the best val accuracy; None without val clips."""
    watched = [line for line in rounds if line["test_beside_val"] is not None]
    if not watched:
        return None
    return float(max(watched, key=lambda line: line["watched"]["top1"])["test_beside_val"])


@cache
def _truth(clips: Path) -> dict[str, str]:
    index = read_index(clips)
    return {clip.id: index.class_names[clip.label] for clip in index if clip.label != UNKNOWN}
