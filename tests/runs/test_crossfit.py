"""Cross-fitting: a clip that is held out is an unlabeled one in its fold's run, and measured there."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from aplt.clips import Clip, ClipIndex, Split
from aplt.errors import InputError
from aplt.prepare import prepare_next
from aplt.rundir import RunDir
from aplt.runs.begin import train
from aplt.runs.configure import begun_config
from aplt.runs.crossfit import crossfit, folds_of
from aplt.runs.labels import labels_of
from aplt.runs.reliability import held_out_of

MEMBERS = {"a": 7, "b": 2, "c": 1}


def test_each_class_goes_over_the_folds_and_the_only_clip_of_one_stays(uninterrupted: RunDir) -> None:
    labels = [name for name, count in MEMBERS.items() for _ in range(count)]
    names = tuple(MEMBERS)
    clips = tuple(Clip(str(k), uninterrupted.path, label=names.index(label)) for k, label in enumerate(labels))
    index, split = ClipIndex(clips, names), Split(labeled=tuple(range(10)))
    for folds in (2, 3, 4):
        found = folds_of(index, split, folds, seed=0)
        assert sorted(position for fold in found for position in fold) == list(range(9))
        assert max(map(len, found)) - min(map(len, found)) <= 1
        for fold in found:
            assert {labels[p] for p in set(range(10)) - fold} == set(names)
    with pytest.raises(InputError, match="too few labeled clips"):
        folds_of(index, split, 10, seed=0)


def test_what_is_held_out_was_unlabeled_in_its_fold(uninterrupted: RunDir, run: RunDir) -> None:
    shutil.copytree(uninterrupted.path, run.path)
    before, roles = run.held_out.read_text(), pd.read_csv(run.split).set_index("id")["role"]
    found = crossfit(run, 2)
    assert len(found) < len(held_out_of(run).right)
    assert run.held_out.read_text() == before  # more clips say more
    run.held_out.write_text("".join(before.splitlines(keepends=True)[:3]))
    crossfit(run, 2)
    labeled = set(roles.index[roles == "labeled"])
    assert set(found["id"]) == labeled
    for number in (1, 2):
        fold = RunDir(run.path / "crossfit" / f"fold-{number}")
        own = found[found["of"] == f"fold {number}"].set_index("id")
        there = pd.read_csv(fold.split).set_index("id")["role"]
        assert set(there[there == "labeled"].index) == labeled - set(own.index)
        pseudo = pd.read_csv(fold.pseudo_labels).set_index("id").loc[own.index]
        assert pseudo["label"].tolist() == own["label"].tolist()
    assert len(held_out_of(run).right) == len(labeled)
    weights = (RunDir(run.path / "crossfit" / "fold-1").model / "model.safetensors").stat().st_mtime_ns
    crossfit(run, 2)  # is found, not trained again
    assert (RunDir(run.path / "crossfit" / "fold-1").model / "model.safetensors").stat().st_mtime_ns == weights
    run.clear()
    assert not run.held_out.exists()


def test_a_fold_of_a_later_run_begins_where_the_first_did(uninterrupted: RunDir, tmp_path: Path) -> None:
    prepared, _ = prepare_next(uninterrupted, None, None, {}, settings={}, name="second", runs=tmp_path)
    train(prepared.config, prepared.folder, prepared.index)
    crossfit(prepared.folder, 2)
    fold = begun_config(RunDir(prepared.folder.path / "crossfit" / "fold-1"))
    assert prepared.config.encoder_weights is not None
    assert fold.encoder_weights is None
    assert fold.train == begun_config(uninterrupted).train


def test_clips_whose_labels_the_weights_know_are_not_tested_on(uninterrupted: RunDir, run: RunDir) -> None:
    known = {"encoder_weights": str(uninterrupted.model / "model.safetensors")}
    config = begun_config(uninterrupted).model_copy(update=known)
    with pytest.raises(InputError, match=r"\d clips? to test on, first '.*', had a label in the training of .*whole"):
        train(config.model_copy(update={"split": config.split.model_copy(update={"seed": 2})}), run)
    train(config, run)


def test_labels_are_those_of_the_unlabeled_clips_and_promises_need_evidence(uninterrupted: RunDir) -> None:
    found = labels_of(uninterrupted)
    roles = pd.read_csv(uninterrupted.split).set_index("id")["role"]
    assert set(found.table["id"]) == set(roles.index[roles == "unlabeled"])
    assert found.table["score"].is_monotonic_decreasing
    assert found.table["path"].str.endswith(".npy").all()
    pseudo = pd.read_csv(uninterrupted.pseudo_labels).set_index("id")
    assert found.table["label"].tolist() == pseudo.loc[found.table["id"], "label"].tolist()
    with pytest.raises(InputError, match="12 clips were held out, and even 45 would have to be right"):
        labels_of(uninterrupted, precision=0.95)
