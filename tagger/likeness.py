"""How alike entries are: the cosine of their TF-IDF, where words that the model does not know count too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.features import Terms, count, text_of, weigh
from tagger.model import Model

__all__ = ["Rows", "alike", "nearest", "rows_of"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ALIKE = 0.5  # share of words in common from which on one of two entries teaches little beside the other


@dataclass(frozen=True, slots=True)
class Rows:
    """Entries as TF-IDF in compressed sparse rows: row i is `terms[starts[i]:starts[i + 1]]`."""

    starts: Ints  # (n_entries + 1,)
    terms: Ints  # (n_counts,)
    values: Floats  # (n_counts,)
    known: Ints  # (n_entries,) words that the model knows
    words: Ints  # (n_entries,) all words
    n_terms: int

    @property
    def owners(self) -> Ints:
        """The entry of each count: (n_counts,)."""
        return np.repeat(np.arange(len(self.words)), np.diff(self.starts))

    def common(self, among: Bools) -> Floats:
        """The sum of each row's cosines with the others of some: (n_entries,), of meaning for those."""
        inside = among[self.owners]
        sums = np.bincount(self.terms[inside], weights=self.values[inside], minlength=self.n_terms)
        shares: Floats = self.values * (sums[self.terms] - self.values)
        return np.bincount(self.owners, weights=shares, minlength=len(self.words)).astype(np.float64)

    def cosines(self, row: int) -> Floats:
        """The cosine of one row with each: (n_entries,)."""
        part = slice(self.starts[row], self.starts[row + 1])
        one = np.zeros(self.n_terms)
        one[self.terms[part]] = self.values[part]
        shares: Floats = self.values * one[self.terms]
        return np.bincount(self.owners, weights=shares, minlength=len(self.words)).astype(np.float64)


def rows_of(entries: Sequence[Entry], model: Model) -> Rows:
    """TF-IDF of entries, over all their words: an unknown one counts as much as the rarest term that is known.

    So a row of an entry with unknown words is shorter than 1, and its likeness to any other is less.
    """
    terms, idf = Terms(model.hashes), model.idf.astype(np.float64)
    parts: list[tuple[NDArray[Any], ...]] = []
    for found in count((text_of(entry) for entry in entries), terms):
        values = weigh(found.starts, found.terms, found.counts, idf)
        sizes = np.diff(found.starts)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        squares = ((1 + np.log(found.counts)) * idf[found.terms]) ** 2
        length = np.bincount(owner, weights=squares, minlength=len(sizes))
        unknown = (found.words - found.known) * idf.max(initial=0) ** 2
        kept = np.sqrt(length / np.maximum(length + unknown, 1e-12))
        parts.append((sizes, found.terms.astype(np.int64), values * kept[owner], found.known, found.words))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return Rows(np.zeros(1, dtype=np.int64), nothing, np.zeros(0), nothing, nothing, len(idf))
    sizes, indices, values, known, words = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Rows(np.concatenate([[0], np.cumsum(sizes)]), indices, values, known, words, len(idf))


def nearest(rows: Rows, labelled: Rows, others: bool = False) -> tuple[Floats, Ints]:
    """The cosine of each row with its nearest labelled one, (n_entries,), and which that is; 0 where they share nothing.

    With `others` a row is not its own nearest, `rows` and `labelled` being the same.
    """
    n_labelled = len(labelled.words)
    order = np.argsort(labelled.terms, kind="stable")
    owners = labelled.owners[order]  # of each term the entries that have it
    values = labelled.values[order]
    first = np.searchsorted(labelled.terms[order], np.arange(labelled.n_terms + 1))
    best, which = np.zeros(len(rows.words)), np.zeros(len(rows.words), dtype=np.int64)
    for n in range(len(best) if n_labelled else 0):
        row = slice(rows.starts[n], rows.starts[n + 1])
        sizes = first[rows.terms[row] + 1] - first[rows.terms[row]]
        at = np.arange(sizes.sum()) + np.repeat(first[rows.terms[row]] - (np.cumsum(sizes) - sizes), sizes)
        cosines = np.bincount(owners[at], weights=values[at] * np.repeat(rows.values[row], sizes), minlength=n_labelled)
        if others:
            cosines[n] = 0.0
        which[n] = cosines.argmax()
        best[n] = cosines[which[n]]
    return best, which


def alike(one: Entry, other: Entry) -> bool:
    """Whether two entries are near-duplicates: they share half of their words."""
    a, b = (set(text_of(entry).casefold().split()) for entry in (one, other))
    return len(a & b) >= _ALIKE * len(a | b)
