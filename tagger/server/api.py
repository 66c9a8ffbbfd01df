"""The REST API under /v1/: tags, reasons and topics of entries that are sent; see docs/api.md.

It reads and never writes. What it answers is made by the functions behind `tag` and `tagger why`.
"""

# No `from __future__ import annotations`: FastAPI reads those of functions that stand inside a function.

import json
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

from tagger import __version__
from tagger.entry import Entry
from tagger.errors import ListingError, Problem, TaggerError, UsageError
from tagger.formats import json_lines as jsonl
from tagger.formats.listing import Listing
from tagger.formats.registry import decode_text, read_entries
from tagger.labels.dataset import read_labels
from tagger.labels.table import LabelRow
from tagger.model.explain import explain_entries
from tagger.model.model import Model
from tagger.model.storage import hash_model
from tagger.reports import tags as report
from tagger.reports import topics as topics_report
from tagger.reports import why as why_report
from tagger.server import api_page
from tagger.server.api_schema import (
    EXAMPLES,
    ErrorAnswer,
    Health,
    TagAnswer,
    TagOptions,
    TopicsAnswer,
    WhyAnswer,
    WhyOptions,
    request_body,
)
from tagger.source import Source
from tagger.taxonomy import Topic
from tagger.workspace.workspace import Workspace

__all__ = [
    "LIMITS",
    "Limits",
    "make_api",
]


_ABOUT = "Topics for the entries of paper listings, with scores and the words that earned them. Nothing that is sent is kept."


_LINES = "application/x-ndjson"


_CHUNK = 500  # entries that are tagged, and sent, at once


_DROPPED = 8  # times what a body may hold is read and dropped before refusing it: many clients listen only when all is sent


_MOST_PROBLEMS = 100  # that an answer names


_ERRORS = {
    413: "The body is too large, or has too many entries.",
    415: "The body is neither JSON nor text in UTF-8.",
    422: "An entry, a line or an option was not understood; nothing was tagged.",
    503: "The labels or the model cannot be read.",
}


