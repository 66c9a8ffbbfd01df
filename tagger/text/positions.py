"""Where the terms of an entry stand in its title and abstract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tagger.entry import Entry
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.normalize import TITLE_WEIGHT, entry_text
from tagger.text.tokenize import tokenize

__all__ = [
    "Position",
    "find_positions",
]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where words stand in an entry: characters `start` to `end` of its title or its abstract, as they are written."""

    part: str  # "title" or "abstract"
    start: int
    end: int


def find_positions(entry: Entry, terms: HashedVocabulary) -> dict[int, list[Position]]:
    """Where each term stands that an entry has, by the term's index; the places of each in the order of reading.

    A pair of words reaches from the start of the first to the end of the second. Where the text is read on from the title to
    its repetition or to the abstract, the words of a pair have a place each. Positions count characters of the text before
    case folding: a letter that folds to several, as ß does, belongs to a term if any of those does.
    """
    text = entry_text(entry)
    (words,) = tokenize([text])
    # From bytes of the folded text, which has one more before it, to its characters, and from those to the text's own.
    folded = [letter.casefold() for letter in text]
    owners = np.repeat(np.arange(len(text)), [len(letters) for letters in folded])
    buffer = np.frombuffer(words.text, dtype=np.uint8)[1:]
    letter_of = np.cumsum((buffer & 0xC0) != 0x80) - 1
    starts, ends = owners[letter_of[words.starts - 1]], owners[letter_of[words.ends - 2]] + 1
    length = len(entry.title) + 1  # with the line's end

    def place(start: int, end: int) -> list[Position]:
        before, after = (min(at // length, TITLE_WEIGHT) for at in (start, end - 1))
        part = "title" if before < TITLE_WEIGHT else "abstract"
        return [Position(part, start - before * length, end - before * length)] if before == after else []

    found: dict[int, set[Position]] = {}
    n_words = len(words.hashes)
    for at, term in enumerate(terms.find(np.concatenate([words.hashes, words.pairs])).tolist()):
        if term >= 0:
            first = at if at < n_words else int(words.lefts[at - n_words])
            last = first if at < n_words else first + 1
            spans = [(int(starts[n]), int(ends[n])) for n in (first, last)]
            whole = place(spans[0][0], spans[1][1])
            found.setdefault(term, set()).update(whole or (one for span in spans for one in place(*span)))
    return {term: sorted(there, key=lambda one: (one.part != "title", one)) for term, there in found.items()}
