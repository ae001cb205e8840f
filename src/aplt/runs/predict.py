"""A trained model on clips: figures where labels are known, and a table of predictions for any files."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch
from accelerate.utils import gather_object
from torch import Tensor

from aplt.clips import UNKNOWN, Clip, ClipIndex, Role
from aplt.data.bank import RECORD, banks_of, feature_files
from aplt.data.batches import single_views
from aplt.data.files import ClipError, require_files
from aplt.data.index import TABLE, read_index, scan_index
from aplt.data.modality import MODALITIES, ClipShape, Modality, clip_at, modality_of_clip
from aplt.data.split_file import load_split
from aplt.data.views import Views
from aplt.display import bar
from aplt.errors import InputError, suggest
from aplt.figures import Figures
from aplt.models.recognizer import Recognizer, load_recognizer
from aplt.rundir import RunDir
from aplt.runs.measure import Scored, prediction_table, score_clips
from aplt.runs.setup import processes, read_own_clips
from aplt.runs.surroundings import load_surroundings
from aplt.storage import read_json, read_table

BATCH = 16
MOST_TIMES = 4.0
"""How many times longer than the longest training clip a clip may be."""
FILE_COLUMNS = ("path", "id", "start", "end", "prediction_1", "score_1")  # what a table of predictions begins with


def load_model(folder: Path) -> Recognizer:
    """Returns the trained model of a run folder, or that in a model folder copied out of one."""
    return load_recognizer(model_folder(folder))


def model_folder(folder: Path) -> Path:
    """Returns the model folder that this is, or that of the run that it is."""
    if (folder / "config.json").is_file():
        return folder
    run, hint = RunDir(folder), "expected a run folder such as runs/NAME, or a model folder"
    if run.result.exists():
        hint = "its training has finished, so the folder is not whole any more"
    elif run.config.exists():
        resume = f"aplt train --resume {shlex.quote(str(folder))}"
        hint = f"its training has not finished; if it was stopped, continue with `{resume}`"
    return run.require(lambda run: run.model, hint)


def gather_clips(paths: Sequence[Path]) -> list[Clip]:
    """Returns the clips in files, folders and clips.csv tables, whose labels may be missing."""
    clips: list[Clip] = []
    for path in paths:
        if path.is_dir() and not ((path / TABLE).is_file() and feature_files(path)):
            clips += scan_index(path)
        elif path.is_dir() or (path.suffix.lower() == ".csv" and clip_at(path) is None):
            clips += read_index(path, needed=("path",))
        elif path.exists():
            clips.append(Clip(id=str(path), path=path))
        else:
            raise InputError(f"{path}: no such file or folder")
    return clips


def predict(model: Recognizer, clips: Sequence[Clip], workers: int | None = None) -> pd.DataFrame:
    """Returns a row per clip: path, id, start, end, the five best classes with scores, and why it cannot be read.

    `novelty` says how little a clip lies like one of the classes, of a model that was trained with unlabeled clips.

    An unreadable clip does not stop the others.
    """
    surroundings = None if model.folder is None else load_surroundings(model.folder, model.prototype.shape[1])
    scored, errors = score_each(model, clips, workers, features=surroundings is not None, show_something=True)
    rows = [(str(clip.path), clip.id, clip.start, clip.end) for clip in clips]
    where = pd.DataFrame(rows, columns=["path", "id", "start", "end"])
    best = prediction_table(scored.score, model.class_names).set_axis(scored.position, axis="index")
    if surroundings is not None:
        best["novelty"] = surroundings.novelty(torch.from_numpy(scored.feature)).round(4)
    # Beside its path, the reason alone.
    why = {place: error.why if isinstance(error, ClipError) else str(error) for place, error in errors.items()}
    return where.join(best).assign(error=pd.Series(why, dtype=object)).astype({"error": object}).fillna({"error": ""})


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on clips of known label."""

    figures: Figures
    unlabeled: int
    """Further clips, whose label is not known."""
    seen: int
    """Of the clips in the figures, how many have the id, or are the same part of the same file, as training clips."""


def evaluate(folder: Path, clips: Path | None, role: Role | None) -> Evaluation:
    """Returns a model's figures on its run's clips of a role, or on those of another index; see `aplt.evaluate`."""
    model, run = load_model(folder), RunDir(folder)
    if clips is None:
        config = run.read_config()
        source, index, role = config.clips, read_own_clips(config, run), role or "test"
    else:
        source, index = clips, read_index(clips)
    if role is None:
        positions: Sequence[int] = range(len(index))
        what = f"{source} has no clip with a label"
    else:
        advice = "undo the change, or evaluate on other clips with --clips and without --role"
        drawn = run.require(lambda r: r.split, "the folder of a run has it, and says there which clips have a role")
        positions = load_split(drawn, index, advice).positions(role)
        what = f"{folder} has no {role} clip with a label"
    labeled = [position for position in positions if index[position].label != UNKNOWN]
    require_files((index[position] for position in labeled), source)
    truth = _labels_of(model, index)[labeled]
    scored, errors = score_each(model, [index[p] for p in labeled])
    if errors:
        raise next(iter(errors.values()))
    group_of = dict(zip(index.class_names, index.groups, strict=False))
    groups = [group_of.get(name, "") for name in model.class_names] if group_of else ()
    figures = Figures.of(truth[scored.position], scored.score, model.class_names, groups)
    if figures is None:
        raise InputError(f"{what} to evaluate on")
    seen = 0 if role is not None else _trained_on(run, [index[p] for p in labeled])
    return Evaluation(figures, len(positions) - len(labeled), seen)


