"""The very first labels: clips that no model knows, and classes that nobody has named yet."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from aplt.errors import InputError
from aplt.prepare import prepare_first
from aplt.review.journal import Journal
from aplt.review.media import Media
from aplt.review.server import review_app
from aplt.review.wall import Wall
from aplt.runs.begin import train
from aplt.runs.suggest import first_pool
from tests.review.conftest import HOST, TOKEN
from tests.review.test_server import act
from tests.runs.clips import TINY, write_clips


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("first"))


@pytest.fixture
def unlabeled(truth: Path) -> Path:
    """The clips without a label; the last ten are to be tested on."""
    table = pd.read_csv(truth).assign(label="", id=lambda table: table["path"])
    table["split"] = ["train"] * (len(table) - 10) + ["test"] * 10
    table.to_csv(truth.with_name("unlabeled.csv"), index=False)
    return truth.with_name("unlabeled.csv")


def client_of(source: Path, folder: Path) -> TestClient:
    """Returns the page as it opens with the labels that are in the folder's table."""
    table = folder / "corrections.csv"
    app = review_app(
        Wall.first(source, folder, table), Journal(table, "ann"), Media(folder), token=TOKEN, hosts=(HOST,)
    )
    client = TestClient(app, base_url=f"http://{HOST}")
    client.get("/", params={"token": TOKEN})
    return client


def test_clips_to_train_on_are_shown_and_typical_ones_suggested(unlabeled: Path, tmp_path: Path) -> None:
    client = client_of(unlabeled, tmp_path)
    found = client.get("/api/clips").json()
    assert len(found["id"]) == 38
    assert (found["classes"], found["modeled"]) == ([], False)
    assert set(found["given"]) == set(found["guess"]) == {-1}
    assert sum(rank < 38 for rank in found["suggested"]) == 38 // 4
    assert not any(any(found[flag]) for flag in ("changed", "disagree", "suspected", "novel"))
    assert client.get("/api/clip/3").json()["near"] == []


def test_a_class_is_named_by_its_first_label(unlabeled: Path, tmp_path: Path) -> None:
    client = client_of(unlabeled, tmp_path)
    for content in (act(0), act(0, act="label", label=" nod"), act(0, act="label", label="no\nd"), act(0, label="nod")):
        assert client.post("/api/say", json=content).status_code == 400
    assert client.get("/api/clips").json()["classes"] == []
    for place, label in enumerate(("nod", "shake", "nod")):
        assert client.post("/api/say", json=act(place, act="label", label=label)).status_code == 200
    assert client.post("/api/say", json=act(3, act="none")).status_code == 200
    client.post("/api/say", json=act(4, act="label", label="a slip"))
    client.post("/api/undo")
    assert client.get("/api/clips").json()["classes"] == ["nod", "shake", "a slip"]
    again = client_of(unlabeled, tmp_path).get("/api/clips").json()
    assert again["classes"] == ["nod", "shake"]
    assert again["said"]["1"] == ["label", "shake"]


def test_given_labels_are_no_suspects_and_the_nearest_of_them_are_shown(truth: Path, tmp_path: Path) -> None:
    client = client_of(truth, tmp_path)
    found = client.get("/api/clips").json()
    assert found["classes"] == ["nod", "shake", "wave"]
    assert not any(found["suspected"])
    assert client.post("/api/say", json=act(0)).status_code == 200  # there is a label to accept
    _, position, pool = first_pool(truth)
    away = np.linalg.norm(pool.feature - pool.feature[3], axis=1)
    near = client.get("/api/clip/3").json()["near"]
    assert len(near) == 6
    assert max(away[near]) <= min(away[place] for place in range(len(position)) if place not in (3, *near))


def test_a_model_has_its_classes(client: TestClient) -> None:
    assert client.post("/api/say", json=act(0, act="label", label="jump")).status_code == 400


def test_a_run_begins_with_the_first_labels(truth: Path, unlabeled: Path, tmp_path: Path) -> None:
    known, table = pd.read_csv(truth), tmp_path / "corrections.csv"
    said = known.assign(id=known["path"])[["id", "label"]].head(30)
    said.loc[said.index[-1], "label"] = ""
    said.to_csv(table, index=False)
    given: dict[str, Any] = {"seed": 0, "runs": tmp_path}
    given["settings"] = {key: value for key, value in TINY.items() if key != "split"}
    prepared, corrected = prepare_first(unlabeled, table, {}, name="first", **given)
    assert (corrected.used, corrected.none) == (29, 1)
    ids = [clip.id for clip in prepared.index]
    assert len(ids) == 47
    assert said["id"].iloc[-1] not in ids
    counts = train(prepared.config, prepared.folder, prepared.index).counts
    assert (counts.labeled, counts.unlabeled) == (29, 8)
    before = (tmp_path / "first/corrected/clips.csv").read_bytes()
    said.head(20).to_csv(table, index=False)
    with pytest.raises(InputError, match="holds a run already"):
        prepare_first(unlabeled, table, {}, name="first", **given)
    assert (tmp_path / "first/corrected/clips.csv").read_bytes() == before
    with pytest.raises(InputError, match="--split says which clips are labeled"):
        prepare_first(unlabeled, table, {"split_file": "split.csv"}, name="other", **given)
    for name, words in ((None, "needs a --name"), ("a/b", "not the name of a folder")):
        with pytest.raises(InputError, match=words):
            prepare_first(unlabeled, table, {}, name=name, **given)
    said.assign(id="gone").to_csv(table, index=False)
    with pytest.raises(InputError, match=r"no clip 'gone' in .*unlabeled"):
        prepare_first(unlabeled, table, {}, name="other", **given)


def test_first_labels_do_not_say_how_many_clips_a_class_has(truth: Path, unlabeled: Path, tmp_path: Path) -> None:
    table = tmp_path / "corrections.csv"
    pd.read_csv(truth).assign(id=lambda known: known["path"])[["id", "label"]].head(30).to_csv(table, index=False)

    def prior(**settings: Any) -> tuple[Any, Any]:
        given: dict[str, Any] = {"seed": 0, "runs": tmp_path, "name": "first"}
        config = prepare_first(unlabeled, table, {}, settings=settings, **given)[0].config
        return (config.offline or {}).get("assignment"), config.method_settings.get("alignment")

    assert prior(method="aplt") == ("nearest", False)
    assert prior(method="aplt", offline={"assignment": "balanced"}) == ("balanced", False)
    assert prior(method="fixmatch_teacher") == (None, False)
    assert prior(method="supervised") == (None, None)
