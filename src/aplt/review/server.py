"""The server behind the page: on this machine alone, for who has the token, and of no file but the index's clips."""

import secrets
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

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

COOKIE = "aplt_review"
STATIC = {"review.js": "text/javascript", "review.css": "text/css"}
MOST_AT_ONCE = 100_000
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def review_app(wall: Wall, journal: Journal, media: Media, *, token: str, hosts: tuple[str, ...]) -> Starlette:
    """Returns the application.

    Args:
        wall: The clips.
        journal: Where corrections go.
        media: What makes films.
        token: Without which nothing is answered; once in the address, then as a cookie.
        hosts: The names by which the server may be called, with its port: what else a browser names is an attack
            by a page that was led here (DNS rebinding).
    """

    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        origin = request.headers.get("origin")
        if request.headers.get("host") not in hosts or (origin and origin not in {f"http://{host}" for host in hosts}):
            return JSONResponse({"error": "called by another name"}, 403)
        if (given := request.query_params.get("token")) and secrets.compare_digest(given.encode(), token.encode()):
            welcome = RedirectResponse(_without_token(request), 303)
            welcome.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            return welcome
        if not secrets.compare_digest(request.cookies.get(COOKIE, "").encode(), token.encode()):
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
        said = {wall.place_of[id_]: [one.act, one.label] for id_, one in journal.now.items() if id_ in wall.place_of}
        film = is_film(wall.index[wall.position[0]]) if len(wall.position) else False
        return JSONResponse(wall.table | {"said": said, "film": film, "by": journal.by, "run": wall.run.path.name})

    def of_place(answer: Callable[[int], Response]) -> Callable[[Request], Response]:
        def answered(request: Request) -> Response:
            place = request.path_params["place"]
            if place >= len(wall.position):
                return _none()
            try:
                return answer(place)
            except InputError as error:
                return JSONResponse({"error": str(error)}, 422)

        return answered

    def film(place: int) -> Response:
        position = int(wall.position[place])
        return FileResponse(media.film(wall.index[position], str(position)), media_type="video/mp4")

    async def say(request: Request) -> Response:
        found = _acts(await request.json(), wall)
        if found is None:
            return JSONResponse({"error": "expected places, an act and a class"}, 400)
        try:
            journal.say(found)
        except InputError as error:
            return JSONResponse({"error": str(error)}, 507)
        return JSONResponse({"said": len(journal.now)})

    def undo(_: Request) -> Response:
        try:
            places = [wall.place_of[id_] for id_ in journal.undo()]
        except InputError as error:
            return JSONResponse({"error": str(error)}, 507)
        said = {place: journal.now.get(wall.ids[place]) for place in places}
        return JSONResponse({"said": {place: one and [one.act, one.label] for place, one in said.items()}})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/static/{name}", static),
            Route("/api/clips", clips),
            Route("/api/clip/{place:int}", of_place(lambda place: JSONResponse(wall.detail(place)))),
            Route("/film/{place:int}.mp4", of_place(film)),
            Route(
                "/points/{place:int}.json",
                of_place(lambda place: JSONResponse(points(wall.index[wall.position[place]]))),
            ),
            Route("/api/say", say, methods=["POST"]),
            Route("/api/undo", undo, methods=["POST"]),
        ],
        middleware=[Middleware(GZipMiddleware), Middleware(BaseHTTPMiddleware, dispatch=guarded)],
    )


def _without_token(request: Request) -> str:
    url = request.url.remove_query_params("token")
    return f"{url.path}?{url.query}" if url.query else url.path


def _acts(sent: Any, wall: Wall) -> list[tuple[str, Said, str]] | None:
    """Returns what the browser says of which clips; None if it is no such thing."""
    if not isinstance(sent, dict) or sent.keys() != {"places", "act", "label"}:
        return None
    places, act, label = sent["places"], sent["act"], sent["label"]
    if not isinstance(places, list) or not 0 < len(places) <= MOST_AT_ONCE:
        return None
    if not all(type(place) is int and 0 <= place < len(wall.position) for place in places):
        return None
    names = wall.index.class_names
    was = {place: names[_shown(wall, place)] for place in places}
    if act == "accept":
        return [(wall.ids[place], Said("label", was[place]), was[place]) for place in places]
    if (act, label) == ("none", "") or (act == "label" and label in names):
        return [(wall.ids[place], Said(act, label), was[place]) for place in places]
    return None


def _shown(wall: Wall, place: int) -> int:
    """Returns the class that a clip is shown with: its own label, else the model's."""
    given = int(wall.pool.label[place])
    return given if given != UNKNOWN else int(wall.guess[place])


def _static(name: str) -> str:
    return files("aplt.review").joinpath("static", name).read_text(encoding="utf-8")


def _none() -> Response:
    return JSONResponse({"error": "no such thing"}, 404)
