"""The REST API under /v1/: tags, reasons and topics for entries that a program sends; see docs/api.md.

It reads and never writes. The functions behind `tag` and `tagger why` make its answers.
"""

# No `from __future__ import annotations`: FastAPI reads the annotations of functions that stand inside a function.

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from tagger import __version__
from tagger.entry import Entry
from tagger.formats.format import WriteOptions
from tagger.formats.json_lines import JSON_LINES
from tagger.labels.dataset import read_labels
from tagger.labels.entry_files import find_entry_files
from tagger.model.explain import add_reasons, explain_entries
from tagger.model.model import Model
from tagger.model.storage import hash_model
from tagger.reports.topics import list_topics
from tagger.reports.why import format_explanations
from tagger.server import api_page
from tagger.server.api_answers import (
    ApiRoute,
    answer_spec,
    error_specs,
    json_response,
    openapi_schema,
    problems_json,
    text_response,
)
from tagger.server.api_body import LIMITS, ApiLimits, RequestBody, parse_body, receive_body
from tagger.server.api_examples import request_body_spec
from tagger.server.api_schema import Health, TagAnswer, TagOptions, TopicsAnswer, WhyAnswer, WhyOptions
from tagger.server.file_cache import CachedFromFiles
from tagger.workspace.workspace import HandLabels, Workspace

__all__ = ["make_api"]

_CHUNK = 500  # entries that are tagged, and sent, at once
_JSON_LINES_TYPE = JSON_LINES.media_types[0]
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def make_api(get_model: Callable[[], Model], workspace: Workspace | None = None, limits: ApiLimits = LIMITS) -> APIRouter:
    """The routes of the REST API, all under /v1/.

    Args:
        get_model: gives the model; called once a request, so that the model may be replaced while the server runs.
        workspace: whose labels win over the model and serve as precedents; they are read again when their files change.
            None for the model alone.
        limits: how much one request may hold; more is refused with status 413.
    """
    router = APIRouter(prefix="/v1", route_class=ApiRoute, generate_unique_id_function=lambda route: route.name)
    hand = CachedFromFiles(workspace.read_hand_labels if workspace else HandLabels, lambda: _label_files(workspace)[:2])
    model_hash = lru_cache(maxsize=1)(hash_model)  # it reads the whole model, and the server's health is asked for often
    labels = CachedFromFiles(lambda: read_labels(workspace.labels) if workspace else None, lambda: _label_files(workspace))

    async def receive(request: Request) -> RequestBody:
        return await receive_body(request, limits.n_bytes)

    @router.get(
        "/health",
        summary="Whether the server answers, and by which model",
        responses={200: answer_spec(Health, "The server answers."), **error_specs(503)},
    )
    def health() -> Response:
        model = get_model()
        return json_response({"ok": True, "version": __version__, "model": model_hash(model), "topics": len(model.topics)})

    @router.get(
        "/topics",
        summary="The topics and their thresholds",
        responses={200: answer_spec(TopicsAnswer, "The topics."), **error_specs(503)},
    )
    def topics() -> Response:
        rows = [row.to_json() for row in list_topics(get_model(), hand().taxonomy.topics)]
        return json_response({"topics": [row | {"learned": row["threshold"] is not None} for row in rows]})

    @router.post(
        "/tag",
        summary="The topics of each entry, best first",
        responses={
            200: answer_spec(TagAnswer, "The entries, in the order given.", _JSON_LINES_TYPE),
            **error_specs(413, 415, 422, 503),
        },
        openapi_extra={"requestBody": request_body_spec(limits.n_entries)},
    )
    def tag(
        body: Annotated[RequestBody, Depends(receive)], options: Annotated[TagOptions, Query()], request: Request
    ) -> Response:
        """What a person said of an entry in the labels stands in place of the model's topics, marked `hand`.

        With the header `Accept: application/x-ndjson` the answer is JSON Lines, sent as they are made, and without warnings.
        """
        listing = parse_body(body, options.year, limits.n_explained if options.explain else limits.n_entries)
        lines = _tagged_lines(get_model(), listing.entries, hand(), options)
        if _JSON_LINES_TYPE in request.headers.get("accept", ""):
            return StreamingResponse(lines, media_type=_JSON_LINES_TYPE)
        entries = "".join(lines).rstrip("\n").replace("\n", ",\n")  # no text in JSON holds an end of line
        warnings = json.dumps(problems_json(listing.warnings), ensure_ascii=False)
        return text_response(f'{{"entries": [\n{entries}\n], "warnings": {warnings}}}\n')

    @router.post(
        "/why",
        summary="The words for and against each topic, and precedents",
        responses={200: answer_spec(WhyAnswer, "The entries, in the order given."), **error_specs(413, 415, 422, 503)},
        openapi_extra={"requestBody": request_body_spec(limits.n_explained)},
    )
    def why(body: Annotated[RequestBody, Depends(receive)], options: Annotated[WhyOptions, Query()]) -> Response:
        """For each entry all that the scores of its topics are the sum of, and the labelled entries that are most similar."""
        listing = parse_body(body, options.year, limits.n_explained)
        explanations = explain_entries(get_model(), listing.entries, labels(), options.topic, options.similar)
        return text_response(format_explanations(explanations, "json"))

    _add_docs(router)
    _add_refusals(router)
    return router


def _add_docs(router: APIRouter) -> None:
    """The schema of the routes so far, for programs and as a page."""
    schema = openapi_schema(router.routes)
    page = api_page.render_page(schema)

    @router.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return json_response(schema)

    @router.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": api_page.DOCS_POLICY})

    @router.get("/docs.css", include_in_schema=False)
    def style() -> Response:
        return Response(api_page.read_style(), media_type="text/css")


def _add_refusals(router: APIRouter) -> None:
    """Errors for every path and method that the routes so far do not take, in the form of the other errors."""
    methods = {route.path: route.methods for route in router.routes if isinstance(route, APIRoute)}

    @router.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    def unknown(path: str, request: Request) -> None:
        wanted = methods.get(f"/v1/{path}")
        if wanted is None:
            raise HTTPException(404, f"expected one of {', '.join(methods)}, found /v1/{path}; /v1/docs tells of them")
        allowed = ", ".join(sorted(wanted))
        raise HTTPException(405, f"expected {allowed}, found {request.method}; /v1/docs tells more", headers={"allow": allowed})


def _tagged_lines(model: Model, entries: Sequence[Entry], hand: HandLabels, options: TagOptions) -> Iterator[str]:
    """What `tag --format jsonl` writes, a chunk of entries at a time."""
    write_options = WriteOptions(model.scored_topics if options.all_scores else None)
    for first in range(0, len(entries), _CHUNK):
        results = model.tag(entries[first : first + _CHUNK], hand.rows, hand.taxonomy, options.all_scores)
        yield JSON_LINES.write(add_reasons(model, results) if options.explain else results, write_options)


def _label_files(workspace: Workspace | None) -> list[Path]:
    """The files of labels: what people said, the topics, then the entries."""
    if workspace is None:
        return []
    folder = workspace.labels
    return [folder / "labels.csv", folder / "topics.toml", *find_entry_files(folder)]
