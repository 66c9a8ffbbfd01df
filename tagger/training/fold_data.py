"""One fold's part in cross-validation: the entries to fit to, as TF-IDF, and the entries to score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tagger.training.classifier import DesignMatrix, LinearClassifier, fit_topic, inverse_document_frequency, tfidf_matrix
from tagger.training.labelled_counts import LabelledCounts
from tagger.training.out_of_fold import TopicLabels
from tagger.training.settings import Settings

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["FoldData", "out_of_fold_logits"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FoldData:
    """Entries to fit to and entries to score, as TF-IDF over the terms that the former have often enough."""

    terms: Ints  # (n_used,) the columns of the counts that are used
    idf: Floats  # (n_used,)
    fitted_entries: Ints  # (n_fitted,)
    design: DesignMatrix  # (n_fitted, n_used)
    scored_entries: Ints  # (n_scored,)
    scored_x: csr_array  # (n_scored, n_used)

    @classmethod
    def from_counts(cls, counts: csr_array, terms: Ints, fitted_entries: Ints, scored_entries: Ints, min_df: int) -> FoldData:
        """The data of one fit.

        Args:
            counts: (n_entries, n_terms).
            terms: the columns that may be used.
            fitted_entries: the rows to fit to.
            scored_entries: the rows to score.
            min_df: a term is used if so many of the entries to fit to have it.
        """
        fitted_counts = counts[fitted_entries][:, terms]
        idf = inverse_document_frequency(fitted_counts, min_df)
        used = np.flatnonzero(idf).astype(np.int32)
        idf = idf[used]
        return cls(
            terms[used],
            idf,
            fitted_entries,
            DesignMatrix.from_matrix(tfidf_matrix(fitted_counts[:, used], idf)),
            scored_entries,
            tfidf_matrix(counts[scored_entries][:, terms[used]], idf),
        )

    @classmethod
    def of_all_entries(cls, data: LabelledCounts, settings: Settings) -> FoldData:
        """All entries to fit to, and none to score."""
        terms = data.term_columns(bool(settings.use_bigrams))
        entries = np.arange(data.n_entries)
        return cls.from_counts(data.counts, terms, entries, entries[:0], settings.min_df)

    @classmethod
    def of_folds(cls, data: LabelledCounts, fold: Ints, folds: Sequence[int], settings: Settings) -> list[FoldData]:
        """For each of some folds, its entries to score and all others to fit to; `fold` is the fold of each entry."""
        terms = data.term_columns(bool(settings.use_bigrams))
        return [
            cls.from_counts(data.counts, terms, np.flatnonzero(fold != k), np.flatnonzero(fold == k), settings.min_df)
            for k in folds
        ]

    def fit(self, labels: TopicLabels, settings: Settings) -> LinearClassifier | None:
        """A topic's classifier over the used terms; None where the entries to fit to have no yes, or no no.

        Args:
            labels: of all entries, those to score too.
            settings: with nothing left open.
        """
        labels = labels.select(self.fitted_entries)
        if not labels.yes.any() or (labels.yes | ~labels.labelled).all():
            return None
        design, yes = self.design, labels.yes
        if not labels.labelled.all():
            design, yes = DesignMatrix.from_matrix(design.x[np.flatnonzero(labels.labelled)]), yes[labels.labelled]
        assert settings.C is not None
        assert settings.scale_exponent is not None
        return fit_topic(design, yes, settings.C, settings.scale_exponent, settings.log_ratio_smoothing)


def out_of_fold_logits(folds: Sequence[FoldData], labels: TopicLabels, settings: Settings) -> Floats:
    """A topic's logits by classifiers that have not seen the entry, (n_entries,); NaN where there is none."""
    logits = np.full(len(labels.yes), np.nan)
    for data in folds:
        classifier = data.fit(labels, settings)
        if classifier is not None:
            logits[data.scored_entries] = classifier.logits(data.scored_x)
    return logits
