"""A run's model on the Hub: the card that is written of it, and the folder that is uploaded and loaded again."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi, ModelCard

import aplt
from aplt.errors import InputError
from aplt.models.recognizer import Recognizer
from aplt.report.words import wilson
from aplt.rundir import RunDir
from aplt.settings import load_yaml
from tests.test_cli import aplt as command


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the Hub; nothing else of it is put aside."""

    def upload(_: HfApi, *, repo_id: str, folder_path: Path, allow_patterns: list[str], **__: Any) -> None:
        there = tmp_path / "hub" / repo_id
        there.mkdir(parents=True, exist_ok=True)
        for path in folder_path.iterdir():
            if path.name in allow_patterns:
                shutil.copy(path, there)

    monkeypatch.setattr(HfApi, "create_repo", lambda _, repo_id, **how: f"https://hub/{repo_id}?{how['private']}")
    monkeypatch.setattr(HfApi, "upload_folder", upload)
    monkeypatch.setattr("aplt.models.recognizer.snapshot_download", lambda name, **_: str(tmp_path / "hub" / name))
    return tmp_path / "hub"


@pytest.fixture
def finished(uninterrupted: RunDir, run: RunDir) -> RunDir:
    shutil.copytree(uninterrupted.path, run.path)
    return run


def test_what_is_pushed_is_loaded_again_and_its_card_says_what_was_measured(
    finished: RunDir, clips: Path, hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (finished.model / "private.txt").write_text("mine")
    assert command("push", finished.path, "lab/nods", "--private", "--license", "cc-by-4.0") == 0
    assert "https://hub/lab/nods?True" in capsys.readouterr().out
    assert {path.name for path in (hub / "lab/nods").iterdir()} == {"README.md", "config.json", "model.safetensors"}
    clip = torch.randn(2, *aplt.load(finished.path).clip_shape)
    with torch.no_grad():
        expected = aplt.load(finished.path)(clip).logits
        for model in (aplt.load("lab/nods"), Recognizer.from_pretrained(hub / "lab/nods")):
            assert np.array_equal(model.eval()(clip).logits, expected)
    card, result = ModelCard.load(hub / "lab/nods" / "README.md"), finished.read_result()
    assert result.test is not None
    assert (card.data.license, card.data.library_name, card.data.model_name) == ("cc-by-4.0", "aplt", "nods")
    assert {one.metric_type: one.metric_value for one in card.data.eval_results or ()} == {
        "accuracy": round(result.test.top1, 4),
        "f1": round(result.test.macro_f1, 4),
    }
    low, high = wilson(result.test.top1, 12)
    assert f"| top-1 | {result.test.top1:.1%} | {low:.1%} to {high:.1%} |" in card.text
    assert re.search(r"6 of 36 training clips had a label", card.text)
    for said in ("must not be used", "`aplt`", "`tcn`", "nod (2)", 'aplt.load("lab/nods")', "random weights"):
        assert said in card.text
    assert str(clips.parent.parent) not in card.content  # no path of this machine


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("DEFAULT", "the weights `DEFAULT`"),
        ("first/model/model.safetensors", "the weights `first/model/model.safetensors`"),
        ("resnet.pth", "the weights `resnet.pth`"),
    ],
)
def test_a_card_names_weights_without_the_folders_that_they_lie_in(
    finished: RunDir, hub: Path, tmp_path: Path, weights: str, said: str
) -> None:
    given = weights if weights == "DEFAULT" else str(tmp_path / "secret" / weights)
    settings = load_yaml(finished.config) | {"encoder_weights": given}
    finished.config.write_text(json.dumps(settings), encoding="utf-8")
    assert command("push", finished.path, "lab/nods") == 0
    card = (hub / "lab/nods" / "README.md").read_text(encoding="utf-8")
    assert said in card
    assert "secret" not in card


def test_a_card_that_was_edited_stays_but_for_the_license(finished: RunDir, hub: Path) -> None:
    aplt.push(finished.path, "lab/nods")
    path = hub / "lab/nods" / "README.md"
    assert ModelCard.load(path).data.license is None
    card = finished.model / "README.md"
    card.write_text(card.read_text() + "\nThanks to all who took part.\n")
    aplt.push(aplt.Run(finished.path), "lab/nods", license="mit")
    assert "Thanks to all who took part." in path.read_text()
    assert ModelCard.load(path).data.license == "mit"
    assert card in finished.files()  # another run in this folder writes its own


def test_what_cannot_be_pushed_is_a_sentence(
    begun: RunDir, uninterrupted: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"holds no result\.json"):
        aplt.push(begun.path, "lab/nods")
    shutil.copytree(uninterrupted.path, tmp_path / "whole")
    with pytest.raises(InputError, match=r"a/b/c: the Hub does not take it \(.*Repo id"):
        aplt.push(tmp_path / "whole", "a/b/c")

    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("Name or service\nnot known")

    monkeypatch.setattr(HfApi, "create_repo", refuse)
    with pytest.raises(InputError, match=r"lab/nods: the Hub does not take it \(Name or service not known\)"):
        aplt.push(tmp_path / "whole", "lab/nods")
