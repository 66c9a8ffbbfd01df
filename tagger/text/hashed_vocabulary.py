"""The terms that a model knows, by their hashes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.text.tokenize import tokenize

__all__ = [
    "HashedVocabulary",
    "build_vocabulary",
]


class HashedVocabulary:
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


def build_vocabulary(texts: Sequence[str], min_df: int) -> tuple[HashedVocabulary, list[str]]:
    """The terms that at least `min_df` of the texts have, ordered by hash, and how they are written."""
    chunks = list(tokenize(texts))
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
    return HashedVocabulary(unique[kept]), written