_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may hold."""

    n_bytes: int = 8 << 20  # of its body
    n_entries: int = 10_000  # to tag
    n_explained: int = 200  # to explain: a hundred times the work, and 100 kB each of `why`


LIMITS = Limits()


def make_api(tagger: Callable[[], Model], workspace: Workspace | None = None, limits: Limits = LIMITS) -> APIRouter:
    """The routes of the REST API, all under /v1/.

    Args:
        tagger: gives the model; asked once a request, so that the model may be replaced while the server runs.
        workspace: whose labels win over the model and serve as precedents; they are read anew when their files change.
            None for the model alone.
        limits: how much one request may hold; more is refused with status 413.
    """
    router = APIRouter(prefix="/v1", route_class=_Route, generate_unique_id_function=lambda route: route.name)
    hand = _CachedFromFiles(workspace.hand if workspace else lambda: ({}, ()), lambda: _files(workspace)[:2])
    labels = _CachedFromFiles(lambda: read_labels(workspace.labels) if workspace else None, lambda: _files(workspace))

    async def sent(request: Request) -> _Body:
        return await _received(request, limits.n_bytes)

    @router.get(
        "/health",
        summary="Whether the server answers, and by which model",
        responses={200: _answer(Health, "The server answers."), **_failing(503)},
    )
    def health() -> Response:
        model = tagger()
        return _json({"ok": True, "version": __version__, "model": hash_model(model), "topics": len(model.topics)})

    @router.get(
        "/topics",
        summary="The topics and their thresholds",
        responses={200: _answer(TopicsAnswer, "The topics."), **_failing(503)},
    )
    def topics() -> Response:
        rows = topics_report.topic_rows(tagger(), hand()[1])
        return _json({"topics": [row | {"learned": row["threshold"] is not None} for row in rows]})

    @router.post(
        "/tag",
        summary="The topics of each entry, best first",
        responses={200: _answer(TagAnswer, "The entries, in the order given.", _LINES), **_failing(413, 415, 422, 503)},
        openapi_extra={"requestBody": request_body(limits.n_entries)},
    )
    def tag(body: Annotated[_Body, Depends(sent)], options: Annotated[TagOptions, Query()], request: Request) -> Response:
        """What a person said of an entry in the labels stands in place of the model's topics, marked `hand`.

        With the header `Accept: application/x-ndjson` the answer is JSON Lines, sent as they are made, and without warnings.
        """
        listing = _listing(body, options.year, limits.n_explained if options.explain else limits.n_entries)
        lines = _tagged(tagger(), listing.entries, hand(), options)
        if _LINES in request.headers.get("accept", ""):
            return StreamingResponse(lines, media_type=_LINES)
        entries = "".join(lines).rstrip("\n").replace("\n", ",\n")  # no text in JSON holds an end of line
        warnings = json.dumps(_shown(listing.warnings), ensure_ascii=False)
        return _text(f'{{"entries": [\n{entries}\n], "warnings": {warnings}}}\n')

    @router.post(
        "/why",
        summary="The words for and against each topic, and precedents",
        responses={200: _answer(WhyAnswer, "The entries, in the order given."), **_failing(413, 415, 422, 503)},
        openapi_extra={"requestBody": request_body(limits.n_explained)},
    )
    def why(body: Annotated[_Body, Depends(sent)], options: Annotated[WhyOptions, Query()]) -> Response:
        """For each entry all that the scores of its topics are the sum of, and the labelled entries that are most similar."""
        listing = _listing(body, options.year, limits.n_explained)
        return _text(
            why_report.why_text(explain_entries(tagger(), listing.entries, labels(), options.topic, options.similar), "json")
        )

    schema = _schema(router.routes)
    page = api_page.page(schema)

    @router.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return _json(schema)

    @router.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": api_page.POLICY})

    @router.get("/docs.css", include_in_schema=False)
    def style() -> Response:
        return Response(api_page.style(), media_type="text/css")

    methods = {route.path: route.methods for route in router.routes if isinstance(route, APIRoute)}

    @router.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    def unknown(path: str, request: Request) -> None:
        """What no route above took, so that these errors have the same form as the others."""
        wanted = methods.get(f"/v1/{path}")
        if wanted is None:
            raise HTTPException(404, f"expected one of {', '.join(methods)}, found /v1/{path}; /v1/docs tells of them")
        allowed = ", ".join(sorted(wanted))
        raise HTTPException(405, f"expected {allowed}, found {request.method}; /v1/docs tells more", headers={"allow": allowed})

    return router


class _Route(APIRoute):
    """A route whose errors all have the form of `ErrorAnswer`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                return _refused(422, "an option of the query was not understood; /v1/docs names them", _of_query(error))
            except HTTPException as error:
                return _refused(error.status_code, error.detail, headers=error.headers)
            except TaggerError as error:
                bad_request = isinstance(error, (ListingError, UsageError))
                return _refused(422 if bad_request else 503, str(error.args[0]), error.problems)

        return handled


def _refused(status: int, message: str, problems: Sequence[Problem] = (), headers: Mapping[str, str] | None = None) -> Response:
    error = {"problems": _shown(problems[:_MOST_PROBLEMS]), "message": message}
    return _json({"error": error}, status, headers)


def _failing(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: _answer(ErrorAnswer, _ERRORS[status]) for status in statuses}


def _answer(model: Any, description: str, *others: str) -> dict[str, Any]:
    return {"model": model, "description": description, "content": {kind: {"schema": {"type": "string"}} for kind in others}}


