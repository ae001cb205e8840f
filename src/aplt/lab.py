"""What a lab does with a finished run, as functions: labels, suggest, to_fiftyone."""

from pathlib import Path
from typing import Any

import pandas as pd

from aplt.finished import Run
from aplt.rundir import RunDir

PathLike = str | Path


def labels(
    run: PathLike | Run,
    *,
    precision: float | None = None,
    confidence: float = 0.9,
    folds: int | None = None,
    jobs: int = 1,
) -> pd.DataFrame:
    """Returns a row per unlabeled clip: the model's label, its score, and how often labels with such a score are right.

    Args:
        run: A finished run, or its folder.
        precision: Only the largest set of labels of which at least this share is right.
        confidence: With which that holds.
        folds: Measure on the labeled clips, by as many further trainings, each without the labels of some of them.
        jobs: Of these trainings at once.

    Raises:
        InputError: the run is not finished or had no unlabeled clips, its clips have changed, or too few
            held-out clips are right to say so.
    """
    from aplt.runs.crossfit import crossfit
    from aplt.runs.labels import labels_of, require_unlabeled

    folder = RunDir(run.path if isinstance(run, Run) else Path(run))
    require_unlabeled(folder)
    if folds is not None:
        crossfit(folder, folds, jobs)
    return labels_of(folder, precision, confidence).table


def suggest(source: PathLike | Run, number: int = 20, strategy: str | None = None) -> pd.DataFrame:
    """Returns the unlabeled clips whose labels would help most, the most useful first, and why.

    Args:
        source: A finished run, or its folder; for the very first labels clips.csv, a folder of clips or a bank.
        number: How many.
        strategy: coverage, margin, typical or random; by default coverage for a run, typical for clips.

    Raises:
        InputError: no such strategy, or one that needs a model, the run is not finished, its clips have changed, or a
            clip cannot be read.
    """
    from aplt.runs.suggest import suggest as suggest_clips

    return suggest_clips(source.path if isinstance(source, Run) else Path(source), number, strategy)


def to_fiftyone(source: "PathLike | Run | pd.DataFrame", name: str) -> Any:
    """Returns a run, or events in recordings, as a `fiftyone.Dataset`, to be looked at in FiftyOne's app.

    A run gives a sample per clip, with its role as a tag, `ground_truth`, `prediction` with its confidence,
    `reliability`, and `embedding` for the training clips. Events give a sample per recording with temporal detections.

    Args:
        source: A finished run or its folder; or a table of events as `aplt predict --window` writes it.
        name: Of the data set; one of this name must not be there.

    Raises:
        InputError: FiftyOne is not installed, the run is not finished, or a recording cannot be read.
        ValueError: FiftyOne has a data set of this name.
    """
    from aplt.runs.fiftyone_sets import events_to_fiftyone, run_to_fiftyone

    if isinstance(source, pd.DataFrame):
        return events_to_fiftyone(source, name)
    return run_to_fiftyone(RunDir(source.path if isinstance(source, Run) else Path(source)), name)
