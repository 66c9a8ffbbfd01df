r"""The text that the model reads, and how it becomes TF-IDF. The same code trains and tags.

Tokens are runs of two or more word characters of the case-folded text; terms are words and pairs of neighbouring words.
That is what scikit-learn's `TfidfVectorizer(token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 2))` counts, and the
numbers are equal to its to rounding. The way there is another: all texts of a chunk stand in one buffer of bytes, words
are found by comparing neighbours in a table of byte classes, and hashed all at once.

Hashing: a word is read eight bytes at a time; each eight are added to a multiple of what came before and mixed with the
finaliser of MurmurHash3 (A. Appleby, public domain). The hash of a pair mixes those of its words. That any two of a
million terms share a 64-bit hash has a chance of 3 in 10^8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry

__all__ = ["TITLE_WEIGHT", "Place", "Terms", "WordCounts", "count", "places", "text_of", "vocabulary", "weigh"]

TITLE_WEIGHT = 2  # how often the title is read

_PRIME = np.uint64(0x9E3779B97F4A7C55)  # any odd number will do
_LOW = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)  # the lowest n bytes
_CHUNK = 1 << 16  # bytes of text handled at once: arrays of this length stay in the processor's cache

# For each byte, whether it is a letter, a digit or _ (of bytes above 127 it depends on the character, see `_words`).
_IS_WORD = bytes(byte < 0x80 and (chr(byte).isalnum() or byte == ord("_")) for byte in range(256))
# Bytes in a character, by its first byte (UTF-8).
_WIDTH = np.array([1] * 0xC0 + [2] * 0x20 + [3] * 0x10 + [4] * 0x10, dtype=np.int64)


def text_of(entry: Entry) -> str:
    """The text that the model reads of an entry: its title, `TITLE_WEIGHT` times, and its abstract."""
    return "\n".join([entry.title] * TITLE_WEIGHT + [entry.abstract])


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Term counts of some texts in compressed sparse rows: row i is `terms[starts[i]:starts[i + 1]]`, ascending.

    `known` and `words` count, for each text, the words that are in the vocabulary and all words.
    """

    starts: NDArray[np.signedinteger[Any]]  # (n_entries + 1,)
    terms: NDArray[np.integer[Any]]  # (n_counts,)
    counts: NDArray[np.int64]  # (n_counts,)
    known: NDArray[np.int64]  # (n_entries,)
    words: NDArray[np.int64]  # (n_entries,)


