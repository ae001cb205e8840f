"""MediaPipe: what is said where it or a model is missing, and the package itself where it is installed."""

import os
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from aplt import reference
from aplt.data.tracking import landmarks
from aplt.data.tracking.landmarks import MODELS, mediapipe_tracker
from aplt.errors import InputError
from aplt.storage import default_cache_dir
from aplt.topology import topology_of

BODY, HANDS = (address.rpartition("/")[2] for address in MODELS.values())


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "find_spec", lambda _: object())


def bundle(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.tflite", "no model")
    return path


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"aplt\[pose\]"):
        mediapipe_tracker()


@pytest.mark.usefixtures("installed")
def test_models_are_looked_for_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APLT_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=f"{tmp_path}.*{BODY}: no such file; fetch https.*--body"):
        mediapipe_tracker()
    (tmp_path / "models").mkdir()
    bundle(tmp_path / "models" / BODY)
    assert not mediapipe_tracker(hands=False).hands
    (tmp_path / "hand.task").write_text("<html>")
    with pytest.raises(InputError, match=r"hand.task: is not a .task file; fetch https.*--hands"):
        mediapipe_tracker(hands=tmp_path / "hand.task")
    bundle(tmp_path / "models" / HANDS)
    assert pickle.loads(pickle.dumps(mediapipe_tracker())).hands


@pytest.mark.usefixtures("installed")
def test_other_models_are_another_tracker(tmp_path: Path) -> None:
    one = mediapipe_tracker(bundle(tmp_path / "one.task"), hands=False)
    both = mediapipe_tracker(tmp_path / "one.task", hands=tmp_path / "one.task")
    assert one.made_from != both.made_from
    assert one.made_from == mediapipe_tracker(bundle(tmp_path / "copy.task"), hands=False).made_from


def test_what_others_write_to_standard_error_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr
    with landmarks._quiet():
        os.write(2, b"INFO: Created delegate\n")
        print("progress", file=sys.stderr)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "progress\nafter\n"
    assert sys.stderr is before


def test_a_model_of_another_kind_is_refused_by_the_package(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    tracker = mediapipe_tracker(bundle(tmp_path / "body.task"), hands=False)
    with (
        pytest.raises(InputError, match=r"body.task: MediaPipe cannot use it .*is it the model for --body"),
        tracker.open(),
    ):
        pass


def test_the_package_sees_a_rendered_person() -> None:
    pytest.importorskip("mediapipe")
    models = default_cache_dir() / "models"
    if not (models / BODY).is_file() or not (models / HANDS).is_file():
        pytest.skip("needs the models that docs/data.md says how to fetch")
    from aplt.synthetic.render import render_clip

    frames, _ = render_clip("nodding", seed=0, number=0, subject=0, size=224)
    joints = topology_of(33, 2)
    assert joints is not None
    with mediapipe_tracker().open() as see:
        for _ in range(2):  # its times must rise, whatever those of the frames do
            found = see(np.asfortranarray(frames[0]), 0.0)
    (body,) = found.bodies
    place = dict(zip(joints.joints, body, strict=True))
    assert ((body[:, :2] > -50) & (body[:, :2] < 274)).all()
    assert place["nose"][1] < place["left shoulder"][1] < place["left hip"][1]
    assert place["right shoulder"][0] < place["left shoulder"][0]  # they face the camera
    assert place["nose"][2] > 0.5
