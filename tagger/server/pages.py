"""The pages as HTML, and the files that they load. Templates and files are read once, when the server starts."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from tagger.evaluation.figures import read_figures
from tagger.reports.figures import format_interval
from tagger.server.guard import Guard
from tagger.server.queue import STATES
from tagger.server.review import Review

__all__ = ["make_pages"]

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # pictures have their colours inside


def make_pages(review: Review, guard: Guard) -> APIRouter:
    """The routes that answer with a page, or with a file that a page loads.

    Args:
        review: what the pages show.
        guard: gives the page its token, and lets people in who know the secret.
    """
    router = APIRouter()
    templates = Environment(loader=PackageLoader("tagger.server"), autoescape=True, undefined=StrictUndefined)
    templates.filters["interval"] = format_interval
    folder = resources.files("tagger.server") / "static"
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(tuple(_MEDIA_TYPES))}
    shared = {"workspace": review.session.name, "token": guard.token}

    def render(template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(values), status)

    @router.get("/static/{name}")
    def get_static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "no such file")
        return Response(files[name], media_type=_MEDIA_TYPES["." + name.rpartition(".")[2]])

    @router.get("/")
    def get_page() -> HTMLResponse:
        return render("review.html", {**shared, "states": STATES})

    @router.get("/figures")
    def get_figures() -> HTMLResponse:
        model = review.session.model
        rows = [(topic, model.threshold_of(topic.id)) for topic in model.topics]
        return render("figures.html", {**shared, "rows": rows, "figures": read_figures(model), "pictures": review.pictures})

    @router.get("/figures/{name}.svg")
    def get_picture(name: str) -> Response:
        picture = next((picture for picture in review.pictures if picture.name == name), None)
        if picture is None:
            raise HTTPException(404, "no such picture")
        return Response(picture.svg, media_type=_MEDIA_TYPES[".svg"], headers={"content-security-policy": _PICTURE_POLICY})

    @router.get("/enter")
    def get_enter() -> HTMLResponse:
        return render("enter.html", {"wrong": False})

    @router.post("/enter")
    async def enter(request: Request) -> Response:
        (secret,) = parse_qs((await request.body()).decode(errors="replace")).get("secret", [""])[:1]
        cookie = guard.enter(secret)
        if cookie is None:
            return render("enter.html", {"wrong": True}, 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(guard.cookie, cookie, httponly=True, samesite="strict")
        return answer

    return router
