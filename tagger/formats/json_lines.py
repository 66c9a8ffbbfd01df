"""Entries as JSON Lines: one object a line, with the keys that docs/formats.md names; unknown keys are ignored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from reprlib import Repr
from typing import Any

from tagger.entry import Entry
from tagger.errors import Problem
from tagger.formats.listing import Listing
from tagger.source import Source

__all__ = [
    "entries_from_records",
    "entry_record",
    "looks_like_json_lines",
    "parse_records",
    "read_json_lines",
    "write_json_lines",
]


_SHORT = Repr()  # a value may be of any length and depth, and is to be named in one line


_SHORT.maxstring = 60


def read_json_lines(text: str, source: str) -> Listing:
    """The entries of JSON Lines text."""
    return entries_from_records(parse_records(text), source)


def entries_from_records(pairs: Iterable[tuple[int, Any]], source: str) -> Listing:
    """As `read`, of (number, JSON value) pairs; the number stands where a line would in `Entry.source` and in problems."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for number, found in pairs:
        try:
            entries.append(_entry(found, Source(source, number)))
        except (ValueError, TypeError) as error:
            problems.append(Problem(Source(source, number), str(error)))
    return Listing(tuple(entries), tuple(problems))


def parse_records(text: str) -> Iterator[tuple[int, Any]]:
    """(line number, JSON value) of each line that is not empty; a `ValueError` in place of a value that is not JSON."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, ValueError(f"expected one JSON object a line, found something else ({error})")


def looks_like_json_lines(text: str) -> bool:
    """Whether text is JSON Lines and not a pasted listing, by its beginning."""
    start = text.lstrip()[:1]
    if start in ("[", '"'):
        return not isinstance(next(parse_records(text))[1], ValueError)
    return start == "{"


def entry_record(entry: Entry) -> dict[str, Any]:
    """The entry as a JSON object."""
    return {
        "id": entry.id,
        "title": entry.title,
        "authors": list(entry.authors),
        "et_al": entry.et_al,
        "date": entry.date and entry.date.isoformat(),
        "category": entry.category,
        "code": entry.code,
        "affiliation": entry.affiliation,
        "abstract": entry.abstract,
        "source": entry.source and str(entry.source),
    }


def write_json_lines(entries: Iterable[Entry]) -> str:
    """JSON Lines text that `read` turns back into equal entries."""
    return "".join(json.dumps(entry_record(entry), ensure_ascii=False) + "\n" for entry in entries)


def _entry(found: Any, source: Source) -> Entry:
    if isinstance(found, ValueError):
        raise found
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object with a title, found {type(found).__name__}")
    authors = _get(found, "authors", list, "a list of names") or []
    if not all(isinstance(name, str) for name in authors):
        raise ValueError("expected a list of names under 'authors', found something else in it")
    day = _get(found, "date", str, "a date such as 2023-06-09")
    return Entry(
        title=_get(found, "title", str, "text") or "",
        authors=tuple(authors),
        et_al=_get(found, "et_al", bool, "true or false") or False,
        date=_date(day) if day else None,
        category=_get(found, "category", str, "text"),
        code=_get(found, "code", bool, "true or false") or False,
        affiliation=_get(found, "affiliation", str, "text"),
        abstract=_get(found, "abstract", str, "text") or "",
        source=source,
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a date such as 2023-06-09 under 'date', found {_SHORT.repr(text)}") from None


def _get(found: dict[str, Any], key: str, kind: type, wanted: str) -> Any:
    value = found.get(key)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"expected {wanted} under {key!r}, found {_SHORT.repr(value)}")
    return value
