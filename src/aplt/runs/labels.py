"""The labels of a run's unlabeled clips as an index, as reliable as asked."""

from dataclasses import dataclass

import pandas as pd

from aplt.data.index import index_table
from aplt.display import share_text
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.reliability import FEWEST, Promise, fewest_for, held_out_of, promise, reliability_of
from aplt.storage import read_table


@dataclass(frozen=True)
class Labels:
    """Labels of unlabeled clips."""

    table: pd.DataFrame
    """The columns of clips.csv with the model's label; score, reliability, reliability_low, reliability_high, novelty.

    The most reliable first. Paths are absolute.
    """
    unlabeled: int
    """How many clips there were to choose from."""
    promise: Promise | None
    """What was measured of those chosen; None where no precision was asked for."""
    short: tuple[str, ...]
    """Classes of which none was chosen."""


def labels_of(run: RunDir, precision: float | None = None, confidence: float = 0.9) -> Labels:
    """Returns the final model's labels of a run's unlabeled clips, with how often such labels are right.

    That is measured on the labeled clips that `crossfit` held out; without it on the run's val or test clips. See
    `aplt.labels`.
    """
    for name, value in (("precision", precision), ("confidence", confidence)):
        if value is not None and not 0 < value < 1:
            raise InputError(f"{name} is {value}, expected more than 0 and less than 1")
    _, index, split = finished(run)
    found = read_table(run.pseudo_labels, needed=("id", "label"), numbers=("score",)).set_index("id")
    rows = index_table(index).iloc[list(split.unlabeled)].set_index("id", drop=False)
    score = found["score"].reindex(rows.index)
    measured = held_out_of(run)
    reliable = reliability_of(score.to_numpy(), measured)
    table = rows.assign(
        label=found["label"].reindex(rows.index),
        score=score,
        reliability=reliable.value.round(4),
        reliability_low=reliable.low.round(4),
        reliability_high=reliable.high.round(4),
        novelty=found["novelty"].reindex(rows.index) if "novelty" in found else "",
    )
    table = table.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)
    chosen, kept = table, None
    if precision is not None:
        kept = promise(measured, precision, confidence)
        if kept.threshold is None:
            raise InputError(f"{run.path}: {_refusal(kept, precision, confidence)}")
        chosen = table[table["score"] >= kept.threshold]
    there = set(chosen["label"])
    return Labels(chosen, len(table), kept, tuple(name for name in index.class_names if name not in there))


def require_unlabeled(run: RunDir) -> None:
    """Makes sure that a finished run has unlabeled clips.

    Raises:
        InputError: it has none, or is not finished.
    """
    if not run.read_result().counts.unlabeled:
        raise InputError(f"{run.path}: the run had no unlabeled clips, so there are none to label")


def _refusal(found: Promise, precision: float, confidence: float) -> str:
    right, sure = share_text(precision), share_text(confidence)
    asked = f"that {right} of the labels are right cannot be said with {sure} confidence of any of them"
    fewest = max(FEWEST, fewest_for(precision, 1 - confidence))
    if found.held_out < fewest:
        why = (
            f"{found.held_out} clips were held out, and even {fewest} would have to be right without "
            "exception; `aplt labels --folds 4` holds out each labeled clip once"
        )
    else:
        why = f"{found.right} of {found.held_out} held-out clips are right, not enough of any of the surest"
    return f"{asked}: {why}"
