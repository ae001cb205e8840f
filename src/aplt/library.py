"""What the command line does, as functions.

Paths may be strings. Methods and encoders are names, package.module:name, or the objects themselves.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aplt.clips import Role
from aplt.errors import InputError
from aplt.finished import Run
from aplt.prepare import Prepared, name_of, plan_comparison, prepare
from aplt.rundir import RunDir
from aplt.settings import merge

if TYPE_CHECKING:
    from aplt.comparison.results import Comparison
    from aplt.methods.method import Method
    from aplt.models.encoders import Encoder
    from aplt.models.recognizer import Recognizer
    from aplt.runs.predict import Evaluation

PathLike = str | Path


def train(
    clips: PathLike,
    *,
    method: "str | Method | None" = None,
    encoder: "str | Encoder | None" = None,
    encoder_weights: str | None = None,
    labeled: float | str | None = None,
    split: PathLike | None = None,
    seed: int | None = None,
    preset: str | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str | None = None,
    runs: PathLike = "runs",
) -> Run:
    """Trains a recognizer on labeled and unlabeled clips and writes its report.

    Args:
        clips: clips.csv, a folder of clips, or a run's config.yaml.
        method: By default aplt; `aplt recipes` lists those with a name.
        encoder: By default the one of the clips' modality; `aplt encoders` lists those with a name.
        encoder_weights: Published weights to start from, such as "DEFAULT", or a file.
        labeled: Share of each class's labels to use, such as 0.1 or "10%".
        split: A split made by `aplt split`, which says the role of every clip.
        seed: Of the split, the model and the order of clips.
        preset: Settings for a machine, of videos alone: laptop, gpu or gpu_large; those given otherwise go before them.
        settings: Any setting, nested: {"train": {"rounds": 5}}.
        name: Of the run's folder; by default of the method and the seed.
        runs: Folder of run folders.

    Raises:
        InputError: the clips, the split or a setting is not usable, or the folder holds a run already.
    """
    options = {
        "split_file": None if split is None else str(split),
        "method": name_of(method),
        "encoder": name_of(encoder),
        "encoder_weights": encoder_weights,
        "split": None if labeled is None else {"labeled": labeled},
    }
    own = settings or {}
    return begin(prepare(Path(clips), options, settings=own, preset=preset, seed=seed, name=name, runs=Path(runs)))


def begin(prepared: Prepared) -> Run:
    """Trains a prepared run and writes its report.

    Raises:
        InputError: the folder holds a run already, another process trains in it, or a clip is not usable.
    """
    from aplt.runs.begin import train as train_run

    train_run(prepared.config, prepared.folder, prepared.index)
    return _finished(prepared.folder)


def resume(run: PathLike, clips: PathLike | None = None) -> Run:
    """Continues an interrupted run from its last checkpoint; a finished one is left as it is.

    Args:
        run: Its folder.
        clips: Where its clips.csv or folder of clips is by now; by default where it was.

    Raises:
        InputError: no run in this folder, a damaged one, one that another process trains, or its clips have changed.
    """
    from aplt.runs.begin import resume as go_on

    folder = RunDir(Path(run))
    go_on(folder, None if clips is None else Path(clips))
    return _finished(folder)


def embed(
    clips: PathLike,
    encoder: "str | Encoder",
    *,
    output: PathLike,
    weights: str | None = None,
    views: int = 4,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Computes the features of every clip by a frozen encoder, and returns their folder, to train on; see `aplt embed`.

    Args:
        clips: clips.csv or a folder of clips.
        encoder: One with published weights, one of your own, or the folder of a trained run.
        output: The folder.
        weights: Published ones, by name.
        views: Weak and strong views of each clip, so many of each.
        settings: Of `input` and `encoder_settings`, nested.

    Raises:
        InputError: the clips or a setting are not usable, or the folder holds features of something else.
    """
    from aplt.runs.embed import embed as embed_clips

    name, folder = name_of(encoder) or "", Path(output)
    embed_clips(Path(clips), name, weights=weights, settings=settings or {}, views=views, folder=folder)
    return folder


