"""Ways to train, each of which differs from a base in one thing; bench/settings.py compares them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import chi2
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, SGDClassifier
from threadpoolctl import threadpool_limits

from tagger.model.log_odds import sigmoid
from tagger.text.normalize import TITLE_WEIGHT
from tagger.training.calibration import fit_calibration
from tagger.training.classifier import (
    DesignMatrix,
    LinearClassifier,
    feature_scale,
    fit_topic,
    make_estimator,
    scale_columns,
)
from tagger.training.folds import stratified_folds
from tagger.training.out_of_fold import OutOfFoldScores
from tagger.training.thresholds import choose_thresholds
from tagger.training.topic_threshold import best_f1_threshold

Scoring = Callable[[Any], Any]  # logits -> scores, (n, n_topics) both


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    title_weight: int = TITLE_WEIGHT
    use_bigrams: bool = True
    use_characters: bool = False
    min_df: int = 2
    term_weights: str = "sublinear"  # or "plain", "bm25"
    n_selected: int = 0  # terms kept by chi-squared; 0 for all
    loss: str = "hinge"  # squared; or "logistic", "huber" (modified)
    C: float = 1.0
    C_by_topic: bool = False
    balanced: bool = False
    scale_exponent: float = 1.0
    log_ratio_smoothing: float = 0.1
    calibration: str = "platt"  # or "isotonic", "beta"
    threshold_shrinkage: float = 300.0
    threshold_rule: str = "shrunk"  # or "half", "joint"
    stacked: bool = False
    bagged: bool = False


def variants_of(base: Variant, with_titles: bool) -> dict[str, Variant]:
    """The variants by name, the base first; those that equal it are left out."""
    variants = {
        "**base**": base,
        "C a tenth": replace(base, C=base.C / 10),
        "C a third": replace(base, C=base.C / 3),
        "C three times": replace(base, C=base.C * 3),
        "C ten times": replace(base, C=base.C * 10),
        "C chosen for each topic": replace(base, C_by_topic=True),
        "features not scaled": replace(base, scale_exponent=0.0),
        "features scaled by the root of the ratios": replace(base, scale_exponent=0.5),
        "features scaled by the ratios": replace(base, scale_exponent=1.0),
        "ratios smoothed by 0.03": replace(base, log_ratio_smoothing=0.03),
        "ratios smoothed by 0.3": replace(base, log_ratio_smoothing=0.3),
        "ratios smoothed by 1": replace(base, log_ratio_smoothing=1.0),
        "logistic loss": replace(base, loss="logistic", C=base.C * 10),
        "modified Huber loss": replace(base, loss="huber"),
        "balanced class weights": replace(base, balanced=True),
        "words alone": replace(base, use_bigrams=False),
        "words and pairs": replace(base, use_bigrams=True),
        "character 3- to 5-grams inside words": replace(base, use_characters=True),
        "terms of one entry too": replace(base, min_df=1),
        "terms of three entries or more": replace(base, min_df=3),
        "plain term frequency": replace(base, term_weights="plain"),
        "BM25 weights": replace(base, term_weights="bm25"),
        "the best 10,000 terms by chi-squared": replace(base, n_selected=10000),
        "the best 2,000 terms by chi-squared": replace(base, n_selected=2000),
        "isotonic calibration": replace(base, calibration="isotonic"),
        "beta calibration": replace(base, calibration="beta"),
        "thresholds: each topic's own": replace(base, threshold_shrinkage=0.0),
        "thresholds: shrinkage 30": replace(base, threshold_shrinkage=30.0),
        "thresholds: shrinkage 300": replace(base, threshold_shrinkage=300.0),
        "thresholds: one for all topics": replace(base, threshold_shrinkage=np.inf),
        "thresholds: micro- and macro-F1 at once": replace(base, threshold_rule="joint"),
        "thresholds: 0.5": replace(base, threshold_rule="half"),
        "a second layer on all topics' out-of-fold scores": replace(base, stacked=True),
        "mean of the folds' models, no refit": replace(base, bagged=True),
    }
    if with_titles:
        variants |= {f"title {how}": replace(base, title_weight=n) for n, how in ((1, "once"), (3, "three times"))}
    return {name: variant for name, variant in variants.items() if name == "**base**" or variant != base}


@dataclass(frozen=True)
class Task:
    """What to learn."""

    texts: Callable[[int], list[str]]  # by title weight
    yes: Any  # (n_entries, n_topics)
    labelled: Any  # (n_entries, n_topics)
    groups: Any  # (n_entries,), near-duplicates share one
    n_folds: int


def out_of_fold_tags(variant: Variant, task: Task, seed: int) -> Any:
    """Tags of each entry by a model that had not seen it: (n_entries, n_topics)."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    texts, yes, labelled = task.texts(variant.title_weight), task.yes, task.labelled
    tagged = np.zeros(yes.shape, dtype=bool)
    outer_fold = stratified_folds(yes & labelled, task.groups, task.n_folds, seed)
    with threadpool_limits(limits=1):
        for k in range(task.n_folds):
            inside, outside = np.flatnonzero(outer_fold != k), np.flatnonzero(outer_fold == k)
            y, m = yes[inside], labelled[inside]
            fold = stratified_folds(y & m, task.groups[inside], task.n_folds, seed + 1)
            logits, fold_logits = np.full(y.shape, np.nan), []
            for j in range(task.n_folds):
                fitted, scored = np.flatnonzero(fold != j), np.flatnonzero(fold == j)
                x, z = matrices(variant, texts, inside[fitted], np.concatenate([inside[scored], outside]), yes)
                both_parts = topic_logits(variant, x, z, y[fitted], m[fitted])
                logits[scored] = both_parts[: len(scored)]
                fold_logits.append(both_parts[len(scored) :])
            if variant.bagged:
                final = np.nanmean(np.stack([*fold_logits, np.full(fold_logits[0].shape, np.nan)]), axis=0)
            else:
                final = topic_logits(variant, *matrices(variant, texts, inside, outside, yes), y, m)
            if variant.stacked:
                logits, final = second_layer(logits, final, y, m, fold)
            tagged[outside] = decide(variant, logits, final, y, m, seed)
    return tagged


