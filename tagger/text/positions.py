"""Where the terms of an entry stand in its title and its abstract.

Terms are found in the case-folded UTF-8 of the text that a model reads. Positions are wanted in the title and the abstract
as they are written. So a position goes from bytes to case-folded characters, from these to characters of the text, and from
these to characters of the title or the abstract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.normalize import TITLE_WEIGHT, entry_text
from tagger.text.tokenize import Tokens, tokenize

__all__ = ["Position", "find_positions"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a term stands in an entry: characters `start` to `end` of its title or its abstract, as they are written."""

    part: str  # "title" or "abstract"
    start: int
    end: int


def find_positions(entry: Entry, vocabulary: HashedVocabulary) -> dict[int, list[Position]]:
    """Where each term of an entry stands, by the term's index; the positions of each in the order of reading.

    A bigram reaches from the start of its first word to the end of its second. The text repeats the title, so a bigram may
    have its first word at the end of the title and its second one at the start of the title or of the abstract. Each of the
    two words then has a position.

    Some letters are several when they are case-folded, such as ß. Such a letter belongs to a term if any of the several does.
    """
    text = entry_text(entry)
    (tokens,) = tokenize([text])
    spans = _word_spans(text, tokens)
    positions: dict[int, set[Position]] = {}
    for n, term in enumerate(vocabulary.find(tokens.term_hashes).tolist()):
        if term >= 0:
            first, last = (spans[word] for word in tokens.words_of(n))
            positions.setdefault(term, set()).update(_locate_term(entry, first, last))
    return {term: sorted(places, key=_reading_order) for term, places in positions.items()}


def _word_spans(text: str, tokens: Tokens) -> list[tuple[int, int]]:
    """The first character of each word in the text, and the one after its last: (n_words,)."""
    n_folded = [len(character.casefold()) for character in text]
    unfolded = np.repeat(np.arange(len(text)), n_folded)  # for each case-folded character the one that it comes from
    buffer = np.frombuffer(tokens.buffer, dtype=np.uint8)[1:]  # without the zero byte before the text
    is_first_byte = (buffer & 0xC0) != 0x80
    characters: NDArray[np.int64] = np.cumsum(is_first_byte) - 1  # for each byte the case-folded character that it belongs to
    starts = unfolded[characters[tokens.starts - 1]]
    ends = unfolded[characters[tokens.ends - 2]] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _locate_term(entry: Entry, first: tuple[int, int], last: tuple[int, int]) -> list[Position]:
    """The position of a term from its first to its last word, or one for each word where the two are in different parts."""
    whole = list(_locate(entry, first[0], last[1]))
    return whole or [position for span in (first, last) for position in _locate(entry, *span)]


def _locate(entry: Entry, start: int, end: int) -> Iterator[Position]:
    """The position of characters of an entry's text, if they are in one copy of the title or in the abstract."""
    length = len(entry.title) + 1  # with the end of the line
    copy, last_copy = (min(place // length, TITLE_WEIGHT) for place in (start, end - 1))
    if copy == last_copy:
        part = "title" if copy < TITLE_WEIGHT else "abstract"
        yield Position(part, start - copy * length, end - copy * length)


def _reading_order(position: Position) -> tuple[bool, Position]:
    return position.part != "title", position
