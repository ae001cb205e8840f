"""A trained model on clips: figures where labels are known, and a table of predictions for any files."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from aplt.clips import UNKNOWN, Clip, ClipIndex, Role
from aplt.config import load_yaml, validate
from aplt.data.batches import single_views
from aplt.data.files import require_files
from aplt.data.index import read_index
from aplt.data.modality import MODALITIES, ClipShape, modality_of_file
from aplt.data.splits import load_split
from aplt.display import bar
from aplt.errors import InputError, suggest
from aplt.models.recognizer import Recognizer, load_recognizer
from aplt.rundir import RunDir
from aplt.runs.measure import classification_metrics, prediction_table
from aplt.storage import read_table

BATCH = 16
FILE_COLUMNS = ("path", "start", "end", "prediction_1", "score_1")  # what a table of predictions begins with


def load_model(folder: Path) -> Recognizer:
    """Returns the trained model of a run folder, or that in a model folder copied out of one.

    Raises:
        InputError: there is none.
    """
    if (folder / "config.json").is_file():
        return load_recognizer(folder)
    run, hint = RunDir(folder), "expected a run folder such as runs/NAME, or a model folder"
    if run.result.exists():
        hint = "its training has finished, so the folder is not whole any more"
    elif run.config.exists():
        resume = f"aplt train --resume {shlex.quote(str(folder))}"
        hint = f"its training has not finished; if it was stopped, continue with `{resume}`"
    return load_recognizer(run.require(lambda run: run.model, hint))


def gather_clips(paths: Sequence[Path]) -> list[Clip]:
    """Returns the clips in files, folders and clips.csv tables, whose labels may be missing.

    Raises:
        InputError: a path does not exist, or a folder or table holds no clips.
    """
    clips: list[Clip] = []
    for path in paths:
        if path.is_dir() or path.suffix.lower() == ".csv":
            clips += read_index(path, needed=("path",))
        elif path.exists():
            clips.append(Clip(id=str(path), path=path))
        else:
            raise InputError(f"{path}: no such file or folder")
    return clips


def predict(model: Recognizer, clips: Sequence[Clip], workers: int | None = None) -> pd.DataFrame:
    """Returns a row a clip: path, start, end, the five best classes with scores, and an error where it is unreadable.

    An unreadable clip does not stop the others.
    """
    position, score, errors = _score(model, clips, workers)
    where = pd.DataFrame(
        {
            "path": [str(clip.path) for clip in clips],
            "start": [clip.start for clip in clips],
            "end": [clip.end for clip in clips],
        }
    )
    best = prediction_table(score, model.class_names).set_axis(position, axis="index")
    return (
        where.join(best).assign(error=pd.Series(errors, dtype=object)).astype({"error": object}).fillna({"error": ""})
    )


def evaluate(run: RunDir, clips: Path | None, role: Role) -> dict[str, Any]:
    """Returns the model's figures on the run's clips of a role, or on those of another index.

    Only clips with a label count, as many as `clips` says; `unlabeled` is how many others there are.

    Raises:
        InputError: no model, no labeled clip, a class that the model does not know, or a clip that cannot be read.
    """
    model = load_model(run.path)
    if clips is None:
        config = validate(load_yaml(run.require(lambda r: r.config, "expected a run folder")), str(run.config))
        source = config.clips
        index = read_index(source)
        advice = "undo the change, or evaluate on other clips with --clips"
        positions: Sequence[int] = load_split(run.split, index, advice).positions(role)
        what = f"{run.path} has no {role} clip with a label"
    else:
        source, index = clips, read_index(clips)
        positions, what = range(len(index)), f"{clips} has no clip with a label"
    labeled = [position for position in positions if index[position].label != UNKNOWN]
    if not labeled:
        raise InputError(f"{what} to evaluate on")
    require_files((index[position] for position in labeled), source)
    truth = _labels_of(model, index)[labeled]
    position, score, errors = _score(model, [index[p] for p in labeled], None)
    if errors:
        raise InputError(next(iter(errors.values())))
    counts = {"clips": len(labeled), "unlabeled": len(positions) - len(labeled)}
    return {**counts, **classification_metrics(truth[position], score, model.class_names)}


def trained_on(run: RunDir, clips: Path) -> int:
    """Returns how many labeled clips of an index have the id, or are the same part of the same file, as training clips.

    A model folder that was copied out of its run tells nothing of its clips: 0.
    """
    if not (run.config.exists() and run.split.exists()):
        return 0
    table = read_table(run.split)
    ids = set(table["id"][table["role"].isin(("labeled", "unlabeled"))])
    try:
        index = read_index(validate(load_yaml(run.config), str(run.config)).clips)
        parts = {_part(clip) for clip in index if clip.id in ids}
    except InputError:  # the clips have moved since: their ids still tell
        parts = set()
    return sum(clip.label != UNKNOWN and (clip.id in ids or _part(clip) in parts) for clip in read_index(clips))


def _part(clip: Clip) -> tuple[Path, float | None, float | None]:
    return clip.path.resolve(), clip.start, clip.end


def _labels_of(model: Recognizer, index: ClipIndex) -> np.ndarray:
    """Returns the index's labels as the model numbers its classes."""
    for name in index.class_names:
        if name not in model.class_names:
            raise InputError(f"class '{name}' is not one of the model's{suggest(name, model.class_names)}")
    number = np.array([model.class_names.index(name) for name in index.class_names], dtype=np.int64)
    labels = index.labels
    return np.where(labels == UNKNOWN, UNKNOWN, number[labels]) if len(number) else labels


@torch.no_grad()
def _score(
    model: Recognizer, clips: Sequence[Clip], workers: int | None
) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Returns (positions [n], scores [n, K]) of the readable clips and the errors of the others by position."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).eval()
    modality = MODALITIES[str(model.input["kind"])]
    settings = modality.input.model_validate(model.input)
    views = modality.make_views(dict(enumerate(clips)), settings, cast(ClipShape, model.clip_shape))
    workers = modality.workers() if workers is None else workers
    errors: dict[int, str] = {}
    positions: list[int] = []
    scores = [torch.empty(0, len(model.class_names))]
    waiting: list[Tensor] = []

    def flush() -> None:
        if waiting:
            scores.append(model.probabilities(model(torch.stack(waiting).to(device))).cpu())
            waiting.clear()

    for position, clip in enumerate(clips):
        if (found := modality_of_file(clip.path)) is not modality:
            why = f"by its name {found.one}, but the model was trained on {modality.many}"
            errors[position] = f"clip '{clip.id}' ({clip.path}): {why}"
    fitting = [position for position in range(len(clips)) if position not in errors]
    with bar("predicting", len(fitting)) as progress:
        for position, view in single_views(views, fitting, workers):
            if isinstance(view, InputError):
                errors[position] = str(view)
            else:
                positions.append(position)
                waiting.append(view)
            if len(waiting) == BATCH:
                flush()
            progress.advance()
        flush()
    return np.array(positions, dtype=np.int64), torch.cat(scores).numpy(), errors
