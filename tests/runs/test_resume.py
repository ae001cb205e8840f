"""A run killed anywhere and continued ends with the same bits as one that was not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from accelerate.state import AcceleratorState

from aplt.data.batches import SemiData
from aplt.errors import InputError
from aplt.offline.bank import build_bank
from aplt.rundir import RunDir
from aplt.runs import loop, state
from aplt.runs.begin import resume, train
from aplt.runs.configure import configured
from tests.runs.clips import OFTEN, tiny_config, write_clips
from tests.runs.runs import at_step, interrupt, same_run, same_weights, until_killed, without_clock
from tests.test_video_story import write_folder


@pytest.fixture
def another_precision() -> Iterator[None]:
    """Accelerate allows one precision a process; its own tests reset it, too."""
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def offline() -> None:
    """Kills in the pass over the clips of the third round, the second that is not warm-up."""
    whole = SemiData.view_batches

    def batches(self: SemiData, positions: Any, kind: Any, *, key: tuple[int, ...] = ()) -> Iterator[Any]:
        for batch in whole(self, positions, kind, key=key):
            if key[:1] == (2,) and len(key) == 4 and key[2] == 1:
                die()
            yield batch

    SemiData.view_batches = batches  # type: ignore[method-assign]


def writing(name: str, count: int) -> Callable[[], None]:
    """Returns what kills when a file of this name is written for the count-th time, with half of it on disk."""

    def arm() -> None:
        whole, written = Path.open, [0]

        def opened(path: Path, mode: str = "r", **options: Any) -> Any:
            stream = whole(path, mode, **options)
            if name in path.name and mode == "xb":
                written[0] += 1
                if written[0] == count:
                    stream.write(b"half a file")
                    stream.flush()
                    die()
            return stream

        Path.open = opened  # type: ignore[method-assign,assignment]

    return arm


def between_metrics_and_checkpoint() -> None:
    whole = loop.Trainer._save

    def save(self: loop.Trainer) -> None:
        if self.state.step == 0 and self.state.round == 2 and not self.state.guided:
            die()
        whole(self)

    loop.Trainer._save = save  # type: ignore[method-assign]


def between_guidance_and_checkpoint() -> None:
    whole = loop.Trainer._save

    def save(self: loop.Trainer) -> None:
        if self.state.guided and self.state.step == 0 and self.state.round == 2:
            die()
        whole(self)

    loop.Trainer._save = save  # type: ignore[method-assign]


# One after the other: each leaves what the next process goes on from.
DEATHS: dict[str, Callable[[], None]] = {
    "writing the first checkpoint": writing("state.safetensors", 1),
    "online, first step of a round": at_step(1, 0, die),
    "online, within a round": at_step(1, 2, die),
    "writing a checkpoint within a round": writing("state.safetensors", 1),
    "after the metrics, before the checkpoint": between_metrics_and_checkpoint,
    "offline": offline,
    "writing guidance": writing("003.npz", 1),
    "after the offline phase, before the checkpoint": between_guidance_and_checkpoint,
}
LATE_DEATHS: dict[str, Callable[[], None]] = {
    "online, within the last round": at_step(2, 3, die),
    "finishing, with the model written": writing("predictions.csv", 1),
    "finishing, with the predictions written": writing("pseudo_labels.csv", 1),
    "writing the result": writing("result.json", 1),
}


def test_killed_and_resumed_ends_with_the_same_weights(clips: Path, uninterrupted: RunDir, run: RunDir) -> None:
    for death in DEATHS.values():
        until_killed(death, lambda: resume(run) if run.config.exists() else train(tiny_config(clips, **OFTEN), run))
    resume(run)
    assert same_run(run, uninterrupted)
    assert not list(run.path.rglob(".*"))


def test_an_interrupted_run_that_is_killed_later(begun: RunDir, uninterrupted: RunDir) -> None:
    for death in LATE_DEATHS.values():
        until_killed(death, lambda: resume(begun))
        assert begun.model.exists() == (death is not LATE_DEATHS["online, within the last round"])
        assert not begun.result.exists()
    resume(begun)
    assert same_run(begun, uninterrupted)
    assert not list(begun.path.rglob(".*"))


def sampler_begins_again(patch: pytest.MonkeyPatch) -> None:
    """A round that is entered within gets the batches of its beginning."""
    whole = SemiData.semi_batches

    def batches(self: SemiData, steps: int, round_: int, *, start: int = 0, **options: Any) -> Iterator[Any]:
        yield from islice(whole(self, steps, round_, **options), steps - start)

    patch.setattr(SemiData, "semi_batches", batches)


def random_numbers_begin_again(patch: pytest.MonkeyPatch) -> None:
    """Steps get the seeds of a run's first rounds."""
    whole = loop._step_seed
    patch.setattr(loop, "_step_seed", lambda seed, round_, step: whole(seed, round_ - 2, step))


