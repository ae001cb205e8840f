"""From a config to everything the loop needs: clips, split, views, models, optimizer."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
import psutil
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs, PartialState
from accelerate.state import AcceleratorState, is_initialized
from accelerate.utils import KwargsHandler
from torch import distributed, nn

from aplt.clips import ROLES, UNKNOWN, Clip, ClipIndex, Role, Split
from aplt.config import InputSettings, RunConfig
from aplt.data.bank import features_digest
from aplt.data.batches import SemiData
from aplt.data.files import by_file, require_files
from aplt.data.index import read_index
from aplt.data.modality import MODALITIES, Modality, modality_of, modality_of_clip
from aplt.data.split_file import load_split
from aplt.data.splits import make_split
from aplt.display import console, counted
from aplt.errors import InputError
from aplt.methods.catalog import find_method
from aplt.models.encoders import load_weights
from aplt.models.recognizer import Recognizer
from aplt.parallel import all_cores, cores, launched
from aplt.record import Counts
from aplt.reference import require
from aplt.rundir import RunDir
from aplt.runs.schedule import steps_per_round
from aplt.runs.state import OnlineLog, TrainState, make_teacher
from aplt.runs.tuning import make_optimizer, require_compiler, require_followed, tune
from aplt.storage import mode
from aplt.tensors import Algorithm, Offline, Task

PATIENCE = timedelta(days=1)
"""How long processes wait for the main one, which has the offline phase, and for one with a slow disk."""
MEASURED = 500
"""Clips that are enough to know how long clips are."""


@dataclass(frozen=True)
class Material:
    """The clips of a run, divided."""

    index: ClipIndex
    split: Split
    data: SemiData
    steps_per_round: int

    @property
    def watched(self) -> Role | None:
        """The clips whose accuracy is followed by round: val, else test (never used to choose), else none."""
        for role in ("val", "test"):
            if any(self.index[p].label != UNKNOWN for p in self.split.positions(role)):
                return role
        return None

    @property
    def counts(self) -> Counts:
        """How many clips have each role, and how many classes there are."""
        return Counts(classes=self.index.num_classes, **{role: len(self.split.positions(role)) for role in ROLES})


def read_clips(config: RunConfig, index: ClipIndex | None = None) -> tuple[ClipIndex, Split]:
    """Returns the index that a config names, unless it is given, and its split, as kept in a file or drawn."""
    index = index or read_index(config.clips)
    return index, load_split(config.split_file, index) if config.split_file else make_split(index, config.split)


def read_own_clips(config: RunConfig, run: RunDir) -> ClipIndex:
    """Returns the index that a run was begun with."""
    if not mode(config.clips):
        raise InputError(
            f"{run.config}: {config.clips} is no longer there; say under `clips` in this file, or to --resume with "
            "--clips, where it is"
        )
    return read_index(config.clips)


def digests(index: ClipIndex, split: Split) -> dict[str, str]:
    """Returns what tells whether a run's clips, their order, labels, roles and features are still the same."""
    found = {"index": index.digest, "split": split.digest(index)}
    return found if index[0].bank is None else found | {"features": features_digest(index)}


def prepare_material(config: RunConfig, index: ClipIndex, split: Split, accelerator: Accelerator) -> Material:
    """Returns the clips of a run, prepared as their modality needs it."""
    # First what can be refused at once: decoding may take an hour.
    if config.train.logit_adjustment and config.train.sampling == "classes":
        why = "which leaves no class rarer than another in training; choose one of the two"
        raise InputError(f"setting 'train.logit_adjustment' is given and 'train.sampling' is classes, {why}")
    _require_shares(config, accelerator.num_processes)
    require_rounds(config, split)
    require_followed(config)
    if config.train.compile:
        require_compiler(accelerator.device)
    clips = {position: index[position] for role in ROLES for position in split.positions(role)}
    require_files(clips.values(), config.clips)
    modality = modality_of(clips.values())
    prepare_clips(modality, list(clips.values()), config.input, accelerator)
    workers = modality.workers() if config.train.workers is None else config.train.workers
    share_cores(accelerator, workers)
    data = SemiData(
        modality.make_views(clips, config.input, None),
        {position: index[position].label for position in split.labeled},
        split.unlabeled,
        batch_labeled=config.train.batch_labeled,
        batch_unlabeled=config.train.batch_unlabeled,
        seed=config.train.seed,
        workers=workers,
        share=(accelerator.process_index, accelerator.num_processes),
        by_class=config.train.sampling == "classes",
        device=accelerator.device,
    )
    return Material(index, split, data, steps_per_round(config.train, len(split.labeled) + len(split.unlabeled)))


Processes: TypeAlias = Accelerator | PartialState
"""Which of how many processes this is: of a training, or of work without one."""


