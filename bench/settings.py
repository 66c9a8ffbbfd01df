"""Compare ways to train by nested cross-validation, for docs/model.md.

usage: python bench/settings.py [NAME...] [--seeds N] [--data DIR] [--jobs N]

NAME is `labels` (this repository's labels, the default) or a folder of DIR (by default ../shared/bench), of which the
training half is used, and no more than 60 labels, evenly spaced from the most to the least frequent. Each variant differs
from the base in the one thing that it names. Weights, calibration and thresholds of each outer fold come from the other
folds alone; the folds are the same for all variants. Prints a Markdown table: micro- and macro-F1 with 95% intervals over
entries, and the difference in micro-F1 and macro-F1 to the base with its paired interval.
"""

from __future__ import annotations

import argparse
import gzip
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import chi2
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, SGDClassifier
from threadpoolctl import threadpool_limits

from tagger.evaluation import metrics
from tagger.labels.dataset import read_labels
from tagger.model.log_odds import sigmoid
from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.text.near_duplicates import group_near_duplicates
from tagger.text.normalize import TITLE_WEIGHT
from tagger.training import calibration
from tagger.training import classifier as linear
from tagger.training import thresholds as cuts
from tagger.training.folds import stratified_folds
from tagger.training.settings import Settings
from tagger.training.trainer import _count_matrix

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    title: int = TITLE_WEIGHT
    pairs: bool = True
    characters: bool = False
    min_df: int = 2
    weights: str = "sublinear"  # or "plain", "bm25"
    selected: int = 0  # terms kept by chi-squared; 0 for all
    loss: str = "hinge"  # squared; or "logistic", "huber" (modified)
    c: float = 1.0
    c_by_topic: bool = False
    balanced: bool = False
    power: float = 1.0
    smoothing: float = 0.1
    calibration: str = "platt"  # or "isotonic", "beta"
    shrink: float = 300.0
    rule: str = "drawn"  # or "half", "both"
    stacked: bool = False
    bagged: bool = False


def variants(base: Variant, titles: bool) -> dict[str, Variant]:
    """The variants by name, the base first."""
    found = {
        "**base**": base,
        "C a tenth": replace(base, c=base.c / 10),
        "C a third": replace(base, c=base.c / 3),
        "C three times": replace(base, c=base.c * 3),
        "C ten times": replace(base, c=base.c * 10),
        "C chosen for each topic": replace(base, c_by_topic=True),
        "features not scaled": replace(base, power=0.0),
        "features scaled by the root of the ratios": replace(base, power=0.5),
        "features scaled by the ratios": replace(base, power=1.0),
        "ratios smoothed by 0.03": replace(base, smoothing=0.03),
        "ratios smoothed by 0.3": replace(base, smoothing=0.3),
        "ratios smoothed by 1": replace(base, smoothing=1.0),
        "logistic loss": replace(base, loss="logistic", c=base.c * 10),
        "modified Huber loss": replace(base, loss="huber"),
        "balanced class weights": replace(base, balanced=True),
        "words alone": replace(base, pairs=False),
        "words and pairs": replace(base, pairs=True),
        "character 3- to 5-grams inside words": replace(base, characters=True),
        "terms of one entry too": replace(base, min_df=1),
        "terms of three entries or more": replace(base, min_df=3),
        "plain term frequency": replace(base, weights="plain"),
        "BM25 weights": replace(base, weights="bm25"),
        "the best 10,000 terms by chi-squared": replace(base, selected=10000),
        "the best 2,000 terms by chi-squared": replace(base, selected=2000),
        "isotonic calibration": replace(base, calibration="isotonic"),
        "beta calibration": replace(base, calibration="beta"),
        "thresholds: each topic's own": replace(base, shrink=0.0),
        "thresholds: shrinkage 30": replace(base, shrink=30.0),
        "thresholds: shrinkage 300": replace(base, shrink=300.0),
        "thresholds: one for all topics": replace(base, shrink=np.inf),
        "thresholds: micro- and macro-F1 at once": replace(base, rule="both"),
        "thresholds: 0.5": replace(base, rule="half"),
        "a second layer on all topics' out-of-fold scores": replace(base, stacked=True),
        "mean of the folds' models, no refit": replace(base, bagged=True),
    }
    if titles:
        found |= {f"title {how}": replace(base, title=n) for n, how in ((1, "once"), (3, "three times"))}
    return {name: one for name, one in found.items() if name == "**base**" or one != base}


