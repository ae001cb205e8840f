"""The loop: a seed gives the same bits, and a run killed anywhere ends as one that was not."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from aplt import rundir
from aplt.data.batches import SemiData
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.training import loop
from aplt.training.loop import resume, train, train_or_reuse
from tests.training.clips import tiny_config, write_clips


def weights(run: RunDir) -> dict[str, torch.Tensor]:
    return load_file(run.model / "model.safetensors")


def same_weights(first: RunDir, second: RunDir) -> bool:
    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def without_clock(run: RunDir) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in run.read_metrics()]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def uninterrupted(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    run = RunDir(tmp_path_factory.mktemp("runs") / "whole")
    train(tiny_config(clips), run)
    return run


def test_leaves_the_whole_run_folder(uninterrupted: RunDir) -> None:
    files = {str(path.relative_to(uninterrupted.path)) for path in uninterrupted.path.rglob("*") if path.is_file()}
    assert files == {
        "config.yaml",
        "split.csv",
        "metrics.jsonl",
        "ledger.csv",
        "predictions.csv",
        "pseudo_labels.csv",
        "result.json",
        "checkpoint/state.safetensors",
        "model/config.json",
        "model/model.safetensors",
        "rounds/001.npz",
        "rounds/002.npz",
        "rounds/003.npz",
    }
    result = uninterrupted.read_result()
    assert result["steps"] == 16
    assert result["counts"] == {"labeled": 6, "unlabeled": 30, "val": 0, "test": 12, "classes": 3}
    assert [line["warm_up"] for line in uninterrupted.read_metrics()] == [True, False, False, False]
    assert [line["pseudo"] is None for line in uninterrupted.read_metrics()] == [True, False, False, False]


def test_same_seed_same_bits_and_another_seed_others(clips: Path, uninterrupted: RunDir, tmp_path: Path) -> None:
    again, other = RunDir(tmp_path / "again"), RunDir(tmp_path / "other")
    train(tiny_config(clips), again)
    train(tiny_config(clips, train={"seed": 1}), other)
    assert same_weights(uninterrupted, again)
    assert without_clock(uninterrupted) == without_clock(again)
    assert not same_weights(uninterrupted, other)


def test_its_own_config_repeats_a_run(uninterrupted: RunDir, tmp_path: Path) -> None:
    from aplt.config import load_yaml, validate

    again = RunDir(tmp_path / "again")
    train(validate(load_yaml(uninterrupted.config), "config"), again)
    assert same_weights(uninterrupted, again)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_online(step: int) -> None:
    """Kills the process when the loop asks for this batch of the third round, the second that is not warm-up."""
    whole = SemiData.semi_batches

    def batches(self: SemiData, steps: int, round_: int, **options: Any) -> Iterator[Any]:
        for number, batch in enumerate(whole(self, steps, round_, **options), start=options.get("start", 0)):
            if (round_, number) == (2, step):
                die()
            yield batch

    SemiData.semi_batches = batches  # type: ignore[method-assign]


def die_offline() -> None:
    """Kills the process in the pass over the clips of the third round."""
    whole = SemiData.view_batches

    def batches(self: SemiData, positions: Any, kind: Any, *, key: tuple[int, ...] = ()) -> Iterator[Any]:
        for batch in whole(self, positions, kind, key=key):
            if key[:2] == (2, 2) and key[2] == 1:
                die()
            yield batch

    SemiData.view_batches = batches  # type: ignore[method-assign]


def die_writing(count: int) -> Callable[[], None]:
    """Returns what kills the process when a checkpoint is written for the count-th time, with half of it on disk."""

    def arm() -> None:
        whole, written = Path.open, [0]

        def opened(path: Path, mode: str = "r", **options: Any) -> Any:
            stream = whole(path, mode, **options)
            if "state.safetensors" in path.name and mode == "xb":
                written[0] += 1
                if written[0] == count:
                    stream.write(b"half a checkpoint")
                    stream.flush()
                    die()
            return stream

        Path.open = opened  # type: ignore[method-assign,assignment]

    return arm


def die_between_metrics_and_checkpoint() -> None:
    whole = loop.Trainer._save

    def save(self: loop.Trainer) -> None:
        if self.state.step == 0 and self.state.round == 3:
            die()
        whole(self)

    loop.Trainer._save = save  # type: ignore[method-assign]


DEATHS: dict[str, Callable[[], None]] = {
    "online, first step of a round": lambda: die_online(0),
    "online, within a round": lambda: die_online(2),
    "offline": die_offline,
    "writing a checkpoint within a round": die_writing(7),
    "writing the first checkpoint": die_writing(1),
    "after the metrics, before the checkpoint": die_between_metrics_and_checkpoint,
}


def train_until_death(arm: Callable[[], None], config: Any, run: RunDir) -> None:
    arm()
    train(config, run)


@pytest.mark.parametrize("death", DEATHS)
def test_killed_and_resumed_ends_with_the_same_weights(
    death: str, clips: Path, uninterrupted: RunDir, tmp_path: Path
) -> None:
    run = RunDir(tmp_path / "run")
    process = multiprocessing.get_context("fork").Process(
        target=train_until_death, args=(DEATHS[death], tiny_config(clips), run)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not run.result.exists()
    resume(run)
    assert same_weights(run, uninterrupted)
    assert without_clock(run) == without_clock(uninterrupted)
    assert run.ledger.read_text() == uninterrupted.ledger.read_text()
    assert run.predictions.read_text() == uninterrupted.predictions.read_text()
    assert not list(run.path.rglob(".*"))


def test_resuming_within_a_round_does_not_repeat_its_steps(clips: Path, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    process = multiprocessing.get_context("fork").Process(
        target=train_until_death, args=(DEATHS["online, within a round"], tiny_config(clips), run)
    )
    process.start()
    process.join()
    starts = []
    whole = SemiData.semi_batches

    def batches(self: SemiData, steps: int, round_: int, **options: Any) -> Iterator[Any]:
        starts.append((round_, options["start"]))
        return whole(self, steps, round_, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SemiData, "semi_batches", batches)
        resume(run)
    assert starts == [(2, 2), (3, 0)]


def test_finished_run_is_not_trained_again(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDir(tmp_path / "run")
    config = tiny_config(clips, train={"rounds": 2})
    first = train(config, run)
    monkeypatch.setattr(loop.Trainer, "train", lambda _: pytest.fail("trained again"))
    assert resume(run) == first
    assert train_or_reuse(config, run) == first
    with pytest.raises(InputError, match="holds a run already"):
        train(config, run)


def test_changed_settings_are_trained_anew(clips: Path, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    train_or_reuse(tiny_config(clips, train={"rounds": 2}), run)
    assert train_or_reuse(tiny_config(clips, train={"rounds": 3}), run)["steps"] == 12
    assert len(run.read_metrics()) == 3


def test_diverging_stops_with_a_sentence(clips: Path, tmp_path: Path) -> None:
    config = tiny_config(clips, train={"learning_rate": 1e30, "clip_gradient": None, "optimizer": "sgd"})
    with pytest.raises(InputError, match="the loss is not finite by round 1"):
        train(config, RunDir(tmp_path / "run"))


def test_all_labels_and_no_unlabeled_clips(clips: Path, tmp_path: Path) -> None:
    for method in ("supervised", "aplt"):
        run = RunDir(tmp_path / method)
        result = train(tiny_config(clips, method=method, split={"labeled": 1.0, "test": 0.25}), run)
        assert result["counts"]["unlabeled"] == 0
        assert result["labeled_fraction"] == 1.0


def test_prototypes_stand_still_in_a_round_and_are_kept_in_the_model(uninterrupted: RunDir) -> None:
    last = rundir.read_arrays(uninterrupted.guidance(3))["prototype"]
    assert torch.equal(weights(uninterrupted)["prototype"], torch.from_numpy(last))


def test_result_is_plain_json(uninterrupted: RunDir) -> None:
    text = uninterrupted.result.read_text()
    assert json.loads(text)["classes"] == ["nod", "shake", "wave"]
    assert "NaN" not in text + uninterrupted.metrics.read_text()
