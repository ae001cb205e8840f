"""A run and events in FiftyOne's own data sets; not tried where it is not installed."""

from pathlib import Path

import pandas as pd
import pytest

import aplt
from aplt.errors import InputError
from aplt.rundir import RunDir
from tests.data.videos import write_video


@pytest.fixture
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIFTYONE_DATABASE_DIR", str(tmp_path / "db"))
    pytest.importorskip("fiftyone")


@pytest.mark.slow
@pytest.mark.usefixtures("own_database")
def test_a_run_as_a_data_set(uninterrupted: RunDir) -> None:
    made = aplt.to_fiftyone(uninterrupted.path, "run")
    roles = pd.read_csv(uninterrupted.split).set_index("id")["role"]
    assert dict(zip(made.values("clip"), (tags[0] for tags in made.values("tags")), strict=True)) == roles.to_dict()
    pseudo = pd.read_csv(uninterrupted.pseudo_labels).set_index("id")
    unlabeled = made.match_tags("unlabeled")
    assert (
        dict(zip(unlabeled.values("clip"), unlabeled.values("prediction.label"), strict=True))
        == pseudo["label"].to_dict()
    )
    assert all(len(one) == 16 for one in made.match_tags(["labeled", "unlabeled"]).values("embedding"))
    results = made.match_tags("test").evaluate_classifications("prediction", gt_field="ground_truth")
    test = aplt.Run(uninterrupted.path).result.test
    assert test is not None
    assert results.metrics()["accuracy"] == pytest.approx(test.top1)
    made.delete()


@pytest.mark.slow
@pytest.mark.usefixtures("own_database")
def test_events_as_temporal_detections(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.avi", 50, rate=25)
    table = pd.DataFrame({"path": [str(video)] * 2, "start": [0.0, 1.2], "end": [0.4, 1.6], "label": ["nod", "wave"]})
    made = aplt.to_fiftyone(table.assign(score=[0.9, float("nan")]), "events")
    (found,) = made.values("events.detections")
    assert [(one.label, one.confidence, list(one.support)) for one in found] == [
        ("nod", 0.9, [1, 11]),
        ("wave", None, [30, 40]),
    ]
    made.delete()


def test_without_fiftyone_it_is_said(uninterrupted: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aplt.reference.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'aplt\[fiftyone\]'"):
        aplt.to_fiftyone(uninterrupted.path, "run")