def compare(
    source: PathLike,
    *,
    methods: "Iterable[str | Method] | str | None" = None,
    labeled: Iterable[float | str] | float | str | None = None,
    seeds: int | Iterable[int] | str | None = None,
    encoder: "str | Encoder | None" = None,
    preset: str | None = None,
    settings: Mapping[str, Any] | None = None,
    variants: Mapping[str, Any] | None = None,
    upper_bound: bool | None = None,
    output: PathLike | None = None,
    jobs: int = 1,
    launcher: str = "local",
    launcher_settings: Mapping[str, Any] | None = None,
    only: str | None = None,
    replace: bool = False,
) -> "Comparison":
    """Trains methods on several shares of labels and seeds; goes on where it stopped.

    Args:
        source: clips.csv, a folder of clips, a compare.yaml or its folder; options are laid over a plan's.
        methods: By default supervised, fixmatch_teacher, aplt_paper and aplt.
        labeled: Shares of labels; by default 10 %.
        seeds: A number n for 0 to n-1, or a list; by default 3.
        encoder: The same for all methods.
        preset: As for `train`.
        settings: Of all cells, as for `train`.
        variants: Methods with settings of their own by name: {"wide": {"settings": {...}}}.
        upper_bound: Whether supervised training with all labels is added; by default it is.
        output: Folder; by default compare/NAME.
        jobs: Cells trained at once on a machine, on a share of the cores each.
        launcher: local (this machine), ray or slurm.
        launcher_settings: What a cell asks of these: Ray's `options` of a task, or the parameters of submitit.
        only: i/n, the i-th of n parts of the cells, while other processes may be at work on the others.
        replace: Give up finished cells in the folder that are not part of this plan.

    Raises:
        InputError: the plan, its clips or a setting is not usable, or cells could not be trained.
    """
    from aplt.comparison.launchers import Launch
    from aplt.comparison.study import compare as run_comparison
    from aplt.comparison.study import part_of

    named = [methods] if isinstance(methods, str) else methods
    options = {
        "methods": None if named is None else [name_of(method) for method in named],
        "labeled": labeled if isinstance(labeled, float | int | str | None) else list(labeled),
        "seeds": seeds if isinstance(seeds, int | str | None) else list(seeds),
        "variants": None if variants is None else dict(variants),
        "upper_bound": upper_bound,
        "preset": preset,
    }
    own = {} if encoder is None else {"encoder": name_of(encoder)}
    plan, folder = plan_comparison(Path(source), options, merge(dict(settings or {}), own), output)
    launch = Launch(launcher, jobs, launcher_settings or {})
    return run_comparison(plan, folder, launch=launch, part=part_of(only) if only else None, replace=replace)


