"""Banks made by an encoder, every method on them, and predictions of raw clips through both networks."""

import json
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from aplt.clips import ROLES
from aplt.config import RunConfig, SkeletonInput, SplitSettings
from aplt.data.bank import features_digest
from aplt.data.index import index_table, read_index, write_index
from aplt.data.modality import MODALITIES
from aplt.data.splits import make_split
from aplt.data.views import KINDS
from aplt.errors import InputError
from aplt.methods.catalog import METHODS
from aplt.models.embedder import ENCODER
from aplt.models.encoders import Encoder
from aplt.prepare import prepare_next
from aplt.rundir import RunDir
from aplt.runs import embed as embedding
from aplt.runs.begin import finished, train, train_or_reuse
from aplt.runs.configure import configured
from aplt.runs.corrections import label_first
from aplt.runs.crossfit import crossfit
from aplt.runs.embed import embed
from aplt.runs.labels import labels_of
from aplt.runs.predict import evaluate, gather_clips, load_model, predict
from aplt.runs.setup import digests
from aplt.runs.timeline import Reading, read_recordings
from aplt.settings import merge
from tests.data.features import write_bank
from tests.data.one_view import view_of
from tests.runs.clips import TINY
from tests.runs.runs import until_killed


def tiny(bank: Path, **settings: Any) -> RunConfig:
    own: dict[str, Any] = {"clips": str(bank), "input": {}, "encoder_settings": {"width": 8}}
    return configured(merge(TINY | own, settings), "test")[0]


def flat(clip_shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(clip_shape)), 5))


FLAT, ADAPTER = Encoder(flat, "skeleton"), Encoder(flat, "features")


def make(clips: Path, folder: Path, encoder: str = f"{__name__}:FLAT", **options: Any) -> Path:
    embed(clips, encoder, **{"weights": None, "settings": {}, "views": 2, "folder": folder} | options)
    return folder


