"""The server: what the page is told, what it may say, and who is sent away."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import pandas as pd
import pytest
from starlette.testclient import TestClient

from aplt.clips import Clip
from aplt.review.journal import Journal, Said
from aplt.review.media import Media
from aplt.review.server import review_app
from aplt.review.wall import Wall
from aplt.rundir import RunDir
from aplt.runs.reviews import read_corrections
from tests.data.videos import write_video
from tests.review.conftest import HOST, TOKEN


def test_the_wall_has_every_training_clip(client: TestClient, wall: Wall) -> None:
    found = client.get("/api/clips").json()
    assert found["id"] == wall.ids
    assert {
        len(found[name]) for name in ("given", "guess", "score", "reliability", "suggested", "suspected", "novel")
    } == {36}
    assert sorted(label for label in found["given"] if label >= 0) == [0, 0, 1, 1, 2, 2]
    assert not found["film"]
    one = client.get("/api/clip/7").json()
    assert one["best"][0][0] == found["guess"][7]
    assert all(found["given"][place] >= 0 for place in one["near"])
    assert [row[0] for row in one["rounds"]] == [2, 3]
    drawn = client.get("/points/7.json").json()
    assert len(drawn["points"][0][0]) == 4
    assert all(-1 <= value <= 1 for frame in drawn["points"] for person in frame for joint in person for value in joint)


def test_what_may_be_of_no_class_is_flagged(wall: Wall, tmp_path: Path) -> None:
    shutil.copytree(wall.run.path, tmp_path / "run")
    run = RunDir(tmp_path / "run")
    table = pd.read_csv(run.pseudo_labels)
    table["novelty"] = [0.96, *[0.5] * (len(table) - 1)]
    table.to_csv(run.pseudo_labels, index=False)
    shown = Wall.of(run).table
    assert [id_ for id_, flag in zip(shown["id"], shown["novel"], strict=True) if flag] == [table["id"][0]]
    table.drop(columns="novelty").to_csv(run.pseudo_labels, index=False)  # of an earlier version
    assert not any(Wall.of(run).table["novel"])


def test_another_review_in_the_same_browser_has_a_cookie_of_its_own(client: TestClient) -> None:
    client.cookies.set("aplt_review_9", "of the other")
    assert client.get("/api/clips").status_code == 200
    assert set(client.cookies.keys()) == {"aplt_review_8000", "aplt_review_9"}  # ports share all cookies


def act(*places: object, act: object = "accept", label: object = "", settle: object = False) -> dict[str, object]:
    """Returns what the page sends."""
    return {"places": list(places), "act": act, "label": label, "settle": settle}


def test_what_is_said_is_kept_and_taken_back(client: TestClient, wall: Wall, journal: Journal) -> None:
    shown = client.get("/api/clips").json()
    for content in (act(3, act="label", label="wave"), act(4, 5), act(3, act="none")):
        assert client.post("/api/say", json=content).status_code == 200
    kept = Journal(journal.path, "ann").now
    assert kept[wall.ids[3]] == Said("none", "")
    names = shown["classes"]
    accepted = [max(shown["given"][place], -1) for place in (4, 5)]
    labels = [names[k] if k >= 0 else names[shown["guess"][place]] for k, place in zip(accepted, (4, 5), strict=True)]
    assert [kept[wall.ids[place]].label for place in (4, 5)] == labels
    assert client.post("/api/undo").json() == {"said": {"3": ["label", "wave"]}}
    assert client.get("/api/clips").json()["said"]["3"] == ["label", "wave"]


def test_what_people_disagree_on_is_shown_and_settled(client: TestClient, wall: Wall, journal: Journal) -> None:
    bob = Journal(journal.path, "bob")
    bob.say([(wall.ids[3], Said("label", "wave"), ""), (wall.ids[4], Said("none", ""), "")])
    for content in (act(3, act="label", label="nod"), act(4, act="label", label="nod")):
        client.post("/api/say", json=content)
    shown = client.get("/api/clips").json()["disputed"]
    assert shown == {"3": [["bob", "wave"], ["ann", "nod"]], "4": [["bob", ""], ["ann", "nod"]]}
    client.post("/api/say", json=act(3, act="label", label="wave", settle=True))
    client.post("/api/say", json=act(4, act="none", settle=True))
    assert client.get("/api/clips").json()["disputed"] == {}
    assert read_corrections(journal.path) == ({wall.ids[3]: "wave", wall.ids[4]: ""}, {})
    client.post("/api/undo")
    assert list(client.get("/api/clips").json()["disputed"]) == ["4"]


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        act(),
        act(36),
        act(-1),
        act(True),
        act("0"),
        act(0, act="label", label="<script>"),
        act(0, act="withdrawn"),
        act(0, settle="yes"),
        act(0) | {"by": "bob"},
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


def test_the_button_to_train_on_is_there_where_it_does_something(
    client: TestClient, wall: Wall, journal: Journal, tmp_path: Path
) -> None:
    assert client.get("/api/clips").json()["train_on"] is False
    pressed: list[bool] = []
    asked = replace(wall, suggested=(wall.ids[7], wall.ids[2]))
    press = partial(pressed.append, True)
    app = review_app(asked, journal, Media(tmp_path), token=TOKEN, hosts=(HOST,), train_on=press)
    loop = TestClient(app, base_url=f"http://{HOST}", cookies=client.cookies)
    shown = loop.get("/api/clips").json()
    assert shown["train_on"] is True
    assert [shown["suggested"][place] for place in (7, 2, 0)] == [0, 1, 36]
    assert not pressed
    assert loop.post("/api/train").status_code == 200
    assert pressed == [True]


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
    path = media.film(clip)
    made = path.stat().st_mtime_ns
    assert media.film(clip).stat().st_mtime_ns == made
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].codec_context.name == "h264"
    assert len(frames) == 20
    assert frames[-1].time == pytest.approx(19 / 25, abs=0.01)
    assert list((tmp_path / "films").iterdir()) == [path]
    others = (replace(clip, path=write_video(tmp_path / "b.avi", 50, rate=25)), replace(clip, start=0.6))
    assert len({media.path_of(one) for one in (clip, replace(clip, id="b"), *others)}) == 3
    write_video(tmp_path / "a.avi", 50, rate=25)
    assert media.path_of(clip) != path
