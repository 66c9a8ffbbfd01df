"""From texts and labels to a `Model`.

One function fits: `_fit`. Cross-validation calls it for each outer fold with the entries outside that fold, so figures
come from entries that neither the weights, nor the calibration, nor the thresholds have seen. Inside, `_fit` does the
same once more: the scores that set calibration and thresholds come from folds of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagger.decide import decide, with_parents
from tagger.features import Terms, count, vocabulary, weigh
from tagger.folds import near_duplicates, stratified_folds
from tagger.model import Model
from tagger.taxonomy import Topic

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

__all__ = ["HeldOut", "Settings", "estimator", "log_count_ratios", "train"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settings:
    """What training depends on besides the labels. docs/model.md says how these were chosen."""

    min_df: int = 2  # a term must stand in this many entries
    c: float = 10.0  # inverse strength of the L2 penalty
    smoothing: float = 0.1  # of the log-count ratios that scale the features of each topic
    shrink: float = 300.0  # yes entries at which a topic's own threshold counts as much as the common one
    min_yes: int = 5  # with fewer yes or fewer no entries a topic is not learned
    n_folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What cross-validation said of each labelled entry, by a model that had not seen it."""

    scores: Floats  # (n_entries, n_topics)
    tagged: Bools  # (n_entries, n_topics)


@dataclass(frozen=True, slots=True)
class _Fitted:
    idf: Floats  # (n_terms,), 0 for a term that too few entries have
    weights: Floats  # (n_terms, n_topics)
    bias: Floats  # (n_topics,)
    thresholds: Floats  # (n_topics,)


def train(
    texts: Sequence[str],
    yes: Bools,
    known: Bools,
    topics: Sequence[Topic],
    settings: Settings = Settings(),
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cross_validate: bool = True,
) -> tuple[Model, HeldOut]:
    """Fit a model, and cross-validate the way it is fitted.

    Args:
        texts: what the model reads of each entry, (n_entries,).
        yes: which topics apply, (n_entries, n_topics).
        known: which cells of `yes` a person decided; the others are left out of fitting and of figures.
        topics: (n_topics,).
        settings: see `Settings`.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.
        cross_validate: whether to find out how good the model is; it is the same model without.

    Returns:
        The model, without what concerns particular entries (`held_out`), and what cross-validation said (zeros without).

    Raises:
        ValueError: if there is nothing to learn from.
    """
    from joblib import Parallel, delayed

    learned = _learnable(yes, known, settings.min_yes)
    if not learned.any():
        raise ValueError(f"no topic has {settings.min_yes} entries with a yes, and as many with a no")
    terms, written = vocabulary(texts, settings.min_df)
    counts, words = _counts(texts, terms)
    groups = near_duplicates(counts.indptr, counts.indices)
    if len(np.unique(groups)) < 2 * settings.n_folds:
        raise ValueError(f"fewer than {2 * settings.n_folds} of them are distinct")
    fold = stratified_folds(yes & known, groups, settings.n_folds, settings.seed)
    parts = [np.arange(len(texts)), *(np.flatnonzero(fold != k) for k in range(settings.n_folds) if cross_validate)]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit)(counts[part], yes[part], known[part], groups[part], learned, settings) for part in parts
    )
    fits: list[_Fitted] = []
    for fitted in work:
        fits.append(fitted)
        progress(len(fits), len(parts))
    scores, tagged = np.zeros(yes.shape), np.zeros(yes.shape, dtype=bool)
    for k, fitted in enumerate(fits[1:]):
        out = np.flatnonzero(fold == k)
        own = _sigmoid(_matrix(counts[out], fitted.idf) @ fitted.weights + fitted.bias)
        scores[out] = with_parents(own, topics)
        tagged[out] = decide(scores[out], fitted.thresholds, topics)
    final = fits[0]
    used = np.flatnonzero(final.weights.any(axis=1))
    model = Model(
        topics=tuple(topics),
        hashes=terms.hashes[used],
        written=np.frombuffer("\n".join(written[n] for n in used).encode(), dtype=np.uint8),
        idf=final.idf[used].astype(np.float32),
        weights=final.weights[used].astype(np.float32),
        bias=np.round(final.bias, 7),
        thresholds=np.round(final.thresholds, 7),
        held_out=np.zeros((0, len(topics)), dtype=np.uint8),
        held_out_ids=np.zeros((0, 8), dtype=np.uint8),
        about={"settings": asdict(settings), "usual_share": _usual_share(counts, words, written, settings)},
    )
    return model, HeldOut(scores, tagged)


