"""Hidden labels stay hidden: permuting the labels of unlabeled and test clips changes nothing in what is trained."""

from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from aplt.config import SplitSettings
from aplt.data.index import read_index
from aplt.data.splits import make_split
from aplt.methods.catalog import METHODS
from aplt.methods.fixmatch import FixMatch
from aplt.rundir import RunDir
from aplt.runs import loop
from aplt.runs.begin import train
from aplt.runs.outcome import known_labels
from aplt.runs.setup import Material
from aplt.tensors import Step, StepLoss
from tests.runs.clips import tiny_config, write_clips

# After so few steps the network is sure of nothing: with these, some clips are accepted and others are not.
EAGER = {"confidence": 0.4, "momentum": 0.5}


def eager(method: str) -> dict[str, float]:
    algorithm = METHODS[method].algorithm
    keywords = signature(algorithm).parameters if algorithm else {}
    # AdaMatch's confidence is relative, and accepts some as it is.
    return {name: value for name, value in EAGER.items() if name in keywords and method != "adamatch"}


def permuted_copy(clips: Path, split: Path, output: Path) -> Path:
    """Writes the index again with the labels of unlabeled and test clips shuffled; the split file stays as it is."""
    table = pd.read_csv(clips, dtype=str)
    role = pd.read_csv(split).set_index("id")["role"]
    hidden = np.flatnonzero(table["path"].map(role).isin(["unlabeled", "test"]))
    table.loc[hidden, "label"] = np.random.default_rng(1).permutation(table.loc[hidden, "label"])
    table.to_csv(output, index=False)
    return output


class Indexes(NamedTuple):
    """The same clips with their true labels and with permuted hidden ones, and what is hidden."""

    true: Path
    permuted: Path
    split: Path


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Indexes:
    folder = tmp_path_factory.mktemp("clips")
    clips = write_clips(folder, 30)
    index = read_index(clips)
    drawn = make_split(index, SplitSettings(labeled=0.2, test=0.25))
    roles = [(index[p].id, role) for role in ("labeled", "unlabeled", "test") for p in drawn.positions(role)]
    split = folder / "split.csv"
    pd.DataFrame(roles, columns=["id", "role"]).to_csv(split, index=False)
    return Indexes(clips, permuted_copy(clips, split, folder / "permuted.csv"), split)


def check_hidden_labels_stay_hidden(method: str, indexes: Indexes, folder: Path) -> None:
    """Trains on the true labels and on permuted hidden ones: the weights must be the same, bit for bit."""
    settings = {
        "method": method,
        "method_settings": eager(method),
        "split_file": str(indexes.split),
        "train": {"rounds": 2, "steps_per_round": 2},
    }
    results, weights = [], []
    for name, source in (("true", indexes.true), ("permuted", indexes.permuted)):
        run = RunDir(folder / name)
        results.append(train(tiny_config(source, **settings), run))
        weights.append(load_file(run.model / "model.safetensors"))
        last = run.read_rounds()[-1]
        if METHODS[method].algorithm is not None:
            assert last.online is not None
            assert last.online.coverage > 0, "no label was learned from online"
        if METHODS[method].offline is not None:
            assert last.pseudo is not None
            assert last.pseudo.coverage > 0, "no offline label was accepted"
    # The figures do differ: the labels that were permuted are the ones that figures are made of.
    assert results[0].test != results[1].test
    different = [key for key in weights[0] if not torch.equal(weights[0][key], weights[1][key])]
    assert not different, f"hidden labels reach {different}"


@pytest.mark.parametrize("method", METHODS)
def test_permuting_hidden_labels_leaves_the_weights_bit_identical(
    method: str, indexes: Indexes, tmp_path: Path
) -> None:
    check_hidden_labels_stay_hidden(method, indexes, tmp_path)


def all_labels(material: Material) -> Tensor:
    return torch.from_numpy(material.index.labels.copy())


@pytest.mark.parametrize("method", ["aplt_paper", "label_propagation"])
def test_an_offline_phase_that_knows_all_labels_is_caught(
    method: str, indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "known_labels", all_labels)
    with pytest.raises(AssertionError, match="hidden labels reach"):
        check_hidden_labels_stay_hidden(method, indexes, tmp_path)


class Peeks(FixMatch):
    """Carries the true labels of the unlabeled clips into the loop, and into the loss."""

    truth: Tensor

    def loss(self, step: Step) -> StepLoss:
        found = super().loss(step)
        peeked = cross_entropy(step.unlabeled.logits, self.truth[step.batch.position])
        return found._replace(parts=found.parts | {"peeked": peeked})


def test_true_labels_in_the_loop_are_caught(indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(material: Material) -> Tensor:
        Peeks.truth = all_labels(material)
        return known_labels(material)

    monkeypatch.setattr(loop, "known_labels", known)
    monkeypatch.setitem(METHODS, "fixmatch", replace(METHODS["fixmatch"], algorithm=Peeks))
    with pytest.raises(AssertionError, match="hidden labels reach"):
        check_hidden_labels_stay_hidden("fixmatch", indexes, tmp_path)
