"""What a run says about itself, worked out again from its other files and by hand."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.surroundings import Surroundings
from aplt.storage import read_arrays
from tests.runs.clips import CLASSES, tiny_config, write_clips


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run with val clips whose method makes labels online; three rounds of four steps, the first a warm-up."""
    folder = tmp_path_factory.mktemp("outcome")
    clips = write_clips(folder / "clips", clips=240)
    run = RunDir(folder / "run")
    train(
        tiny_config(
            clips,
            method_settings={"confidence": 0.35},
            split={"labeled": 0.1, "test": 0.25, "val": 0.2},
            train={"rounds": 3, "learning_rate": 0.01, "batch_unlabeled": 24, "batch_labeled": 12},
        ),
        run,
    )
    return run


def positions(ids: Iterable[str]) -> list[int]:
    """Returns the rows of the index, which its clips are named after."""
    return [int(name.removesuffix(".npy")) for name in ids]


def truth(ids: Iterable[str]) -> list[str]:
    """Returns the true classes of clips: clip i is of class i mod 3."""
    return [CLASSES[position % 3] for position in positions(ids)]


def test_rounds_by_hand(run: RunDir) -> None:
    rounds = run.read_rounds()
    assert [line.steps_done for line in rounds] == [4, 8, 12]
    rates = [0.01 * (1 + math.cos(math.pi * done)) / 2 for done in (1 / 3, 2 / 3, 1)]
    assert [line.learning_rate for line in rounds] == pytest.approx(rates, abs=1e-12)
    for line in rounds:
        assert line.loss["total"] == pytest.approx(sum(part for name, part in line.loss.items() if name != "total"))
    assert rounds[0].loss["sup_logits"] == pytest.approx(math.log(3), abs=0.5)  # a mean over steps, near to chance
    assert [line.watched.role for line in rounds if line.watched] == ["val"] * 3
    assert [line.pseudo is None for line in rounds] == [True, False, False]
    assert [line.online is None for line in rounds] == [True, False, False]


def test_the_last_round_measures_what_is_kept(run: RunDir) -> None:
    last, result = run.read_rounds()[-1], run.read_result()
    assert last.watched is not None
    assert result.test is not None
    assert result.val is not None
    assert last.watched.figures == result.val
    assert result.val != result.test


def test_result_by_hand(run: RunDir) -> None:
    result, roles = run.read_result(), pd.read_csv(run.split)["role"].value_counts()
    assert result.counts.model_dump() == {**roles.to_dict(), "classes": 3}
    assert sum(result.labeled_per_class) == roles["labeled"]
    assert min(result.labeled_per_class) > 0
    assert result.labeled_fraction == roles["labeled"] / (roles["labeled"] + roles["unlabeled"])
    assert result.labeled_asked == 0.1
    assert (result.method, result.encoder, result.seed, result.steps) == ("aplt", "tcn", 0, 12)
    assert result.classes == CLASSES
    weights = load_file(run.model / "model.safetensors")
    buffers = ("running_mean", "running_var", "num_batches_tracked", "prototype")
    assert result.parameters == sum(w.numel() for name, w in weights.items() if not name.endswith(buffers))


def test_predictions_give_the_accuracy(run: RunDir) -> None:
    result, table = run.read_result(), pd.read_csv(run.predictions)
    assert result.test is not None
    assert (table["truth"] == truth(table["id"])).all()
    assert (table["prediction_1"] == table["truth"]).mean() == result.test.top1
    assert table.filter(like="score_").sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)


def test_pseudo_labels_are_of_the_unlabeled_clips_and_the_last_phases(run: RunDir) -> None:
    result, table, split = run.read_result(), pd.read_csv(run.pseudo_labels), pd.read_csv(run.split)
    assert result.unlabeled is not None
    assert sorted(table["id"]) == sorted(split["id"][split["role"] == "unlabeled"])
    assert (table["label"] == truth(table["id"])).mean() == result.unlabeled.top1
    kept, position = read_arrays(run.guidance(2)), positions(table["id"])
    assert table["offline_label"].tolist() == [CLASSES[k] for k in kept["label"][position]]
    assert table["accepted"].tolist() == kept["accepted"][position].tolist()
    assert set(table["online_label"].dropna()) <= set(CLASSES)
    assert set(table["weight"][table["online_label"].notna()]) <= {0.0, 1.0}
    assert (table["weight"] > 0).any()
    assert table["reliability"].between(0, 1).all()  # 36 val clips are enough to measure it
    stored = read_arrays(run.features)
    labeled = np.isin(stored["position"], positions(split["id"][split["role"] == "labeled"]))
    label = torch.from_numpy(np.where(labeled, stored["position"] % 3, -1))
    _, novelty = Surroundings.of(torch.from_numpy(stored["feature"]).float(), label, len(CLASSES))
    assert dict(zip(stored["position"][~labeled], novelty[~labeled].tolist(), strict=True)) == pytest.approx(
        dict(zip(positions(table["id"]), table["novelty"], strict=True)), abs=1e-4
    )


def test_figures_of_pseudo_labels_are_those_of_the_kept_guidance(run: RunDir) -> None:
    split, last = pd.read_csv(run.split), run.read_rounds()[-1].pseudo
    assert last is not None
    ids = split["id"][split["role"] == "unlabeled"]
    kept, rows = read_arrays(run.guidance(2)), positions(ids)
    right = np.array([CLASSES[k] for k in kept["label"][rows]]) == np.array(truth(ids))
    accepted = kept["accepted"][rows]
    assert last.coverage == pytest.approx(accepted.mean())
    assert last.precision == pytest.approx(right[accepted].mean())
    assert last.all_precision == pytest.approx(right.mean())


def test_the_ledger_is_the_kept_guidance(run: RunDir) -> None:
    ledger, split = pd.read_csv(run.ledger), pd.read_csv(run.split).sort_values("id")
    training = split[split["role"].isin(["labeled", "unlabeled"])]
    at = positions(training["id"])
    assert ledger["round"].unique().tolist() == [2, 3]
    for number in (2, 3):
        rows = ledger[ledger["round"] == number]
        kept = read_arrays(run.guidance(number - 1))
        assert rows["id"].tolist() == training["id"].tolist()
        assert rows["label"].tolist() == [CLASSES[k] for k in kept["label"][at]]
        assert rows["given"].tolist() == (training["role"] == "labeled").tolist()
        assert rows["accepted"].tolist() == kept["accepted"][at].tolist()
        for name in ("distance", "confidence"):
            np.testing.assert_allclose(rows[name], kept[name][at], atol=1e-5)
        np.testing.assert_allclose(rows["threshold"], kept["threshold"][kept["label"][at]], atol=1e-5)


def test_the_model_is_the_teacher_that_was_measured(run: RunDir) -> None:
    state, kept = load_file(run.checkpoint), load_file(run.model / "model.safetensors")
    assert all(torch.equal(tensor, state[f"teacher.module.{name}"]) for name, tensor in kept.items())
