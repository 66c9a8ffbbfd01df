"""The first line of an entry in a pasted listing, such as `IRJun 9, 2023Code`: category, month, day, year, perhaps Code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from tagger.entry import Entry

__all__ = ["HEADER_EXAMPLE", "Header", "format_header", "looks_like_header", "match_header", "parse_date"]

HEADER_EXAMPLE = "a header such as 'IRJun 9, 2023Code' (category, month, day, year, perhaps Code)"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)

_HEADER = re.compile(
    rf"(?P<category>[A-Z]{{2,}}\s?|[a-z][a-z-]*(?:\.[A-Za-z-]+)?)(?P<month>{_MONTH})\.?\s?(?P<day>\d{{1,2}})"
    r"(?:,?\s(?P<year>\d{4})|,(?P<year2>\d{4}))?\s?(?P<code>Code)?"
)

_MAX_LENGTH = 64

# What was meant as a header: after a blank line anything short with a date in it, elsewhere only the glued form.
_LIKE_AFTER_BLANK = re.compile(rf"\S{{0,20}}?\s?(?:{_MONTH}\.?\s?\d|\d{{4}}-\d\d-\d\d).{{0,14}}", re.IGNORECASE)

_LIKE_ELSEWHERE = re.compile(rf"[A-Za-z.-]{{2,20}}?(?:{_MONTH}\.?\s?\d|\d{{4}}-\d\d-\d\d).{{0,14}}")


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says. Month, day and year are as they are written."""

    category: str
    month: str
    day: str
    year: str | None  # None where it names none
    code: bool


def match_header(line: str) -> Header | None:
    """The header in a line; None where it is none."""
    match = _HEADER.fullmatch(line) if len(line) <= _MAX_LENGTH else None
    if match is None:
        return None
    year = match["year"] or match["year2"]
    return Header(match["category"].strip(), match["month"], match["day"], year, code=bool(match["code"]))


def looks_like_header(line: str, after_blank: bool) -> bool:
    """Whether a line that is no header was probably meant as one."""
    like = _LIKE_AFTER_BLANK if after_blank else _LIKE_ELSEWHERE
    return len(line) <= _MAX_LENGTH and like.fullmatch(line) is not None


def parse_date(header: Header, default_year: int | None) -> date:
    """The date of a header.

    Args:
        header: what was read.
        default_year: the year of a header that names none.

    Raises:
        ValueError: if there is no year, or no such day; its text says what was found.
    """
    year = header.year or default_year
    if year is None:
        raise ValueError("expected a year (or a year for the whole listing, as with --year), found none")
    try:
        return date(int(year), _MONTHS.index(header.month[:3]) + 1, int(header.day))
    except ValueError:
        raise ValueError(f"no such day ({header.month} {header.day} of {year})") from None


def format_header(entry: Entry) -> str:
    """The header of an entry with a category; empty for one without a date."""
    day = entry.date
    return f"{entry.category}{_MONTHS[day.month - 1]} {day.day}, {day.year:04}{'Code' * entry.code}" if day else ""
