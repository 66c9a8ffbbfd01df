"""The terms that a model knows, by their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.text.tokenize import Tokens, tokenize

__all__ = ["BuiltVocabulary", "HashedVocabulary", "build_vocabulary"]


class HashedVocabulary:
    """A vocabulary: the 64-bit hashes of its terms, and a hash table that finds them.

    The table uses open addressing with linear probing. It has a power of two of slots, at least eight for each term. A term
    is in the first free slot from the one that the top bits of its hash name.
    """

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes
        self.size = len(hashes)
        n_bits = max(4, (8 * self.size - 1).bit_length())
        self._shift = np.uint64(64 - n_bits)
        self._mask = np.int64((1 << n_bits) - 1)
        self._slot_hashes = np.zeros(1 << n_bits, dtype=np.uint64)
        self._slot_terms = np.full(1 << n_bits, -1, dtype=np.int32)
        waiting = np.arange(self.size, dtype=np.int32)
        slots = (hashes >> self._shift).astype(np.int64)
        while len(waiting):
            free = self._slot_terms[slots] < 0
            self._slot_terms[slots[free]] = waiting[free]  # if several terms want one slot, numpy keeps the last one written
            self._slot_hashes[slots[free]] = hashes[waiting[free]]
            displaced = self._slot_terms[slots] != waiting
            waiting, slots = waiting[displaced], (slots[displaced] + 1) & self._mask

    def find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The index of the term with each hash, -1 where there is none: (n_hashes,)."""
        slots = (hashes >> self._shift).view(np.int64)
        terms = self._slot_terms.take(slots)
        searching = np.flatnonzero(terms >= 0)
        searching = searching[self._slot_hashes.take(slots.take(searching)) != hashes.take(searching)]
        while len(searching):
            next_slots = (slots.take(searching) + 1) & self._mask
            slots[searching] = next_slots
            terms[searching] = self._slot_terms.take(next_slots)
            is_other = self._slot_hashes.take(next_slots) != hashes.take(searching)
            searching = searching[is_other & (terms.take(searching) >= 0)]
        return terms


class BuiltVocabulary(NamedTuple):
    """A vocabulary and its terms as text, in the order of their indexes."""

    vocabulary: HashedVocabulary
    term_texts: list[str]


def build_vocabulary(texts: Sequence[str], min_df: int) -> BuiltVocabulary:
    """The terms that at least `min_df` of the texts have, ordered by hash."""
    chunks = list(tokenize(texts))
    hashes = np.concatenate([chunk.term_hashes for chunk in chunks] or [np.zeros(0, np.uint64)])
    chunk_starts = np.cumsum([0] + [chunk.n_texts for chunk in chunks])
    owners = np.concatenate(
        [start + chunk.term_rows for chunk, start in zip(chunks, chunk_starts, strict=False)] or [np.zeros(0, np.int64)]
    )
    unique, first_seen, term_of = np.unique(hashes, return_index=True, return_inverse=True)
    n_texts = max(1, int(chunk_starts[-1]))
    term_text_pairs = np.unique(term_of * np.int64(n_texts) + owners)
    df = np.bincount(term_text_pairs // n_texts, minlength=len(unique))
    frequent = np.flatnonzero(df >= min_df)
    return BuiltVocabulary(HashedVocabulary(unique[frequent]), _read_terms(chunks, first_seen[frequent]))


def _read_terms(chunks: Sequence[Tokens], places: NDArray[np.int64]) -> list[str]:
    """The terms at some places of all chunks' terms taken together, as text."""
    chunk_starts = np.cumsum([0] + [len(chunk.word_hashes) + len(chunk.bigram_hashes) for chunk in chunks])
    owners = np.searchsorted(chunk_starts, places, side="right") - 1
    return [chunks[owner].term_text(place - chunk_starts[owner]) for owner, place in zip(owners, places, strict=True)]
