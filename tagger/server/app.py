"""The application: pages, what they ask, the REST API, the guard before them, and how errors are answered."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tagger import __version__
from tagger.errors import TaggerError
from tagger.labels.store import RowChangedError
from tagger.server.api import make_api
from tagger.server.guard import Guard, GuardMiddleware
from tagger.server.live_labels import UnknownEntryError
from tagger.server.page_api import make_page_api
from tagger.server.page_json import row_json
from tagger.server.pages import make_pages
from tagger.server.review import Review

__all__ = ["make_app"]


def make_app(review: Review, guard: Guard) -> FastAPI:
    """The application around a review.

    Args:
        review: the entries and the work in the background.
        guard: whom to answer.
    """
    app = FastAPI(title="tagger", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(GuardMiddleware, guard=guard)
    _add_error_handlers(app)
    app.include_router(make_pages(review, guard))
    app.include_router(make_page_api(review))
    app.include_router(make_api(lambda: review.session.model, review.session.workspace))
    return app


def _add_error_handlers(app: FastAPI) -> None:
    """Every error is JSON with an `error` that says what to do. Labels that somebody else changed come with it as `row`."""

    @app.exception_handler(TaggerError)
    def answer_known(_: Request, error: TaggerError) -> JSONResponse:
        if isinstance(error, RowChangedError):
            return JSONResponse({"error": str(error), "row": row_json(error.row)}, 409)
        return JSONResponse({"error": str(error)}, 404 if isinstance(error, UnknownEntryError) else 400)

    @app.exception_handler(OSError)
    def answer_system(_: Request, error: OSError) -> JSONResponse:
        return JSONResponse({"error": f"{error.filename or 'output'}: {error.strerror}"}, 500)

    @app.exception_handler(RequestValidationError)
    def answer_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        return JSONResponse({"error": f"not understood: {problems}"}, 422)

    @app.exception_handler(HTTPException)
    def answer_http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
