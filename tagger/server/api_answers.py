"""Answers of the REST API: JSON and its errors, which all have one form; and what the OpenAPI schema says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from tagger import __version__
from tagger.errors import ListingError, Problem, TaggerError, UsageError
from tagger.server import api_examples
from tagger.server.api_schema import ErrorAnswer
from tagger.source import Source

__all__ = ["ApiRoute", "answer_spec", "error_specs", "json_response", "openapi_schema", "problems_json", "text_response"]

_ABOUT = "Topics for the entries of paper listings, with scores and the words that earned them. Nothing that is sent is kept."
_MAX_PROBLEMS = 100  # that an answer names

_ERRORS = {
    413: "The body is too large, or has too many entries.",
    415: "The body is neither JSON nor text in UTF-8.",
    422: "An entry, a line or an option was not understood; nothing was tagged.",
    503: "The labels or the model cannot be read.",
}


class ApiRoute(APIRoute):
    """A route whose errors all have the form of `ErrorAnswer`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, with its exceptions turned into answers."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                message = "an option of the query was not understood; /v1/docs names them"
                return _error_response(422, message, _query_problems(error))
            except HTTPException as error:
                return _error_response(error.status_code, error.detail, headers=error.headers)
            except TaggerError as error:
                bad_request = isinstance(error, (ListingError, UsageError))
                return _error_response(422 if bad_request else 503, str(error.args[0]), error.problems)

        return handle


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as an answer in JSON."""
    return text_response(json.dumps(value, ensure_ascii=False) + "\n", status, headers)


def text_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose JSON is written already."""
    return Response(text.encode("utf-8", "replace"), status, headers, "application/json")


def problems_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as an answer names them."""
    return [
        {"source": problem.source.path, "line": problem.source.line or None, "message": problem.message} for problem in problems
    ]


def answer_spec(model: Any, description: str, *media_types: str) -> dict[str, Any]:
    """What the schema says of an answer in JSON, and in other media types as text."""
    content = {media_type: {"schema": {"type": "string"}} for media_type in media_types}
    return {"model": model, "description": description, "content": content}


def error_specs(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the schema says of answers that are errors."""
    return {status: answer_spec(ErrorAnswer, _ERRORS[status]) for status in statuses}


def openapi_schema(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI schema of some routes, with an example of each answer."""
    schema = get_openapi(title="tagger", version=__version__, description=_ABOUT, routes=routes)
    for methods in schema["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                # The examples are put in here, because get_openapi takes every null out of them.
                example = api_examples.EXAMPLE_ANSWERS[operation["operationId"] if status == "200" else "error"]
                answer["content"]["application/json"]["example"] = example
    return schema


def _error_response(
    status: int, message: str, problems: Sequence[Problem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    error = {"problems": problems_json(problems[:_MAX_PROBLEMS]), "message": message}
    return json_response({"error": error}, status, headers)


def _query_problems(error: RequestValidationError) -> list[Problem]:
    """What is wrong with the options of a query."""
    details = ((".".join(map(str, detail["loc"][1:])), detail["msg"], detail["input"]) for detail in error.errors())
    return [Problem(Source("query"), f"{option}: {message}, found {value!r}") for option, message, value in details]