@pytest.mark.parametrize("defect", [sampler_begins_again, random_numbers_begin_again])
def test_what_a_resumed_run_may_forget_is_noticed(
    defect: Callable[[pytest.MonkeyPatch], None],
    begun: RunDir,
    uninterrupted: RunDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defect(monkeypatch)
    resume(begun)
    assert not same_weights(begun, uninterrupted)


@pytest.mark.parametrize("settings", [{"optimizer": "sgd", "warm_up_rounds": 0}, {"precision": "bf16"}], ids=str)
@pytest.mark.usefixtures("another_precision")
def test_other_optimizers_and_precisions_resume_too(settings: dict[str, Any], clips: Path, tmp_path: Path) -> None:
    config = tiny_config(clips, train=OFTEN["train"] | {"rounds": 2, "steps_per_round": 2} | settings)
    whole, run = RunDir(tmp_path / "whole"), RunDir(tmp_path / "run")
    train(config, whole)
    interrupt(config, run, 1, 1)
    resume(run)
    assert same_run(run, whole)


@pytest.mark.usefixtures("one_process")
def test_videos_and_a_loader_process_resume_too(tmp_path: Path) -> None:
    settings = {
        "clips": str(write_folder(tmp_path / "films", clips=2)),
        "method": "fixmatch",
        "encoder_settings": {"width": 4},
        "input": {"frames": 4, "size": 32, "cache_dir": str(tmp_path / "cache")},
        "train": {"rounds": 1, "warm_up_rounds": 0, "steps_per_round": 2, "batch_labeled": 2, "batch_unlabeled": 2}
        | OFTEN["train"]
        | {"workers": 1},
    }
    config = configured(settings, "test")[0]
    whole, run = RunDir(tmp_path / "whole"), RunDir(tmp_path / "run")
    train(config, whole)
    interrupt(config, run, 0, 1)
    resume(run)
    assert same_weights(run, whole)
    assert without_clock(run) == without_clock(whole)


def test_resuming_within_a_round_does_not_repeat_its_steps(
    clips: Path, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(tiny_config(clips, method="supervised", train=OFTEN["train"] | {"rounds": 2}), run, 0, 2)
    starts = []
    whole = SemiData.semi_batches

    def batches(self: SemiData, steps: int, round_: int, **options: Any) -> Iterator[Any]:
        starts.append((round_, options["start"]))
        return whole(self, steps, round_, **options)

    monkeypatch.setattr(SemiData, "semi_batches", batches)
    resume(run)
    assert starts == [(0, 2), (1, 0)]


def test_an_offline_phase_that_is_done_is_not_done_again(
    clips: Path, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(tiny_config(clips, train={"rounds": 2, "warm_up_rounds": 0, "steps_per_round": 2}), run, 0, 1)
    passes = []

    def build(*given: Any, round_: int, **options: Any) -> Any:
        passes.append(round_)
        return build_bank(*given, round_=round_, **options)

    monkeypatch.setattr(loop, "build_bank", build)
    resume(run)
    assert passes == [1]


@pytest.mark.parametrize("moment", [(0, 3), (1, 2), (1, 0)], ids=str)
def test_time_before_an_interruption_counts(
    moment: tuple[int, int], clips: Path, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(state, "time", SimpleNamespace(monotonic=lambda: now[0]))
    whole = SemiData.semi_batches

    def batches(self: SemiData, steps: int, round_: int, **options: Any) -> Iterator[Any]:
        for batch in whole(self, steps, round_, **options):
            now[0] += 10
            yield batch

    monkeypatch.setattr(SemiData, "semi_batches", batches)
    interrupt(tiny_config(clips, method="supervised", train=OFTEN["train"] | {"rounds": 2}), run, *moment)
    now[0] += 1000  # nobody trains
    assert resume(run).seconds.online == 80
    assert [line.seconds.online for line in run.read_rounds()] == [40, 40]


def test_a_project_that_has_moved(begun: RunDir, clips: Path, uninterrupted: RunDir, tmp_path: Path) -> None:
    shutil.copytree(clips.parent, tmp_path / "there")
    was = begun.config.read_text()
    begun.config.write_text(was.replace(str(clips), str(tmp_path / "gone" / "clips.csv")))
    with pytest.raises(InputError, match=f"{tmp_path / 'gone'}.*under `clips` in this file, .* --clips"):
        resume(begun)
    # Other clips are not taken for these.
    with pytest.raises(InputError, match="no clip '"):
        resume(begun, write_clips(tmp_path / "fewer", 12))
    resume(begun, tmp_path / "there" / "clips.csv")
    assert same_run(begun, uninterrupted)
    assert begun.config.read_text() == was.replace(str(clips), str(tmp_path / "there" / "clips.csv"))


@pytest.mark.slow
def test_the_command_line_killed_from_outside(clips: Path, uninterrupted: RunDir, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(tiny_config(clips, **OFTEN).to_yaml())
    words = ["train", str(config), "--name", "run", "--runs", str(tmp_path)]
    run = RunDir(tmp_path / "run")
    command = [sys.executable, "-m", "aplt.cli.main", *words]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # as tests have it: sums come out otherwise with more
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=one_thread) as process:
        while not run.guidance(1).exists():
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
    assert not run.result.exists()
    resume(run)
    assert same_run(run, uninterrupted)
