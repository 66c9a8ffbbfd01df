"""One linear classifier for each topic, on TF-IDF rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagger.text.tfidf import tfidf_weights

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from sklearn.svm import LinearSVC

__all__ = [
    "MAX_NEGATIVES",
    "DesignMatrix",
    "LinearClassifier",
    "feature_scale",
    "fit_topic",
    "inverse_document_frequency",
    "make_estimator",
    "scale_columns",
    "tfidf_matrix",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_NEGATIVES = 8000  # no entries that a topic is fitted to; if it has more, some of them are chosen


@dataclass(frozen=True, slots=True, eq=False)
class DesignMatrix:
    """TF-IDF rows to fit to, and what the fits of all topics need to know of their columns."""

    x: csr_array  # (n_entries, n_terms)
    column_sums: Floats  # (n_terms,)
    mean_square: Floats  # (n_terms,) of each column

    @classmethod
    def from_matrix(cls, x: csr_array) -> DesignMatrix:
        """The rows of a matrix."""
        n_entries, n_terms = x.shape
        column_sums, square_sums = (
            np.bincount(x.indices, values, n_terms).astype(float) for values in (x.data, x.data * x.data)
        )
        return cls(x, column_sums, square_sums / max(1, n_entries))


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """The weights and the bias of one topic. The sign of a logit says whether the topic applies."""

    weights: Floats  # (n_terms,)
    bias: float

    def logits(self, x: csr_array) -> Floats:
        """The logits of TF-IDF rows: (n_entries,)."""
        result: Floats = x @ self.weights + self.bias
        return result


def make_estimator(C: float) -> LinearSVC:
    """The scikit-learn estimator of each topic: a linear support vector machine, L2 penalty, squared hinge loss.

    Source: C.-J. Hsieh, K.-W. Chang, C.-J. Lin, S. S. Keerthi and S. Sundararajan, "A dual coordinate descent method for
    large-scale linear SVM", ICML 2008 (liblinear).
    """
    from sklearn.svm import LinearSVC

    return LinearSVC(C=C, dual=True, tol=1e-3, max_iter=10000, random_state=0)


def fit_topic(
    design: DesignMatrix, yes: Bools, C: float, scale_exponent: float, log_ratio_smoothing: float
) -> LinearClassifier:
    """The classifier of one topic.

    Features are scaled by `feature_scale`, and the scale is multiplied into the weights afterwards. Of more than
    `MAX_NEGATIVES` no entries, some are chosen; see `_choose_negatives`.

    Args:
        design: what to fit to, (n_entries, n_terms).
        yes: which entries have the topic, (n_entries,); some do, and some do not.
        C: the inverse strength of the penalty.
        scale_exponent: see `feature_scale`.
        log_ratio_smoothing: see `feature_scale`.
    """
    from sklearn import config_context

    x, entry_weights = design.x, None
    scale = feature_scale(design, yes, scale_exponent, log_ratio_smoothing)
    if np.count_nonzero(~yes) > MAX_NEGATIVES:
        entries, entry_weights = _choose_negatives(design, yes, scale)
        x, yes = x[entries], yes[entries]
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checks take longer than a small fit
        fitted = make_estimator(C).fit(scale_columns(x, scale), yes, sample_weight=entry_weights)
    return LinearClassifier(fitted.coef_[0] * scale, float(fitted.intercept_[0]))


def _choose_negatives(design: DesignMatrix, yes: Bools, scale: Floats) -> tuple[Ints, Floats]:
    """All yes entries and some no entries of a topic that has too many.

    The no entries that are nearest to the yes entries are taken: 50 for each yes entry, but at least a quarter and at most
    three quarters of `MAX_NEGATIVES`. Nearest means furthest in the direction from the mean of the no entries to the mean of
    the yes entries. A third as many of the others are drawn at random, and stand for all others by their weight.

    Returns:
        The entries in ascending order, and the weight of each: (n_chosen,) both.
    """
    positives, negatives = np.flatnonzero(yes), np.flatnonzero(~yes)
    n_nearest = min(MAX_NEGATIVES * 3 // 4, max(MAX_NEGATIVES // 4, 50 * len(positives)))
    n_drawn = n_nearest // 3
    positive_sums = _column_sums(design.x, positives)
    centroid_direction = positive_sums / len(positives) - (design.column_sums - positive_sums) / len(negatives)
    nearest_first = np.argsort(-(design.x @ (centroid_direction * scale**2))[negatives], kind="stable")
    others = nearest_first[n_nearest:]
    drawn = np.random.default_rng(0).choice(others, n_drawn, replace=False)
    weights = np.ones(len(yes))
    weights[negatives[drawn]] = len(others) / n_drawn
    entries = np.sort(np.concatenate([positives, negatives[nearest_first[:n_nearest]], negatives[drawn]]))
    return entries, weights[entries]


def feature_scale(design: DesignMatrix, yes: Bools, scale_exponent: float, log_ratio_smoothing: float) -> Floats:
    """What each feature is multiplied by for a topic, (n_terms,): |ln(p / q)| to the power of `scale_exponent`.

    p and q are the shares of a term in the TF-IDF sums of the yes and of the no entries. A term that tells nothing about the
    topic gets a small factor, so the penalty makes it expensive to use. The scale is normalised so that rows have a mean
    square length of 1. So one C suits all exponents and topics.

    Source: S. Wang and C. Manning, "Baselines and bigrams: simple, good sentiment and topic classification", ACL 2012. The
    exponent, from 0 (no scaling) to 1 (theirs), and the normalisation are ours.

    Args:
        design: the rows that are fitted to, (n_entries, n_terms).
        yes: which entries have the topic, (n_entries,).
        scale_exponent: of the log-count ratios.
        log_ratio_smoothing: what is added to the sums of each term.
    """
    positive_sums = _column_sums(design.x, np.flatnonzero(yes))
    p, q = positive_sums + log_ratio_smoothing, design.column_sums - positive_sums + log_ratio_smoothing
    scale: Floats = np.abs(np.log((p / p.sum()) / (q / q.sum()))) ** scale_exponent
    length = np.sqrt(design.mean_square @ (scale * scale))
    return scale / length if length > 0 else np.ones_like(scale)


def scale_columns(x: csr_array, scale: Floats) -> csr_array:
    """The matrix with each column multiplied by a factor, (n_terms,)."""
    from scipy.sparse import csr_array

    return csr_array((x.data * scale[x.indices], x.indices, x.indptr), x.shape)


def inverse_document_frequency(counts: csr_array, min_df: int) -> Floats:
    """Inverse document frequency as scikit-learn smooths it, (n_terms,); 0 for a term that fewer than `min_df` rows have."""
    n_entries, n_terms = counts.shape
    df = np.bincount(counts.indices, minlength=n_terms)
    return np.where(df >= min_df, np.log((1 + n_entries) / (1 + df)) + 1, 0.0)


def tfidf_matrix(counts: csr_array, idf: Floats) -> csr_array:
    """TF-IDF of counts, (n_entries, n_terms); see `tfidf_weights`."""
    from scipy.sparse import csr_array

    data = tfidf_weights(counts.indptr, counts.indices, counts.data, idf)
    return csr_array((data, counts.indices, counts.indptr), counts.shape)


def _column_sums(x: csr_array, rows: Ints) -> Any:
    """The sum of each column over some rows: (n_terms,)."""
    some_rows = x[rows]
    return np.bincount(some_rows.indices, weights=some_rows.data, minlength=x.shape[1])
