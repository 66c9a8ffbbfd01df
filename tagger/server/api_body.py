"""The body of a request to the REST API: how much it may hold, and the entries in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tagger.formats import json_lines
from tagger.formats.listing import Listing
from tagger.formats.registry import LISTING_FORMATS, decode_text, read_entries

__all__ = ["LIMITS", "ApiLimits", "RequestBody", "parse_body", "receive_body"]

_MEDIA_TYPES = ("application/json", *(media_type for format in LISTING_FORMATS for media_type in format.media_types))
_EXCESS_READ = 8  # times the allowed size that is read before a body is refused: many clients listen only when all is sent
_EXPECTED = 'expected a JSON object such as {"entries": [{"title": "…"}]}'


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """How much one request may hold."""

    n_bytes: int = 8 << 20  # of its body
    n_entries: int = 10_000  # to tag
    n_explained: int = 200  # to explain: a hundred times the work, and 100 kB each of `why`


LIMITS = ApiLimits()


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A request's body as it came, and whether it is JSON or text."""

    data: bytes
    is_json: bool


async def receive_body(request: Request, max_bytes: int) -> RequestBody:
    """The body of a request. No more of it is kept than is allowed.

    Raises:
        HTTPException: 415 for a content type that is not one of JSON, text and JSON Lines in UTF-8; 413 for a body that is too
            large; 400 for one that ends early.
    """
    is_json = _check_content_type(request.headers.get("content-type", ""))
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size <= max_bytes:
                parts.append(part)
            elif size > _EXCESS_READ * max_bytes:
                break
    except ClientDisconnect:  # nobody reads the answer, but the server's log gets no traceback
        raise HTTPException(400, f"the body ended early, after {size} bytes; send it again") from None
    if size > max_bytes:
        raise HTTPException(
            413, f"expected a body of at most {max_bytes} bytes, found more; send the entries in several requests"
        )
    return RequestBody(b"".join(parts), is_json)


def parse_body(body: RequestBody, year: int | None, max_entries: int) -> Listing:
    """The entries of a body.

    Args:
        body: JSON with a list under "entries", a listing, or JSON Lines.
        year: of a listing's dates without a year; None for the current one.
        max_entries: how many entries there may be.

    Raises:
        HTTPException: 422 for JSON of another form, 413 for too many entries.
        ListingError: naming every entry or line that was not understood.
    """
    source = "entries" if body.is_json else "listing"
    text = decode_text(body.data, source)
    if body.is_json or json_lines.looks_like_json_lines(text):
        records: Iterable[tuple[int, Any]] = (
            enumerate(_parse_entries(text), 1) if body.is_json else json_lines.parse_records(text)
        )
        listing = json_lines.entries_from_records(islice(records, max_entries + 1), source)
    else:
        listing = read_entries(text, source, date.today().year if year is None else year)
    if len(listing.entries) + len(listing.problems) > max_entries:
        raise HTTPException(413, f"expected at most {max_entries} entries, found more; send them in several requests")
    listing.require_entries()
    return listing


def _check_content_type(header: str) -> bool:
    """Whether a content type is that of JSON; else it is that of text."""
    media_type = header.partition(";")[0].strip().lower()
    charset = re.search(r";\s*charset=\"?([^\s;\"]*)", header, re.IGNORECASE)
    if media_type not in _MEDIA_TYPES or (charset and charset[1].lower() not in ("utf-8", "utf8")):
        raise HTTPException(
            415,
            f"expected {', '.join(_MEDIA_TYPES[:-1])} or {_MEDIA_TYPES[-1]} in UTF-8 as the content-type, "
            f"found {header or 'none'}",
        )
    return media_type == "application/json"


def _parse_entries(text: str) -> list[Any]:
    """The list under "entries" of a JSON object, whatever is in it."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, f"{_EXPECTED}, found something else ({error})") from None
    if not isinstance(body, dict):
        raise HTTPException(422, f"{_EXPECTED}, found {type(body).__name__}")
    if unknown := sorted(body.keys() - {"entries"}):
        raise HTTPException(
            422, f"{_EXPECTED}, found the key {unknown[0][:60]!r}; options stand in the query, as in ?explain=true"
        )
    if not isinstance(body.get("entries"), list):
        raise HTTPException(422, f"{_EXPECTED}, found no list under 'entries'")
    return list(body["entries"])