def matrices(variant: Variant, texts: list[str], fit: Any, score: Any, yes: Any) -> tuple[csr_array, csr_array]:
    """Rows to fit to and rows to score."""
    options: dict[str, Any] = {
        "preprocessor": str.casefold,
        "analyzer": "char_wb" if variant.use_characters else "word",
        "token_pattern": r"(?u)\b\w\w+\b",
        "ngram_range": (3, 5) if variant.use_characters else (1, 1 + variant.use_bigrams),
        "min_df": variant.min_df,
    }
    inside, outside = [texts[n] for n in fit], [texts[n] for n in score]
    if variant.term_weights == "bm25":
        vectorizer = CountVectorizer(**options)
        a, b = csr_array(vectorizer.fit_transform(inside), dtype=float), csr_array(vectorizer.transform(outside), dtype=float)
        df = np.bincount(a.indices, minlength=a.shape[1])
        idf = np.log(1 + (a.shape[0] - df + 0.5) / (df + 0.5))
        x, z = (bm25(counts, idf, a.sum() / a.shape[0]) for counts in (a, b))
    else:
        vectorizer = TfidfVectorizer(**options, sublinear_tf=variant.term_weights == "sublinear")
        x, z = csr_array(vectorizer.fit_transform(inside)), csr_array(vectorizer.transform(outside))
    if variant.n_selected and variant.n_selected < x.shape[1]:
        best = np.nan_to_num(np.max([chi2(x, topic_yes)[0] for topic_yes in yes[fit].T if topic_yes.any()], axis=0))
        selected = np.sort(np.argsort(-best, kind="stable")[: variant.n_selected])
        x, z = x[:, selected], z[:, selected]
    return x, z


def bm25(counts: csr_array, idf: Any, mean_length: float) -> csr_array:
    """Okapi BM25 with k1 = 1.2 and b = 0.75, rows of length 1 (Robertson et al., TREC-3, 1994)."""
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.asarray(counts.sum(axis=1)).ravel()[rows]
    data = counts.data * 2.2 / (counts.data + 1.2 * (0.25 + 0.75 * lengths / mean_length)) * idf[counts.indices]
    norms = np.sqrt(np.bincount(rows, data * data, counts.shape[0]))
    return csr_array((data / norms[rows], counts.indices, counts.indptr), counts.shape)


