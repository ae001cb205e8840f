"""Models that travel: exported, they say elsewhere what they say here; what cannot be exported says so."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import aplt
from aplt.errors import InputError
from aplt.models.embedder import Embedder, EncoderSettings
from aplt.models.encoders import build_encoder
from aplt.models.recognizer import Recognizer
from aplt.rundir import RunDir
from tests import elsewhere
from tests.test_cli import aplt as command

missing = [module for module in ("onnx", "onnxscript", "onnxruntime") if find_spec(module) is None]
onnx = pytest.param("onnx", marks=pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}"))


def recognizer(encoder: str, shape: list[int], input_: dict[str, Any], **settings: Any) -> Recognizer:
    torch.manual_seed(0)
    model = Recognizer(
        encoder=encoder,
        encoder_settings=settings,
        clip_shape=shape,
        class_names=["a", "b", "c"],
        input=input_,
        read_out="both",
        prototype_scale=20.0,
    ).eval()
    model.prototype.copy_(nn.functional.normalize(torch.randn_like(model.prototype), dim=1))
    return model


def told_elsewhere(folder: Path, clips: list[Path]) -> dict[str, np.ndarray]:
    """Returns what a fresh process without aplt makes of clips."""
    script = [sys.executable, elsewhere.__file__, str(folder), *map(str, clips)]
    ended = subprocess.run(script, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return {name: np.array(found) for name, found in json.loads(ended.stdout).items()}


@pytest.mark.parametrize("format_", [onnx, pytest.param("torch_export", marks=pytest.mark.slow)])
def test_a_run_says_elsewhere_what_it_says_here(
    format_: str, uninterrupted: RunDir, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [clips.parent / f"{number:03d}.npy" for number in range(4)]
    assert command("export", uninterrupted.path, "-o", tmp_path / "out", "--format", format_) == 0
    assert "differ by" in capsys.readouterr().out
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == sorted(
        [".json", {"onnx": ".onnx", "torch_export": ".pt2"}[format_]]
    )
    found, expected = told_elsewhere(tmp_path / "out", some), aplt.predict(uninterrupted.path, some)
    names = json.loads((tmp_path / "out" / "preprocessing.json").read_text())["class_names"]
    for score in (found["batch"], found["single"]):
        assert [names[best] for best in score.argmax(axis=1)] == expected["prediction_1"].tolist()
        assert np.allclose(score.max(axis=1), expected["score_1"], atol=1e-5)
        assert np.allclose(score.sum(axis=1), 1)


class Clever(nn.Module):
    """Encodes clips by a path that depends on what they show."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 4)

    def forward(self, clip: Tensor) -> Tensor:
        pooled = clip.mean(dim=(2, 3, 4))
        found: Tensor = self.net(pooled) if pooled.sum() > 0 else pooled
        return found


CLEVER = aplt.Encoder(lambda _: Clever(), "skeleton")


def test_what_cannot_be_exported_is_a_sentence(
    uninterrupted: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = recognizer("tests.runs.test_export:CLEVER", [4, 8, 4, 1], {"kind": "skeleton", "frames": 8})
    with pytest.raises(InputError, match=r"cannot be exported as torch_export \(\w+: ") as caught:
        aplt.export(model, tmp_path / "clever", "torch_export")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "clever").iterdir()) == []
    assert command("export", uninterrupted.path, "-o", tmp_path, "--format", "pickle") == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert command("export", uninterrupted.path, "-o", tmp_path / "mine") == 2
    assert "notes.txt" in capsys.readouterr().err
    monkeypatch.setattr("aplt.reference.find_spec", lambda _: None)
    assert command("export", uninterrupted.path, "-o", tmp_path / "out", "--format", "onnx") == 2
    assert "pip install 'aplt[export]'" in capsys.readouterr().err


def test_an_embedder_goes_along(tmp_path: Path) -> None:
    clip_shape = (4, 8, 4, 1)
    settings = EncoderSettings.model_validate(
        {"encoder": "tcn", "encoder_settings": {"width": 4, "blocks": 1}, "clip_shape": clip_shape}
        | {"input": {"kind": "skeleton", "frames": 8}}
    )
    model = recognizer("adapter", [1, 1, 8, 1], {"kind": "features"})
    model.embedder = Embedder(settings, build_encoder("tcn", clip_shape, settings.encoder_settings).eval())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.pt2").write_text("an earlier one")
    assert aplt.export(model, tmp_path / "out", "torch_export") < 1e-5
    told = json.loads((tmp_path / "out" / "preprocessing.json").read_text())
    assert (told["clips"], told["input"]["shape"]) == ("skeleton", ["batch", *clip_shape])
    net = torch.export.load(tmp_path / "out" / "model.pt2").module()
    clip = torch.randn(5, *clip_shape)
    with torch.no_grad():
        expected = model.probabilities(model(model.embedder(clip).view(-1, 1, 1, 8, 1)))
        torch.testing.assert_close(net(clip), expected)
