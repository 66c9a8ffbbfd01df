"""The listing as people paste it from a paper site, three lines an entry, and its inverse.

    IRJun 9, 2023Code
    TITLE OF THE WORKFirst Author, Second Author, Third Author et al. · affiliation
    The abstract.

Blank lines may stand anywhere. An abstract may run over several lines.

Two marks make explicit what would be a guess otherwise: a tab between title and authors (and another one before an
affiliation), and a tab at the start of a line that is text although it looks like a header. A person may use them.
`write_pasted` uses them where the plain form would not read back to the same entries.

A line `Topics: ...` after the abstract, as `tag --format listing` writes it, is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import zip_longest

from tagger.entry import Entry
from tagger.errors import ListingError, Problem
from tagger.formats.format import ListingFormat, WriteOptions
from tagger.formats.listing import Listing
from tagger.formats.title_authors import NameEvidence, split_byline, split_title_authors
from tagger.formats.wording import describe_score
from tagger.source import Source
from tagger.tags import Tagged

__all__ = [
    "PASTED",
    "append_to_pasted",
    "can_hold",
    "read_pasted",
    "remove_from_pasted",
    "write_pasted",
    "write_pasted_tags",
]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)


_HEADER = re.compile(
    rf"(?P<category>[A-Z]{{2,}}\s?|[a-z][a-z-]*(?:\.[A-Za-z-]+)?)(?P<month>{_MONTH})\.?\s?(?P<day>\d{{1,2}})"
    r"(?:,?\s(?P<year>\d{4})|,(?P<year2>\d{4}))?\s?(?P<code>Code)?"
)


_HEADER_LENGTH = 64


# What was meant as a header: after a blank line anything short with a date in it, elsewhere only the glued form.
_LIKE_AFTER_BLANK = re.compile(rf"\S{{0,20}}?\s?(?:{_MONTH}\.?\s?\d|\d{{4}}-\d\d-\d\d).{{0,14}}", re.IGNORECASE)


_LIKE = re.compile(rf"[A-Za-z.-]{{2,20}}?(?:{_MONTH}\.?\s?\d|\d{{4}}-\d\d-\d\d).{{0,14}}")


_TOPIC = r"[\w.-]+ (?:\d\.\d+|by hand)"


_TOPICS = re.compile(rf"Topics: (?:none|{_TOPIC}(?:; {_TOPIC})*)")


_EXAMPLE = "a header such as 'IRJun 9, 2023Code' (category, month, day, year, perhaps Code)"


@dataclass(slots=True)
class _Block:
    """The lines of one entry, as they were found."""

    line: int
    category: str
    date: date | None  # None: a day that does not exist, which makes the entry a problem
    code: bool
    title: str | None = None
    title_line: int = 0
    abstract: list[str] = field(default_factory=list)


def read_pasted(text: str, source: str, year: int | None) -> Listing:
    """The entries of a pasted listing, in time linear in its length.

    Args:
        text: the listing.
        source: its name, for messages.
        year: the year of entries whose header names none; without it such an entry is a problem.
    """
    blocks, problems = _blocks(text, source, year)
    bylines = [_glued(block.title or "") for block in blocks]
    abstracts = [" ".join(block.abstract) for block in blocks]
    evidence = NameEvidence.of(((glued, et_al) for glued, et_al, _, known in bylines if not known), abstracts)
    entries: list[Entry] = []
    warnings: list[Problem] = []
    for block, abstract, (glued, et_al, affiliation, known) in zip(blocks, abstracts, bylines, strict=True):
        if known is not None:
            title, authors = known
        else:
            found = split_title_authors(glued, et_al, abstract, evidence)
            title, authors = found.title, found.authors
            if found.thin:
                shown = f"title {title!r}, first author {authors[0]!r}" if authors else f"title {title!r}, no authors"
                warnings.append(
                    Problem(
                        Source(source, block.title_line),
                        f"title and authors are split on thin evidence ({shown}); put a tab between them if that is wrong",
                    )
                )
        if not abstract:
            warnings.append(Problem(Source(source, block.title_line), f"no abstract follows the title {title!r}"))
        try:
            entries.append(
                Entry(
                    title,
                    authors,
                    et_al,
                    block.date,
                    block.category,
                    block.code,
                    affiliation,
                    abstract,
                    Source(source, block.line),
                )
            )
        except ValueError:
            problems.append(Problem(Source(source, block.title_line), "expected a title, found only authors"))
    return Listing(tuple(entries), tuple(sorted(problems)), tuple(warnings))


def write_pasted(entries: Sequence[Entry], topics: Mapping[str, str] | None = None) -> str:
    """Listing text that `read_pasted` turns back into equal entries, but for what `can_hold` says is lost.

    Args:
        entries: what to write; each needs a category and a date.
        topics: by entry id, the text of a line `Topics: ...` to put under the abstract.

    Raises:
        ListingError: if an entry has no category or date, or one that a header cannot hold.
    """
    entries = [_held(entry) for entry in entries]
    problems = [Problem(entry.source or Source("entry"), problem) for entry in entries if (problem := _why_unfit(entry))]
    if problems:
        raise ListingError("a listing cannot hold all of these; --format jsonl can", problems)
    explicit = {n for n, entry in enumerate(entries) if len(entry.authors) > 3}
    for attempt in range(4):
        text = "\n".join(_lines(entry, n in explicit, topics) for n, entry in enumerate(entries))
        back = read_pasted(text, "", None).entries
        wrong = {n for n, (entry, again) in enumerate(zip_longest(entries, back)) if entry != again}
        if not wrong:
            return text
        # What is made explicit no longer tells of names, so that another entry may come to be split otherwise.
        explicit |= wrong if attempt < 2 else set(range(len(entries)))
    entry = entries[min(wrong)]
    raise ListingError(f"entry {entry.id} ({entry.title!r}) cannot be written as a listing; use --format jsonl")


def write_pasted_tags(results: Sequence[Tagged], options: WriteOptions) -> str:  # noqa: ARG001 - nothing to choose
    """The listing of tagged entries, with a line `Topics: ...` under each abstract.

    Raises:
        ListingError: if an entry has no category or date, or one that a header cannot hold.
    """
    lines = {
        result.entry.id: "Topics: " + ("; ".join(f"{tag.topic.id} {describe_score(tag)}" for tag in result.tags) or "none")
        for result in results
    }
    return write_pasted([result.entry for result in results], lines)


def can_hold(entry: Entry) -> bool:
    """Whether a pasted listing can hold all of an entry: it has a category and a date, and no identifiers or keywords."""
    return _why_unfit(entry) is None and _held(entry) == entry


def append_to_pasted(text: str, entry: Entry) -> str:
    """A listing with one more entry at its end. The entries before are read as they were; their text stays where it can.

    Raises:
        ListingError: if the listing is not understood, or an entry cannot be written.
    """
    entry = _held(entry)
    before = read_pasted(text, "", None).all()
    start = text.rstrip() + "\n\n" if before else ""
    # Names and abstracts of one entry are evidence for the others. So only reading the whole shows what it says.
    for block in (write_pasted([entry]), _lines(entry, True, None)):
        if read_pasted(start + block, "", None).entries == (*before, entry):
            return start + block
    return write_pasted([*before, entry])


def remove_from_pasted(text: str, id: str) -> str:
    """A listing without one of its entries; empty where it was the only one.

    Raises:
        ListingError: if the listing is not understood, or an entry cannot be written.
    """
    before = read_pasted(text, "", None).all()
    others = [entry for entry in before if entry.id != id]
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    starts = [entry.source.line - 1 for entry in before if entry.source is not None]
    pieces = zip(before, starts, [*starts[1:], len(lines)], strict=True)
    shorter = "".join("".join(lines[start:end]) for entry, start, end in pieces if entry.id != id)
    shorter = shorter.rstrip() + "\n" if others else ""
    return shorter if read_pasted(shorter, "", None).entries == tuple(others) else write_pasted(others)


def _header_of(entry: Entry) -> str:
    day = entry.date
    return f"{entry.category}{_MONTHS[day.month - 1]} {day.day}, {day.year:04}{'Code' * entry.code}" if day else ""


def _held(entry: Entry) -> Entry:
    """The entry without what a pasted listing has no place for."""
    has_more = any((entry.doi, entry.arxiv, entry.pmid, entry.url, entry.key, entry.venue, entry.keywords, entry.extra))
    if not has_more:
        return entry
    return replace(entry, doi=None, arxiv=None, pmid=None, url=None, key=None, venue=None, keywords=(), extra={})


def _why_unfit(entry: Entry) -> str | None:
    """Why a header cannot hold this entry."""
    if entry.date is None:
        return f"{entry.title!r} has no date, which a listing needs"
    if entry.category is None:
        return f"{entry.title!r} has no category, which a listing needs"
    if not _header(_header_of(entry)):
        return f"{entry.title!r}: a listing wants a category of capitals, or one such as eess.IV, found {entry.category!r}"
    return None


def _lines(entry: Entry, explicit: bool, topics: Mapping[str, str] | None) -> str:
    header = _header_of(entry)
    names = ", ".join(entry.authors) + " et al." * entry.et_al
    if explicit:
        title = f"{entry.title}\t{names}\t{entry.affiliation or ''}"
    else:
        title = entry.title + names + (f" · {entry.affiliation}" if entry.affiliation else "")
    if _header(title.strip()):
        title = "\t" + title
    abstract = entry.abstract
    if _header(abstract) or _TOPICS.fullmatch(abstract) or _like_header(abstract, after_blank=False):
        abstract = "\t" + abstract
    lines = [header, title, abstract, topics.get(entry.id, "") if topics else ""]
    return "\n".join(line for line in lines if line) + "\n"


def _glued(line: str) -> tuple[str, bool, str | None, tuple[str, tuple[str, ...]] | None]:
    """A title line as (glued, et al., affiliation, (title, authors) where tabs make them explicit)."""
    if "\t" in line.strip(" "):
        title, *rest = (part.strip() for part in line.lstrip().split("\t", 2))
        if title and rest:
            names, affiliation = rest if len(rest) == 2 else rest[0].split(" · ", 1) if " · " in rest[0] else (rest[0], "")
            return "", False, affiliation or None, (title, tuple(names.split(",")))  # Entry knows "et al."
    return *split_byline(line.strip()), None


def _header(line: str) -> re.Match[str] | None:
    return _HEADER.fullmatch(line) if len(line) <= _HEADER_LENGTH else None


def _like_header(line: str, after_blank: bool) -> bool:
    return len(line) <= _HEADER_LENGTH and bool((_LIKE_AFTER_BLANK if after_blank else _LIKE).fullmatch(line))


def _blocks(text: str, source: str, year: int | None) -> tuple[list[_Block], list[Problem]]:
    blocks: list[_Block] = []
    problems: list[Problem] = []
    current: _Block | None = None
    stray: list[tuple[int, str]] = []  # lines that belong to no entry
    after_blank = True

    def close() -> None:
        nonlocal current, stray
        if stray:
            (first, found), last = stray[0], stray[-1][0]
            lines = f"lines {first} to {last} were" if last > first else f"line {first} was"
            problems.append(
                Problem(
                    Source(source, first),
                    f"{lines} not understood: found {_short(found)}, expected {_EXAMPLE}; "
                    "if it belongs to an abstract, put a tab before it",
                )
            )
        elif current and current.title is None:
            problems.append(
                Problem(Source(source, current.line), "a header with no entry under it: expected title and authors next")
            )
        elif current and current.date:
            blocks.append(current)
        current, stray = None, []

    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        line = raw.strip()
        if not line:
            after_blank = True
            continue
        match = None if raw[0] == "\t" else _header(line)
        if match:
            close()
            day = _date(match, year)
            if isinstance(day, str):
                problems.append(Problem(Source(source, number), f"{day} in {line!r}; the entry under it is left out"))
            current = _Block(number, match["category"].strip(), None if isinstance(day, str) else day, bool(match["code"]))
        elif current and current.title is None:
            current.title, current.title_line = raw, number
        elif current and not (raw[0] != "\t" and _like_header(line, after_blank)):
            if not (raw[0] != "\t" and _TOPICS.fullmatch(line)):
                current.abstract.append(line)
        else:
            if current:
                close()
            stray.append((number, line))
        after_blank = False
    close()
    return blocks, problems


def _date(match: re.Match[str], year: int | None) -> date | str:
    """The date of a header, or what is wrong with it."""
    named = match["year"] or match["year2"]
    if named is None and year is None:
        return "expected a year (or a year for the whole listing, as with --year), found none"
    month = _MONTHS.index(match["month"][:3]) + 1
    try:
        return date(int(named or year or 0), month, int(match["day"]))
    except ValueError:
        return f"no such day ({match['month']} {match['day']} of {named or year})"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


PASTED = ListingFormat(
    name="listing",
    title="The pasted listing",
    ending=".txt",
    endings=(".txt",),
    media_types=("text/plain",),
    write=write_pasted_tags,
    shows_scores=False,
    shows_reasons=False,
    looks_like=lambda text: True,  # what no other form looks like; the reader names each line that it does not understand
    read=read_pasted,
    write_entries=write_pasted,
    can_hold=can_hold,
    append_entry=append_to_pasted,
    remove_entry=remove_from_pasted,
)
