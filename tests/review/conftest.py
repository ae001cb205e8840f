"""A finished run, and its page as a client sees it that has the token."""

from pathlib import Path

import pytest

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from aplt.review.journal import Journal
from aplt.review.media import Media
from aplt.review.server import review_app
from aplt.review.wall import Wall
from aplt.rundir import RunDir
from aplt.runs.begin import train
from tests.runs.clips import tiny_config, write_clips

TOKEN = "the-token"
HOST = "127.0.0.1:8000"


@pytest.fixture(scope="package")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Wall:
    folder = tmp_path_factory.mktemp("review")
    run = RunDir(folder / "run")
    train(tiny_config(write_clips(folder / "clips")), run)
    return Wall.of(run)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "corrections.csv", "ann")


@pytest.fixture
def stranger(wall: Wall, journal: Journal, tmp_path: Path) -> TestClient:
    app = review_app(wall, journal, Media(tmp_path / "films"), token=TOKEN, hosts=(HOST,))
    return TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    assert stranger.get("/", params={"token": TOKEN}).status_code == 303
    return stranger
