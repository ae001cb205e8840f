"""The server: what the page is told, what it may say, and who is sent away."""

from pathlib import Path

import av
import pytest
from starlette.testclient import TestClient

from aplt.clips import Clip
from aplt.review.journal import Journal, Said
from aplt.review.media import Media
from aplt.review.wall import Wall
from tests.data.videos import write_video
from tests.review.conftest import HOST, TOKEN


def test_the_wall_has_every_training_clip(client: TestClient, wall: Wall) -> None:
    found = client.get("/api/clips").json()
    assert found["id"] == wall.ids
    assert {len(found[name]) for name in ("given", "guess", "score", "reliability", "suggested", "suspected")} == {36}
    assert sorted(label for label in found["given"] if label >= 0) == [0, 0, 1, 1, 2, 2]
    assert not found["film"]
    one = client.get("/api/clip/7").json()
    assert one["best"][0][0] == found["guess"][7]
    assert all(found["given"][place] >= 0 for place in one["near"])
    assert [row[0] for row in one["rounds"]] == [2, 3]
    drawn = client.get("/points/7.json").json()
    assert len(drawn["points"][0][0]) == 4
    assert all(-1 <= value <= 1 for frame in drawn["points"] for person in frame for joint in person for value in joint)


def test_what_is_said_is_kept_and_taken_back(client: TestClient, wall: Wall, journal: Journal) -> None:
    shown = client.get("/api/clips").json()
    for content in (
        {"places": [3], "act": "label", "label": "wave"},
        {"places": [4, 5], "act": "accept", "label": ""},
        {"places": [3], "act": "none", "label": ""},
    ):
        assert client.post("/api/say", json=content).status_code == 200
    kept = Journal(journal.path, "ann").now
    assert kept[wall.ids[3]] == Said("none", "")
    names = shown["classes"]
    accepted = [max(shown["given"][place], -1) for place in (4, 5)]
    labels = [names[k] if k >= 0 else names[shown["guess"][place]] for k, place in zip(accepted, (4, 5), strict=True)]
    assert [kept[wall.ids[place]].label for place in (4, 5)] == labels
    assert client.post("/api/undo").json() == {"said": {"3": ["label", "wave"]}}
    assert client.get("/api/clips").json()["said"]["3"] == ["label", "wave"]


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"places": [], "act": "accept", "label": ""},
        {"places": [36], "act": "accept", "label": ""},
        {"places": [-1], "act": "accept", "label": ""},
        {"places": [True], "act": "accept", "label": ""},
        {"places": ["0"], "act": "accept", "label": ""},
        {"places": [0], "act": "label", "label": "<script>"},
        {"places": [0], "act": "withdrawn", "label": ""},
        {"places": [0], "act": "accept", "label": "", "by": "bob"},
    ],
)
def test_anything_else_is_refused(content: object, client: TestClient, journal: Journal) -> None:
    assert client.post("/api/say", json=content).status_code == 400
    assert not journal.now


def test_without_the_token_or_by_another_name_nothing_is_answered(stranger: TestClient) -> None:
    addresses = ("/", "/api/clips", "/static/review.js", "/points/0.json", "/film/0.mp4", "/nothing")
    assert {stranger.get(address).status_code for address in addresses} == {403}
    assert stranger.get("/", params={"token": "the-tokem"}).status_code == 403
    assert stranger.get("/", params={"token": TOKEN}).headers["location"] == "/"
    assert stranger.get("/").status_code == 200
    assert stranger.get("/", headers={"Host": "evil.example"}).status_code == 403
    evil = {"Origin": "http://evil.example"}
    assert stranger.post("/api/undo", headers=evil).status_code == 403
    assert stranger.post("/api/undo", headers={"Origin": f"http://{HOST}"}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/static/..%2Fserver.py",
        "/static/%2Fetc%2Fpasswd",
        "/static/server.py",
        "/film/..%2F..%2Fconfig.yaml",
        "/film/-1.mp4",
        "/film/99999.mp4",
        "/points/36.json",
        "/points/1e3.json",
        "/api/clip/../../etc/passwd",
        "/config.yaml",
    ],
)
def test_no_path_leads_to_a_file_that_is_no_clip(address: str, client: TestClient) -> None:
    assert client.get(address).status_code == 404


def test_pages_run_nothing_but_their_own_script(client: TestClient) -> None:
    answer = client.get("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "<script src=" in answer.text
    assert "http://" not in answer.text
    assert "innerHTML" not in client.get("/static/review.js").text


def test_a_clip_that_is_gone_is_a_sentence(client: TestClient, wall: Wall) -> None:
    path = wall.index[wall.position[9]].path
    aside = path.rename(path.with_suffix(".away"))
    answer = client.get("/points/9.json")
    aside.rename(path)
    assert answer.status_code == 422
    assert path.name in answer.json()["error"]


def test_films_are_made_once_of_the_interval_alone(tmp_path: Path) -> None:
    clip = Clip("a", write_video(tmp_path / "a.avi", 50, rate=25), start=0.4, end=1.2)
    media = Media(tmp_path / "films")
    path = media.film(clip, "0")
    made = path.stat().st_mtime_ns
    assert media.film(clip, "0").stat().st_mtime_ns == made
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].codec_context.name == "h264"
    assert len(frames) == 20
    assert frames[-1].time == pytest.approx(19 / 25, abs=0.01)
    assert [one.name for one in (tmp_path / "films").iterdir()] == ["0.mp4"]
