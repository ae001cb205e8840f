"""Requests that somebody means harm with: each is refused, tells nothing, and leaves everything as it was."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from aplt.review.journal import Journal
from aplt.review.media import Media
from aplt.review.wall import Wall
from tests.review.conftest import HOST, TOKEN

SAY = "/api/say"
SECRET = "root:secret"


def said(**changed: object) -> bytes:
    """Returns what the page sends, with changes."""
    return json.dumps({"places": [0], "act": "label", "label": "nod", "settle": False} | changed).encode()


class Hostile:
    """A request and how it must end."""

    def __init__(
        self, method: str, address: str, status: int, *, body: bytes | None = None, owner: bool = True, **headers: str
    ) -> None:
        self.method, self.address, self.status, self.body, self.owner = method, address, status, body, owner
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


HOSTILE = {
    # Who is not the one who began it.
    "another host, as DNS rebinding gives": Hostile("GET", "/api/clips", 403, host="evil.example"),
    "the right name on another port": Hostile("GET", "/api/clips", 403, host="127.0.0.1:1"),
    "a user in the host": Hostile("GET", "/api/clips", 403, host=f"{HOST}@evil.example"),
    "a page elsewhere that writes": Hostile("POST", SAY, 403, body=said(), origin="http://evil.example"),
    "a page in a sandbox, or a file": Hostile("POST", SAY, 403, body=said(), origin="null"),
    "a page of the host by another scheme": Hostile("POST", SAY, 403, body=said(), origin=f"https://{HOST}"),
    "no token": Hostile("GET", "/api/clips", 403, owner=False),
    "a token that is nearly right": Hostile("GET", f"/?token={TOKEN[:-1]}", 403, owner=False),
    "an empty token": Hostile("GET", "/?token=", 403, owner=False),
    "a token of letters beyond ASCII": Hostile("GET", "/?token=%F0%9F%98%88", 403, owner=False),
    "another cookie": Hostile("GET", "/api/clips", 403, owner=False, cookie="aplt_review=the-tokem"),
    # Files that are no clips.
    "the folder above": Hostile("GET", "/static/../../../secret.txt", 404),
    "the folder above, encoded": Hostile("GET", "/static/%2e%2e%2f%2e%2e%2fsecret.txt", 404),
    "the folder above, encoded twice": Hostile("GET", "/film/%252e%252e%252fsecret.txt.mp4", 404),
    "the folder above by Windows' slashes": Hostile("GET", "/static/..%5c..%5csecret.txt", 404),
    "an absolute path": Hostile("GET", "/film//etc/passwd.mp4", 404),
    "a name with an end inside": Hostile("GET", "/static/review.js%00.txt", 404),
    "a clip that is not in the index": Hostile("GET", "/points/36.json", 404),
    "a number without an end": Hostile("GET", f"/api/clip/{'9' * 5000}", 404),
    "a digit of another script": Hostile("GET", "/points/%D9%A3%D9%A6%D9%A6.json", 404),
    "a clip before the first": Hostile("GET", "/film/-1.mp4", 404),
    # What the page would never say.
    "a class that is a script": Hostile("POST", SAY, 400, body=said(label="<script>alert(1)</script>")),
    "a class that is a formula": Hostile("POST", SAY, 400, body=said(label="=cmd|' /C calc'!A0")),
    "a class that looks like one": Hostile("POST", SAY, 400, body=said(label="n\u043ed")),
    "a class with a turned order": Hostile("POST", SAY, 400, body=said(label="\u202enod")),
    "half a letter": Hostile("POST", SAY, 400, body=said(label="\ud800")),
    "a row in a label": Hostile("POST", SAY, 400, body=said(label="nod\n7,wave,eve,,,label")),
    "a number that is none": Hostile("POST", SAY, 400, body=said(places=[float("nan")])),
    "a number without an end, said": Hostile("POST", SAY, 400, body=said(places=[float("inf")])),
    "a place beyond the last": Hostile("POST", SAY, 400, body=said(places=[10**30])),
    "somebody else's name": Hostile("POST", SAY, 400, body=said(by="bob")),
    "what is not JSON": Hostile("POST", SAY, 400, body=b"places=0&act=label"),
    "what is no text": Hostile("POST", SAY, 400, body=b"\xff\xfe\x00"),
    "JSON a hundred thousand deep": Hostile("POST", SAY, 400, body=b"[" * 100_000),
    "nothing": Hostile("POST", SAY, 400, body=b""),
    "more than anybody says": Hostile("POST", SAY, 413, body=b" " * (3 << 20)),
    "a million places": Hostile("POST", SAY, 413, body=said(places=[0] * 1_000_000)),
    # Ways that are not there.
    "to write by asking": Hostile("GET", f"{SAY}?places=0&act=label&label=nod", 405),
    "to undo by asking": Hostile("GET", "/api/undo", 405),
    "to put a file": Hostile("PUT", "/static/review.js", 405, body=b"alert(1)"),
    "to delete": Hostile("DELETE", "/film/0.mp4", 405),
    "to train where nobody is asked to": Hostile("POST", "/api/train", 404),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_without_side_effects(
    name: str, stranger: TestClient, wall: Wall, journal: Journal, tmp_path: Path
) -> None:
    request = HOSTILE[name]
    (tmp_path / "secret.txt").write_text(SECRET)
    if request.owner:
        stranger.get("/", params={"token": TOKEN})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    answer = stranger.request(request.method, request.address, content=request.body, headers=request.headers)
    assert answer.status_code == request.status
    assert SECRET not in answer.text
    assert wall.ids[0] not in answer.text
    assert "Traceback" not in answer.text
    assert not journal.now
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("part", ["bytes=99999999-", "bytes=5-2", "bytes=a-b", "lines=0-5"])
def test_a_part_of_a_film_that_is_none(part: str, client: TestClient, wall: Wall, tmp_path: Path) -> None:
    film = Media(tmp_path / "films").path_of(wall.index[int(wall.position[0])])
    film.parent.mkdir()
    film.write_bytes(bytes(1000))
    assert client.get("/film/0.mp4", headers={"Range": part}).status_code in (400, 416)
    many = client.get("/film/0.mp4", headers={"Range": "bytes=" + "0-9," * 5000 + "0-9"})
    assert len(many.content) <= 1000
