"""One linear classifier a topic, on TF-IDF rows."""

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
    "DesignMatrix",
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


MAX_NEGATIVES = 8000  # no-entries that a topic is fitted to, of a larger number; a rare topic to less


@dataclass(frozen=True, slots=True)
class DesignMatrix:
    """TF-IDF rows to fit to, and what all topics need of them."""

    x: csr_array  # (n_entries, n_terms)
    mass: Floats  # (n_terms,): the sum of each column
    power: Floats  # (n_terms,): the mean square of each column

    @classmethod
    def of(cls, x: csr_array) -> DesignMatrix:
        """The rows of a matrix."""
        n_terms = x.shape[1]
        mass, squares = (np.bincount(x.indices, w, n_terms).astype(float) for w in (x.data, x.data * x.data))
        return cls(x, mass, squares / max(1, x.shape[0]))


def make_estimator(c: float) -> LinearSVC:
    """The scikit-learn estimator that is fitted for each topic: an L2 linear support vector machine, squared hinge loss.

    Source: Hsieh, Chang, Lin, Keerthi and Sundararajan, "A dual coordinate descent method for large-scale linear SVM",
    ICML 2008 (liblinear).
    """
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, dual=True, tol=1e-3, max_iter=10000, random_state=0)


def fit_topic(rows: DesignMatrix, yes: Bools, c: float, power: float, smoothing: float) -> tuple[Floats, float]:
    """Weights, (n_terms,), and bias of one topic, whose score's sign says whether it applies.

    Features are scaled by `feature_scale`; the scale is folded into the weights. Of more than 8,000 no-entries, those nearest to
    the yes-entries are fitted to, 50 for each of these but 2,000 to 6,000 in all, and a third as many of the others, drawn by lot,
    in the place of all others.

    Args:
        rows: what to fit to, (n_entries, n_terms).
        yes: which of them have the topic, (n_entries,); some have, and some have not.
        c: inverse strength of the penalty.
        power: see `feature_scale`.
        smoothing: see `feature_scale`.
    """
    from sklearn import config_context

    x, weight = rows.x, None
    scale = feature_scale(rows, yes, power, smoothing)
    no = np.flatnonzero(~yes)
    if len(no) > MAX_NEGATIVES:
        n_hard = min(MAX_NEGATIVES * 3 // 4, max(MAX_NEGATIVES // 4, 50 * (len(yes) - len(no))))
        n_drawn = n_hard // 3
        chosen = np.flatnonzero(yes)
        inside = _column_sums(x, chosen)
        towards = (inside / len(chosen) - (rows.mass - inside) / len(no)) * scale**2
        order = np.argsort(-(x @ towards)[no], kind="stable")
        rest = order[n_hard:]
        drawn = np.random.default_rng(0).choice(rest, n_drawn, replace=False)
        weight = np.ones(len(yes))
        weight[no[drawn]] = len(rest) / n_drawn
        kept = np.sort(np.concatenate([chosen, no[order[:n_hard]], no[drawn]]))
        x, yes, weight = x[kept], yes[kept], weight[kept]
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checks take longer than a small fit
        fitted = make_estimator(c).fit(scale_columns(x, scale), yes, sample_weight=weight)
    return fitted.coef_[0] * scale, float(fitted.intercept_[0])


def feature_scale(rows: DesignMatrix, yes: Bools, power: float, smoothing: float) -> Floats:
    """What each feature is multiplied by, (n_terms,): |ln(p / q)| to some power.

    p and q are the shares of a term in the TF-IDF mass of the yes and of the no entries: a term that tells nothing about
    the topic costs more to use. The scale is such that rows have a mean square length of 1, whatever the power, so that one
    C suits all powers and topics.

    Source: S. Wang and C. Manning, "Baselines and bigrams: simple, good sentiment and topic classification", ACL 2012; the
    power, between not scaling (0) and theirs (1), and the common length are ours.
    """
    inside = _column_sums(rows.x, np.flatnonzero(yes))
    p, q = inside + smoothing, rows.mass - inside + smoothing
    scale: Floats = np.abs(np.log((p / p.sum()) / (q / q.sum()))) ** power
    length = np.sqrt(rows.power @ (scale * scale))
    return scale / length if length > 0 else np.ones_like(scale)


def scale_columns(x: csr_array, scale: Floats) -> csr_array:
    """The matrix with each column multiplied."""
    from scipy.sparse import csr_array

    return csr_array((x.data * scale[x.indices], x.indices, x.indptr), x.shape)


def inverse_document_frequency(counts: csr_array, min_df: int) -> Floats:
    """Inverse document frequency as scikit-learn smooths it, (n_terms,); 0 for a term that fewer than `min_df` rows have."""
    n_entries, n_terms = counts.shape
    df = np.bincount(counts.indices, minlength=n_terms)
    return np.where(df >= min_df, np.log((1 + n_entries) / (1 + df)) + 1, 0.0)


def tfidf_matrix(counts: csr_array, idf: Floats) -> csr_array:
    """TF-IDF of counts, (n_entries, n_terms)."""
    from scipy.sparse import csr_array

    data = tfidf_weights(counts.indptr, counts.indices, counts.data, idf)
    return csr_array((data, counts.indices, counts.indptr), counts.shape)


def _column_sums(x: csr_array, rows: Ints) -> Any:
    some = x[rows]
    return np.bincount(some.indices, weights=some.data, minlength=x.shape[1])