def prepare_clips(modality: Modality, clips: Sequence[Clip], settings: InputSettings, accelerator: Processes) -> None:
    """Prepares clips as their modality needs it: of several processes each a share of the files, on each machine."""
    files = by_file(clips)[accelerator.local_process_index :: launched()]
    if files:
        modality.prepare([clip for some in files for clip in some], settings)
    accelerator.wait_for_everyone()


def share_cores(accelerator: Processes, workers: int) -> None:
    """Leaves a core to each loader process, where this one computes on the CPU and the user has not said otherwise."""
    if accelerator.device.type == "cpu" and not _threads_are_asked_for():
        # Threads that share a core with a loader process keep all others waiting, busily, several times as long.
        torch.set_num_threads(max(1, cores() - workers))


def _threads_are_asked_for() -> bool:
    """Returns whether the user has said how many threads there are; 1 is what launchers say where nobody has."""
    given = os.environ.get("OMP_NUM_THREADS")
    return given is not None and not (launched() > 1 and given == "1")


@contextmanager
def all_threads() -> Iterator[None]:
    """Computes with all cores while the block runs, for which the other processes of a training wait."""
    before = torch.get_num_threads()
    if launched() > 1 and not _threads_are_asked_for():
        torch.set_num_threads(all_cores())
    yield
    torch.set_num_threads(before)


def make_accelerator(precision: str, track: str | None = None, folder: Path | None = None) -> Accelerator:
    """Returns the Accelerator of a run, which also says which of how many processes this is.

    `track` names an experiment tracker, and `folder` is where it keeps files.

    Raises:
        InputError: this process has one of another precision, the device lacks this one, or the tracker is missing.
    """
    if track is not None:
        require(track, track)
    if is_initialized() and AcceleratorState().mixed_precision != precision:
        raise InputError(
            f"setting 'train.precision' is {precision}, but this process has already trained with "
            f"{AcceleratorState().mixed_precision}; start a new one"
        )
    if precision == "fp16" and not torch.cuda.is_available():
        raise InputError("setting 'train.precision' is fp16, which needs a GPU; bf16 works on a CPU, too")
    handlers: list[KwargsHandler] = [
        InitProcessGroupKwargs(timeout=PATIENCE),
        # Buffers must not change between a step's two passes; they are the main process's again after each round.
        DistributedDataParallelKwargs(broadcast_buffers=False),
    ]
    try:
        accelerator = Accelerator(
            mixed_precision=precision, cpu=_on_cpu(), kwargs_handlers=handlers, log_with=track, project_dir=folder
        )
    except ValueError as error:
        raise InputError(f"setting 'train.precision': {error}") from error
    console.quiet = not accelerator.is_main_process
    _require_launched(accelerator.num_processes)
    return accelerator


def processes() -> PartialState:
    """Returns which of how many processes this is, for work without a training."""
    state = PartialState(cpu=_on_cpu(), timeout=PATIENCE)
    console.quiet = not state.is_main_process
    _require_launched(state.num_processes)
    return state


def _on_cpu() -> bool:
    """Returns whether Accelerate must be told to compute on the CPU, without which it looks for no processes there."""
    return launched() > 1 and not torch.accelerator.is_available()


def _require_launched(processes: int) -> None:
    """Refuses a launch of fewer processes than it was asked for: on a CPU Accelerate's launcher starts only one."""
    parent = psutil.Process().parent()
    with suppress(psutil.Error):  # of a parent that is gone, or not ours, nothing is known
        line = [] if parent is None else parent.cmdline()
        _, _, asked = " ".join(line).replace("_", "-").replace("=", " ").partition("--num-processes ")
        wanted = asked.partition(" ")[0]
        if "launch" in line and wanted.isdigit() and int(wanted) > processes:
            raise InputError(
                f"accelerate launch was asked for {wanted} processes and has started {processes}, as it does without "
                f"GPUs; torchrun --nproc_per_node {wanted} -m aplt ... starts them everywhere"
            )


def _require_shares(config: RunConfig, processes: int) -> None:
    settings = config.train
    shares = processes * settings.accumulate
    for name in ("batch_labeled", "batch_unlabeled"):
        size = getattr(settings, name)
        if size % shares:
            who = "each process" if settings.accumulate == 1 else "each of train.accumulate parts in each process"
            raise InputError(
                f"setting 'train.{name}' is {size}, expected a multiple of {shares}: {who} takes an equal share"
            )
        alone = settings.batch_norm == "separate" if name == "batch_labeled" else settings.batch_norm != "frozen"
        used = name == "batch_labeled" or find_method(config.method).algorithm is not None
        if config.input.kind == "features" and used and alone and size < 2 * shares:
            raise InputError(
                f"setting 'train.{name}' is {size}, expected {2 * shares} or more: batch normalization of features "
                "needs two clips at a time"
            )


