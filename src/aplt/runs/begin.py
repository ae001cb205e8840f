"""A run begun, continued or used again: what must hold before the loop starts, and who may."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from aplt.clips import ClipIndex, Split
from aplt.config import RunConfig
from aplt.data.bank import features_digest
from aplt.data.files import ClipError
from aplt.data.split_file import load_split, save_split
from aplt.data.split_remarks import remark_on_share, remark_on_split
from aplt.display import console
from aplt.errors import InputError
from aplt.lock import held
from aplt.processes import others_alive
from aplt.record import Result
from aplt.rundir import RunDir
from aplt.runs.configure import begun_config
from aplt.runs.loop import Trainer
from aplt.runs.setup import digests, make_accelerator, prepare_material, read_clips, read_own_clips
from aplt.runs.taught import require_untaught
from aplt.storage import absolute, read_bytes, read_text, write_json, write_text

ADVICE = "undo the change, or start a new run with another --name"


class BusyError(InputError):
    """Another process is training in the run folder."""


def train(config: RunConfig, run: RunDir, index: ClipIndex | None = None) -> Result:
    """Trains a new run and returns its final figures; other files in the folder stay as they are.

    `index` is that of the config's clips, where it has been read already.
    """
    index, split = read_clips(config, index)
    require_untaught(config, index, split)
    accelerator = make_accelerator(config.train.precision, config.train.track, run.path)
    drawn = config.split_file is None
    advice = "--set split.by_subject=true" if drawn else "a split by `aplt split --by-subject`"
    for remark in (
        remark_on_split(index, split, advice),
        drawn and remark_on_share(index, split, config.split.labeled),
    ):
        if remark:
            console.print(remark, soft_wrap=True)
    with alone(run, accelerator), _hinting(config.clips):
        require_free(run)
        if run.config.exists() and not begun_alike(config, digests(index, split), run):
            told = "a training with other settings or clips, begun here, has learned nothing yet; this one replaces it"
            console.print(f"{run.path}: {told}", soft_wrap=True)
        return _begin(config, run, index, split, accelerator)


@contextmanager
def alone(run: RunDir, accelerator: Accelerator) -> Iterator[None]:
    """Keeps other trainings out of the run folder while the block runs; of several processes, the main one does."""
    with held(run.lock) if accelerator.is_main_process else nullcontext(True) as ours:
        free = [ours]
        broadcast_object_list(free)
        if not free[0]:
            raise BusyError(
                f"{run.path}: another process is training in this folder; wait for it or choose another one"
            )
        with others_alive():
            yield


def require_free(run: RunDir) -> None:
    """Refuses a folder that holds a run."""
    # A run that was ended before anything was learned does no harm: by a kill, or by an error in what it was given.
    parts = [file for file in run.files() if file not in (run.config, run.split, run.origin)]
    if parts and run.config.exists():
        raise InputError(f"{run.path} holds a run already; continue it with --resume or choose another --name")
    if parts:
        found = parts[0].relative_to(run.path)
        raise InputError(f"{run.path} holds {found} of a run without config.yaml; remove it or choose another --name")


def resume(run: RunDir, clips: Path | None = None) -> Result:
    """Continues an interrupted run from its last checkpoint and returns its final figures; a finished one is only read.

    `clips` is where its clips.csv or folder of clips is by now; None: where it was.
    """
    run.require(lambda r: r.config, "--resume takes the folder of a run")
    if run.result.exists():
        return run.read_result()
    config = begun_config(run)
    if clips is not None:
        config = config.model_copy(update={"clips": absolute(clips)})
    return _go_on(config, run)


def finished(run: RunDir) -> tuple[RunConfig, ClipIndex, Split]:
    """Returns the settings, the clips and the roles of a finished run.

    Raises:
        InputError: it is not finished, or its clips have changed.
    """
    run.read_result()
    config = begun_config(run)
    index = read_own_clips(config, run)
    split = load_split(run.split, index, ADVICE)
    if index[0].bank is not None:
        _require_same(run, "features", features_digest(index), config.clips)
    return config, index, split


def _require_same(run: RunDir, name: str, now: str | None, file: str | Path) -> None:
    """Refuses what has another digest than when the run was begun; `file` is where it lies."""
    what = {"index": "rows, their order or labels", "split": "roles", "features": "features"}[name]
    if run.read_digests().get(name) != now:
        raise InputError(f"{file}: its {what} have changed since {run.path} was begun; {ADVICE}")


def _go_on(config: RunConfig, run: RunDir) -> Result:
    """Continues a run whose files lie where `config` says."""
    # The split as it was drawn, not drawn again: an index that has changed since is noticed.
    drawn = run.require(lambda r: r.split, "the run cannot be resumed without it")
    index = read_own_clips(config, run)
    split = load_split(drawn, index, ADVICE)
    run.require(lambda r: r.origin, "the run cannot be resumed without it")
    now = digests(index, split)
    for name, file in (("index", config.clips), ("split", run.split), ("features", config.clips)):
        _require_same(run, name, now.get(name), file)
    accelerator = make_accelerator(config.train.precision, config.train.track, run.path)
    with alone(run, accelerator), _hinting(config.clips):
        material = prepare_material(config, index, split, accelerator)
        trainer = Trainer(config, run, material, accelerator, begun=run.checkpoint.exists())
        if accelerator.is_main_process:
            run.sweep()
            _keep(config, run)
        return trainer.train()


def train_or_reuse(config: RunConfig, run: RunDir, made_of: dict[str, str] | None = None) -> Result:
    """Returns the result of a run with this config on these very clips: as found, continued, or trained from the start.

    Where files lie, and how they are read, may have changed since it was begun. A run that is trained from the start
    takes the place of another one in the folder; files of others stay as they are. `made_of` are the digests of the
    index and the split that are meant; None: as they are now.

    Raises:
        InputError: the clips are not those that are meant; they, the split or settings are not usable, the run to be
            continued is damaged, or another process trains in the folder.
    """
    index, split = read_clips(config)
    now = digests(index, split)
    if made_of not in (None, now):
        raise InputError(f"{config.clips}: the clips or their labels have changed since this was begun; begin it again")
    if begun_alike(config, now, run):
        if not run.result.exists():
            return _go_on(config, run)
        _keep(config, run)
        return run.read_result()
    require_untaught(config, index, split)
    accelerator = make_accelerator(config.train.precision, config.train.track, run.path)
    with alone(run, accelerator), _hinting(config.clips):
        return _begin(config, run, index, split, accelerator)


def _keep(config: RunConfig, run: RunDir) -> None:
    """Writes a run's config anew where it has changed: its files may lie elsewhere by now."""
    text = config.to_yaml()
    if read_text(run.config) != text:
        write_text(run.config, text)


