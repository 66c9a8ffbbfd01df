"""JSON Lines: one object an entry, with the keys that docs/formats.md names. Unknown keys are kept in `Entry.extra`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from reprlib import Repr
from typing import Any

from tagger.entry import Entry
from tagger.errors import Problem
from tagger.formats.format import EntryLabels, ListingFormat, TaggedRow, WriteOptions
from tagger.formats.listing import Listing
from tagger.formats.wording import require_scores
from tagger.source import Source
from tagger.tags import Tagged
from tagger.whitespace import UNPRINTABLE

__all__ = [
    "JSON_LINES",
    "append_to_json_lines",
    "entries_from_records",
    "entry_record",
    "looks_like_json_lines",
    "parse_records",
    "read_json_lines",
    "remove_from_json_lines",
    "write_json_lines",
    "write_json_lines_tags",
]

_ENTRY_KEYS = ("title", "authors", "et_al", "date", "category", "code", "affiliation", "abstract")
_IDENTIFIERS = ("key", "doi", "arxiv", "pmid", "url")
_OPTIONAL_TEXTS = (*_IDENTIFIERS, "venue")
_OPTIONAL_KEYS = (*_OPTIONAL_TEXTS, "keywords")
_NUMBER_OR_TEXT = ("key", "pmid")  # some sources write these as numbers
_MADE_BY_TAGGER = ("id", "source", "topics", "unsure", "scores", "why", "note")  # made anew, so not kept as extra
_MAX_DEPTH = 100  # of a value in `extra`; Python reads deeper ones than it can write
_ESCAPES = {code: f"\\u{code:04x}" for code in (*UNPRINTABLE, *range(0xD800, 0xE000)) if code >= 0x7F}

_shortened = Repr()  # a value may be of any length and depth, and a message names it in one line
_shortened.maxstring = 60


def looks_like_json_lines(text: str) -> bool:
    """Whether text is JSON Lines and not a pasted listing, by its beginning."""
    start = text.lstrip()[:1]
    if start in ("[", '"'):
        return not isinstance(next(parse_records(text))[1], ValueError)
    return start == "{"


def read_json_lines(text: str, source: str, year: int | None = None) -> Listing:  # noqa: ARG001 - every date has its year
    """The entries of JSON Lines text."""
    return entries_from_records(parse_records(text), source)


def entries_from_records(records: Iterable[tuple[int, Any]], source: str) -> Listing:
    """The entries of (number, JSON value) pairs; the number stands where a line would in sources and problems."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for number, record in records:
        place = Source(source, number)
        try:
            entry = _parse_entry(record, place)
        except (ValueError, TypeError) as error:
            problems.append(Problem(place, str(error)))
            continue
        too_deep = [key for key, value in entry.extra.items() if _is_nested_too_deep(value)]
        if too_deep:
            entry = replace(entry, extra={key: value for key, value in entry.extra.items() if key not in too_deep})
            names = ", ".join(map(_shortened.repr, too_deep))
            warnings.append(Problem(place, f"left out, since it is nested more than {_MAX_DEPTH} deep: {names}"))
        entries.append(entry)
    return Listing(tuple(entries), tuple(problems), tuple(warnings))


