"""All formats in one list, and what is done with a file whose format is not known yet: recognise it, then read it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from pathlib import Path

from tagger.entry import Entry
from tagger.errors import ListingError, Problem
from tagger.formats.csv_table import CSV
from tagger.formats.format import Format, ListingFormat, TextFormat
from tagger.formats.json_lines import JSON_LINES
from tagger.formats.listing import Listing
from tagger.formats.markdown import MARKDOWN
from tagger.formats.parquet import PARQUET
from tagger.formats.pasted import PASTED
from tagger.formats.table import TABLE
from tagger.source import Source

__all__ = [
    "COMBINABLE_FORMATS",
    "FORMATS",
    "LISTING_ENDINGS",
    "LISTING_FORMATS",
    "RECOGNITION_ORDER",
    "TEXT_FORMATS",
    "append_entry",
    "decode_text",
    "find_holding_format",
    "read_entries",
    "read_files",
    "read_listing",
    "read_text",
    "recognize_format",
    "remove_entry",
]

FORMATS: tuple[Format, ...] = (TABLE, JSON_LINES, CSV, MARKDOWN, PASTED, PARQUET)
"""Every format, in the order in which the command line names them."""

TEXT_FORMATS = tuple(format for format in FORMATS if isinstance(format, TextFormat))
"""Those that `--format` can name: they may go to a terminal."""

COMBINABLE_FORMATS = tuple(sorted((format for format in FORMATS if format.names_listings), key=attrgetter("name")))
"""Those of which one file can hold the entries of many listings."""

LISTING_FORMATS: tuple[ListingFormat, ...] = (PASTED, JSON_LINES)
"""The formats that listings are read in. A new file for an entry has the first that can hold it."""

RECOGNITION_ORDER: tuple[ListingFormat, ...] = (JSON_LINES, PASTED)
"""The formats that a listing's text is compared with, one after the other. The last one takes any text."""

LISTING_ENDINGS = tuple(ending for format in LISTING_FORMATS for ending in format.endings)
"""The endings of files that are read in a folder. A file that is given by name may have any ending."""


def recognize_format(text: str) -> ListingFormat:
    """The format of a listing's text, by its beginning; the name of its file does not matter."""
    return next(format for format in RECOGNITION_ORDER if format.looks_like(text))


def find_holding_format(entry: Entry) -> ListingFormat:
    """The first of `LISTING_FORMATS` in which nothing of an entry is lost."""
    return next(format for format in LISTING_FORMATS if format.can_hold(entry))


def read_listing(path: str | Path, year: int | None = None) -> list[Entry]:
    """The entries of a file: a pasted listing or JSON Lines.

    Args:
        path: the file; "-" is standard input.
        year: of entries whose date names none; by default the current one.

    Raises:
        ListingError: if the file cannot be read, or naming every line that was not understood.
    """
    return list(read_files([path], year).require_entries())


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
        tuple(entry for listing in listings for entry in listing.entries),
        tuple(problem for listing in listings for problem in listing.problems),
        tuple(warning for listing in listings for warning in listing.warnings),
    )


def read_entries(text: str, source: str, year: int | None) -> Listing:
    """The entries of text in any of `LISTING_FORMATS`, with problems and warnings.

    Args:
        text: the listing.
        source: its name, for messages.
        year: of dates without one; with None, each date must name its own.
    """
    return recognize_format(text).read(text, source, year)


def append_entry(text: str, entry: Entry) -> str:
    """The text of a listing, in the format that it has, with one more entry at its end.

    An empty text gets the format that `find_holding_format` names.

    Raises:
        ListingError: if the text is not understood, or cannot hold the entry.
    """
    format = recognize_format(text) if text.strip() else find_holding_format(entry)
    return format.append_entry(text, entry)


def remove_entry(text: str, id: str) -> str:
    """The text of a listing, in the format that it has, without one of its entries; empty where it was the only one.

    Raises:
        ListingError: if the text is not understood.
    """
    return recognize_format(text).remove_entry(text, id)


def read_text(path: str | Path) -> str:
    """A file's text, "-" for standard input; UTF-8 with or without a byte order mark.

    Raises:
        ListingError: if it cannot be read or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else Path(path).read_bytes()
    except OSError as error:
        unreadable = Problem(Source(str(path) or "''"), f"cannot be read: {error.strerror}")
        raise ListingError("name a file that can be read", [unreadable]) from None
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
        message = f"expected UTF-8 text, found the byte 0x{data[error.start]:02x}; save the file as UTF-8"
        raise ListingError("no entry was read", [Problem(Source(source, line), message)]) from None