class Terms:
    """A vocabulary: the 64-bit hashes of its terms, and an open-addressing table to look them up.

    The table has a power of two of places, at least eight for each term; a term stands at the first free place from the
    top bits of its hash on.
    """

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes
        self.size = len(hashes)
        bits = max(4, (8 * self.size - 1).bit_length())
        self._shift = np.uint64(64 - bits)
        self._mask = np.int64((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, dtype=np.uint64)
        self._values = np.full(1 << bits, -1, dtype=np.int32)
        waiting = np.arange(self.size, dtype=np.int32)
        place = (hashes >> self._shift).astype(np.int64)
        while len(waiting):
            free = self._values[place] < 0
            self._values[place[free]] = waiting[free]  # of several for one place the last one written stays
            self._keys[place[free]] = hashes[waiting[free]]
            left = self._values[place] != waiting
            waiting, place = waiting[left], (place[left] + 1) & self._mask

    def find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The index of each hash's term, -1 where it is none: (n_hashes,)."""
        place = (hashes >> self._shift).view(np.int64)
        found = self._values.take(place)
        waiting = np.flatnonzero(found >= 0)
        waiting = waiting[self._keys.take(place.take(waiting)) != hashes.take(waiting)]
        while len(waiting):
            at = (place.take(waiting) + 1) & self._mask
            place[waiting] = at
            found[waiting] = self._values.take(at)
            waiting = waiting[(self._keys.take(at) != hashes.take(waiting)) & (found.take(waiting) >= 0)]
        return found


def count(texts: Iterable[str], terms: Terms) -> Iterator[WordCounts]:
    """Count the terms of each text: one `WordCounts` for each chunk of texts, in order."""
    bits = max(1, (terms.size - 1).bit_length())
    for words in _chunks(texts):
        found = terms.find(np.concatenate([words.hashes, words.pairs]))
        hit = np.flatnonzero(found >= 0)
        # One number for a text and a term, so that sorting brings equal ones together.
        kind = np.dtype(np.int32 if words.n_texts << bits < 1 << 31 else np.int64)  # half the width sorts faster
        rows = np.concatenate([words.rows, words.rows.take(words.lefts)]).astype(kind)
        keys: NDArray[np.signedinteger[Any]] = (rows.take(hit) << bits) | found.take(hit)
        keys.sort()
        new = np.flatnonzero(np.diff(keys, prepend=keys.dtype.type(-1)))
        first = keys.take(new)
        yield WordCounts(
            starts=np.searchsorted(first, np.arange(words.n_texts + 1).astype(kind) << bits),
            terms=first & ((1 << bits) - 1),
            counts=np.diff(new, append=len(keys)),
            known=np.diff(np.searchsorted(hit, words.bounds)),
            words=np.diff(words.bounds),
        )


def weigh(
    starts: NDArray[np.integer[Any]],
    terms: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    idf: NDArray[np.float64],
) -> NDArray[np.float64]:
    """TF-IDF of compressed sparse rows as in `WordCounts`: (1 + ln count) idf, each row scaled to length 1.

    A term whose idf is 0 counts for nothing. Returns (n_counts,).
    """
    damped = 1.0 + np.log(np.arange(1, counts.max(initial=0) + 1))  # fewer counts are distinct than there are
    values = damped.take(counts - 1) * idf.take(terms)
    n_texts = len(starts) - 1
    rows = np.repeat(np.arange(n_texts), np.diff(starts))
    lengths = np.sqrt(np.bincount(rows, weights=values * values, minlength=n_texts))
    lengths[lengths == 0] = 1.0
    return values / lengths.take(rows)


def vocabulary(texts: Sequence[str], min_df: int) -> tuple[Terms, list[str]]:
    """The terms that at least `min_df` of the texts have, ordered by hash, and how they are written."""
    chunks = list(_chunks(texts))
    hashes = np.concatenate([part for chunk in chunks for part in (chunk.hashes, chunk.pairs)] or [np.zeros(0, np.uint64)])
    before = np.cumsum([0] + [chunk.n_texts for chunk in chunks])
    rows = np.concatenate(
        [n + part for chunk, n in zip(chunks, before, strict=False) for part in (chunk.rows, chunk.rows[chunk.lefts])]
        or [np.zeros(0, np.int64)]
    )
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    seen = np.unique(inverse * np.int64(max(1, before[-1])) + rows)
    kept = np.flatnonzero(np.bincount(seen // max(1, before[-1]), minlength=len(unique)) >= min_df)
    places = np.cumsum([0] + [len(chunk.hashes) + len(chunk.pairs) for chunk in chunks])
    owners = np.searchsorted(places, first[kept], side="right") - 1
    written = [chunks[owner].written(at - places[owner]) for owner, at in zip(owners, first[kept], strict=True)]
    return Terms(unique[kept]), written


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where words stand in an entry: characters `start` to `end` of its title or its abstract, as they are written."""

    part: str  # "title" or "abstract"
    start: int
    end: int


def places(entry: Entry, terms: Terms) -> dict[int, list[Place]]:
    """Where each term stands that an entry has, by the term's index; the places of each in the order of reading.

    A pair of words reaches from the start of the first to the end of the second. Where the text is read on from the title to
    its repetition or to the abstract, the words of a pair have a place each. Positions count characters of the text before
    case folding: a letter that folds to several, as ß does, belongs to a term if any of those does.
    """
    text = text_of(entry)
    (words,) = _chunks([text])
    # From bytes of the folded text, which has one more before it, to its characters, and from those to the text's own.
    folded = [letter.casefold() for letter in text]
    owners = np.repeat(np.arange(len(text)), [len(letters) for letters in folded])
    buffer = np.frombuffer(words.text, dtype=np.uint8)[1:]
    letter_of = np.cumsum((buffer & 0xC0) != 0x80) - 1
    starts, ends = owners[letter_of[words.starts - 1]], owners[letter_of[words.ends - 2]] + 1
    length = len(entry.title) + 1  # with the line's end

    def place(start: int, end: int) -> list[Place]:
        before, after = (min(at // length, TITLE_WEIGHT) for at in (start, end - 1))
        part = "title" if before < TITLE_WEIGHT else "abstract"
        return [Place(part, start - before * length, end - before * length)] if before == after else []

    found: dict[int, set[Place]] = {}
    n_words = len(words.hashes)
    for at, term in enumerate(terms.find(np.concatenate([words.hashes, words.pairs])).tolist()):
        if term >= 0:
            first = at if at < n_words else int(words.lefts[at - n_words])
            last = first if at < n_words else first + 1
            spans = [(int(starts[n]), int(ends[n])) for n in (first, last)]
            whole = place(spans[0][0], spans[1][1])
            found.setdefault(term, set()).update(whole or (one for span in spans for one in place(*span)))
    return {term: sorted(there, key=lambda one: (one.part != "title", one)) for term, there in found.items()}


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a chunk of texts, and the pairs of neighbours among them."""

    text: bytes
    starts: NDArray[np.int64]  # (n_words,) first byte of each word
    ends: NDArray[np.int64]  # (n_words,)
    bounds: NDArray[np.int64]  # (n_texts + 1,) the words of text i are bounds[i] to bounds[i + 1]
    rows: NDArray[np.int64]  # (n_words,) the text that each is in
    hashes: NDArray[np.uint64]  # (n_words,)
    lefts: NDArray[np.int64]  # (n_pairs,) the word that each pair begins with
    pairs: NDArray[np.uint64]  # (n_pairs,) hashes

    @property
    def n_texts(self) -> int:
        return len(self.bounds) - 1

    def written(self, term: int) -> str:
        """The term at a place of hashes followed by pairs."""
        n_words = len(self.hashes)
        word = term if term < n_words else int(self.lefts[term - n_words])
        return " ".join(
            self.text[self.starts[n] : self.ends[n]].decode() for n in ((word,) if term < n_words else (word, word + 1))
        )


def _chunks(texts: Iterable[str]) -> Iterator[_Words]:
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text) + 1
        if size >= _CHUNK:
            yield _words(chunk)
            chunk, size = [], 0
    if chunk:
        yield _words(chunk)


def _words(texts: list[str]) -> _Words:
    # Folded one by one: most texts are ASCII, which is folded much faster.
    joined = "\0".join([text.casefold() for text in texts])
    if joined.count("\0") != len(texts) - 1:
        joined = "\0".join([text.casefold().replace("\0", " ") for text in texts])
    # No word stands less than eight bytes from the end, so that eight can be read from any place.
    text = f"\0{joined}\0       ".encode("utf-8", "surrogatepass")
    buffer = np.frombuffer(text, dtype=np.uint8)
    is_word = np.frombuffer(bytearray(text.translate(_IS_WORD)), dtype=bool)
    if not text.isascii():
        high = np.flatnonzero(buffer >= 0x80)
        letters = buffer[high].tobytes().decode("utf-8", "surrogatepass")
        widths = _WIDTH[buffer[high[(buffer[high] & 0xC0) == 0xC0]]]
        is_word[high] = np.repeat([letter.isalnum() for letter in letters], widths)

    edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]
    long = ends - starts > _WIDTH.take(buffer.take(starts))
    starts, ends = starts[long], ends[long]

    hashes = _hashes(buffer, starts, ends)

    bounds = np.searchsorted(starts, np.flatnonzero(buffer == 0))
    rows = np.repeat(np.arange(len(texts)), np.diff(bounds))
    lefts = np.flatnonzero(rows[1:] == rows[:-1])
    pairs = _mix(hashes.take(lefts) * _PRIME + hashes.take(lefts + 1))
    return _Words(text, starts, ends, bounds, rows, hashes, lefts, pairs)


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes, made over in place."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes ^= hashes >> np.uint64(33)
        hashes *= np.uint64(factor)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def _hashes(buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The hash of each word: eight bytes after eight are added to what was and mixed, the last ones padded with zeros."""
    eights = np.ndarray(len(buffer) - 7, dtype="<u8", buffer=buffer, strides=(1,))
    length = ends - starts
    hashes = _mix(eights[starts] & _LOW.take(np.minimum(length, 8)))
    more = np.flatnonzero(length > 8)
    at = 8
    while len(more):
        hashes[more] = _mix(hashes[more] * _PRIME + (eights[starts[more] + at] & _LOW.take(np.minimum(length[more] - at, 8))))
        at += 8
        more = more[length[more] > at]
    return hashes