def require_rounds(config: RunConfig, split: Split) -> None:
    """Refuses a run in which every round is a warm-up, so that clips without a label would silently not be used."""
    rounds, warm_up = config.train.rounds, config.train.warm_up_rounds
    wanted = find_method(config.method).algorithm is not None or config.offline is not None
    if wanted and split.unlabeled and warm_up >= rounds:
        raise InputError(
            f"setting 'train.warm_up_rounds' is {warm_up} and 'train.rounds' is {rounds}: method {config.method} would "
            f"never see the {counted(len(split.unlabeled), 'unlabeled clip')}; lower the one or raise the other"
        )


def build_state(config: RunConfig, material: Material, device: torch.device, *, begun: bool = False) -> TrainState:
    """Returns the untrained state of a run on `device`; the same for the same seed.

    One that has `begun` goes on from a checkpoint, and needs the weights that it started from no more.
    """
    torch.manual_seed(config.train.seed)
    clip_shape, split = material.data.views.clip_shape, material.split
    joints = getattr(material.data.views, "joints", ())  # of skeletons
    student = Recognizer(
        encoder=config.encoder,
        encoder_settings=config.encoder_settings,
        clip_shape=list(clip_shape),
        class_names=list(material.index.class_names),
        input=config.input.model_dump(mode="json") | ({"joints": list(joints)} if joints else {}),
        read_out=config.read_out,
        prototype_scale=config.read_out_scale,
        clip_seconds=_clip_seconds([material.index[p] for p in (*split.labeled, *split.unlabeled)]),
    )
    if config.encoder_weights is not None and not begun:
        settings, weights = config.encoder_settings, config.encoder_weights
        if left := load_weights(student.encoder, config.encoder, clip_shape, settings, weights):
            console.print(left, soft_wrap=True)
    if config.train.logit_adjustment:
        labels = torch.tensor([material.data.label_of[position] for position in material.split.labeled])
        count = torch.bincount(labels, minlength=material.index.num_classes).clamp(min=1)
        student.adjustment.copy_(config.train.logit_adjustment * (count / len(labels)).log())
    if distributed.is_initialized() and device.type == "cuda":
        student = nn.SyncBatchNorm.convert_sync_batchnorm(student)
    student = student.to(device).train()
    teacher = make_teacher(student, config.train.ema_decay)
    tune(config, student, cast(Recognizer, teacher.module))
    algorithm = build_algorithm(config, task_of(config, material, student))
    if algorithm is not None:
        algorithm = algorithm.to(device)
    online = OnlineLog(len(material.index)).to(device)
    return TrainState(student, teacher.requires_grad_(False), algorithm, make_optimizer(student, config.train), online)


def _clip_seconds(clips: Sequence[Clip]) -> list[float] | None:
    """Returns the median and the longest of the clips in seconds, of many every n-th; None where none says."""
    about: list[float] = []
    for clip in clips[:: 1 + len(clips) // MEASURED]:
        with suppress(InputError):  # a file that is gone is said by what reads it
            own = replace(clip, bank=None)  # of which its features tell nothing
            about.append(modality_of_clip(own).about_seconds(own) or 0.0)
    known = [seconds for seconds in about if seconds > 0]
    return [float(np.median(known)), max(known)] if known else None


def task_of(config: RunConfig, material: Material, model: Recognizer) -> Task:
    """Returns the sizes that the method's memory may depend on."""
    index, split = material.index, material.split
    size = model.prototype.shape[1]
    patch = MODALITIES[config.input.kind].patch
    steps = max(1, config.train.rounds - config.train.warm_up_rounds) * material.steps_per_round
    share: tuple[float, ...] = ()
    if config.train.sampling == "classes":
        count = np.bincount(index.labels[list(split.labeled)], minlength=index.num_classes)
        share = tuple((count / count.sum()).tolist())
    return Task(index.num_classes, len(index), split.labeled, len(split.unlabeled), size, patch, steps, share)


def build_algorithm(config: RunConfig, task: Task) -> Algorithm | None:
    """Returns the online half of the config's method; None where it has none."""
    build = find_method(config.method).algorithm
    try:
        built = None if build is None else build(task, **config.method_settings)
    except ValueError as error:
        raise InputError(f"method_settings of {config.method}: {error}") from error
    if built is not None and not callable(getattr(built, "loss", None)):
        raise InputError(f"method {config.method}: {type(built).__name__} has no function loss(step)")
    return built


def build_offline(config: RunConfig) -> Offline | None:
    """Returns the offline half of the config's method; None where it has none, or goes without."""
    build = find_method(config.method).offline
    try:
        return None if build is None or config.offline is None else build(**config.offline)
    except ValueError as error:
        raise InputError(f"offline settings of {config.method}: {error}") from error
