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
from dataclasses import dataclass, replace
from itertools import zip_longest

from tagger.entry import Entry
from tagger.errors import ListingError, Problem
from tagger.formats.author_names import NameEvidence
from tagger.formats.format import ListingFormat, WriteOptions
from tagger.formats.listing import Listing
from tagger.formats.pasted_blocks import TEXT_MARK, is_topics_line, read_blocks
from tagger.formats.pasted_header import format_header, looks_like_header, match_header
from tagger.formats.title_authors import split_byline, split_title_authors
from tagger.formats.wording import describe_score
from tagger.source import Source
from tagger.tags import Tagged

__all__ = [
    "PASTED",
    "append_to_pasted",
    "can_hold",
    "format_entry",
    "read_pasted",
    "remove_from_pasted",
    "write_pasted",
    "write_pasted_tags",
]


def read_pasted(text: str, source: str, year: int | None) -> Listing:
    """The entries of a pasted listing, in time linear in its length.

    Args:
        text: the listing.
        source: its name, for messages.
        year: the year of entries whose header names none; without it such an entry is a problem.
    """
    blocks, problems = read_blocks(text, source, year)
    bylines = [_parse_title_line(block.title_line) for block in blocks]
    abstracts = [" ".join(block.abstract) for block in blocks]
    guessed = ((byline.title_and_authors, byline.et_al) for byline in bylines if byline.marked is None)
    evidence = NameEvidence.collect(guessed, abstracts)
    entries: list[Entry] = []
    warnings: list[Problem] = []
    for block, byline, abstract in zip(blocks, bylines, abstracts, strict=True):
        place = Source(source, block.title_number)
        if byline.marked is not None:
            title, authors = byline.marked
        else:
            split = split_title_authors(byline.title_and_authors, byline.et_al, abstract, evidence)
            title, authors = split.title, split.authors
            if split.is_thin:
                warnings.append(Problem(place, _describe_doubt(title, authors)))
        if not abstract:
            warnings.append(Problem(place, f"no abstract follows the title {title!r}"))
        try:
            entries.append(
                Entry(
                    title=title,
                    authors=authors,
                    et_al=byline.et_al,
                    date=block.date,
                    category=block.header.category,
                    code=block.header.code,
                    affiliation=byline.affiliation,
                    abstract=abstract,
                    source=Source(source, block.number),
                )
            )
        except ValueError:
            problems.append(Problem(place, "expected a title, found only authors"))
    return Listing(tuple(entries), tuple(sorted(problems)), tuple(warnings))


def write_pasted(entries: Sequence[Entry], topics: Mapping[str, str] | None = None) -> str:
    """Listing text that `read_pasted` turns back into equal entries, but for what `can_hold` says is lost.

    Args:
        entries: what to write; each needs a category and a date.
        topics: by entry id, the text of a line `Topics: ...` to put under the abstract.

    Raises:
        ListingError: if an entry has no category or date, or one that a header cannot hold.
    """
    entries = [_without_lost_fields(entry) for entry in entries]
    problems = [Problem(entry.source or Source("entry"), problem) for entry in entries if (problem := _why_unfit(entry))]
    if problems:
        raise ListingError("a listing cannot hold all of these; --format jsonl can", problems)
    with_tabs = {n for n, entry in enumerate(entries) if len(entry.authors) > 3}
    for attempt in range(4):
        text = "\n".join(format_entry(entry, n in with_tabs, topics) for n, entry in enumerate(entries))
        read_back = read_pasted(text, "", None).entries
        wrong = {n for n, (entry, again) in enumerate(zip_longest(entries, read_back)) if entry != again}
        if not wrong:
            return text
        # A line with tabs is no evidence on names any more. So another entry may be split otherwise than before.
        with_tabs |= wrong if attempt < 2 else set(range(len(entries)))
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
    return _why_unfit(entry) is None and _without_lost_fields(entry) == entry


