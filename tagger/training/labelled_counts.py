"""Labelled entries as training sees them: term counts and labels, both sparse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tagger.labels.closure import implied_labels_sparse
from tagger.taxonomy import Taxonomy
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.tfidf import count_terms
from tagger.training.out_of_fold import TopicLabels

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

__all__ = ["LabelledCounts", "TermCountMatrix", "count_matrix"]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TermCountMatrix:
    """The term counts of some entries."""

    counts: csr_array  # (n_entries, n_terms)
    n_words: Ints  # (n_entries,) all words, those that are not in the vocabulary too


def count_matrix(texts: Sequence[str], vocabulary: HashedVocabulary) -> TermCountMatrix:
    """Count the terms of each text; there is at least one text."""
    from scipy.sparse import csr_array, vstack

    chunks = list(count_terms(texts, vocabulary))
    parts = [
        # scikit-learn takes 32-bit indices only
        csr_array(
            (chunk.counts, chunk.terms.astype(np.int32), chunk.starts.astype(np.int32)),
            shape=(len(chunk.n_words), vocabulary.size),
        )
        for chunk in chunks
    ]
    return TermCountMatrix(csr_array(vstack(parts)), np.concatenate([chunk.n_words for chunk in chunks]))


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCounts:
    """The term counts and labels of some entries, with what topics say of each other."""

    counts: csr_array  # (n_entries, n_terms)
    is_bigram: Bools  # (n_terms,)
    yes: csc_array  # (n_entries, n_topics) of bool, False where unsure
    unsure: csc_array  # (n_entries, n_topics) of bool
    taxonomy: Taxonomy

    @classmethod
    def from_labels(
        cls,
        counts: csr_array,
        is_bigram: Bools,
        yes: Bools | csr_array,
        labelled: Bools | None,
        taxonomy: Taxonomy,
    ) -> LabelledCounts:
        """Entries with their labels and what these imply; see `train` for the arguments."""
        from scipy.sparse import csc_array

        if labelled is None:
            decided_yes, unsure = csc_array(yes, dtype=bool), csc_array(yes.shape, dtype=bool)
        else:
            decided_yes, unsure = csc_array(yes & labelled), csc_array(~labelled)
        return cls(counts, is_bigram, *implied_labels_sparse(decided_yes, unsure, taxonomy), taxonomy)

    @property
    def n_entries(self) -> int:
        """How many entries there are."""
        return int(self.counts.shape[0])

    @property
    def every_entry_has_topic(self) -> bool:
        """Whether each entry has a topic."""
        return bool((np.bincount(self.yes.indices, minlength=self.n_entries) > 0).all())

    def select(self, entries: Ints) -> LabelledCounts:
        """Some of the entries."""
        return replace(self, counts=self.counts[entries], yes=self.yes[entries], unsure=self.unsure[entries])

    def topic_labels(self, column: int) -> TopicLabels:
        """The labels of all entries for one topic."""
        yes, labelled = np.zeros(self.n_entries, dtype=bool), np.ones(self.n_entries, dtype=bool)
        yes[_rows_in_column(self.yes, column)] = True
        labelled[_rows_in_column(self.unsure, column)] = False
        return TopicLabels(yes, labelled)

    def learnable_topics(self, min_positives: int) -> Bools:
        """The topics with at least so many yes entries and as many no entries: (n_topics,)."""
        n_yes = np.diff(self.yes.indptr)
        n_no = self.n_entries - np.diff(self.unsure.indptr) - n_yes
        learnable: Bools = np.minimum(n_yes, n_no) >= min_positives
        return learnable

    def term_columns(self, use_bigrams: bool) -> Ints:
        """The columns of the counts that are words, or words and bigrams."""
        return np.flatnonzero(~self.is_bigram | use_bigrams).astype(np.int32)


def _rows_in_column(matrix: csc_array, column: int) -> Ints:
    """The rows that have an entry in a column."""
    rows: Ints = matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]]
    return rows