@dataclass(frozen=True)
class Task:
    """What to learn."""

    texts: Callable[[int], list[str]]  # by title weight
    yes: Any  # (n_entries, n_topics)
    known: Any
    groups: Any
    n_folds: int


def matrices(variant: Variant, texts: list[str], fit: Any, score: Any, yes: Any) -> tuple[csr_array, csr_array]:
    """Rows to fit to and rows to score."""
    options: dict[str, Any] = {
        "preprocessor": str.casefold,
        "analyzer": "char_wb" if variant.characters else "word",
        "token_pattern": r"(?u)\b\w\w+\b",
        "ngram_range": (3, 5) if variant.characters else (1, 1 + variant.pairs),
        "min_df": variant.min_df,
    }
    inside, outside = [texts[n] for n in fit], [texts[n] for n in score]
    if variant.weights == "bm25":
        vectorizer = CountVectorizer(**options)
        a, b = csr_array(vectorizer.fit_transform(inside), dtype=float), csr_array(vectorizer.transform(outside), dtype=float)
        df = np.bincount(a.indices, minlength=a.shape[1])
        usual = a.sum() / a.shape[0]
        x, z = (_bm25(some, np.log(1 + (a.shape[0] - df + 0.5) / (df + 0.5)), usual) for some in (a, b))
    else:
        vectorizer = TfidfVectorizer(**options, sublinear_tf=variant.weights == "sublinear")
        x, z = csr_array(vectorizer.fit_transform(inside)), csr_array(vectorizer.transform(outside))
    if variant.selected and variant.selected < x.shape[1]:
        best = np.nan_to_num(np.max([chi2(x, side)[0] for side in yes[fit].T if side.any()], axis=0))
        kept = np.sort(np.argsort(-best, kind="stable")[: variant.selected])
        x, z = x[:, kept], z[:, kept]
    return x, z


def _bm25(counts: csr_array, idf: Any, usual: float) -> csr_array:
    """Okapi BM25 with k1 = 1.2 and b = 0.75, rows of length 1 (Robertson et al., TREC-3, 1994)."""
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.asarray(counts.sum(axis=1)).ravel()[rows]
    data = counts.data * 2.2 / (counts.data + 1.2 * (0.25 + 0.75 * length / usual)) * idf[counts.indices]
    norms = np.sqrt(np.bincount(rows, data * data, counts.shape[0]))
    return csr_array((data / norms[rows], counts.indices, counts.indptr), counts.shape)


def weights_of(variant: Variant, x: csr_array, y: Any, c: float) -> tuple[Any, float]:
    rows = linear.DesignMatrix.of(x)
    if variant.loss == "hinge" and not variant.balanced:
        return linear.fit_topic(rows, y, c, variant.power, variant.smoothing)
    scale = linear.feature_scale(rows, y, variant.power, variant.smoothing)
    weight = "balanced" if variant.balanced else None
    if variant.loss == "hinge":
        estimator = linear.make_estimator(c).set_params(class_weight=weight)
    elif variant.loss == "logistic":
        estimator = LogisticRegression(C=c, solver="liblinear", class_weight=weight, max_iter=1000)
    else:
        estimator = SGDClassifier("modified_huber", alpha=1 / (2 * c * len(y)), max_iter=200, random_state=0)
    fitted = estimator.fit(linear.scale_columns(x, scale), y)
    return fitted.coef_[0] * scale, float(fitted.intercept_[0])