def append_to_pasted(text: str, entry: Entry) -> str:
    """A listing with one more entry at its end. The entries before are read as they were; their text stays where it can.

    Raises:
        ListingError: if the listing is not understood, or an entry cannot be written.
    """
    entry = _without_lost_fields(entry)
    before = read_pasted(text, "", None).require_entries()
    start = text.rstrip() + "\n\n" if before else ""
    # Names and abstracts of one entry are evidence for the others. So only reading the whole shows what it says.
    for block in (write_pasted([entry]), format_entry(entry, with_tabs=True)):
        if read_pasted(start + block, "", None).entries == (*before, entry):
            return start + block
    return write_pasted([*before, entry])


def remove_from_pasted(text: str, id: str) -> str:
    """A listing without one of its entries; empty where it was the only one.

    Raises:
        ListingError: if the listing is not understood, or an entry cannot be written.
    """
    before = read_pasted(text, "", None).require_entries()
    others = [entry for entry in before if entry.id != id]
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    starts = [entry.source.line - 1 for entry in before if entry.source is not None]
    pieces = zip(before, starts, [*starts[1:], len(lines)], strict=True)
    shorter = "".join("".join(lines[start:end]) for entry, start, end in pieces if entry.id != id)
    shorter = shorter.rstrip() + "\n" if others else ""
    return shorter if read_pasted(shorter, "", None).entries == tuple(others) else write_pasted(others)


@dataclass(frozen=True, slots=True)
class _TitleLine:
    """The second line of an entry. `marked` are title and authors where tabs stand between them."""

    title_and_authors: str
    et_al: bool
    affiliation: str | None
    marked: tuple[str, tuple[str, ...]] | None = None


def _parse_title_line(line: str) -> _TitleLine:
    if "\t" in line.strip(" "):
        title, *rest = (part.strip() for part in line.lstrip().split("\t", 2))
        if title and rest:
            names, affiliation = rest if len(rest) == 2 else rest[0].split(" · ", 1) if " · " in rest[0] else (rest[0], "")
            # `Entry` takes "et al." out of the last name.
            return _TitleLine("", False, affiliation or None, marked=(title, tuple(names.split(","))))
    return _TitleLine(*split_byline(line.strip()))


def _describe_doubt(title: str, authors: Sequence[str]) -> str:
    found = f"title {title!r}, first author {authors[0]!r}" if authors else f"title {title!r}, no authors"
    return f"title and authors are split on thin evidence ({found}); put a tab between them if that is wrong"


def _without_lost_fields(entry: Entry) -> Entry:
    """The entry without what a pasted listing has no place for."""
    lost = (entry.doi, entry.arxiv, entry.pmid, entry.url, entry.key, entry.venue, entry.keywords, entry.extra)
    if not any(lost):
        return entry
    return replace(entry, doi=None, arxiv=None, pmid=None, url=None, key=None, venue=None, keywords=(), extra={})


def _why_unfit(entry: Entry) -> str | None:
    """Why a header cannot hold this entry; None where it can."""
    if entry.date is None:
        return f"{entry.title!r} has no date, which a listing needs"
    if entry.category is None:
        return f"{entry.title!r} has no category, which a listing needs"
    if match_header(format_header(entry)) is None:
        return f"{entry.title!r}: a listing wants a category of capitals, or one such as eess.IV, found {entry.category!r}"
    return None


def format_entry(entry: Entry, with_tabs: bool, topics: Mapping[str, str] | None = None) -> str:
    """The lines of an entry; with tabs between title, authors and affiliation, or in one piece."""
    names = ", ".join(entry.authors) + " et al." * entry.et_al
    if with_tabs:
        title_line = f"{entry.title}\t{names}\t{entry.affiliation or ''}"
    else:
        title_line = entry.title + names + (f" · {entry.affiliation}" if entry.affiliation else "")
    if match_header(title_line.strip()):
        title_line = TEXT_MARK + title_line
    abstract = entry.abstract
    if match_header(abstract) or is_topics_line(abstract) or looks_like_header(abstract, after_blank=False):
        abstract = TEXT_MARK + abstract
    lines = [format_header(entry), title_line, abstract, topics.get(entry.id, "") if topics else ""]
    return "\n".join(line for line in lines if line) + "\n"


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