def topic_logits(variant: Variant, x: csr_array, z: csr_array, yes: Any, labelled: Any) -> Any:
    """(n_scored, n_topics), not a number for a topic that cannot be fitted."""
    logits = np.full((z.shape[0], yes.shape[1]), np.nan)
    for t in range(yes.shape[1]):
        rows = np.flatnonzero(labelled[:, t])
        y = yes[rows, t]
        if not y.any() or y.all():
            continue
        topic_x = x if len(rows) == x.shape[0] else x[rows]
        C = best_C(variant, topic_x, y) if variant.C_by_topic and y.sum() >= 6 else variant.C
        logits[:, t] = fit(variant, topic_x, y, C).logits(z)
    return logits


def best_C(variant: Variant, x: csr_array, y: Any) -> float:  # noqa: N802
    """The C with the best F1 in three-fold cross-validation, of two equal ones that nearer to the variant's."""
    fold = np.random.default_rng(0).permutation(len(y)) % 3
    f1 = {}
    for factor in (0.1, 0.3, 1.0, 3.0, 10.0):
        scores = np.full(len(y), -np.inf)
        for k in range(3):
            if y[fold != k].any():
                classifier = fit(variant, x[np.flatnonzero(fold != k)], y[fold != k], variant.C * factor)
                scores[fold == k] = classifier.logits(x[np.flatnonzero(fold == k)])
        tagged = scores >= best_f1_threshold(scores, y)
        f1[factor] = 2 * (y & tagged).sum() / (y.sum() + tagged.sum())
    return variant.C * max(f1, key=lambda factor: (f1[factor], -abs(np.log(factor))))


def fit(variant: Variant, x: csr_array, y: Any, C: float) -> LinearClassifier:
    design = DesignMatrix.from_matrix(x)
    if variant.loss == "hinge" and not variant.balanced:
        return fit_topic(design, y, C, variant.scale_exponent, variant.log_ratio_smoothing)
    scale = feature_scale(design, y, variant.scale_exponent, variant.log_ratio_smoothing)
    class_weight = "balanced" if variant.balanced else None
    if variant.loss == "hinge":
        estimator = make_estimator(C).set_params(class_weight=class_weight)
    elif variant.loss == "logistic":
        estimator = LogisticRegression(C=C, solver="liblinear", class_weight=class_weight, max_iter=1000)
    else:
        estimator = SGDClassifier("modified_huber", alpha=1 / (2 * C * len(y)), max_iter=200, random_state=0)
    fitted = estimator.fit(scale_columns(x, scale), y)
    return LinearClassifier(fitted.coef_[0] * scale, float(fitted.intercept_[0]))


def decide(variant: Variant, logits: Any, final: Any, yes: Any, labelled: Any, seed: int) -> Any:
    """Calibration and thresholds from out-of-fold logits, applied to the final logits: (n_scored, n_topics)."""
    part = np.random.default_rng(seed).permutation(len(yes)) % 5
    candidates = []
    for scoring in calibrations(variant, logits, yes, labelled):
        scores = np.nan_to_num(scoring(logits), nan=0.0)
        if variant.threshold_rule == "half":
            candidates.append((0.0, scoring, np.full(yes.shape[1], 0.5)))
        elif variant.threshold_rule == "joint":
            candidates.append((0.0, scoring, joint_thresholds(scores, yes, labelled)))
        else:
            cells = OutOfFoldScores.from_arrays(scores, yes, labelled)
            chosen = choose_thresholds(cells, yes.shape[1], part, variant.threshold_shrinkage, every_entry_has_topic=False)
            candidates.append((chosen.quality, scoring, chosen.thresholds))
    _, scoring, thresholds = max(candidates, key=lambda candidate: candidate[0])
    return np.nan_to_num(scoring(final), nan=0.0) >= thresholds


def calibrations(variant: Variant, logits: Any, yes: Any, labelled: Any) -> list[Scoring]:
    """Ways from logits to scores, of which the better one is taken."""
    topics = range(yes.shape[1])
    usable = [labelled[:, t] & ~np.isnan(logits[:, t]) for t in topics]
    z, y = [logits[usable[t], t] for t in topics], [yes[usable[t], t] for t in topics]
    if variant.calibration == "platt":
        with_yes = [t for t in topics if y[t].any()]
        calibration = fit_calibration([z[t] for t in with_yes], [y[t] for t in with_yes])
        own = [calibration.fit_topic(z[t], y[t]) for t in topics]
        slopes, offsets = (np.array(side) for side in zip(*((each.slope, each.offset) for each in own), strict=True))
        return [
            lambda logits: sigmoid(logits * slopes + offsets),
            lambda logits: sigmoid(calibration.common.log_odds(logits)),
        ]
    curve = isotonic_curve if variant.calibration == "isotonic" else beta_curve
    curves = [curve(z[t], y[t]) if y[t].any() else (lambda z: 0.0 * z) for t in topics]
    return [lambda logits: np.stack([curves[t](np.nan_to_num(logits[:, t], nan=-9.0)) for t in topics], axis=1)]


