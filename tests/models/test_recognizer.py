"""The recognizer: what it reads out, and its folder, whole and damaged."""

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from aplt.errors import InputError
from aplt.models.recognizer import Recognizer, load_recognizer, save_model


def recognizer(read_out: str = "classifier") -> Recognizer:
    torch.manual_seed(0)
    return Recognizer(
        encoder="tcn",
        encoder_settings={"width": 8, "blocks": 1},
        clip_shape=[3, 8, 4, 1],
        class_names=["näh", "b", "c"],
        input={"kind": "skeleton", "frames": 8},
        read_out=read_out,
        prototype_scale=20.0,
    ).eval()


def test_model_folder_round_trip(tmp_path: Path) -> None:
    model = recognizer("both")
    model.prototype.copy_(torch.nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    for _ in range(2):  # the second replaces the first
        save_model(model, tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    again = load_recognizer(tmp_path / "model")
    clips = torch.randn(5, 3, 8, 4, 1)
    with torch.no_grad():
        assert torch.equal(again.probabilities(again(clips)), model.probabilities(model(clips)))
    assert again.class_names == ["näh", "b", "c"]


def test_read_out_averages_classifier_and_prototypes() -> None:
    model = recognizer("both")
    prediction = model(torch.randn(4, 3, 8, 4, 1))
    classified = prediction.logits.softmax(dim=1)
    torch.testing.assert_close(model.probabilities(prediction), classified)  # no prototypes yet
    model.prototype.copy_(torch.nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    cosine = torch.nn.functional.cosine_similarity(prediction.feature[:, None], model.prototype[None], dim=2)
    torch.testing.assert_close(model.probabilities(prediction), (classified + (20 * cosine).softmax(dim=1)) / 2)
    assert not torch.allclose(model.probabilities(prediction), classified)


def test_adjusted_logits_are_for_training_alone() -> None:
    model, clips = recognizer(), torch.randn(4, 3, 8, 4, 1)
    plain, scores = model(clips).logits, model.probabilities(model(clips))
    model.adjustment.copy_(torch.tensor([0.0, -1.0, -3.0]))
    torch.testing.assert_close(model(clips).logits - plain, torch.tensor([[0.0, -1.0, -3.0]]).expand(4, 3))
    torch.testing.assert_close(model.probabilities(model(clips)), scores)


def test_read_out_is_in_full_precision_whatever_the_encoder_ran_in() -> None:
    model = recognizer("both")
    model.prototype.copy_(torch.nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    prediction = model(torch.randn(4, 3, 8, 4, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = model.probabilities(prediction)
    assert torch.equal(inside, model.probabilities(prediction))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(recognizer(), tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_no_model(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json in it"):
        load_recognizer(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no model\.safetensors in it"):
        load_recognizer(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "setting 'encoder' is missing"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1]", "expected a JSON object, found list"),
    ],
)
def test_a_damaged_config(content: bytes, message: str, folder: Path) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_recognizer(folder)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input": 5}, "setting 'input': expected a mapping of settings, found 5"),
        ({"input": {"kind": "smell"}}, "setting 'input': expected 'kind' to be one of 'video', 'skeleton'"),
        ({"input": {"kind": "skeleton", "frames": "x"}}, "setting 'input.frames': expected a whole number"),
        (
            {"input": {"kind": "skeleton", "framse": 8}},
            "unknown setting 'input.framse' of skeleton clips; did you mean 'input.frames'?",
        ),
        (
            {"input": {"kind": "skeleton", "frames": 4}},
            "setting 'input' does not make clips of clip_shape [3, 8, 4, 1]",
        ),
        ({"input": {"kind": "video", "frames": 8}}, "setting 'input' does not make clips of clip_shape"),
        ({"clip_shape": [3, 8, 4]}, "setting 'clip_shape.3' is missing"),
        ({"clip_shape": [3, 8, 0, 1]}, "setting 'clip_shape.2': expected more than 0"),
        ({"class_names": []}, "setting 'class_names': expected 1 or more entries"),
        ({"class_names": ["a", "b"]}, "not a model of this version"),
        ({"encoder": "tnc"}, "unknown encoder 'tnc'; did you mean 'tcn'?"),
        ({"encoder": "os:system"}, "encoder 'os:system': expected an aplt.Encoder, found builtin_function"),
        ({"encoder": "../../x:y"}, "encoder '../../x:y': expected package.module:name"),
        ({"encoder": []}, "setting 'encoder': expected text"),
        ({"encoder_settings": {"width": "wide"}}, "setting 'encoder_settings.width': expected a whole number"),
        ({"encoder_settings": {"width": 16, "blocks": 1}}, "not a model of this version"),
        ({"read_out": "both of them"}, "setting 'read_out'"),
        ({"prototype_scale": None}, "setting 'prototype_scale'"),
        ({"prototype_scale": float("inf")}, "setting 'prototype_scale': expected a number"),
        ({"clip_shape": [3, 8, 10**30, 1]}, "setting 'clip_shape.2': expected at most 65536"),
        ({"more": 1}, "unknown setting 'more'"),
    ],
)
def test_a_config_with_other_fields(settings: dict[str, Any], message: str, folder: Path) -> None:
    change(folder, **settings)
    with pytest.raises(InputError) as caught:
        load_recognizer(folder)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scale", [20, 10**30, "20", True])
def test_a_scale_of_another_type_is_a_number(scale: object, folder: Path) -> None:
    change(folder, prototype_scale=scale)
    model = load_recognizer(folder)
    assert model.prototype_scale == float(scale)  # type: ignore[arg-type]
    with torch.no_grad():
        model.prototype += 1
        assert model.probabilities(model(torch.zeros(1, *model.clip_shape))).isfinite().all()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_damaged_weights(share: float, folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: int(share * weights.stat().st_size)])
    with pytest.raises(InputError, match="not a model of this version") as caught:
        load_recognizer(folder)
    assert str(folder) in str(caught.value)
    weights.write_text("not weights at all")
    with pytest.raises(InputError, match="not a model of this version"):
        load_recognizer(folder)


def test_saving_leaves_files_of_others_and_no_half_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "notes.txt").write_text("mine")
    save_model(recognizer("both"), folder)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "notes.txt"]
    assert load_recognizer(folder).read_out == "both"

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        save_model(recognizer(), folder)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    with pytest.raises(InputError, match=r"no config\.json in it"):
        load_recognizer(folder)


def test_weights_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors import SafetensorError

    def refuse(*_: Any, **__: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(Recognizer, "save_pretrained", refuse)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match=r"the model cannot be written .*No space left"):
        save_model(recognizer(), folder)
    assert list(folder.parent.iterdir()) == []


def test_a_disk_that_fails_while_a_model_is_written_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(OSError, match=r"Input/output error: '.*model'"):
        save_model(recognizer(), tmp_path / "model")
    assert not list(tmp_path.iterdir())