@pytest.fixture(scope="module")
def bank(clips: Path, uninterrupted: RunDir, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank by the encoder of a trained run."""
    return make(clips, tmp_path_factory.mktemp("banks") / "bank", str(uninterrupted.path))


def test_a_bank_holds_the_encoders_features_of_every_view(clips: Path, bank: Path, uninterrupted: RunDir) -> None:
    index, model = read_index(clips), load_model(uninterrupted.path)
    assert read_index(bank).digest == index.digest
    (file,) = bank.glob("features-*")
    stored = load_file(file)
    assert {name: tuple(array.shape) for name, array in stored.items()} == {
        "center": (48, 16),
        "weak": (48, 2, 16),
        "strong": (48, 2, 16),
    }
    settings = SkeletonInput.model_validate(model.input)
    views = MODALITIES["skeleton"].make_views(dict(enumerate(index)), settings, None)
    with torch.no_grad():
        for name, number in zip(KINDS, (0, 1, 1), strict=True):
            clip = view_of(views, 30, name, (number, 30, KINDS.index(name)))
            found = stored[name][30] if name == "center" else stored[name][30, number]
            torch.testing.assert_close(found.float(), model.encoder(clip[None])[0], atol=2e-3, rtol=2e-3)
    assert (stored["weak"][:, 0] != stored["weak"][:, 1]).any(dim=1).all()


def test_a_kill_costs_a_shard_and_changes_no_byte(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "SHARD", 20)
    whole = make(clips, tmp_path / "whole")
    written: list[int] = []

    def arm() -> None:
        stored = embedding._stored

        def stored_until_the_second(features: torch.Tensor) -> torch.Tensor:
            written.append(len(written))
            if len(written) == 5:  # each shard has three arrays
                os.kill(os.getpid(), signal.SIGKILL)
            return stored(features)

        monkeypatch.setattr(embedding, "_stored", stored_until_the_second)

    until_killed(arm, lambda: make(clips, tmp_path / "killed"))
    killed = tmp_path / "killed"
    assert [path.name for path in killed.glob("features-*")] == ["features-00001-of-00003.safetensors"]
    with pytest.raises(InputError, match=r"features-00002-of-00003.safetensors: no such file, .* `aplt embed`"):
        read_index(killed)
    before = (killed / "features-00001-of-00003.safetensors").stat()
    make(clips, killed)
    assert (killed / "features-00001-of-00003.safetensors").stat() == before
    for path in whole.iterdir():
        if path.name != "clips.csv":  # whose paths are relative to the bank
            assert (killed / path.name).read_bytes() == path.read_bytes(), path.name
    assert read_index(killed).digest == read_index(whole).digest


def test_what_cannot_be_embedded_is_refused(clips: Path, bank: Path, uninterrupted: RunDir, tmp_path: Path) -> None:
    run = str(uninterrupted.path)
    for options, message in (
        ({"encoder": "tcn"}, "encoder tcn has random weights"),
        ({"encoder": "tsm_resnet18", "weights": "DEFAULT"}, "tsm_resnet18, which is for videos, but the clips are"),
        ({"encoder": run, "weights": "DEFAULT"}, "is a trained model, which has its own weights"),
        ({"encoder": run, "settings": {"input": {"frames": 9}}}, r"does not make clips of clip_shape \[4, 8, 4, 1\]"),
        ({"settings": {"train": {"rounds": 1}}}, "setting 'train' changes nothing in features"),
        ({"settings": {"input": {"trun": 1}}}, "unknown setting 'input.trun' of skeleton clips; did you mean"),
        ({"folder": bank, "encoder": run, "views": 3}, "bank.json: is of another bank .views is 2 there, and 3 here"),
        ({"folder": bank}, "bank.json: is of another bank .encoder is "),
        ({"folder": clips.parent}, "is where the clips are"),
        ({"folder": write_bank(tmp_path / "features")}, "clips.csv: has other content"),
    ):
        with pytest.raises(InputError, match=message):
            make(clips, **{"folder": tmp_path / "bank"} | options)
    with pytest.raises(InputError, match="its clips are features already"):
        make(tmp_path / "features", tmp_path / "bank", f"{__name__}:ADAPTER")


def test_other_clips_of_the_same_names_are_another_bank(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(clips.parent, tmp_path / "clips")
    table = tmp_path / "clips" / clips.name
    bank = make(table, tmp_path / "bank")
    assert (bank / ENCODER).stat().st_mode & 0o777 == table.stat().st_mode & 0o777
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    rows.loc[0, "label"] = "another"
    rows.to_csv(table, index=False)
    make(table, bank)
    first = read_index(table)[0]
    assert f"1 label unlike those of the clips to embed, first of '{first.id}'" in capsys.readouterr().err
    np.save(first.path, np.load(first.path) + 1)
    with pytest.raises(InputError, match=r"is of another bank \(content is"):
        make(table, bank)


def test_rows_that_moved_are_noticed_and_corrected_labels_are_not(bank: Path, tmp_path: Path) -> None:
    shutil.copytree(bank, tmp_path / "bank")
    table = tmp_path / "bank" / "clips.csv"
    header, first, second, *rest = table.read_text().splitlines()
    table.write_text("\n".join([header, first.replace("nod", "wave"), second, *rest]))
    assert read_index(tmp_path / "bank").digest != read_index(bank).digest
    table.write_text("\n".join([header, second, first, *rest]))
    with pytest.raises(InputError, match=r"bank\.json: the rows of clips.csv are no longer those embedded"):
        read_index(tmp_path / "bank")


def test_clips_whose_labels_made_the_features_are_neither_tested_on_nor_held_out(
    bank: Path, head: RunDir, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"clips? to test on, .* training of .*whole, which made the features"):
        train(tiny(bank, split={"seed": 2}), RunDir(tmp_path / "run"))
    with pytest.raises(InputError, match=r"clips? to test on, .* which made the features"):
        train_or_reuse(tiny(bank, split={"seed": 2}), RunDir(tmp_path / "cell"))
    with pytest.raises(InputError, match=r"cannot be held out in folds: .*whole, which made the features"):
        crossfit(head, 2)


def test_one_clip_at_a_time_is_refused(bank: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'train.batch_unlabeled' is 1, expected 2 or more"):
        train(tiny(bank, train={"batch_unlabeled": 1}), RunDir(tmp_path / "run"))


def test_a_recording_is_read_by_a_model_on_features(head: RunDir, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "r.npz", skeleton=rng.normal(size=(80, 4, 3)), fps=10.0)
    reading = Reading(window=2.0, stride=1.0, threshold=0.0)
    found, errors = read_recordings(load_model(head.path), gather_clips([tmp_path / "r.npz"]), reading)
    assert not errors
    assert [one.seconds for one in found] == [8.0]


@pytest.fixture(scope="module")
def head(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    run = RunDir(tmp_path_factory.mktemp("runs") / "head")
    train(tiny(bank, method="supervised", train={"rounds": 1, "warm_up_rounds": 0}), run)
    return run


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_on_features(method: str, tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    bank = write_bank(tmp_path / "bank", clips=36, views=2 if method == "aplt" else 0)
    train(tiny(bank, method=method, train={"rounds": 2, "steps_per_round": 2}), run)
    assert [line.round for line in run.read_rounds()] == [1, 2]
    assert run.read_result().encoder == "adapter"


def test_raw_clips_are_predicted_as_their_features_are(clips: Path, bank: Path, head: RunDir, tmp_path: Path) -> None:
    model = load_model(head.path)
    by_features, raw = (predict(model, gather_clips([source])) for source in (bank, clips))
    assert not by_features["error"].any()
    assert not raw["error"].any()
    assert by_features["prediction_1"].tolist() == raw["prediction_1"].tolist()
    np.testing.assert_allclose(by_features["score_1"], raw["score_1"], atol=5e-3)
    assert evaluate(head.path, None, None).figures.top1 == evaluate(head.path, clips, "test").figures.top1
    # The model's folder is enough, wherever it is.
    shutil.copytree(head.model, tmp_path / "model")
    assert predict(load_model(tmp_path / "model"), gather_clips([clips])).equals(raw)
    (tmp_path / "model" / "encoder.safetensors").unlink()
    blind = predict(load_model(tmp_path / "model"), gather_clips([clips]))
    assert blind["error"].str.contains("by its name a skeleton, but the model was trained on features").all()


def test_a_run_on_features_goes_on_with_corrected_labels(bank: Path, head: RunDir, tmp_path: Path) -> None:
    _, before, split = finished(head)
    none, wrong = (before[position] for position in split.unlabeled[:2])
    table = tmp_path / "corrections.csv"
    table.write_text(f"id,label\n{none.id},\n{wrong.id},{before.class_names[0]}\n")
    prepared, said = prepare_next(head, None, table, {}, settings={}, name="next", runs=tmp_path)
    assert (said.used, said.none) == (1, 1)
    train(prepared.config, prepared.folder, prepared.index)
    again = prepared.folder
    _, index, roles = finished(again)
    assert digests(index, roles)["features"] == digests(before, split)["features"]
    assert [(clip.id, clip.row) for clip in index] == [(clip.id, clip.row) for clip in before]
    place = next(p for p, clip in enumerate(index) if clip.id == wrong.id)
    assert place in roles.labeled
    assert index.class_names[index[place].label] == before.class_names[0]
    assert none.id not in {index[p].id for role in ROLES for p in roles.positions(role)}
    assert predict(load_model(again.path), gather_clips([bank]))["error"].eq("").all()


def test_a_first_run_on_features_with_labels_by_people(bank: Path, tmp_path: Path) -> None:
    index, table = read_index(bank), tmp_path / "corrections.csv"
    table.write_text(f"id,label\n{index[0].id},\n{index[1].id},{index.class_names[0]}\n")
    given = read_index(label_first(bank, table, tmp_path / "first").clips)
    assert [(clip.id, clip.row) for clip in given] == [(clip.id, clip.row) for clip in index[1:]]
    assert (given.labels[1:] == index.labels[2:]).all()
    assert features_digest(given) != features_digest(index)


def test_columns_of_the_users_own_are_in_the_bank(clips: Path, tmp_path: Path) -> None:
    table = index_table(read_index(clips))
    cameras = [f"v{row % 3}" for row in range(len(table))]
    write_index(table.assign(camera=cameras), Path(), tmp_path / "clips.csv")
    assert read_index(make(tmp_path / "clips.csv", tmp_path / "bank")).columns["camera"] == tuple(cameras)


def test_a_column_of_the_users_own_does_not_replace_the_pointer(tmp_path: Path) -> None:
    bank, table = write_bank(tmp_path / "bank"), tmp_path / "corrections.csv"
    pd.read_csv(bank / "clips.csv").assign(features="hog").to_csv(bank / "clips.csv", index=False)
    table.write_text("id,label\n1.mp4,nod\n")
    given = read_index(label_first(bank, table, tmp_path / "first").clips)
    assert {clip.bank for clip in given} == {bank}


def test_a_bank_that_changed_is_noticed_before_a_run_goes_on(bank: Path, tmp_path: Path) -> None:
    shutil.copytree(bank, tmp_path / "bank")
    run = RunDir(tmp_path / "run")
    train(tiny(tmp_path / "bank", method="supervised", train={"rounds": 1, "warm_up_rounds": 0}), run)
    (path,) = (tmp_path / "bank").glob("features-*")
    save_file({name: array.flip(0) for name, array in load_file(path).items()}, path)
    with pytest.raises(InputError, match="its features have changed since"):
        prepare_next(run, None, None, {}, settings={}, name="next", runs=tmp_path)


def test_a_runs_labels_point_to_its_features(head: RunDir, tmp_path: Path) -> None:
    _, before, split = finished(head)
    write_index(labels_of(head).table, Path(), tmp_path / "labels.csv")
    found = read_index(tmp_path / "labels.csv")
    assert {(clip.id, clip.row, clip.bank) for clip in found} == {
        (before[p].id, before[p].row, before[p].bank) for p in split.unlabeled
    }


def test_a_share_of_labels_that_cannot_be_promised_is_refused(head: RunDir) -> None:
    for name, value in (("precision", 1.0), ("precision", 0), ("confidence", 1.0)):
        with pytest.raises(InputError, match=f"{name} is {value}, expected more than 0 and less than 1"):
            labels_of(head, **{"precision": 0.9} | {name: value})


def test_clips_are_embedded_after_a_training_of_another_precision(
    clips: Path, uninterrupted: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert uninterrupted.result.exists()  # trained in this process
    monkeypatch.setattr("aplt.runs.setup.AcceleratorState", lambda: SimpleNamespace(mixed_precision="bf16"))
    assert (make(clips, tmp_path / "bank") / "clips.csv").exists()


def test_features_of_another_encoder_are_other_clips(clips: Path, bank: Path, head: RunDir, tmp_path: Path) -> None:
    other = read_index(make(clips, tmp_path / "other"))
    split = make_split(other, SplitSettings(labeled=0.2))
    here, there = digests(read_index(bank), split), digests(other, split)
    assert here.items() ^ there.items() == {("features", here["features"]), ("features", there["features"])}
    with pytest.raises(InputError, match=r"bank\.json: its features are another encoder's"):
        predict(load_model(head.path), gather_clips([tmp_path / "other"]))


def test_a_damaged_encoder_is_named(head: RunDir, tmp_path: Path) -> None:
    shutil.copytree(head.model, tmp_path / "model")
    path = tmp_path / "model" / "encoder.safetensors"
    path.unlink()  # else another name of the bank's own would be damaged
    path.write_bytes((head.model / "encoder.safetensors").read_bytes()[:-9])
    with pytest.raises(InputError, match=r"encoder\.safetensors: not an encoder of this version"):
        load_model(tmp_path / "model")


def test_the_record_says_what_made_the_features(bank: Path, uninterrupted: RunDir) -> None:
    record = json.loads((bank / "bank.json").read_text())
    assert (record["encoder"], record["views"], record["clips"]) == (str(uninterrupted.path), 2, 48)
    assert record["embedder"]["input"]["frames"] == 8
