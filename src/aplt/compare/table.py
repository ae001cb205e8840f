"""Finished cells as rows of compare.csv."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.clips import UNKNOWN
from aplt.compare.cells import Cell
from aplt.compare.record import BY_ROUND, KINDS, TAUGHT, TIMES, read_cells, to_text
from aplt.compare.work import CellError
from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.methods.catalog import find_method
from aplt.report.tables import read_csv
from aplt.rundir import CompareDir, RunDir
from aplt.storage import write_csv

HALF = 0.5  # a soft weight from which on a label counts as taught
COLUMNS = (
    *("dataset", "fold", "method", "labeled", "labeled_clips", "test_clips", "seed"),
    *("top1", "top5", "macro_f1", "val_top1", "top1_by_val", "unlabeled_top1", *TAUGHT, *BY_ROUND),
    *("steps", "version", "read_out", "remark"),
    *("digest", "run", *TIMES),
)


def write_cells(folder: CompareDir, rows: list[dict[str, Any]]) -> None:
    """Writes compare.csv."""
    write_csv(folder.cells, pd.DataFrame(rows, columns=list(COLUMNS)))


def known_rows(folder: CompareDir) -> dict[tuple[str, str], dict[str, Any]]:
    """Returns the rows of compare.csv by run and digest; none of a table that has not all columns.

    Raises:
        InputError: a row is damaged.
    """
    if not folder.found or missing_column(folder):
        return {}
    rows: list[dict[Any, Any]] = read_cells(folder, COLUMNS).to_dict("records")
    return {(row["run"], row["digest"]): row for row in rows}


def missing_column(folder: CompareDir) -> str | None:
    """Returns the first column that compare.csv lacks, as one of another version may."""
    found = read_csv(folder.cells, ()).columns
    return next((name for name in COLUMNS if name not in found), None)


def write_failed(folder: CompareDir, errors: Sequence[CellError]) -> None:
    """Writes failed.csv, or removes it where no cell has failed."""
    if errors:
        rows = [(str(error), error.trace) for error in errors]
        write_csv(folder.failed, pd.DataFrame(rows, columns=["why", "traceback"]))
    else:
        folder.failed.unlink(missing_ok=True)


def cell_row(cell: Cell, folder: CompareDir) -> dict[str, Any]:
    """Returns a finished cell's row; a figure that it does not have is None.

    top1, top5 and macro_f1 are of the last EMA model on the test clips, unlabeled_top1 is its top-1 on the unlabeled
    ones, top1_by_val that of the model after the round with the best accuracy on the val clips (a classifier fitted at
    the end has no rounds). What is said of labels is of the last round's: pseudo of the offline phase's, online of
    those that the steps made.

    Raises:
        InputError: a file of the run is missing.
    """
    run = cell.run
    result, rounds = run.read_result(), run.read_metrics()
    if not rounds:
        raise InputError(f"{run.metrics}: a finished run has a line a round here, found none")
    pseudo, online = rounds[-1]["pseudo"] or {}, rounds[-1]["online"] or {}
    wrong = wrong_labels(run, _truth(cell.config.clips))
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
        "test_clips": sum(one["clips"] for one in result["per_class"]),
        "seed": cell.seed,
        **{figure: result[figure] for figure in ("top1", "top5", "macro_f1")},
        "val_top1": result["val"]["top1"] if result["val"] else None,
        "top1_by_val": chosen_by_val(rounds) if find_method(cell.config.method).fit_head is None else None,
        "unlabeled_top1": (result["unlabeled"] or {}).get("top1"),
        **{f"pseudo_{figure}": pseudo.get(figure) for figure in ("precision", "coverage")},
        **{f"online_{figure}": online.get(figure) for figure in ("precision", "coverage")},
        **wrong,
        **{name: _by_round(rounds, kind) for name, kind in zip(BY_ROUND, KINDS, strict=True)},
        "steps": steps,
        "version": result["versions"]["aplt"],
        "read_out": cell.config.read_out,
        "remark": cell.remark,
        "digest": cell.digest,
        "run": cell.path.relative_to(folder.path).as_posix(),
        **{name: round(value, 3) for name, value in zip(TIMES, times, strict=True)},
    }


def wrong_labels(run: RunDir, truth: dict[str, str]) -> dict[str, float | None]:
    """Returns how many wrong labels the unlabeled clips were taught last, and what share the final model repeats.

    Such a share tells how far the network has fitted mistakes. `pseudo_wrong` and `_fitted` are of the labels that the
    last offline phase accepted, `online_` of those of the last round's steps that counted at least half; `_unknown`
    counts those of clips whose own label is unknown, as that of a clip of no class is. Left out where there were no
    such labels or no unlabeled clip has a known one; the share is None where none was wrong.

    Args:
        run: a finished run.
        truth: label by clip id; clips of unknown label are not in it.
    """
    found: dict[str, float | None] = {}
    table = read_csv(run.pseudo_labels, ("id", "label")) if run.pseudo_labels.exists() else pd.DataFrame()
    if table.empty or not table["id"].isin(list(truth)).any():
        return found
    known = table["id"].map(truth)
    for kind, column in (("pseudo", "offline_label"), ("online", "online_label")):
        if column not in table:
            continue
        counted = table["accepted"] == "True" if kind == "pseudo" else table["weight"].astype(float) >= HALF
        wrong = counted & known.notna() & (table[column] != known)
        repeated = table["label"][wrong] == table[column][wrong]
        found[f"{kind}_wrong"] = int(wrong.sum())
        found[f"{kind}_fitted"] = float(repeated.mean()) if wrong.any() else None
        found[f"{kind}_unknown"] = int((counted & known.isna()).sum())
    return found


def chosen_by_val(rounds: list[dict[str, Any]]) -> float | None:
    """Returns the test accuracy after the first of the rounds with the best val accuracy; None without val clips."""
    watched = [line for line in rounds if line["test_beside_val"] is not None]
    if not watched:
        return None
    return float(max(watched, key=lambda line: line["watched"]["top1"])["test_beside_val"])


def _by_round(rounds: list[dict[str, Any]], kind: str) -> str:
    """Returns what is told of a kind of labels in the rounds that made any."""
    told = ((line["round"], line[kind]) for line in rounds if line[kind])
    return to_text((round_, one.get("precision"), one.get("coverage")) for round_, one in told)


@cache
def _truth(clips: Path) -> dict[str, str]:
    index = read_index(clips)
    return {clip.id: index.class_names[clip.label] for clip in index if clip.label != UNKNOWN}
