"""Compare settings of training by nested cross-validation over labels/, for docs/model.md.

usage: python bench/settings.py [--seeds N]

Each variant differs from the shipped settings in one thing. Weights, calibration and thresholds of each outer fold come
from the other folds alone; the folds are the same for all variants. Prints a Markdown table: micro- and macro-F1 with 95%
intervals over entries, and the difference in micro-F1 to the shipped settings with its paired interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tagger import metrics, training
from tagger.entry import Entry
from tagger.features import TITLE_WEIGHT, text_of
from tagger.labels import read_labels

ROOT = Path(__file__).parent.parent
SHIPPED = training.Settings()


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    title: int = TITLE_WEIGHT
    pairs: bool = True
    characters: bool = False
    min_df: int = SHIPPED.min_df
    sublinear: bool = True
    loss: str = "logistic"
    c: float = SHIPPED.c
    balanced: bool = False
    ratios: float = SHIPPED.smoothing  # of the log-count ratios; 0: features are not scaled
    shrink: float = SHIPPED.shrink
    cut: str = "own"  # or "half"


BASE = Variant()
VARIANTS: dict[str, Variant] = {
    "as shipped": BASE,
    "features not scaled, C = 10": replace(BASE, ratios=0.0),
    "features not scaled, C = 30": replace(BASE, ratios=0.0, c=30.0),
    "features not scaled, C = 100": replace(BASE, ratios=0.0, c=100.0),
    "ratios smoothed by 0.03": replace(BASE, ratios=0.03),
    "ratios smoothed by 0.3": replace(BASE, ratios=0.3),
    "ratios smoothed by 1": replace(BASE, ratios=1.0),
    "C = 1": replace(BASE, c=1.0),
    "C = 3": replace(BASE, c=3.0),
    "C = 30": replace(BASE, c=30.0),
    "C = 100": replace(BASE, c=100.0),
    "words alone": replace(BASE, pairs=False),
    "character 3- to 5-grams inside words": replace(BASE, characters=True),
    "title once": replace(BASE, title=1),
    "title three times": replace(BASE, title=3),
    "title four times": replace(BASE, title=4),
    "terms of one entry too": replace(BASE, min_df=1),
    "terms of three entries or more": replace(BASE, min_df=3),
    "plain term frequency": replace(BASE, sublinear=False),
    "balanced class weights": replace(BASE, balanced=True),
    "squared hinge, C = 0.1": replace(BASE, loss="hinge", c=0.1),
    "squared hinge, C = 0.3": replace(BASE, loss="hinge", c=0.3),
    "squared hinge, C = 1": replace(BASE, loss="hinge", c=1.0),
    "thresholds: each topic's own, no shrinkage": replace(BASE, shrink=0.0),
    "thresholds: shrinkage 20": replace(BASE, shrink=20.0),
    "thresholds: shrinkage 100": replace(BASE, shrink=100.0),
    "thresholds: one for all topics": replace(BASE, shrink=1e9),
    "thresholds: 0.5 for all topics": replace(BASE, cut="half"),
}


def fit_logits(variant: Variant, train: list[Entry], out: list[Entry], yes: Any, known: Any, learned: Any) -> Any:
    """Logits of entries that the fit has not seen: (n_out, n_topics)."""
    vectorizer = TfidfVectorizer(
        preprocessor=str.casefold,
        analyzer="char_wb" if variant.characters else "word",
        token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(3, 5) if variant.characters else (1, 1 + variant.pairs),
        min_df=variant.min_df,
        sublinear_tf=variant.sublinear,
    )
    x, z = (
        csr_array(transform(["\n".join([entry.title] * variant.title + [entry.abstract]) for entry in entries]))
        for transform, entries in ((vectorizer.fit_transform, train), (lambda texts: vectorizer.transform(texts), out))
    )
    logits = np.zeros((len(out), yes.shape[1]))
    for t in np.flatnonzero(learned):
        rows = np.flatnonzero(known[:, t])
        y = yes[rows, t]
        a, b = x[rows], z
        if variant.ratios:
            ratio = training.log_count_ratios(a, y, replace(SHIPPED, smoothing=variant.ratios))
            a, b = training._scaled(a, ratio), training._scaled(b, ratio)
        weight = "balanced" if variant.balanced else None
        fit = (
            LinearSVC(C=variant.c, class_weight=weight)
            if variant.loss == "hinge"
            else LogisticRegression(C=variant.c, solver="liblinear", class_weight=weight, max_iter=1000)
        ).fit(a, y)
        logits[:, t] = fit.decision_function(b)
    return logits


def held_out_tags(variant: Variant, entries: list[Entry], yes: Any, known: Any, groups: Any, seed: int) -> Any:
    """Tags of each entry by a model that had not seen it: (n_entries, n_topics)."""
    tagged = np.zeros(yes.shape, dtype=bool)
    settings = replace(SHIPPED, shrink=variant.shrink, seed=seed)
    outer = training.stratified_folds(yes & known, groups, settings.n_folds, seed)
    for k in range(settings.n_folds):
        inside, out = np.flatnonzero(outer != k), np.flatnonzero(outer == k)
        y, m = yes[inside], known[inside]
        learned = training._learnable(y, m, settings.min_yes)
        inner = training.stratified_folds(y & m, groups[inside], settings.n_folds, seed + 1)
        logits = np.zeros(y.shape)
        for j in range(settings.n_folds):
            a, b = np.flatnonzero(inner != j), np.flatnonzero(inner == j)
            logits[b] = fit_logits(
                variant, [entries[n] for n in inside[a]], [entries[n] for n in inside[b]], y[a], m[a], learned
            )
        slope, offset = training._calibration(logits, y, m, learned)
        cuts = training._thresholds(training._sigmoid(logits * slope + offset), y, m, learned, settings)
        if variant.cut == "half":
            cuts[:] = 0.5
        final = fit_logits(variant, [entries[n] for n in inside], [entries[n] for n in out], y, m, learned)
        tagged[out] = learned & (training._sigmoid(final * slope + offset) >= cuts)
    return tagged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="how many ways to cut the folds")
    seeds = range(parser.parse_args().seeds)
    labels = read_labels(ROOT / "labels")
    yes, known = labels.arrays()
    entries = list(labels.entries)
    texts = [text_of(entry) for entry in entries]
    counts, _ = training._counts(texts, training.vocabulary(texts, 2)[0])
    groups = training.near_duplicates(counts.indptr, counts.indices)
    jobs = [(name, seed) for name in VARIANTS for seed in seeds]
    found = dict(
        zip(
            jobs,
            Parallel(n_jobs=-1)(
                delayed(held_out_tags)(VARIANTS[name], entries, yes, known, groups, seed) for name, seed in jobs
            ),
            strict=True,
        )
    )

    def over_seeds(figure: Callable[..., float], name: str) -> Callable[[Any], float]:
        return lambda rows: float(np.mean([figure(yes[rows], known[rows], found[name, seed][rows]) for seed in seeds]))

    print("| settings | micro-F1 | macro-F1 | micro-F1, difference |\n|---|---|---|---|")
    base = over_seeds(metrics.micro_f1, next(iter(VARIANTS)))
    everything = np.arange(len(entries))
    for name in VARIANTS:
        cells = [name]
        for figure in (metrics.micro_f1, metrics.macro_f1):
            value = over_seeds(figure, name)
            low, high = metrics.bootstrap(value, len(entries), rounds=300)
            cells.append(f"{value(everything):.3f} ({low:.3f}-{high:.3f})")
        micro = over_seeds(metrics.micro_f1, name)

        def difference(rows: Any, micro: Any = micro) -> float:
            return micro(rows) - base(rows)

        low, high = metrics.bootstrap(difference, len(entries), rounds=300)
        cells.append("" if micro is base else f"{difference(everything):+.3f} ({low:+.3f} to {high:+.3f})")
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
