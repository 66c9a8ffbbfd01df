"""The lines of a pasted listing, sorted into blocks of one entry each, and lines that are not understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from tagger.errors import Problem
from tagger.formats.pasted_header import HEADER_EXAMPLE, Header, looks_like_header, match_header, parse_date
from tagger.source import Source

__all__ = ["TEXT_MARK", "Block", "is_topics_line", "read_blocks"]

TEXT_MARK = "\t"
"""A line that begins with it is text, whatever it looks like."""

_TOPIC = r"[\w.-]+ (?:\d\.\d+|by hand)"

_TOPICS_LINE = re.compile(rf"Topics: (?:none|{_TOPIC}(?:; {_TOPIC})*)")

_MAX_QUOTED = 60  # letters of a line that a message shows


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one entry. Lines are numbered from 1."""

    number: int
    header: Header
    date: date
    title_number: int
    title_line: str
    abstract: tuple[str, ...]


@dataclass(slots=True)
class _OpenBlock:
    """A block whose lines are being collected. It has no date where its header names a day that does not exist."""

    number: int
    header: Header
    date: date | None
    title_number: int = 0
    title_line: str | None = None
    abstract: list[str] = field(default_factory=list)


def read_blocks(text: str, source: str, year: int | None) -> tuple[list[Block], list[Problem]]:
    """The entries of a listing as they stand, and what was not understood.

    Args:
        text: the listing.
        source: its name, for messages.
        year: of headers that name none; None where they must.
    """
    reader = _BlockReader(source, year)
    after_blank = True
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if line.strip():
            reader.add_line(number, line, after_blank)
        after_blank = not line.strip()
    reader.close_block()
    return reader.blocks, reader.problems


def is_topics_line(line: str) -> bool:
    """Whether a line names the topics of the entry above it, as `tag --format listing` writes it."""
    return _TOPICS_LINE.fullmatch(line) is not None


class _BlockReader:
    """Takes the lines of a listing one after the other."""

    def __init__(self, source: str, year: int | None) -> None:
        self._source, self._year = source, year
        self._block: _OpenBlock | None = None
        self._stray_lines: list[tuple[int, str]] = []  # (number, text) of lines that belong to no entry
        self.blocks: list[Block] = []
        self.problems: list[Problem] = []

    def add_line(self, number: int, raw_line: str, after_blank: bool) -> None:
        """Take a line that is not blank."""
        line, is_marked_text = raw_line.strip(), raw_line[0] == TEXT_MARK
        header = None if is_marked_text else match_header(line)
        if header is not None:
            self.close_block()
            self._open_block(number, line, header)
        elif self._block is not None and self._block.title_line is None:
            self._block.title_number, self._block.title_line = number, raw_line
        elif self._block is not None and (is_marked_text or not looks_like_header(line, after_blank)):
            if is_marked_text or not is_topics_line(line):
                self._block.abstract.append(line)
        else:
            if self._block is not None:
                self.close_block()
            self._stray_lines.append((number, line))

    def close_block(self) -> None:
        """Keep the block that is open, and say what is wrong with it or with the stray lines since."""
        block = self._block
        if self._stray_lines:
            self._name_stray_lines()
        elif block is not None and block.title_line is None:
            self._add_problem(block.number, "a header with no entry under it: expected title and authors next")
        elif block is not None and block.date is not None and block.title_line is not None:
            abstract = tuple(block.abstract)
            self.blocks.append(Block(block.number, block.header, block.date, block.title_number, block.title_line, abstract))
        self._block, self._stray_lines = None, []

    def _open_block(self, number: int, line: str, header: Header) -> None:
        try:
            day = parse_date(header, self._year)
        except ValueError as error:
            self._add_problem(number, f"{error} in {line!r}; the entry under it is left out")
            self._block = _OpenBlock(number, header, None)
        else:
            self._block = _OpenBlock(number, header, day)

    def _name_stray_lines(self) -> None:
        (first, text), (last, _) = self._stray_lines[0], self._stray_lines[-1]
        lines = f"lines {first} to {last} were" if last > first else f"line {first} was"
        shown = repr(text if len(text) <= _MAX_QUOTED else text[: _MAX_QUOTED - 1] + "…")
        self._add_problem(
            first,
            f"{lines} not understood: found {shown}, expected {HEADER_EXAMPLE}; "
            "if it belongs to an abstract, put a tab before it",
        )

    def _add_problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(Source(self._source, line), message))
