"""Reading listings: one reader a format, chosen by what the text looks like."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path

from tagger.entry import Entry
from tagger.errors import ListingError, Problem
from tagger.formats import json_lines as jsonl
from tagger.formats import pasted
from tagger.formats.listing import Listing
from tagger.source import Source

__all__ = [
    "append_entry",
    "decode_text",
    "read_entries",
    "read_files",
    "read_listing",
    "read_text",
    "remove_entry",
]


def read_listing(path: str | Path, year: int | None = None) -> list[Entry]:
    """The entries of a file: a pasted listing or JSON Lines.

    Args:
        path: the file; "-" is standard input.
        year: of entries whose date names none; by default the current one.

    Raises:
        ListingError: if the file cannot be read, or naming every line that was not understood.
    """
    return list(read_files([path], year).all())


def read_files(paths: Sequence[str | Path], year: int | None = None) -> Listing:
    """As `read_listing`, of several files, with problems and warnings in place of an error."""
    year = date.today().year if year is None else year
    listings: list[Listing] = []
    for path in paths:
        try:
            listings.append(read_entries(read_text(path), "standard input" if str(path) == "-" else str(path), year))
        except ListingError as error:
            listings.append(Listing(problems=error.problems))
    return Listing(
        *(
            tuple(chain.from_iterable(getattr(listing, part) for listing in listings))
            for part in ("entries", "problems", "warnings")
        )
    )


def read_entries(text: str, source: str, year: int | None) -> Listing:
    """The entries of text in either format, with problems and warnings. No year: each date must name its own."""
    if jsonl.looks_like_json_lines(text):
        return jsonl.read_json_lines(text, source)
    return pasted.read_pasted(text, source, year)


def append_entry(text: str, entry: Entry) -> str:
    """The text of a listing, in the format that it has, with one more entry at its end.

    An entry that a pasted listing cannot hold, for it has no date or category, makes an empty text JSON Lines.

    Raises:
        ListingError: if the text is not understood, or cannot hold the entry.
    """
    if jsonl.looks_like_json_lines(text) or not (text.strip() or pasted.can_write(entry)):
        return text.rstrip() + "\n" * bool(text.strip()) + jsonl.write_json_lines([replace(entry, source=None)])
    return pasted.append_entry(text, entry)


def remove_entry(text: str, id: str) -> str:
    """The text of a listing, in the format that it has, without one of its entries.

    Raises:
        ListingError: if the text is not understood.
    """
    if not jsonl.looks_like_json_lines(text):
        return pasted.remove_entry(text, id)
    gone = {entry.source.line for entry in jsonl.read_json_lines(text, "").all() if entry.source is not None and entry.id == id}
    return "".join(line + "\n" for n, line in enumerate(text.rstrip().split("\n"), 1) if n not in gone)


def read_text(path: str | Path) -> str:
    """A file's text, "-" for standard input; UTF-8 with or without a byte order mark.

    Raises:
        ListingError: if it cannot be read or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ListingError(
            "name a file that can be read", [Problem(Source(str(path) or "''"), f"cannot be read: {error.strerror}")]
        ) from None
    return decode_text(data, str(path))


def decode_text(data: bytes, source: str) -> str:
    """A listing's text from its bytes.

    Raises:
        ListingError: if they are not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"expected UTF-8 text, found the byte 0x{data[error.start]:02x}; save the file as UTF-8"
        raise ListingError("no entry was read", [Problem(Source(source, line), found)]) from None
