"""The loop: a seed gives the same bits, and what a run leaves."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from aplt import storage
from aplt.config import RunConfig
from aplt.display import Bar
from aplt.errors import InputError
from aplt.offline.bank import build_bank
from aplt.record import Counts, Round
from aplt.report import write_report
from aplt.rundir import RunDir
from aplt.runs import loop
from aplt.runs.begin import train
from aplt.runs.outcome import Outcome
from aplt.settings import load_yaml, validated
from aplt.tensors import FeatureBank
from tests.runs.clips import tiny_config
from tests.runs.runs import same_weights, weights, without_clock


def test_leaves_the_whole_run_folder(uninterrupted: RunDir) -> None:
    files = {str(path.relative_to(uninterrupted.path)) for path in uninterrupted.path.rglob("*") if path.is_file()}
    assert files == {
        "config.yaml",
        "origin.json",
        "split.csv",
        "metrics.jsonl",
        "ledger.csv",
        "predictions.csv",
        "held_out.csv",
        "features.npz",
        "pseudo_labels.csv",
        "result.json",
        "checkpoint/state.safetensors",
        "model/config.json",
        "model/model.safetensors",
        "model/surroundings.safetensors",
        "rounds/002.npz",
        "rounds/003.npz",
    }
    result = uninterrupted.read_result()
    assert result.steps == 12
    assert result.counts == Counts(labeled=6, unlabeled=30, val=0, test=12, classes=3)
    assert [line.warm_up for line in uninterrupted.read_rounds()] == [True, False, False]
    assert [line.pseudo is None for line in uninterrupted.read_rounds()] == [True, False, False]


def test_its_own_config_repeats_a_run_bit_for_bit_and_another_seed_does_not(
    clips: Path, uninterrupted: RunDir, tmp_path: Path
) -> None:
    again, other = RunDir(tmp_path / "again"), RunDir(tmp_path / "other")
    train(validated(RunConfig, load_yaml(uninterrupted.config), "config"), again)
    train(tiny_config(clips, train={"seed": 1}), other)
    assert same_weights(uninterrupted, again)
    assert without_clock(uninterrupted) == without_clock(again)
    assert not same_weights(uninterrupted, other)


def test_diverging_stops_with_a_sentence(clips: Path, tmp_path: Path) -> None:
    config = tiny_config(clips, train={"learning_rate": 1e30, "clip_gradient": None, "optimizer": "sgd"})
    with pytest.raises(InputError, match="the loss is not finite by round 1"):
        train(config, RunDir(tmp_path / "run"))


def test_a_network_that_unlearns_is_remarked(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = {"rounds": 1, "warm_up_rounds": 0}
    train(tiny_config(clips, train=one), RunDir(tmp_path / "usual"))
    assert "unlearns" not in capsys.readouterr().err
    train(tiny_config(clips, train=one | {"learning_rate": 1e3}), RunDir(tmp_path / "run"))
    assert "the loss is far beyond that of a guess: the network unlearns" in capsys.readouterr().err


def test_all_labels_and_no_unlabeled_clips(clips: Path, tmp_path: Path) -> None:
    for method in ("supervised", "aplt"):
        run = RunDir(tmp_path / method)
        config = tiny_config(clips, method=method, split={"labeled": 1.0, "test": 0.25}, train={"rounds": 2})
        result = train(config, run)
        assert result.counts.unlabeled == 0
        assert result.labeled_fraction == 1.0


def test_rounds_are_numbered_alike_wherever_a_person_reads(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunDir(tmp_path / "run")
    train(tiny_config(clips, train={"rounds": 3}), run)
    said = [line.split()[1] for line in capsys.readouterr().err.splitlines() if line.startswith("round ")]
    assert said == ["1/3", "2/3", "3/3"]
    assert [line.round for line in run.read_rounds()] == [1, 2, 3]
    assert pd.read_csv(run.ledger)["round"].unique().tolist() == [2, 3]  # the first was a warm-up
    assert [path.name for path in sorted(run.rounds.iterdir())] == ["002.npz", "003.npz"]
    page = write_report(run.path).read_text()
    assert "1 (warm-up)" in page
    assert "total, round 3: " in page
    assert "round 0" not in page


def test_the_share_of_labels_asked_for_and_the_one_that_came_of_it(uninterrupted: RunDir, tmp_path: Path) -> None:
    result = uninterrupted.read_result()
    assert (result.labeled_fraction, result.labeled_asked) == (6 / 36, 0.2)
    config = load_yaml(uninterrupted.config)
    config["train"] |= {"rounds": 1, "warm_up_rounds": 0}
    given = validated(RunConfig, config | {"split_file": str(uninterrupted.split), "split": {}}, "test")
    result = train(given, RunDir(tmp_path / "run"))
    assert (result.labeled_fraction, result.labeled_asked) == (6 / 36, None)


def test_prototypes_stand_still_in_a_round_and_are_kept_in_the_model(uninterrupted: RunDir) -> None:
    last = storage.read_arrays(uninterrupted.guidance(2))["prototype"]
    assert torch.equal(weights(uninterrupted)["prototype"], torch.from_numpy(last))


def check_last_model_is_kept(run: RunDir) -> None:
    """What is kept is the teacher as the last step left it, whatever the test clips say."""
    state = load_file(run.checkpoint)
    kept = weights(run)
    last = {name: state[f"teacher.module.{name}"] for name in kept}
    different = [name for name in kept if not torch.equal(kept[name], last[name])]
    assert not different, f"not of the last step: {different}"


def test_the_last_model_is_kept(uninterrupted: RunDir) -> None:
    check_last_model_is_kept(uninterrupted)


def test_a_model_chosen_on_the_test_clips_is_caught(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best: dict[str, Any] = {"top1": -math.inf}

    class Choosy(Outcome):
        def of_round(self, *given: Any, **options: Any) -> Round:
            found = super().of_round(*given, **options)
            assert found.watched is not None
            accuracy = found.watched.figures.top1 - found.round  # falls, as where a network overfits
            if accuracy > best["top1"]:
                best.update(top1=accuracy, state=deepcopy(self.state.recognizer.state_dict()))
            return found

        def of_run(self, *given: Any) -> None:
            self.state.recognizer.load_state_dict(best["state"])
            super().of_run(*given)

    monkeypatch.setattr(loop, "Outcome", Choosy)
    run = RunDir(tmp_path / "run")
    train(tiny_config(clips, method="supervised"), run)
    with pytest.raises(AssertionError, match="not of the last step"):
        check_last_model_is_kept(run)


def test_says_how_far_each_pass_over_the_clips_is(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, list[int]] = {}

    @contextmanager
    def part(_: Bar, text: str, total: int | None = None) -> Iterator[SimpleNamespace]:
        def advance(count: int) -> None:
            told[text][-1] += count

        def at(done: int, total: int) -> None:
            told[text][-1] = total - done

        told.setdefault(text, []).append(-1 if total is None else -total)
        yield SimpleNamespace(at=at, advance=advance)

    monkeypatch.setattr(Bar, "part", part)
    train(tiny_config(clips, train={"rounds": 3}), RunDir(tmp_path / "run"))
    # How much was left at the end: of two offline phases, three rounds and the finish.
    once = {"val clips": [0], "unlabeled clips": [0], "labeled clips": [0]}
    assert told == {"views of clips": [0, 0], "test clips": [0, 0, 0, 0]} | once


def test_result_is_plain_json(uninterrupted: RunDir) -> None:
    text = uninterrupted.result.read_text()
    assert json.loads(text)["classes"] == ["nod", "shake", "wave"]
    assert "NaN" not in text + uninterrupted.metrics.read_text()


@pytest.mark.parametrize("method", ["aplt", "aplt_paper", "label_propagation"])
def test_a_feature_that_is_no_number_names_its_clip(
    method: str, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any, **options: Any) -> FeatureBank:
        bank = build_bank(*given, **options)
        bank.feature[4, 1] = torch.nan
        return bank

    monkeypatch.setattr(loop, "build_bank", broken)
    with pytest.raises(InputError, match=r"clip '.*' \(.*\): its feature is not finite \(1 clip in all\)"):
        train(tiny_config(clips, method=method), RunDir(tmp_path / "run"))
