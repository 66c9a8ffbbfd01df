"""How alike entries are: the cosine of TF-IDF rows, with numpy alone; near-duplicates by their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.text.hashed_vocabulary import HashedVocabulary, build_vocabulary
from tagger.text.normalize import entry_text
from tagger.text.tfidf import count_terms, tfidf_weights

__all__ = [
    "TfidfRows",
    "cosine_rows",
    "nearest_rows",
    "share_half_of_words",
    "shared_vocabulary",
    "tfidf_rows",
]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


_ALIKE = 0.5  # share of words in common from which on one of two entries teaches little beside the other


@dataclass(frozen=True, slots=True)
class TfidfRows:
    """Entries as TF-IDF in compressed sparse rows: row i is `terms[starts[i]:starts[i + 1]]`."""

    starts: Ints  # (n_entries + 1,)
    terms: Ints  # (n_counts,)
    values: Floats  # (n_counts,)
    known: Ints  # (n_entries,) words that the model knows
    words: Ints  # (n_entries,) all words

    @property
    def owners(self) -> Ints:
        """The entry of each count: (n_counts,)."""
        return np.repeat(np.arange(len(self.words)), np.diff(self.starts))


def tfidf_rows(entries: Sequence[Entry], terms: HashedVocabulary, idf: Floats) -> TfidfRows:
    """TF-IDF of entries, over all their words: an unknown one counts as much as the rarest term that is known.

    So a row of an entry with unknown words is shorter than 1, and its likeness to any other is less.
    """
    parts: list[tuple[NDArray[Any], ...]] = []
    for found in count_terms((entry_text(entry) for entry in entries), terms):
        values = tfidf_weights(found.starts, found.terms, found.counts, idf)
        sizes = np.diff(found.starts)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        squares = ((1 + np.log(found.counts)) * idf[found.terms]) ** 2
        length = np.bincount(owner, weights=squares, minlength=len(sizes))
        unknown = (found.words - found.known) * idf.max(initial=0) ** 2
        kept = np.sqrt(length / np.maximum(length + unknown, 1e-12))
        parts.append((sizes, found.terms.astype(np.int64), values * kept[owner], found.known, found.words))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return TfidfRows(np.zeros(1, dtype=np.int64), nothing, np.zeros(0), nothing, nothing)
    sizes, indices, values, known, words = (np.concatenate(part) for part in zip(*parts, strict=True))
    return TfidfRows(np.concatenate([[0], np.cumsum(sizes)]), indices, values, known, words)


def shared_vocabulary(entries: Sequence[Entry]) -> tuple[HashedVocabulary, Floats]:
    """The terms that at least two of some entries have, and their inverse document frequency among these: (n_terms,)."""
    texts = [entry_text(entry) for entry in entries]
    terms, written = build_vocabulary(texts, 2)
    df = sum((np.bincount(found.terms, minlength=len(written)) for found in count_terms(texts, terms)), np.zeros(len(written)))
    return terms, np.log((1 + len(texts)) / (1 + df)) + 1


def nearest_rows(some: TfidfRows, labelled: TfidfRows, n_terms: int, k: int = 1, others: bool = False) -> tuple[Floats, Ints]:
    """The cosines of each row with its k nearest labelled ones, nearest first, and which those are; 0 where nothing is shared.

    Args:
        some: what to find the nearest ones of, (n_entries,).
        labelled: among which, (n_labelled,).
        n_terms: of the vocabulary that both were made with.
        k: how many; fewer where there are not as many.
        others: a row is not its own nearest, `some` and `labelled` being the same.

    Returns:
        Both (n_entries, k).
    """
    size = min(k, len(labelled.words) - others) if len(labelled.words) else 0
    best, which = np.zeros((len(some.words), size)), np.zeros((len(some.words), size), dtype=np.int64)
    for n, shared in enumerate(cosine_rows(some, labelled, n_terms) if size else ()):
        if others:
            shared[n] = -1.0
        which[n] = np.argsort(-shared, kind="stable")[:size]
        best[n] = shared[which[n]]
    return best, which


def share_half_of_words(one: Entry, other: Entry) -> bool:
    """Whether two entries are near-duplicates: they share half of their words."""
    a, b = (set(entry_text(entry).casefold().split()) for entry in (one, other))
    return len(a & b) >= _ALIKE * len(a | b)


def cosine_rows(some: TfidfRows, labelled: TfidfRows, n_terms: int) -> Iterator[Floats]:
    """Row by row the cosines with all labelled ones: (n_labelled,)."""
    order = np.argsort(labelled.terms, kind="stable")
    owners = labelled.owners[order]  # of each term the entries that have it
    values = labelled.values[order]
    first = np.searchsorted(labelled.terms[order], np.arange(n_terms + 1))
    for n in range(len(some.words)):
        row = slice(some.starts[n], some.starts[n + 1])
        sizes = first[some.terms[row] + 1] - first[some.terms[row]]
        at = np.arange(sizes.sum()) + np.repeat(first[some.terms[row]] - (np.cumsum(sizes) - sizes), sizes)
        weights = values[at] * np.repeat(some.values[row], sizes)
        yield np.bincount(owners[at], weights=weights, minlength=len(labelled.words)).astype(np.float64)
