"""The routes of the page: what a request asks of the desk, as JSON. Templates and static files are read once, at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from math import inf
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from tagger import __version__
from tagger.curation.session import KEYS, Mark
from tagger.errors import TaggerError
from tagger.labels.store import RowChangedError
from tagger.reports import figures as figures_report
from tagger.reports.pictures import Picture
from tagger.server.api import make_api
from tagger.server.guard import Guard, GuardMiddleware
from tagger.server.jobs import JobRunner, audit, draw, put_in_place, train
from tagger.server.session import STATES, QueueFilter, ReviewSession, UnknownError, row_json

__all__ = [
    "make_app",
]


_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


_OF_PICTURES = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # they have their colours inside


_MANY = 100_000  # topics or ids in a request: far more than anybody has


class _Row(BaseModel):
    topics: Annotated[list[str], Field(max_length=_MANY)]
    unsure: Annotated[list[str], Field(max_length=_MANY)]


class _Decided(BaseModel):
    marks: Annotated[list[Mark], Field(max_length=_MANY)]
    was: _Row | None


class _Turn(BaseModel):
    marks: Annotated[list[Mark], Field(max_length=_MANY)]
    topic: str
    mark: Mark


@dataclass
class _Review:
    """What the routes work on."""

    desk: ReviewSession
    guard: Guard
    work: JobRunner
    pictures: list[Picture] = field(default_factory=list)  # of the figures, when somebody had them drawn

    def audit(self) -> None:
        """Begin to look for doubtful labels."""
        self.work.start("audit", lambda told: audit(self.desk.place, told), lambda found: self.desk.doubt(found["doubted"]))

    def draw(self) -> None:
        """Begin to draw the pictures of the figures."""

        def keep(found: list[Picture]) -> None:
            self.pictures = found

        self.work.start("draw", lambda told: draw(self.desk.place, told), keep)

    def train(self) -> None:
        """Begin to train."""
        desk = self.desk
        self.work.start("train", lambda told: train(desk.place, desk.model, desk.labelling.entries, told))


def make_app(desk: ReviewSession, guard: Guard, work: JobRunner | None = None) -> FastAPI:
    """The application around a desk.

    Args:
        desk: what to review.
        guard: whom to answer.
        work: what trains and audits.
    """
    review = _Review(desk, guard, work or JobRunner())
    app = FastAPI(title="tagger", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GuardMiddleware, guard=guard)
    app.state.review = review
    _errors(app)
    _pages(app, review)
    _entries(app, review)
    _work(app, review)
    app.include_router(make_api(lambda: desk.model, desk.place))
    return app


def _pages(app: FastAPI, review: _Review) -> None:
    pages = Environment(loader=PackageLoader("tagger.server"), autoescape=True, undefined=StrictUndefined)
    pages.filters["interval"] = figures_report.format_interval
    folder = resources.files("tagger.server") / "static"
    static = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(tuple(_TYPES))}

    @app.get("/static/{name}")
    def get_static(name: str) -> Response:
        if name not in static:
            raise HTTPException(404, "no such file")
        return Response(static[name], media_type=_TYPES["." + name.rpartition(".")[2]])

    @app.get("/")
    def get_page() -> HTMLResponse:
        return HTMLResponse(
            pages.get_template("review.html").render(token=review.guard.token, place=review.desk.name, states=STATES)
        )

    @app.get("/figures")
    def get_figures() -> HTMLResponse:
        model = review.desk.model
        rows = [(topic, None if cut == inf else float(cut)) for topic, cut in zip(model.topics, model.thresholds, strict=True)]
        page = pages.get_template("figures.html")
        shown = {"place": review.desk.name, "token": review.guard.token, "pictures": review.pictures}
        return HTMLResponse(page.render(rows=rows, about=model.about, **shown))

    @app.get("/figures/{name}.svg")
    def get_picture(name: str) -> Response:
        found = {picture.name: picture for picture in review.pictures}.get(name)
        if found is None:
            raise HTTPException(404, "no such picture")
        return Response(found.svg, media_type=_TYPES[".svg"], headers={"content-security-policy": _OF_PICTURES})

    @app.get("/enter")
    def get_enter() -> HTMLResponse:
        return HTMLResponse(pages.get_template("enter.html").render(wrong=False))

    @app.post("/enter")
    async def enter(request: Request) -> Response:
        (secret,) = parse_qs((await request.body()).decode(errors="replace")).get("secret", [""])[:1]
        session = review.guard.enter(secret)
        if session is None:
            return HTMLResponse(pages.get_template("enter.html").render(wrong=True), 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(review.guard.cookie, session, httponly=True, samesite="strict")
        return answer


def _entries(app: FastAPI, review: _Review) -> None:
    desk = review.desk

    @app.get("/desk")
    def get_desk() -> dict[str, Any]:
        return {"topics": desk.topics(), "keys": KEYS, "orders": list(desk.orders), "n_given": desk.n_given}

    @app.get("/desk/queue")
    def get_queue(state: str = "all", topic: str = "", search: str = "", order: str = "listed") -> dict[str, Any]:
        wanted = QueueFilter(state, topic, search, order)
        return {"entries": desk.queue(wanted), **get_counts(topic, search)}

    @app.get("/desk/counts")
    def get_counts(topic: str = "", search: str = "") -> dict[str, Any]:
        counts = desk.counts(QueueFilter(topic=topic, search=search))
        return {"counts": counts, "n_labelled": desk.n_labelled, "n_entries": desk.n_entries}

    @app.get("/desk/entries/{id}")
    def get_entry(id: str, topic: str = "") -> dict[str, Any]:
        return desk.entry(id, topic)

    @app.get("/desk/entries/{id}/why/{topic}")
    def get_why(id: str, topic: str) -> dict[str, Any]:
        return desk.why(id, topic)

    @app.get("/desk/entries/{id}/similar")
    def get_similar(id: str) -> list[dict[str, Any]]:
        return desk.similar(id)

    @app.post("/desk/entries/{id}")
    def save(id: str, decided: _Decided) -> dict[str, Any]:
        return desk.save(id, decided.marks, None if decided.was is None else decided.was.model_dump())

    @app.post("/desk/undo/{number}")
    def undo(number: int) -> dict[str, Any]:
        return desk.undo(number)

    @app.post("/desk/turn")
    def turn(wanted: _Turn) -> list[str]:
        return [mark.value for mark in desk.turn(wanted.marks, wanted.topic, wanted.mark)]


def _work(app: FastAPI, review: _Review) -> None:
    desk, work = review.desk, review.work

    @app.get("/desk/work")
    def get_work() -> dict[str, Any]:
        told: dict[str, Any] = work.status()
        if told["state"] == "done" and work.what == "train":
            told["trained"] = None if work.result is None else work.result.told
        if told["state"] == "done" and work.what == "audit":
            told["n_doubted"] = work.result["n_doubted"]
        return told

    @app.post("/desk/audit")
    def start_audit() -> dict[str, Any]:
        review.audit()
        return work.status()

    @app.post("/desk/draw")
    def start_drawing() -> dict[str, Any]:
        review.draw()
        return work.status()

    @app.post("/desk/train")
    def start_training() -> dict[str, Any]:
        review.train()
        return work.status()

    @app.post("/desk/train/accept")
    def accept() -> dict[str, Any]:
        trained = work.found("train")
        if trained is not None:
            put_in_place(desk.place, trained)  # where it cannot be, the result stays
            desk.use(trained.model)
        work.forget()
        return work.status()

    @app.post("/desk/train/keep")
    def keep() -> dict[str, Any]:
        work.forget()
        return work.status()


def _errors(app: FastAPI) -> None:
    """Every error as JSON with an `error` that says what to do; a row that somebody else changed comes with it."""

    @app.exception_handler(TaggerError)
    def known(_: Request, error: TaggerError) -> JSONResponse:
        if isinstance(error, RowChangedError):
            return JSONResponse({"error": str(error), "row": row_json(error.row)}, 409)
        return JSONResponse({"error": str(error)}, 404 if isinstance(error, UnknownError) else 400)

    @app.exception_handler(OSError)
    def system(_: Request, error: OSError) -> JSONResponse:
        return JSONResponse({"error": f"{error.filename or 'output'}: {error.strerror}"}, 500)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return JSONResponse({"error": f"not understood: {found}"}, 422)

    @app.exception_handler(HTTPException)
    def other(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
