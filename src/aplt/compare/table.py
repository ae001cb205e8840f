"""Finished cells as rows of compare.csv, and their rounds as rows of rounds.csv."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from aplt.compare.cells import Cell
from aplt.compare.work import CellError
from aplt.data.index import read_index
from aplt.errors import InputError
from aplt.report.comparison import KINDS, ROUND_COLUMNS, ROUND_FIGURES, TAUGHT, WORDS
from aplt.report.tables import read_csv
from aplt.rundir import CompareDir, RunDir
from aplt.storage import write_csv
from aplt.values import UNKNOWN

HALF = 0.5  # a soft weight from which on a label counts as taught
TIMES = ("seconds", "offline_seconds", "online_seconds", "evaluation_seconds", "ms_per_step")
COLUMNS = (
    *("dataset", "fold", "method", "labeled", "labeled_clips", "seed", "top1", "top5", "macro_f1"),
    *("val_top1", "top1_by_val", "unlabeled_top1", *TAUGHT, "steps", "version", "read_out", "remark", "digest", "run"),
    *TIMES,
)


@dataclass(frozen=True)
class Finished:
    """What is known of a finished cell."""

    row: dict[str, Any]
    """Of compare.csv."""
    rounds: list[dict[str, Any]]
    """Of rounds.csv, those in which unlabeled clips were taught something."""


def write_cells(folder: CompareDir, cells: Sequence[Finished]) -> None:
    """Writes rounds.csv and compare.csv; this one last, since a row in it says that the cell is finished."""
    rounds = [line for cell in cells for line in cell.rounds]
    write_csv(folder.rounds, pd.DataFrame(rounds, columns=list(ROUND_COLUMNS)))
    write_csv(folder.cells, pd.DataFrame([cell.row for cell in cells], columns=list(COLUMNS)))


def read_cells(folder: CompareDir) -> dict[str, Finished]:
    """Returns the finished cells that a folder's tables have, by run folder; none where other versions wrote them.

    Raises:
        InputError: what should be a number is none.
    """
    table = read_csv(folder.cells, ("run",)) if folder.found else pd.DataFrame()
    if not set(COLUMNS) <= set(table.columns) or not folder.rounds.exists():
        return {}
    by_run: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in _numbers(folder.rounds, read_csv(folder.rounds, ROUND_COLUMNS)):
        by_run[line["run"]].append(line)
    return {row["run"]: Finished(row, by_run[row["run"]]) for row in _numbers(folder.cells, table)}


def write_failed(folder: CompareDir, errors: Sequence[CellError]) -> None:
    """Writes failed.csv, or removes it where no cell has failed."""
    if errors:
        rows = [(str(error), error.trace) for error in errors]
        write_csv(folder.failed, pd.DataFrame(rows, columns=["why", "traceback"]))
    else:
        folder.failed.unlink(missing_ok=True)


def finished_cell(cell: Cell, folder: CompareDir) -> Finished:
    """Returns what the run folder says of a finished cell; a figure that it does not have is None.

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
    path = cell.path.relative_to(folder.path).as_posix()
    row = {
        "dataset": cell.dataset,
        "fold": "" if cell.fold is None else str(cell.fold),
        "method": cell.method,
        "labeled": cell.labeled,
        "labeled_clips": result["counts"]["labeled"],
        "seed": cell.seed,
        **{figure: result[figure] for figure in ("top1", "top5", "macro_f1")},
        "val_top1": result["val"]["top1"] if result["val"] else None,
        "top1_by_val": chosen_by_val(rounds) if cell.config.head == "trained" else None,
        "unlabeled_top1": (result["unlabeled"] or {}).get("top1"),
        **{f"pseudo_{figure}": pseudo.get(figure) for figure in ("precision", "coverage")},
        **{f"online_{figure}": online.get(figure) for figure in ("precision", "coverage")},
        **wrong,
        "steps": steps,
        "version": result["versions"]["aplt"],
        "read_out": cell.config.read_out,
        "remark": cell.remark,
        "digest": cell.digest,
        "run": path,
        **{name: round(value, 3) for name, value in zip(TIMES, times, strict=True)},
    }
    found = [{"run": path, "round": line["round"], **_taught(line)} for line in rounds]
    return Finished(row, [line for line in found if any(line[name] is not None for name in ROUND_FIGURES)])


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


def _taught(line: dict[str, Any]) -> dict[str, float | None]:
    """Returns the ROUND_FIGURES of a line of metrics.jsonl."""
    found = {f"{kind}_{name}": (line[kind] or {}).get(name) for kind in KINDS for name in ("precision", "coverage")}
    return {name: None if value is None else round(value, 4) for name, value in found.items()}


def _numbers(path: Path, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns the rows of a table that was read as text, with the values that it was written with."""
    rows: list[dict[Any, Any]] = table.to_dict("records")
    for row in rows:
        for name in row.keys() - set(WORDS):
            try:
                row[name] = _number(row[name])
            except ValueError as error:
                raise InputError(f"{path}: {row['run']}: expected a number as {name}, found '{row[name]}'") from error
    return rows


def _number(text: str) -> float | None:
    if not text:
        return None
    return int(text) if text.isdecimal() else float(text)


@cache
def _truth(clips: Path) -> dict[str, str]:
    index = read_index(clips)
    return {clip.id: index.class_names[clip.label] for clip in index if clip.label != UNKNOWN}