def begun_alike(config: RunConfig, made_of: dict[str, str], run: RunDir) -> bool:
    """Returns whether a run was begun with these settings on these clips in these roles, wherever its files lay then.

    `made_of` are the digests of index and split.
    """
    if not run.config.exists():
        return False
    if read_bytes(run.config) != config.to_yaml().encode():
        try:
            if begun_config(run).of_training() != config.of_training():
                return False
        except InputError:  # of another version, or damaged: not this one
            return False
    return run.read_digests() == made_of


@contextmanager
def _hinting(clips: Path) -> Iterator[None]:
    """Adds to the error of a clip what names all clips of the index that have one."""
    try:
        yield
    except ClipError as error:
        raise InputError(f"{error}; `aplt check {shlex.quote(str(clips))}` names all such clips") from error


def _begin(config: RunConfig, run: RunDir, index: ClipIndex, split: Split, accelerator: Accelerator) -> Result:
    trainer = Trainer(config, run, prepare_material(config, index, split, accelerator), accelerator)
    # No process may begin to write before all have seen that the folder is free.
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        run.clear()
        save_split(run.split, index, split)
        write_json(run.origin, {"digests": digests(index, split)})
        # Last: its presence says that the run can be resumed.
        write_text(run.config, config.to_yaml())
    # Nor may one look for a checkpoint while another run's is still there.
    accelerator.wait_for_everyone()
    return trainer.train()