def load(source: PathLike) -> "Recognizer":
    """Returns the trained model of a run folder, a model folder, or a repository on the Hugging Face Hub.

    A string owner/name that is no folder here is taken for a repository's. A model with an encoder of one's own needs
    that code: the folder names it.

    Raises:
        InputError: no model there, or one that this version cannot read.
    """
    from aplt.models.recognizer import load_from_hub
    from aplt.runs.predict import load_model

    if isinstance(source, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", source) and not Path(source).exists():
        return load_from_hub(source)
    return load_model(Path(source))


def predict(model: "PathLike | Run | Recognizer", paths: PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """Returns a row per clip: path, id, start, end, the five best classes with scores, and an error if unreadable.

    `novelty` says how little a clip lies like any of the classes, where the model was trained with unlabeled clips.

    Args:
        model: A run, its folder, a model folder, or a model.
        paths: Files, folders and clips.csv tables, or one of them.

    Raises:
        InputError: no model, or a path does not exist.
    """
    from aplt.runs.predict import gather_clips
    from aplt.runs.predict import predict as predict_clips

    listed = [paths] if isinstance(paths, str | Path) else paths
    return predict_clips(_model(model), gather_clips([Path(path) for path in listed]))


def export(model: "PathLike | Run | Recognizer", output: PathLike, format: str = "onnx") -> float:  # noqa: A002
    """Writes a model as one file that needs no aplt, and beside it how clips become what it takes.

    Returns the largest difference of a probability from the model's own, on a few random clips.

    Args:
        model: As for `predict`.
        output: Folder, for model.onnx or model.pt2 and preprocessing.json.
        format: onnx, or torch_export.

    Raises:
        InputError: no model, the folder holds other things, what the format needs is not installed, or the model
            cannot be exported.
    """
    from aplt.runs.export import export as export_model

    return export_model(_model(model), Path(output), format)


def push(run: PathLike | Run, repository: str, *, private: bool = False, license: str | None = None) -> str:  # noqa: A002
    """Puts a run's model on the Hugging Face Hub, with a model card written from the run, and returns its address.

    The card is README.md in the run's model folder; one that is there already is left as it is, but for the license.
    `load` takes the repository's name.

    Args:
        run: A finished run, or its folder.
        repository: NAMESPACE/NAME; made if it is not there.
        private: Whether it is then made a private one.
        license: Of the weights, such as "apache-2.0".

    Raises:
        InputError: the run is not finished, or the Hub does not take it.
    """
    from aplt.runs.card import push as push_run

    return push_run(run.path if isinstance(run, Run) else Path(run), repository, private=private, license_=license)


def evaluate(run: PathLike | Run, clips: PathLike | None = None, role: Role | None = None) -> "Evaluation":
    """Returns a model's figures on clips of known label.

    Args:
        run: Its folder, or a model's.
        clips: Another index, or where the run's own is by now; by default the run's own.
        role: Which of the run's clips; by default its test clips, and all of another index.

    Raises:
        InputError: no model, no labeled clip, a class that the model does not know, or a clip that cannot be read.
    """
    from aplt.runs.predict import evaluate as evaluate_run

    folder = run.path if isinstance(run, Run) else Path(run)
    return evaluate_run(folder, None if clips is None else Path(clips), role)


def pose(
    clips: PathLike,
    output: PathLike = "poses.csv",
    *,
    body: PathLike | None = None,
    hands: PathLike | Literal[False] | None = None,
    rate: float | None = None,
) -> pd.DataFrame:
    """Tracks the main person of each video, writes their skeletons and a table of them, and returns the table.

    It goes on where it was stopped. A clip that cannot be read is in the returned table only, with an error.

    Args:
        clips: clips.csv or a folder of videos.
        output: CSV to write: path, id, frames, the shares of frames with a body and with a hand, and the index's other
            columns but start and end. The skeletons are in a folder of its name beside it.
        body: MediaPipe's pose landmarker, a `.task` file; by default models/pose_landmarker_full.task in the cache.
        hands: Its hand landmarker; by default models/hand_landmarker.task there. False: the body alone.
        rate: Frames per second to look at; by default all.

    Raises:
        InputError: mediapipe is not installed, a model is missing, or the clips are no index of videos.
    """
    from aplt.data.tracking.clips import track_index
    from aplt.data.tracking.landmarks import mediapipe_tracker
    from aplt.display import bar

    if rate is not None and not 0 < rate < float("inf"):
        raise InputError(f"rate is {rate}, expected frames per second above 0")
    tracker = mediapipe_tracker(
        None if body is None else Path(body), Path(hands) if isinstance(hands, str | Path) else hands
    )
    with bar("tracking poses") as progress:
        return track_index(Path(clips), Path(output), tracker, rate=rate, progress=progress.at)


def _model(model: "PathLike | Run | Recognizer") -> "Recognizer":
    from aplt.models.recognizer import Recognizer

    path = model.path if isinstance(model, Run) else model
    return path if isinstance(path, Recognizer) else load(path)


def _finished(run: RunDir) -> Run:
    from accelerate import PartialState

    from aplt.illustrated import write_illustrated

    if PartialState().is_main_process:
        write_illustrated(run.path)
    return Run(run.path)
