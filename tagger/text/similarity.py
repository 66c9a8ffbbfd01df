"""How similar entries are: the cosine of their TF-IDF rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.text.hashed_vocabulary import HashedVocabulary, build_vocabulary
from tagger.text.normalize import entry_text
from tagger.text.tfidf import TermCounts, count_terms, tfidf_weights

__all__ = ["SharedVocabulary", "TfidfRows", "cosine_rows", "nearest_rows", "shared_vocabulary", "tfidf_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TfidfRows:
    """Entries as TF-IDF in compressed sparse rows: row i is `terms[starts[i]:starts[i + 1]]`."""

    starts: Ints  # (n_entries + 1,)
    terms: Ints  # (n_values,)
    values: Floats  # (n_values,)
    n_known_words: Ints  # (n_entries,) words that are in the vocabulary
    n_words: Ints  # (n_entries,) all words

    @property
    def n_entries(self) -> int:
        """How many rows there are."""
        return len(self.n_words)

    @property
    def rows(self) -> Ints:
        """The row of each value: (n_values,)."""
        return np.repeat(np.arange(self.n_entries), np.diff(self.starts))


class SharedVocabulary(NamedTuple):
    """The terms that at least two of some entries have, and their inverse document frequency among these entries."""

    vocabulary: HashedVocabulary
    idf: Floats  # (n_terms,)


def shared_vocabulary(entries: Sequence[Entry]) -> SharedVocabulary:
    """The terms that at least two of some entries have; the inverse document frequency is smoothed as in scikit-learn."""
    texts = [entry_text(entry) for entry in entries]
    vocabulary = build_vocabulary(texts, 2).vocabulary
    df = np.zeros(vocabulary.size)
    for counts in count_terms(texts, vocabulary):
        df += np.bincount(counts.terms, minlength=vocabulary.size)
    return SharedVocabulary(vocabulary, np.log((1 + len(texts)) / (1 + df)) + 1)


def tfidf_rows(entries: Sequence[Entry], vocabulary: HashedVocabulary, idf: Floats) -> TfidfRows:
    """TF-IDF of entries over all their words, those that are not in the vocabulary too.

    An unknown word weighs as much as the rarest term of the vocabulary. It has no column, so a row with unknown words is
    shorter than 1 and its cosine with any other row is smaller.

    Args:
        entries: (n_entries,).
        vocabulary: the terms that are known.
        idf: their inverse document frequency, (n_terms,).
    """
    parts = [
        (counts, tfidf_weights(counts.starts, counts.terms, counts.counts, idf) * _known_share(counts, idf))
        for counts in count_terms((entry_text(entry) for entry in entries), vocabulary)
    ]
    if not parts:
        no_ints = np.zeros(0, dtype=np.int64)
        return TfidfRows(np.zeros(1, dtype=np.int64), no_ints, np.zeros(0), no_ints, no_ints)
    sizes = np.concatenate([np.diff(counts.starts) for counts, _ in parts])
    return TfidfRows(
        starts=np.concatenate([[0], np.cumsum(sizes)]),
        terms=np.concatenate([counts.terms.astype(np.int64) for counts, _ in parts]),
        values=np.concatenate([values for _, values in parts]),
        n_known_words=np.concatenate([counts.n_known_words for counts, _ in parts]),
        n_words=np.concatenate([counts.n_words for counts, _ in parts]),
    )


def _known_share(counts: TermCounts, idf: Floats) -> Floats:
    """The length of each value's row that is left when unknown words are counted too: (n_counts,)."""
    sizes = np.diff(counts.starts)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    squares = ((1 + np.log(counts.counts)) * idf[counts.terms]) ** 2
    known = np.bincount(rows, weights=squares, minlength=len(sizes))
    unknown = (counts.n_words - counts.n_known_words) * idf.max(initial=0) ** 2
    share: Floats = np.sqrt(known / np.maximum(known + unknown, 1e-12))[rows]
    return share


def nearest_rows(
    rows: TfidfRows, candidates: TfidfRows, n_terms: int, k: int = 1, skip_self: bool = False
) -> tuple[Floats, Ints]:
    """For each row the k candidates with the largest cosines, largest first.

    Args:
        rows: what to find the nearest candidates of, (n_entries,).
        candidates: (n_candidates,).
        n_terms: how many terms the vocabulary of both has.
        k: how many to find; fewer are found where there are fewer candidates.
        skip_self: `rows` and `candidates` are the same, and no row is its own candidate.

    Returns:
        The cosines, 0 where no term is shared, and the candidates' indexes; (n_entries, k) each.
    """
    n_found = min(k, candidates.n_entries - skip_self) if candidates.n_entries else 0
    cosines = np.zeros((rows.n_entries, n_found))
    nearest = np.zeros((rows.n_entries, n_found), dtype=np.int64)
    if not n_found:
        return cosines, nearest
    for n, row_cosines in enumerate(cosine_rows(rows, candidates, n_terms)):
        if skip_self:
            row_cosines[n] = -1.0
        nearest[n] = np.argsort(-row_cosines, kind="stable")[:n_found]
        cosines[n] = row_cosines[nearest[n]]
    return cosines, nearest


def cosine_rows(rows: TfidfRows, candidates: TfidfRows, n_terms: int) -> Iterator[Floats]:
    """For one row after the other, its cosines with all candidates: (n_candidates,)."""
    index = _InvertedIndex.from_rows(candidates, n_terms)
    for start, end in zip(rows.starts[:-1], rows.starts[1:], strict=True):
        yield index.multiply(rows.terms[start:end], rows.values[start:end])


@dataclass(frozen=True, slots=True, eq=False)
class _InvertedIndex:
    """TF-IDF by term: term t stands in `rows[starts[t]:starts[t + 1]]`, with the values at the same places."""

    starts: Ints  # (n_terms + 1,)
    rows: Ints  # (n_values,)
    values: Floats  # (n_values,)
    n_rows: int

    @classmethod
    def from_rows(cls, rows: TfidfRows, n_terms: int) -> _InvertedIndex:
        by_term = np.argsort(rows.terms, kind="stable")
        starts = np.searchsorted(rows.terms[by_term], np.arange(n_terms + 1))
        return cls(starts, rows.rows[by_term], rows.values[by_term], rows.n_entries)

    def multiply(self, terms: Ints, values: Floats) -> Floats:
        """The product of all rows with one more, which has these values for these terms: (n_rows,)."""
        starts = self.starts[terms]
        sizes = self.starts[terms + 1] - starts
        offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # 0, 1, ... for each term
        places = np.repeat(starts, sizes) + offsets
        weights = self.values[places] * np.repeat(values, sizes)
        return np.bincount(self.rows[places], weights=weights, minlength=self.n_rows).astype(np.float64)
