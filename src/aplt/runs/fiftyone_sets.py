"""A run, or events in recordings, as a FiftyOne data set: to be looked at in its app."""

from pathlib import Path
from typing import Any

import pandas as pd

from aplt.clips import ROLES, UNKNOWN, Clip
from aplt.data.video import frame_rate, seconds_of
from aplt.reference import installed
from aplt.rundir import RunDir
from aplt.runs.begin import finished
from aplt.runs.suggest import pool_of
from aplt.storage import read_table


def run_to_fiftyone(run: RunDir, name: str) -> Any:
    """Returns a `fiftyone.Dataset`: a sample per clip, with its label, and for those of the run what became of them.

    Each sample has `clip` (its id), its role as a tag, `subject`, `ground_truth` and `prediction` (classifications),
    `reliability` where it was measured, and of training clips `embedding`, the final model's feature. A clip that is an
    interval of a file has `interval`, in seconds. See `aplt.to_fiftyone`.
    """
    fo = installed("fiftyone", "fiftyone")
    _, index, split = finished(run)
    predicted = _predictions(run)
    known, pool = pool_of(run, index, split)
    embeddings = dict(zip(known.tolist(), pool.feature, strict=True))
    made = fo.Dataset(name)
    samples = []
    for role in ROLES:
        for position in split.positions(role):
            clip = index[position]
            sample = fo.Sample(filepath=str(clip.path.absolute()), tags=[role], clip=clip.id, subject=clip.subject)
            if clip.start is not None or clip.end is not None:
                sample["interval"] = [clip.start or 0.0, clip.end]
            if clip.label != UNKNOWN:
                sample["ground_truth"] = fo.Classification(label=index.class_names[clip.label])
            if clip.id in predicted:
                label, score, reliability = predicted[clip.id]
                sample["prediction"] = fo.Classification(label=label, confidence=score)
                sample["reliability"] = reliability
            if position in embeddings:
                sample["embedding"] = embeddings[position].tolist()
            samples.append(sample)
    made.add_samples(samples, progress=False)
    return made


def events_to_fiftyone(events: pd.DataFrame, name: str) -> Any:
    """Returns a `fiftyone.Dataset`: a sample per recording, whose `events` are temporal detections.

    `events` are as `aplt predict --window` writes them: path, start, end (seconds) and label, and perhaps score.
    """
    fo = installed("fiftyone", "fiftyone")
    made = fo.Dataset(name)
    for path, own in events.assign(score=events.get("score")).groupby("path", sort=False):
        clip = Clip(str(path), Path(str(path)))
        rate, seconds = frame_rate(clip), seconds_of(clip)
        about = fo.VideoMetadata(frame_rate=rate, duration=seconds, total_frame_count=max(1, round(rate * seconds)))
        sample = fo.Sample(filepath=str(clip.path.absolute()), metadata=about)
        rows = own[["start", "end", "label", "score"]].itertuples(index=False, name=None)
        found = [
            fo.TemporalDetection.from_timestamps(
                [start, end], sample=sample, label=label, confidence=None if pd.isna(score) else score
            )
            for start, end, label, score in rows
        ]
        sample["events"] = fo.TemporalDetections(detections=found)
        made.add_sample(sample)
    return made


def _predictions(run: RunDir) -> dict[str, tuple[str, float, float | None]]:
    """Returns class, score and reliability by id, of test and unlabeled clips."""
    found: dict[str, tuple[str, float, float | None]] = {}
    test = read_table(run.predictions, needed=("id", "prediction_1", "score_1"))
    for id_, label, score in test[["id", "prediction_1", "score_1"]].itertuples(index=False, name=None):
        found[id_] = (label, float(score), None)
    if run.pseudo_labels.exists():
        table = read_table(run.pseudo_labels, needed=("id", "label", "score", "reliability"))
        columns = table[["id", "label", "score", "reliability"]]
        for id_, label, score, reliability in columns.itertuples(index=False, name=None):
            found[id_] = (label, float(score), float(reliability) if reliability else None)
    return found
