"""Hidden labels stay hidden: permuting the labels of unlabeled clips changes nothing in what is trained."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from aplt.config import SplitSettings
from aplt.data.index import read_index
from aplt.data.splits import make_split
from aplt.rundir import RunDir
from aplt.training.recipes import RECIPES
from aplt.training.runs import train
from tests.training.clips import tiny_config, write_clips


def permuted_copy(clips: Path, split: Path, output: Path) -> Path:
    """Writes the index again with the labels of unlabeled and test clips shuffled; the split file stays as it is."""
    table = pd.read_csv(clips, dtype=str)
    role = pd.read_csv(split).set_index("id")["role"]
    hidden = np.flatnonzero(table["path"].map(role).isin(["unlabeled", "test"]))
    table.loc[hidden, "label"] = np.random.default_rng(1).permutation(table.loc[hidden, "label"])
    table.to_csv(output, index=False)
    return output


@pytest.mark.parametrize("method", RECIPES)
def test_permuting_hidden_labels_leaves_the_weights_bit_identical(method: str, tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    index = read_index(clips)
    drawn = make_split(index, SplitSettings(labeled=0.2, test=0.25))
    roles = [(index[p].id, role) for role in ("labeled", "unlabeled", "test") for p in drawn.positions(role)]
    split = tmp_path / "split.csv"
    pd.DataFrame(roles, columns=["id", "role"]).to_csv(split, index=False)
    other = permuted_copy(clips, split, clips.with_name("permuted.csv"))
    results, runs = [], []
    for name, source in (("true", clips), ("permuted", other)):
        run = RunDir(tmp_path / name)
        results.append(train(tiny_config(source, method=method, split_file=str(split)), run))
        runs.append(load_file(run.model / "model.safetensors"))
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    # The figures do differ: the labels that were permuted are the ones that figures are made of.
    assert results[0]["per_class"] != results[1]["per_class"]