def parse_records(text: str) -> Iterator[tuple[int, Any]]:
    """(line number, JSON value) of each line that is not empty; a `ValueError` in place of a value that is not JSON."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, ValueError(f"expected one JSON object a line, found something else ({error})")


def read_json_lines_tags(text: str) -> Iterator[tuple[int, TaggedRow | None]]:
    """(line, row) for each object with `id`, `title` and `topics`; None for what is no such object."""
    for line, record in parse_records(text):
        try:
            topics = tuple(topic["id"] if isinstance(topic, dict) else str(topic) for topic in record["topics"])
            yield line, TaggedRow(str(record["id"]), str(record["title"]), topics)
        except (KeyError, TypeError):
            yield line, None


def read_entry_labels(text: str) -> Iterator[EntryLabels | str]:
    """For each object the labels in its `topics` and `unsure`, or what is wrong with them."""
    for _, record in parse_records(text):
        if isinstance(record, dict):
            yield _entry_labels(record)


def entry_record(entry: Entry) -> dict[str, Any]:
    """The entry as a JSON object. Identifiers, venue, keywords and what is extra are there where the entry has them."""
    record: dict[str, Any] = {
        "id": entry.id,
        **{name: value for name in _IDENTIFIERS if (value := getattr(entry, name)) is not None},
        "title": entry.title,
        "authors": list(entry.authors),
        "et_al": entry.et_al,
        "date": entry.date and entry.date.isoformat(),
        "category": entry.category,
        **({} if entry.venue is None else {"venue": entry.venue}),
        **({"keywords": list(entry.keywords)} if entry.keywords else {}),
        "code": entry.code,
        "affiliation": entry.affiliation,
        "abstract": entry.abstract,
        "source": entry.source and str(entry.source),
    }
    for key, value in entry.extra.items():
        record.setdefault(key, value)
    return record


def write_json_lines(entries: Iterable[Entry]) -> str:
    """JSON Lines text that `read_json_lines` turns back into equal entries."""
    return "".join(_format_line(entry_record(entry), entry) for entry in entries)


def write_json_lines_tags(results: Iterable[Tagged], options: WriteOptions) -> str:
    """Tagged entries as JSON Lines: the keys of the entry, then those of its tags."""
    return "".join(_format_line(_tagged_record(result, options), result.entry) for result in results)


def append_to_json_lines(text: str, entry: Entry) -> str:
    """The text with one more object at its end."""
    return text.rstrip() + "\n" * bool(text.strip()) + write_json_lines([replace(entry, source=None)])


def remove_from_json_lines(text: str, id: str) -> str:
    """The text without the objects of one entry.

    Raises:
        ListingError: if the text is not understood.
    """
    entries = read_json_lines(text, "").require_entries()
    removed = {entry.source.line for entry in entries if entry.source is not None and entry.id == id}
    return "".join(line + "\n" for number, line in enumerate(text.rstrip().split("\n"), 1) if number not in removed)


def _format_line(record: dict[str, Any], entry: Entry) -> str:
    line = json.dumps(record, ensure_ascii=False) + "\n"
    # The text of extra is as its source has it, and a control character must not reach a terminal.
    return line.translate(_ESCAPES) if entry.extra else line


def _tagged_record(result: Tagged, options: WriteOptions) -> dict[str, Any]:
    record = entry_record(result.entry)
    record["topics"] = [
        {"id": tag.topic.id, "score": None if tag.score is None else round(tag.score, options.digits), "by": tag.by}
        for tag in result.tags
    ]
    if options.scored_topics is not None:
        record["scores"] = {id: round(score, 4) for id, score in require_scores(result).by_id().items()}
    if result.why is not None:
        record["why"] = {
            reasons.topic.id: [
                {"term": reason.term, "share": round(reason.share, 4)} for reason in (*reasons.supporting, *reasons.opposing)
            ]
            for reasons in result.why
        }
    record["note"] = result.note
    return record


def _parse_entry(record: Any, source: Source) -> Entry:
    """The entry of a JSON value.

    Raises:
        ValueError: if it is no object, has no title, or holds something else than it should under a key that is needed.
    """
    if isinstance(record, ValueError):
        raise record
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object with a title, found {type(record).__name__}")
    authors = _get_value(record, "authors", list, "a list of names") or []
    if not all(isinstance(name, str) for name in authors):
        raise ValueError("expected a list of names under 'authors', found something else in it")
    day = _get_value(record, "date", str, "a date such as 2023-06-09")
    optional, extra = _optional_fields(record)
    return Entry(
        title=_get_value(record, "title", str, "text") or "",
        authors=tuple(authors),
        et_al=_get_value(record, "et_al", bool, "true or false") or False,
        date=_parse_date(day) if day else None,
        category=_get_value(record, "category", str, "text"),
        code=_get_value(record, "code", bool, "true or false") or False,
        affiliation=_get_value(record, "affiliation", str, "text"),
        abstract=_get_value(record, "abstract", str, "text") or "",
        source=source,
        extra=extra,
        **optional,
    )


def _optional_fields(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The identifiers, venue and keywords of an object, and what it has besides.

    Nobody needs these for tagging. So a value of another kind than expected is no error: it is kept as it is among the rest.
    """
    optional: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in record.items():
        if key in _ENTRY_KEYS or key in _MADE_BY_TAGGER:
            continue
        if key in _OPTIONAL_KEYS and value is None:
            continue
        if key == "keywords" and isinstance(value, list) and all(isinstance(word, str) for word in value):
            optional[key] = tuple(value)
        elif key in _OPTIONAL_TEXTS and isinstance(value, str):
            optional[key] = value
        elif key in _NUMBER_OR_TEXT and isinstance(value, int) and not isinstance(value, bool):
            optional[key] = str(value)
        else:
            extra[key] = value
    return optional, extra


def _is_nested_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (list, dict))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _entry_labels(record: dict[str, Any]) -> EntryLabels | str:
    ids_by_key: dict[str, tuple[str, ...]] = {}
    for key in ("topics", "unsure"):
        ids = record.get(key)
        if ids is None and key == "unsure":
            ids = []
        if isinstance(ids, list) and any(isinstance(topic, dict) for topic in ids):
            return f"expected ids of topics under {key!r}, as a person gave them, found tags with scores"
        if not isinstance(ids, list) or not all(isinstance(topic, str) for topic in ids):
            return f"expected a list of topic ids under {key!r}, found {ids!r}"
        ids_by_key[key] = tuple(ids)
    return EntryLabels(**ids_by_key)


def _get_value(record: dict[str, Any], key: str, kind: type, wanted: str) -> Any:
    value = record.get(key)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"expected {wanted} under {key!r}, found {_shortened.repr(value)}")
    return value


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a date such as 2023-06-09 under 'date', found {_shortened.repr(text)}") from None


JSON_LINES = ListingFormat(
    name="jsonl",
    title="JSON Lines",
    ending=".jsonl",
    endings=(".jsonl",),
    media_types=("application/x-ndjson",),
    write=write_json_lines_tags,
    read_tags=read_json_lines_tags,
    names_listings=True,
    looks_like=looks_like_json_lines,
    read=read_json_lines,
    write_entries=write_json_lines,
    can_hold=lambda entry: True,
    append_entry=append_to_json_lines,
    remove_entry=remove_from_json_lines,
    read_entry_labels=read_entry_labels,
)