def isotonic_curve(z: Any, y: Any) -> Scoring:
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(z, y)
    # Ties are broken by the logits, or no threshold could separate them.
    return lambda z: np.clip(fitted.predict(z), 1e-4, 1 - 1e-4) + 1e-6 * np.tanh(z)


def beta_curve(z: Any, y: Any) -> Scoring:
    """M. Kull, T. Silva Filho and P. Flach, "Beta calibration", AISTATS 2017."""

    def features(z: Any) -> Any:
        p = np.clip(sigmoid(2 * z), 1e-9, 1 - 1e-9)
        return np.stack([np.log(p), -np.log(1 - p)], axis=1)

    fitted = LogisticRegression(C=100.0).fit(features(z), y)
    return lambda z: fitted.predict_proba(features(z))[:, 1]


def joint_thresholds(scores: Any, yes: Any, labelled: Any) -> Any:
    """Thresholds that raise micro-F1 plus macro-F1, one topic after the other until none moves, from the common one."""
    n_topics = yes.shape[1]
    thresholds = np.full(n_topics, best_f1_threshold(scores[labelled], yes[labelled]))
    rows = [np.flatnonzero(labelled[:, t]) for t in range(n_topics)]
    n_right, n_tagged, n_yes = (np.zeros(n_topics) for _ in range(3))
    for t in range(n_topics):
        tagged = scores[rows[t], t] >= thresholds[t]
        n_right[t], n_tagged[t], n_yes[t] = (tagged & yes[rows[t], t]).sum(), tagged.sum(), yes[rows[t], t].sum()
    for _ in range(5):
        before = thresholds.copy()
        for t in np.flatnonzero(n_yes):
            order = np.argsort(-scores[rows[t], t], kind="stable")
            ranked = scores[rows[t], t][order]
            right = np.concatenate([[0], np.cumsum(yes[rows[t], t][order])])  # with so many tags
            tags = np.arange(len(right))
            others_right, others_tagged, others_yes = (total.sum() - total[t] for total in (n_right, n_tagged, n_yes))
            micro_f1 = 2 * (others_right + right) / (others_tagged + tags + others_yes + n_yes[t])
            macro_f1 = 2 * right / (tags + n_yes[t]) / (n_yes > 0).sum()
            gain = micro_f1 + macro_f1
            gain[1:-1][ranked[:-1] == ranked[1:]] = -1
            best = int(gain.argmax())
            following = ranked[best] if best < len(ranked) else 0.0
            thresholds[t] = (ranked[best - 1] + following) / 2 if best else min(1.0, ranked[0] + 1e-9)
            n_right[t], n_tagged[t] = right[best], best
        if (before == thresholds).all():
            break
    return thresholds


def second_layer(logits: Any, final: Any, yes: Any, labelled: Any, fold: Any) -> tuple[Any, Any]:
    """A logistic regression a topic on the logits of all topics; out-of-fold again for those that set thresholds."""
    features, final_features = np.nan_to_num(logits, nan=-2.0), np.nan_to_num(final, nan=-2.0)
    new_logits, new_final = logits.copy(), final.copy()
    for t in range(yes.shape[1]):
        rows = labelled[:, t]
        if min(yes[rows, t].sum(), (~yes[rows, t]).sum()) < 5:
            continue
        layer = LogisticRegression(C=1.0, max_iter=1000)
        for k in np.unique(fold):
            fitted = rows & (fold != k)
            if yes[fitted, t].any():
                layer.fit(features[fitted], yes[fitted, t])
                new_logits[fold == k, t] = layer.decision_function(features[fold == k])
        new_final[:, t] = layer.fit(features[rows], yes[rows, t]).decision_function(final_features)
    return new_logits, new_final