def logits_of(variant: Variant, x: csr_array, z: csr_array, yes: Any, known: Any) -> Any:
    """(n_scored, n_topics), not a number for a topic that cannot be fitted."""
    logits = np.full((z.shape[0], yes.shape[1]), np.nan)
    for t in range(yes.shape[1]):
        rows = np.flatnonzero(known[:, t])
        y = yes[rows, t]
        if not y.any() or y.all():
            continue
        a = x if len(rows) == x.shape[0] else x[rows]
        c = variant.c
        if variant.c_by_topic and y.sum() >= 6:
            side = np.random.default_rng(0).permutation(len(y)) % 3
            gains = {}
            for factor in (0.1, 0.3, 1.0, 3.0, 10.0):
                score = np.full(len(y), -np.inf)
                for k in range(3):
                    if y[side != k].any():
                        weights, bias = weights_of(variant, a[np.flatnonzero(side != k)], y[side != k], c * factor)
                        score[side == k] = a[np.flatnonzero(side == k)] @ weights + bias
                tagged = score >= cuts.best_f1_threshold(score, y)
                gains[factor] = 2 * (y & tagged).sum() / (y.sum() + tagged.sum())
            c *= max(gains, key=lambda factor: (gains[factor], -abs(np.log(factor))))
        weights, bias = weights_of(variant, a, y, c)
        logits[:, t] = z @ weights + bias
    return logits


def calibrated(variant: Variant, logits: Any, yes: Any, known: Any) -> list[Callable[[Any], Any]]:
    """Ways from logits to scores, (n, n_topics) both, of which the better one is kept."""
    n_topics = yes.shape[1]
    there = [known[:, t] & ~np.isnan(logits[:, t]) for t in range(n_topics)]
    if variant.calibration == "platt":
        usable = [t for t in range(n_topics) if yes[there[t], t].any()]
        common = calibration.fit_calibration([logits[there[t], t] for t in usable], [yes[there[t], t] for t in usable])
        own = np.array([common.of(logits[there[t], t], yes[there[t], t]) for t in range(n_topics)])
        return [
            lambda z: sigmoid(z * own[:, 0] + own[:, 1]),
            lambda z: sigmoid(z * common.centre[0] + common.centre[1]),
        ]
    ways: list[Callable[[Any], Any]] = []
    for t in range(n_topics):
        z, y = logits[there[t], t], yes[there[t], t]
        if not y.any():
            ways.append(lambda z: 0.0 * z)
            continue
        if variant.calibration == "isotonic":
            fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(z, y)
            # Ties are parted by the logits, or no threshold could.
            ways.append(lambda z, fitted=fitted: np.clip(fitted.predict(z), 1e-4, 1 - 1e-4) + 1e-6 * np.tanh(z))
        else:  # Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017
            beta = LogisticRegression(C=100.0).fit(_beta(z), y)
            ways.append(lambda z, beta=beta: beta.predict_proba(_beta(z))[:, 1])
    return [lambda z: np.stack([way(np.nan_to_num(z[:, t], nan=-9.0)) for t, way in enumerate(ways)], axis=1)]


def _beta(z: Any) -> Any:
    p = np.clip(sigmoid(2 * z), 1e-9, 1 - 1e-9)
    return np.stack([np.log(p), -np.log(1 - p)], axis=1)


def both(scores: Any, yes: Any, known: Any) -> Any:
    """Thresholds that raise micro-F1 plus macro-F1, topic after topic until none moves, from the common one."""
    n_topics = yes.shape[1]
    cut = np.full(n_topics, cuts.best_f1_threshold(scores[known], yes[known]))
    side = [np.flatnonzero(known[:, t]) for t in range(n_topics)]
    hits, given, there = (np.zeros(n_topics) for _ in range(3))
    for t in range(n_topics):
        tagged = scores[side[t], t] >= cut[t]
        hits[t], given[t], there[t] = (tagged & yes[side[t], t]).sum(), tagged.sum(), yes[side[t], t].sum()
    for _ in range(5):
        before = cut.copy()
        for t in np.flatnonzero(there):
            order = np.argsort(-scores[side[t], t], kind="stable")
            ranked = scores[side[t], t][order]
            h = np.concatenate([[0], np.cumsum(yes[side[t], t][order])])
            g = np.arange(len(h))
            rest = [total.sum() - total[t] for total in (hits, given, there)]
            gain = 2 * (rest[0] + h) / (rest[1] + g + rest[2] + there[t]) + 2 * h / (g + there[t]) / (there > 0).sum()
            gain[1:-1][ranked[:-1] == ranked[1:]] = -1
            best = int(gain.argmax())
            low = ranked[best] if best < len(ranked) else 0.0
            cut[t] = (ranked[best - 1] + low) / 2 if best else min(1.0, ranked[0] + 1e-9)
            hits[t], given[t] = h[best], best
        if (before == cut).all():
            break
    return cut


