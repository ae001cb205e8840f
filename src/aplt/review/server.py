"""The server behind the page: on this machine alone, for who has the token, and of no file but the index's clips."""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Literal

from pydantic import Field, NonNegativeInt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from aplt.clips import UNKNOWN
from aplt.errors import InputError
from aplt.review.journal import Journal, Said
from aplt.review.media import Media, is_film, points
from aplt.review.wall import Wall
from aplt.runs.reviews import read_corrections
from aplt.settings import Settings

COOKIE = "aplt_review"
STATIC = {"review.js": "text/javascript", "review.css": "text/css"}
MOST_AT_ONCE = 100_000
MOST_BYTES = 1 << 20
"""Of what the page says at once: enough for so many places."""
PLACE = re.compile("[0-9]{1,9}")
NAME = re.compile(r"(?=\S)[^\x00-\x1f\x7f]{1,100}(?<=\S)")
"""Of a class that people name while they label, where no model has classes yet."""
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"


class Sent(Settings):
    """What the page says of clips, by their places; to accept one is to give it the label that it is shown with."""

    places: tuple[NonNegativeInt, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)
    act: Literal["accept", "label", "none"]
    label: str
    settle: bool


def _cookie(request: Request) -> str:
    """Returns the name of the cookie of this server: a browser has the same cookies for all ports."""
    return f"{COOKIE}_{request.url.port}"


def review_app(
    wall: Wall,
    journal: Journal,
    media: Media,
    *,
    token: str,
    hosts: tuple[str, ...],
    train_on: Callable[[], None] | None = None,
) -> Starlette:
    """Returns the application.

    Args:
        wall: The clips.
        journal: Where corrections go.
        media: What makes films.
        token: Without which nothing is answered; once in the address, then as a cookie.
        hosts: The names by which the server may be called, with its port: what else a browser names is an attack
            by a page that was led here (DNS rebinding).
        train_on: What the page's button to train on does; None: it has none.
    """
    names = list(wall.index.class_names)

    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        origin = request.headers.get("origin")
        if request.headers.get("host") not in hosts or (origin and origin not in {f"http://{host}" for host in hosts}):
            return JSONResponse({"error": "called by another name"}, 403)
        if (given := request.query_params.get("token")) and secrets.compare_digest(given.encode(), token.encode()):
            welcome = RedirectResponse(_without_token(request), 303)
            welcome.set_cookie(_cookie(request), token, httponly=True, samesite="strict")
            return welcome
        if not secrets.compare_digest(request.cookies.get(_cookie(request), "").encode(), token.encode()):
            return JSONResponse({"error": "open the address that `aplt review` printed"}, 403)
        response = await answer(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def page(_: Request) -> Response:
        return Response(_static("review.html"), media_type="text/html")

    def static(request: Request) -> Response:
        name = request.path_params["name"]
        return Response(_static(name), media_type=STATIC[name]) if name in STATIC else _none()

    def clips(_: Request) -> Response:
        said = {wall.place_of[id_]: _told(one) for id_, one in journal.now.items() if id_ in wall.place_of}
        words = read_corrections(journal.path)[1]
        disputed = {wall.place_of[id_]: list(by.items()) for id_, by in words.items() if id_ in wall.place_of}
        film = is_film(wall.clip(0)) if len(wall.position) else False
        about = {"said": said, "disputed": disputed, "film": film, "by": journal.by, "run": wall.run.path.name}
        about |= {"classes": names, "modeled": wall.modeled, "train_on": train_on is not None}
        return JSONResponse(wall.table | about)

    def of_place(answer: Callable[[int], Response]) -> Callable[[Request], Response]:
        def answered(request: Request) -> Response:
            place = request.path_params["place"]
            if not PLACE.fullmatch(place) or int(place) >= len(wall.position):
                return _none()
            try:
                return answer(int(place))
            except InputError as error:
                return JSONResponse({"error": str(error)}, 422)

        return answered

    def film(place: int) -> Response:
        return FileResponse(media.film(wall.clip(place)), media_type="video/mp4")

    async def say(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return JSONResponse({"error": f"more than {MOST_AT_ONCE:,d} clips at once"}, 413)
        try:
            sent = Sent.model_validate_json(body, strict=True)
            named = sent.act == "label" and not wall.modeled and NAME.fullmatch(sent.label)
            new = [sent.label] if named and sent.label not in names else []
            acts = _acts(sent, wall, [*names, *new])
        except ValueError:  # pydantic's errors are among these
            return JSONResponse({"error": "expected places, an act and a class"}, 400)
        try:
            journal.say(acts)
        except InputError as error:
            return JSONResponse({"error": str(error)}, 507)
        names.extend(new)
        return JSONResponse({"said": len(journal.now)})

    def undo(_: Request) -> Response:
        try:
            places = [wall.place_of[id_] for id_ in journal.undo()]
        except InputError as error:
            return JSONResponse({"error": str(error)}, 507)
        said = {place: journal.now.get(wall.ids[place]) for place in places}
        return JSONResponse({"said": {place: one and _told(one) for place, one in said.items()}})

    def train(_: Request) -> Response:
        if train_on is None:
            return _none()
        train_on()
        return JSONResponse({"training": True})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/static/{name}", static),
            Route("/api/clips", clips),
            Route("/api/clip/{place}", of_place(lambda place: JSONResponse(wall.detail(place)))),
            Route("/film/{place}.mp4", of_place(film)),
            Route(
                "/points/{place}.json",
                of_place(lambda place: JSONResponse(points(wall.clip(place)))),
            ),
            Route("/api/say", say, methods=["POST"]),
            Route("/api/undo", undo, methods=["POST"]),
            Route("/api/train", train, methods=["POST"]),
        ],
        middleware=[Middleware(GZipMiddleware), Middleware(BaseHTTPMiddleware, dispatch=guarded)],
    )


def _without_token(request: Request) -> str:
    url = request.url.remove_query_params("token")
    return f"{url.path}?{url.query}" if url.query else url.path


def _acts(sent: Sent, wall: Wall, names: Sequence[str]) -> list[tuple[str, Said, str]]:
    """Returns what the page says, as a journal takes it; `names` are those of the classes.

    Raises:
        ValueError: of no such clip, or no such class, or no label to accept.
    """
    acts = []
    unusable = {"accept": False, "label": sent.label not in names, "none": sent.label != ""}
    if max(sent.places) >= len(wall.position) or unusable[sent.act]:
        raise ValueError("no such clip or class")
    for place in sent.places:
        shown = _shown(wall, place)
        was = "" if shown == UNKNOWN else names[shown]
        if sent.act == "accept" and shown == UNKNOWN:
            raise ValueError("no label to accept")
        said = Said("none" if sent.act == "none" else "label", was if sent.act == "accept" else sent.label)
        acts.append((wall.ids[place], replace(said, act="settled") if sent.settle else said, was))
    return acts


def _told(said: Said) -> list[str]:
    """Returns what somebody said of a clip as the browser is told."""
    return ["label" if said.label else "none", said.label]


def _shown(wall: Wall, place: int) -> int:
    """Returns the class that a clip is shown with: its own label, else the model's; -1 where there is neither."""
    given = int(wall.pool.label[place])
    return given if given != UNKNOWN else int(wall.guess[place])


def _static(name: str) -> str:
    return files("aplt.review").joinpath("static", name).read_text(encoding="utf-8")


def _none() -> Response:
    return JSONResponse({"error": "no such thing"}, 404)