def estimator(settings: Settings) -> LogisticRegression:
    """The scikit-learn estimator that is fitted for each topic."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=settings.c, solver="liblinear", tol=1e-6, max_iter=1000)


def log_count_ratios(x: csr_array, yes: Bools, settings: Settings) -> Floats:
    """|ln(p / q)| of each term, (n_terms,): how unlike its shares among yes and no entries are."""
    p, q = (x[np.flatnonzero(side)].sum(axis=0) + settings.smoothing for side in (yes, ~yes))
    ratios: Floats = np.abs(np.log((p / p.sum()) / (q / q.sum())))
    return ratios


def _fit(counts: csr_array, yes: Bools, known: Bools, groups: Ints, learned: Bools, settings: Settings) -> _Fitted:
    """Weights, calibration and thresholds from these entries alone."""
    from threadpoolctl import threadpool_limits

    # Sums that several threads share come out otherwise each time; one thread gives the same bytes on any number of cores.
    with threadpool_limits(limits=1):
        return _fit_alone(counts, yes, known, groups, learned, settings)


def _fit_alone(counts: csr_array, yes: Bools, known: Bools, groups: Ints, learned: Bools, settings: Settings) -> _Fitted:
    learned = learned & _learnable(yes, known, 2)  # a fold has fewer yes entries than there are
    fold = stratified_folds(yes & known, groups, settings.n_folds, settings.seed + 1)
    logits = np.zeros(yes.shape)
    for k in range(settings.n_folds):
        inside, out = fold != k, fold == k
        idf, weights, bias = _fit_linear(counts[inside], yes[inside], known[inside], learned, settings)
        logits[out] = _matrix(counts[out], idf) @ weights + bias
    slope, offset = _calibration(logits, yes, known, learned)
    thresholds = _thresholds(_sigmoid(logits * slope + offset), yes, known, learned, settings)
    idf, weights, bias = _fit_linear(counts, yes, known, learned, settings)
    return _Fitted(idf, weights * slope, np.where(learned, bias * slope + offset, -np.inf), thresholds)


def _fit_linear(
    counts: csr_array, yes: Bools, known: Bools, learned: Bools, settings: Settings
) -> tuple[Floats, Floats, Floats]:
    """One logistic regression a topic: idf (n_terms,), weights (n_terms, n_topics) and bias (n_topics,).

    Each topic's features are scaled by |ln(p / q)|, with p and q the shares of a term in the TF-IDF mass of its yes and of
    its no entries: a term that tells nothing about the topic costs more to use. The scale is folded into the weights.

    Source: S. Wang and C. Manning, "Baselines and bigrams: simple, good sentiment and topic classification", ACL 2012.
    """
    n_entries, n_terms = counts.shape
    df = np.bincount(counts.indices, minlength=n_terms)
    # scikit-learn's smoothed idf, see TfidfTransformer
    idf = np.where(df >= settings.min_df, np.log((1 + n_entries) / (1 + df)) + 1, 0.0)
    used = np.flatnonzero(idf).astype(np.int32)
    x = _matrix(counts, idf)[:, used]
    weights, bias = np.zeros((n_terms, yes.shape[1])), np.zeros(yes.shape[1])
    for t in np.flatnonzero(learned):
        rows = np.flatnonzero(known[:, t])
        if yes[rows, t].any() and not yes[rows, t].all():
            scale = log_count_ratios(x[rows], yes[rows, t], settings)
            fit = estimator(settings).fit(_scaled(x[rows], scale), yes[rows, t])
            weights[used, t], bias[t] = fit.coef_[0] * scale, fit.intercept_[0]
    return idf, weights, bias


def _calibration(logits: Floats, yes: Bools, known: Bools, learned: Bools) -> tuple[Floats, Floats]:
    """Slope and offset of each topic, (n_topics,), that make the sigmoid of out-of-fold logits a probability.

    Platt's method: a logistic regression on the logits, with his corrected targets. A topic's two numbers are drawn to
    those of all topics together by a normal prior, so that a rare topic borrows from the others.

    Source: J. Platt, "Probabilistic outputs for support vector machines", 1999; the priors are ours.
    """
    cells = known & learned
    common = _platt(logits[cells], yes[cells], np.array([1.0, 0.0]), np.array([1e-3, 1e-3]))
    slope, offset = np.full(len(learned), common[0]), np.full(len(learned), common[1])
    for t in np.flatnonzero(learned):
        rows = known[:, t]
        slope[t], offset[t] = _platt(logits[rows, t], yes[rows, t], common, np.array([10.0, 2.0]))
    return np.maximum(slope, 0.1), offset


def _platt(logits: Floats, yes: Bools, centre: Floats, precision: Floats) -> Floats:
    """(slope, offset) by Newton's method under a normal prior with that centre and precision."""
    n_yes = yes.sum()
    target = np.where(yes, (n_yes + 1) / (n_yes + 2), 1 / (len(yes) - n_yes + 2))
    x = np.stack([logits, np.ones(len(logits))], axis=1)
    at = centre.copy()
    for _ in range(50):
        p = _sigmoid(x @ at)
        gradient = x.T @ (p - target) + precision * (at - centre)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        at -= step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return at