def held_out_tags(variant: Variant, task: Task, seed: int) -> Any:
    """Tags of each entry by a model that had not seen it: (n_entries, n_topics)."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    texts, yes, known = task.texts(variant.title), task.yes, task.known
    tagged = np.zeros(yes.shape, dtype=bool)
    outer = stratified_folds(yes & known, task.groups, task.n_folds, seed)
    with threadpool_limits(limits=1):
        for k in range(task.n_folds):
            inside, out = np.flatnonzero(outer != k), np.flatnonzero(outer == k)
            y, m = yes[inside], known[inside]
            inner = stratified_folds(y & m, task.groups[inside], task.n_folds, seed + 1)
            logits, other = np.full(y.shape, np.nan), []
            for j in range(task.n_folds):
                a, b = np.flatnonzero(inner != j), np.flatnonzero(inner == j)
                x, z = matrices(variant, texts, inside[a], np.concatenate([inside[b], out]), yes)
                both_parts = logits_of(variant, x, z, y[a], m[a])
                logits[b] = both_parts[: len(b)]
                other.append(both_parts[len(b) :])
            if variant.bagged:
                final = np.nanmean(np.stack([*other, np.full(other[0].shape, np.nan)]), axis=0)
            else:
                final = logits_of(variant, *matrices(variant, texts, inside, out, yes), y, m)
            if variant.stacked:
                logits, final = second_layer(logits, final, y, m, inner)
            tagged[out] = decided(variant, logits, final, y, m, seed)
    return tagged


def second_layer(logits: Any, final: Any, yes: Any, known: Any, fold: Any) -> tuple[Any, Any]:
    """A logistic regression a topic on the logits of all topics; out-of-fold again for those that set thresholds."""
    first, last = np.nan_to_num(logits, nan=-2.0), np.nan_to_num(final, nan=-2.0)
    new, new_final = logits.copy(), final.copy()
    for t in range(yes.shape[1]):
        rows = known[:, t]
        if min(yes[rows, t].sum(), (~yes[rows, t]).sum()) < 5:
            continue
        layer = LogisticRegression(C=1.0, max_iter=1000)
        for k in np.unique(fold):
            if yes[rows & (fold != k), t].any():
                new[fold == k, t] = layer.fit(first[rows & (fold != k)], yes[rows & (fold != k), t]).decision_function(
                    first[fold == k]
                )
        new_final[:, t] = layer.fit(first[rows], yes[rows, t]).decision_function(last)
    return new, new_final


def decided(variant: Variant, logits: Any, final: Any, yes: Any, known: Any, seed: int) -> Any:
    """Calibration and thresholds from out-of-fold logits, put on the final ones."""
    part = np.random.default_rng(seed).permutation(len(yes)) % 5
    found = []
    for way in calibrated(variant, logits, yes, known):
        scores = np.nan_to_num(way(logits), nan=0.0)
        if variant.rule == "half":
            found.append((0.0, way, np.full(yes.shape[1], 0.5)))
        elif variant.rule == "both":
            found.append((0.0, way, both(scores, yes, known)))
        else:
            topics, entries = np.nonzero((known & ((scores > cuts.FLOOR) | yes)).T)
            cells = cuts.OutOfFoldScores(topics, entries, scores[entries, topics], yes[entries, topics])
            cut = cuts.choose_thresholds(cells, yes.shape[1], part, variant.shrink, every=False)
            found.append((cut.quality, way, cut.thresholds))
    _, way, thresholds = max(found, key=lambda one: one[0])
    return np.nan_to_num(way(final), nan=0.0) >= thresholds


def from_labels() -> tuple[Task, Variant]:
    labels = read_labels(ROOT / "labels")
    yes, known = labels.arrays()
    settings = Settings()
    base = Variant(c=settings.C or 1.0, shrink=settings.threshold_shrinkage or 0.0, power=settings.scale_exponent or 0.0)

    def texts(title: int) -> list[str]:
        return ["\n".join([entry.title] * title + [entry.abstract]) for entry in labels.entries]

    return Task(texts, yes, known, groups_of(texts(TITLE_WEIGHT)), 5), base


def from_folder(folder: Path) -> tuple[Task, Variant]:
    with gzip.open(folder / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    names = sorted({name for record in records for name in record["labels"]})
    yes = np.array([[name in record["labels"] for name in names] for record in records])
    often = np.argsort(-yes.sum(0), kind="stable")
    yes = yes[:, np.sort(often[np.unique(np.linspace(0, len(names) - 1, min(60, len(names))).astype(int))])]
    words = np.median([len(record["text"].split()) for record in records])
    # What training chooses for these sets, to a step; see bench/quality.py.
    base = Variant(pairs=False, c=0.2, power=1.0 if words > 200 else 0.5, shrink=30.0)
    base = replace(base, c=5.0) if 50 < words < 200 else base
    texts = [record["text"] for record in records]
    return Task(lambda title: texts, yes, np.ones_like(yes), groups_of(texts), 3), base


def groups_of(texts: list[str]) -> Any:
    counts, _ = _count_matrix(texts, build_vocabulary(texts, 2)[0])
    return group_near_duplicates(counts.indptr, counts.indices)


def table(name: str, task: Task, base: Variant, n_seeds: int, n_jobs: int) -> None:
    tried = variants(base, titles=name == "labels")
    jobs = [(one, seed) for one in tried for seed in range(n_seeds)]
    work = Parallel(n_jobs=n_jobs)(delayed(held_out_tags)(tried[one], task, seed) for one, seed in jobs)
    found = dict(zip(jobs, work, strict=True))
    yes, known = task.yes, task.known
    there = yes.any(axis=0)

    def macro(rows: Any, tagged: Any) -> float:
        return float(np.nan_to_num(metrics.f1(metrics.count_cells(yes[rows], known[rows], tagged[rows]).sum(0)))[there].mean())

    def micro(rows: Any, tagged: Any) -> float:
        return metrics.micro_f1(yes[rows], known[rows], tagged[rows])

    def mean(figure: Callable[[Any, Any], float], one: str) -> Callable[[Any], float]:
        return lambda rows: float(np.mean([figure(rows, found[one, seed]) for seed in range(n_seeds)]))

    print(f"### {name}: {len(yes)} entries, {yes.shape[1]} topics; base: {base}\n")
    print("| settings | micro-F1 | macro-F1 | micro-F1, difference | macro-F1, difference |\n|---|---|---|---|---|")
    everything = np.arange(len(yes))
    for one in tried:
        cells = [one]
        for figure in (micro, macro):
            low, high = metrics.bootstrap_interval(mean(figure, one), len(yes), rounds=200)
            cells.append(f"{mean(figure, one)(everything):.3f} ({low:.3f}-{high:.3f})")
        for figure in (micro, macro) if one != "**base**" else ():

            def difference(rows: Any, figure: Any = figure, one: str = one) -> float:
                return mean(figure, one)(rows) - mean(figure, "**base**")(rows)

            low, high = metrics.bootstrap_interval(difference, len(yes), rounds=200)
            cells.append(f"{difference(everything):+.3f} ({low:+.3f} to {high:+.3f})")
        print(f"| {' | '.join(cells + [''] * (5 - len(cells)))} |", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["labels"], metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1, help="how many ways to cut the folds")
    parser.add_argument("--jobs", type=int, default=-1, help="processes")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "bench", metavar="DIR")
    arguments = parser.parse_args()
    for name in arguments.names:
        task, base = from_labels() if name == "labels" else from_folder(arguments.data / name)
        table(name, task, base, arguments.seeds, arguments.jobs)


if __name__ == "__main__":
    main()