def _trained_on(run: RunDir, clips: Sequence[Clip]) -> int:
    """Returns how many of the clips were training clips; of a model folder copied out of its run nobody knows: 0."""
    if not (run.config.exists() and run.split.exists()):
        return 0
    table = read_table(run.split, needed=("id", "role"))
    ids = set(table["id"][table["role"].isin(("labeled", "unlabeled"))])
    try:
        index = read_index(run.read_config().clips)
        parts = {_part(clip) for clip in index if clip.id in ids}
    except InputError:  # the clips have moved since: their ids still tell
        parts = set()
    return sum(clip.id in ids or _part(clip) in parts for clip in clips)


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


def score_each(
    model: Recognizer,
    clips: Sequence[Clip],
    workers: int | None = None,
    *,
    features: bool = False,
    show_something: bool = False,
) -> tuple[Scored, dict[int, InputError]]:
    """Returns the scores of the readable clips and the errors of the others, by their place in the list.

    A clip many times longer than those that the model was trained on counts as one that it cannot read, as does one
    of which it computes what is no number, and with `show_something` one that shows nobody. Several processes share the
    clips, and each returns those of all.
    """
    state = processes()
    device = torch.device("cuda", state.local_process_index) if torch.cuda.is_available() else torch.device("cpu")
    # A model on features takes these, or where it knows what made them, the clips themselves.
    embedder = None if any(clip.bank for clip in clips) else model.embedder
    for record in (folder / RECORD for folder in banks_of(clips)):
        if model.embedder and record.is_file() and read_json(record).get("weights") != model.embedder.digest():
            raise InputError(f"{record}: its features are another encoder's than those that the model was trained on")
    source = model.input if embedder is None else embedder.settings.input.model_dump()
    clip_shape = model.clip_shape if embedder is None else embedder.settings.clip_shape
    modality = MODALITIES[str(source["kind"])]
    errors: dict[int, InputError] = {}
    for place, clip in enumerate(clips):
        if (found := modality_of_clip(clip)) is not modality:
            why = f"by its name {found.one}, but the model was trained on {modality.many}"
            if (found.name, modality.name) == ("video", "skeleton"):
                why += "; `aplt pose` makes these of videos"
            errors[place] = ClipError(clip, "other kind", why)
        elif too_long := _too_long(model, modality, clip):
            errors[place] = ClipError(clip, "too long", too_long)
    whole = [place for place in range(len(clips)) if place not in errors]
    own = whole[state.process_index :: state.num_processes]
    fitting = {place: clips[place] for place in own}
    settings = modality.input.model_validate(source)
    if embedder is not None:
        embedder.net.to(device)

    def readable(views: Views) -> Iterator[tuple[int, Tensor]]:
        with bar("predicting", len(fitting)) as progress:
            for place, view in single_views(views, list(fitting), modality.workers() if workers is None else workers):
                if isinstance(view, InputError):
                    errors[place] = view
                elif show_something and (nothing := modality.shows_nothing(view)):
                    errors[place] = ClipError(clips[place], "nobody", nothing)
                else:
                    yield place, view
                progress.advance()

    def batches(views: Views) -> Iterator[tuple[Tensor, Tensor]]:
        each = readable(views)
        while some := list(islice(each, BATCH)):
            made = torch.stack([view for _, view in some])
            if embedder is not None:
                made = embedder(made.to(device)).view(-1, *model.clip_shape)
            yield torch.tensor([place for place, _ in some]), made

    if not fitting:
        scored = score_clips(model, (), device, features=features)
    else:
        with modality.lend_views(fitting, settings, cast(ClipShape, clip_shape)) as views:
            home = model.classifier.weight.device
            scored = score_clips(model.to(device).eval(), batches(views), device, features=features)
            for net in (model, *([embedder.net] if embedder else [])):  # the caller's, who may compute with them
                net.to(home)
    parts = gather_object([(scored, errors)])
    order = np.argsort(np.concatenate([part.position for part, _ in parts]), kind="stable")
    names = ("position", "score", "feature") if features else ("position", "score")
    merged = [np.concatenate([getattr(one, name) for one, _ in parts])[order] for name in names]
    finite = np.logical_and.reduce([np.isfinite(rows).all(axis=1) for rows in merged[1:]])
    errors = {place: error for _, some in parts for place, error in some.items()}
    why = "what the model computes of it is no number: its weights are damaged, or its training diverged"
    errors |= {int(place): ClipError(clips[place], "broken", why) for place in merged[0][~finite]}
    return Scored(*(rows[finite] for rows in merged)), errors


def _too_long(model: Recognizer, modality: Modality, clip: Clip) -> str:
    """Returns why a clip is too long for a model, and how it can be read; "" where it is not, or nobody knows."""
    if model.clip_seconds is None:
        return ""
    usual, longest = model.clip_seconds
    try:
        seconds = modality.about_seconds(clip)
    except InputError:  # which reading it says, too
        return ""
    if seconds is None or seconds <= MOST_TIMES * longest:
        return ""
    return (
        f"lasts {seconds:.1f} s, but the longest clip that the model was trained on lasts {longest:.1f} s; "
        f"--window {usual:.2g} reads it as a recording"
    )
