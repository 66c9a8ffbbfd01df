"""What the page asks the server under /session: the queue, entries, saves, and work in the background."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from tagger.curation.marks import Mark
from tagger.curation.session import KEYS
from tagger.model.explain import similar_entry_to_json
from tagger.server.entry_state import SeenLabels
from tagger.server.page_json import (
    entry_json,
    evidence_json,
    job_json,
    queue_row_json,
    saved_json,
    state_json,
    topic_json,
)
from tagger.server.queue import ORDERS, QueueFilter
from tagger.server.review import Review

__all__ = ["make_page_api"]

_MAX_ITEMS = 100_000  # topics or marks in a request: far more than anybody has


class _SeenRow(BaseModel):
    topics: Annotated[list[str], Field(max_length=_MAX_ITEMS)]
    unsure: Annotated[list[str], Field(max_length=_MAX_ITEMS)]


class _SaveRequest(BaseModel):
    marks: Annotated[list[Mark], Field(max_length=_MAX_ITEMS)]
    was: _SeenRow | None


class _MarkRequest(BaseModel):
    marks: Annotated[list[Mark], Field(max_length=_MAX_ITEMS)]
    topic: str
    mark: Mark


def make_page_api(review: Review) -> APIRouter:
    """The routes that the page asks."""
    router = APIRouter(prefix="/session")
    _add_entries(router, review)
    _add_jobs(router, review)
    return router


def _add_entries(router: APIRouter, review: Review) -> None:
    session = review.session

    @router.get("")
    def get_desk() -> dict[str, Any]:
        topics = [topic_json(topic) for topic in session.topics()]
        return {"topics": topics, "keys": KEYS, "orders": ORDERS, "n_given": session.n_given}

    @router.get("/queue")
    def get_queue(state: str = "all", topic: str = "", search: str = "", order: str = "listed") -> dict[str, Any]:
        rows = session.queue(QueueFilter(state, topic, search, order))
        return {"entries": [queue_row_json(row) for row in rows], **get_counts(topic, search)}

    @router.get("/counts")
    def get_counts(topic: str = "", search: str = "") -> dict[str, Any]:
        counts = session.counts(QueueFilter(topic=topic, search=search))
        return {"counts": counts, "n_labelled": session.n_labelled, "n_entries": len(session.entries)}

    @router.get("/entries/{id}")
    def get_entry(id: str, topic: str = "") -> dict[str, Any]:
        return entry_json(session.entry(id, topic))

    @router.get("/entries/{id}/why/{topic}")
    def get_evidence(id: str, topic: str) -> dict[str, Any]:
        return evidence_json(session.evidence(id, topic))

    @router.get("/entries/{id}/similar")
    def get_similar(id: str) -> list[dict[str, Any]]:
        return [similar_entry_to_json(each) for each in session.similar(id)]

    @router.post("/entries/{id}")
    def save(id: str, request: _SaveRequest) -> dict[str, Any]:
        seen = None if request.was is None else SeenLabels(tuple(request.was.topics), tuple(request.was.unsure))
        return saved_json(session.save(id, request.marks, seen))

    @router.post("/undo/{number}")
    def undo(number: int) -> dict[str, Any]:
        return state_json(session.undo(number))

    @router.post("/turn")
    def change_mark(request: _MarkRequest) -> list[str]:
        return [mark.value for mark in session.change_mark(request.marks, request.topic, request.mark)]


def _add_jobs(router: APIRouter, review: Review) -> None:
    def status() -> dict[str, Any]:
        return job_json(review.jobs.status())

    @router.get("/work")
    def get_job() -> dict[str, Any]:
        return status()

    @router.post("/audit")
    def start_audit() -> dict[str, Any]:
        review.start_audit()
        return status()

    @router.post("/draw")
    def start_drawing() -> dict[str, Any]:
        review.start_drawing()
        return status()

    @router.post("/train")
    def start_training() -> dict[str, Any]:
        review.start_training()
        return status()

    @router.post("/train/accept")
    def accept_model() -> dict[str, Any]:
        review.accept_model()
        return status()

    @router.post("/train/keep")
    def keep_old_model() -> dict[str, Any]:
        review.keep_old_model()
        return status()