def _schema(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI schema of the routes."""
    schema = get_openapi(title="tagger", version=__version__, description=_ABOUT, routes=routes)
    for methods in schema["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():  # here, since get_openapi takes every null out of examples
                example = EXAMPLES[operation["operationId"] if status == "200" else "error"]
                answer["content"]["application/json"]["example"] = example
    return schema


def _shown(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {"source": problem.source.path, "line": problem.source.line or None, "message": problem.message} for problem in problems
    ]


def _of_query(error: RequestValidationError) -> list[Problem]:
    found = ((".".join(map(str, one["loc"][1:])), one["msg"], one["input"]) for one in error.errors())
    return [Problem(Source("query"), f"{option}: {message}, found {input!r}") for option, message, input in found]


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _text(json.dumps(value, ensure_ascii=False) + "\n", status, headers)


def _text(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose JSON is written already."""
    return Response(text.encode("utf-8", "replace"), status, headers, "application/json")


@dataclass(frozen=True, slots=True)
class _Body:
    """A request's body as it came, and whether it is JSON or text."""

    data: bytes
    is_json: bool


async def _received(request: Request, n_bytes: int) -> _Body:
    """The body of a request.

    Raises:
        HTTPException: 415 for one of another kind, 413 for one that is too large, of which no more is kept than what is
            allowed, 400 for one that ends early.
    """
    header = request.headers.get("content-type", "")
    kind = header.partition(";")[0].strip().lower()
    charset = re.search(r";\s*charset=\"?([^\s;\"]*)", header, re.IGNORECASE)
    if kind not in ("application/json", "text/plain", _LINES) or (charset and charset[1].lower() not in ("utf-8", "utf8")):
        raise HTTPException(
            415, f"expected application/json, text/plain or {_LINES} in UTF-8 as the content-type, found {header or 'none'}"
        )
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size <= n_bytes:
                parts.append(part)
            elif size > _DROPPED * n_bytes:
                break
    except ClientDisconnect:  # who has gone reads no answer, and a server's log no traceback
        raise HTTPException(400, f"the body ended early, after {size} bytes; send it again") from None
    if size > n_bytes:
        raise HTTPException(
            413, f"expected a body of at most {n_bytes} bytes, found more; send the entries in several requests"
        )
    return _Body(b"".join(parts), kind == "application/json")


def _listing(body: _Body, year: int | None, n_entries: int) -> Listing:
    """The entries of a body.

    Raises:
        HTTPException: 422 for what is not the JSON wanted, 413 for too many entries.
        ListingError: naming every entry or line that was not understood.
    """
    source = "entries" if body.is_json else "listing"
    text = decode_text(body.data, source)
    if body.is_json or jsonl.looks_like_json_lines(text):
        pairs: Iterable[tuple[int, Any]] = enumerate(_entries(text), 1) if body.is_json else jsonl.parse_records(text)
        listing = jsonl.entries_from_records(islice(pairs, n_entries + 1), source)
    else:
        listing = read_entries(text, source, date.today().year if year is None else year)
    if len(listing.entries) + len(listing.problems) > n_entries:
        raise HTTPException(413, f"expected at most {n_entries} entries, found more; send them in several requests")
    listing.all()
    return listing


def _entries(text: str) -> list[Any]:
    wanted = 'expected a JSON object such as {"entries": [{"title": "…"}]}'
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, f"{wanted}, found something else ({error})") from None
    if not isinstance(found, dict):
        raise HTTPException(422, f"{wanted}, found {type(found).__name__}")
    if unknown := sorted(found.keys() - {"entries"}):
        raise HTTPException(
            422, f"{wanted}, found the key {unknown[0][:60]!r}; options stand in the query, as in ?explain=true"
        )
    if not isinstance(found.get("entries"), list):
        raise HTTPException(422, f"{wanted}, found no list under 'entries'")
    return list(found["entries"])


def _tagged(
    model: Model, entries: Sequence[Entry], hand: tuple[Mapping[str, LabelRow], Sequence[Topic]], options: TagOptions
) -> Iterator[str]:
    """What `tag --format jsonl` writes, a chunk of entries at a time."""
    for first in range(0, len(entries), _CHUNK):
        results = model.tag(entries[first : first + _CHUNK], *hand, options.all_scores)
        yield report.format_tagged(results, model, "jsonl", options.explain, options.all_scores)


class _CachedFromFiles(Generic[T]):
    """What was read from files, read anew when one of them has changed; one thread reads, the others wait."""

    def __init__(self, read: Callable[[], T], files: Callable[[], Iterable[Path]]) -> None:
        self._read, self._files, self._lock = read, files, Lock()
        self._seen: object = None
        self._value: T

    def __call__(self) -> T:
        with self._lock:
            seen = [(path, _stamp(path)) for path in self._files()]  # before reading, so that no change is missed
            if seen != self._seen:
                self._value = self._read()
                self._seen = seen
            return self._value


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _files(workspace: Workspace | None) -> list[Path]:
    """The files of labels: what people said, the topics, then the entries."""
    if workspace is None:
        return []
    folder = workspace.labels
    return [folder / "labels.csv", folder / "topics.toml", *sorted((folder / "entries").glob("*.txt"))]