def _thresholds(scores: Floats, yes: Bools, known: Bools, learned: Bools, settings: Settings) -> Floats:
    """The threshold of each topic, (n_topics,), from out-of-fold scores; infinite for one that is not learned.

    Each topic's own threshold is the cut with the best F1; it is drawn, in log-odds, to the common cut that has the best
    micro-F1, the more the fewer yes entries the topic has (after Yang, "A study of thresholding strategies for text
    categorization", SIGIR 2001, where SCut alone is shown to overfit rare categories).
    """
    thresholds = np.full(len(learned), np.inf)
    if not learned.any():
        return thresholds
    cells = known & learned
    common = _best_cut(scores[cells], yes[cells])
    for t in np.flatnonzero(learned):
        rows = known[:, t]
        own = _best_cut(scores[rows, t], yes[rows, t])
        weight = yes[rows, t].sum() / (yes[rows, t].sum() + settings.shrink)
        thresholds[t] = _sigmoid(weight * _logit(own) + (1 - weight) * _logit(common))
    return thresholds


def _best_cut(scores: Floats, yes: Bools) -> float:
    """The threshold with the best F1: halfway between two scores that follow one another."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(yes[order])
    quality = 2 * hits / (np.arange(1, len(ranked) + 1) + max(1, hits[-1]))
    quality[:-1][ranked[:-1] == ranked[1:]] = -1  # a cut cannot part equal scores
    best = int(quality.argmax())
    return float((ranked[best] + (ranked[best + 1] if best + 1 < len(ranked) else 0.0)) / 2)


def _usual_share(counts: csr_array, words: Ints, written: Sequence[str], settings: Settings) -> float:
    """The share of an entry's words that other entries make known, at the 5% quantile: less than that is unusual."""
    df = np.bincount(counts.indices, minlength=len(written))
    elsewhere = np.array([" " not in term for term in written], dtype=bool) & (df > settings.min_df)
    known = counts[:, np.flatnonzero(elsewhere)].sum(axis=1)
    return round(float(np.quantile(known / np.maximum(words, 1), 0.05)), 4)


def _learnable(yes: Bools, known: Bools, at_least: int) -> Bools:
    fewest: Ints = np.minimum((yes & known).sum(0), (~yes & known).sum(0))
    return fewest >= at_least


def _counts(texts: Sequence[str], terms: Terms) -> tuple[csr_array, Ints]:
    """The counts of each term, (n_entries, n_terms), and of all words, (n_entries,)."""
    from scipy.sparse import csr_array, vstack

    chunks = list(count(texts, terms))
    parts = [
        # scikit-learn takes 32-bit indices only
        csr_array(
            (chunk.counts, chunk.terms.astype(np.int32), chunk.starts.astype(np.int32)),
            shape=(len(chunk.starts) - 1, terms.size),
        )
        for chunk in chunks
    ]
    return csr_array(vstack(parts)), np.concatenate([chunk.words for chunk in chunks])


def _matrix(counts: csr_array, idf: Floats) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((weigh(counts.indptr, counts.indices, counts.data, idf), counts.indices, counts.indptr), counts.shape)


def _scaled(x: csr_array, scale: Floats) -> csr_array:
    """The matrix with each column multiplied."""
    from scipy.sparse import csr_array

    return csr_array((x.data * scale[x.indices], x.indices, x.indptr), x.shape)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _logit(p: float) -> float:
    p = min(max(p, 1e-6), 1 - 1e-6)
    return float(np.log(p / (1 - p)))
