"""Figures of quality, as pure functions of arrays (n_entries, n_topics).

`yes` is what people said, `known` which cells they decided (a cell that is not known counts for nothing), `tagged` what
the machine said, `scores` its scores. Conventions, wherever they matter:

- precision without a tag, recall without a yes and F1 with neither are not defined: NaN, and left out of means;
- F1 is 2 TP / (2 TP + FP + FN), so it is 0 where tags and yes entries exist and never meet;
- average precision is that of scikit-learn: the sum over distinct scores of (recall gained) x precision, ties together;
- intervals are at 95%.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Counts",
    "average_precision",
    "bootstrap_interval",
    "calibration_error",
    "count_cells",
    "difference_interval",
    "f1",
    "f1_interval",
    "holm_correction",
    "macro_f1",
    "micro_f1",
    "paired_randomization_test",
    "precision",
    "precision_at_1",
    "recall",
    "reliability",
    "wilson_interval",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


_Z = 1.959963984540054  # the 97.5% point of the normal distribution


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives and false negatives, as arrays of one shape."""

    tp: Floats
    fp: Floats
    fn: Floats

    def sum(self, axis: int | None = None) -> Counts:
        """The counts added up along an axis."""
        return Counts(self.tp.sum(axis), self.fp.sum(axis), self.fn.sum(axis))


def count_cells(yes: Bools, known: Bools, tagged: Bools) -> Counts:
    """TP, FP and FN of each cell, 0 or 1, known cells only: (n_entries, n_topics)."""
    return Counts(
        (yes & tagged & known).astype(float), (~yes & tagged & known).astype(float), (yes & ~tagged & known).astype(float)
    )


def precision(c: Counts) -> Floats:
    """TP / (TP + FP)."""
    return _ratio(c.tp, c.tp + c.fp)


def recall(c: Counts) -> Floats:
    """TP / (TP + FN)."""
    return _ratio(c.tp, c.tp + c.fn)


def f1(c: Counts) -> Floats:
    """2 TP / (2 TP + FP + FN).

    >>> f1(Counts(np.array([2.0, 0.0]), np.array([1.0, 0.0]), np.array([1.0, 0.0])))
    array([0.66666667,        nan])
    """
    return _ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn)


def micro_f1(yes: Bools, known: Bools, tagged: Bools) -> float:
    """F1 of all cells taken together."""
    return float(f1(count_cells(yes, known, tagged).sum()))


def macro_f1(yes: Bools, known: Bools, tagged: Bools) -> float:
    """The mean over topics that have a yes or a tag of their F1."""
    return _mean(f1(count_cells(yes, known, tagged).sum(0)))


def precision_at_1(yes: Bools, known: Bools, scores: Floats, tagged: Bools) -> float:
    """Of the entries with a tag, the share whose best-scored tag is right; one that nobody decided counts for nothing."""
    rows = np.flatnonzero(tagged.any(axis=1))
    first = np.where(tagged[rows], scores[rows], -1.0).argmax(axis=1)
    right = yes[rows, first][known[rows, first]]
    return float(right.mean()) if len(right) else float("nan")


def wilson_interval(successes: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """The 95% score interval of a share.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    >>> [np.round(side, 3).item() for side in wilson_interval(np.array(8.0), np.array(10.0))]
    [0.49, 0.943]
    """
    return _wilson_interval(successes, trials, _Z)


def difference_interval(
    successes: Floats, trials: Floats, others: Floats, other_trials: Floats, n_comparisons: int = 1
) -> tuple[Floats, Floats]:
    """The 95% interval of a share less another share of other trials, by Wilson's interval of each.

    Args:
        successes: of one side.
        trials: of one side.
        others: the successes of the other side.
        other_trials: of the other side.
        n_comparisons: how many differences are looked at: with 95% chance all their intervals hold (Bonferroni).

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17, 1998: method 10, and its first example.

    >>> [np.round(side, 4).item() for side in difference_interval(*map(np.array, (56.0, 70.0, 48.0, 80.0)))]
    [0.0524, 0.3339]
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf(1 - 0.025 / n_comparisons)
    p, q = _ratio(successes, trials), _ratio(others, other_trials)
    (p_low, p_high), (q_low, q_high) = _wilson_interval(successes, trials, z), _wilson_interval(others, other_trials, z)
    low, high = np.hypot(p - p_low, q_high - q), np.hypot(p_high - p, q - q_low)
    return p - q - low, p - q + high


def f1_interval(c: Counts) -> tuple[Floats, Floats]:
    """The 95% interval of F1.

    F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), which is a share of cells; so it is Wilson's interval of J, mapped.
    """
    low, high = wilson_interval(c.tp, c.tp + c.fp + c.fn)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def average_precision(yes: Bools, known: Bools, scores: Floats) -> Floats:
    """Average precision of each topic, NaN where it has no yes: (n_topics,)."""
    found = np.full(yes.shape[1], np.nan)
    for t in range(yes.shape[1]):
        y, s = yes[known[:, t], t], scores[known[:, t], t]
        if y.any():
            order = np.argsort(-s, kind="stable")
            last = np.append(np.flatnonzero(np.diff(s[order])), len(s) - 1)  # the last of each run of equal scores
            hits = np.cumsum(y[order])[last]
            found[t] = (np.diff(hits, prepend=0) / y.sum() * hits / (last + 1)).sum()
    return found


def calibration_error(yes: Bools, known: Bools, scores: Floats, bins: int = 10) -> float:
    """Expected calibration error: over bins of equal width, |mean score - share of yes|, weighted by cells.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    All known cells are taken together. NaN where there are none.
    """
    n_cells, sums, n_yes = reliability(yes, known, scores, bins)
    return float(np.abs(sums - n_yes).sum() / n_cells.sum()) if n_cells.any() else float("nan")


def reliability(yes: Bools, known: Bools, scores: Floats, bins: int = 10) -> tuple[Floats, Floats, Floats]:
    """What a reliability diagram shows: over bins of equal width, the last one closed, known cells of all topics together.

    Source: A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning", ICML 2005.

    Returns:
        How many cells there are, the sum of their scores, and how many are a yes: (bins,) each.
    """
    y, s = yes[known].astype(float), scores[known]
    which = np.minimum((s * bins).astype(int), bins - 1)
    sides = (np.ones(len(s)), s, y)
    n_cells, sums, n_yes = (np.bincount(which, weights=side, minlength=bins).astype(float) for side in sides)
    return n_cells, sums, n_yes


def bootstrap_interval(
    figure: Callable[[NDArray[np.int64]], float], n_entries: int, seed: int = 0, rounds: int = 1000
) -> tuple[float, float]:
    """The 95% percentile interval of a figure over resampled entries.

    Args:
        figure: the figure of the entries at some indices.
        n_entries: how many there are to draw from.
        seed: of the draws.
        rounds: how often to draw.
    """
    random = np.random.default_rng(seed)
    drawn = np.array([figure(random.integers(n_entries, size=n_entries)) for _ in range(rounds)])
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def paired_randomization_test(yes: Bools, known: Bools, old: Bools, new: Bools, seed: int = 0, rounds: int = 10_000) -> float:
    """How often chance alone would make `new` this much worse than `old`, by micro-F1: the one-sided p.

    An approximate randomisation test over entries: each entry's two sets of tags are swapped at random, and p is the
    share of rounds, the observed one included, in which the loss is at least as large.

    Source: A. Yeh, "More accurate tests for the statistical significance of result differences", COLING 2000.
    """
    a, b = (np.stack([(c := count_cells(yes, known, tagged).sum(1)).tp, c.fp + c.fn], axis=1) for tagged in (old, new))

    def loss(first: Floats, second: Floats) -> Floats:
        # Where there is nothing to find and nothing was tagged, nothing is wrong.
        one, other = (np.nan_to_num(_ratio(2 * c[..., 0], 2 * c[..., 0] + c[..., 1]), nan=1.0) for c in (first, second))
        return np.asarray(one - other)

    total = a.sum(0) + b.sum(0)
    observed = loss(a.sum(0), b.sum(0))
    moved = (a != b).any(axis=1)  # a swap of two sides that are the same changes nothing
    if not moved.any():
        return 1.0
    step = (b - a)[moved]
    random = np.random.default_rng(seed)
    hits, done = 1, 0
    while done < rounds:
        size = min(1000, rounds - done)
        swap = random.random((size, len(step))) < 0.5
        first = a.sum(0) + swap @ step
        hits += int(np.count_nonzero(loss(first, total - first) >= observed - 1e-12))
        done += size
    return hits / (rounds + 1)


def holm_correction(p: Floats) -> Floats:
    """P-values corrected for how many there are, (n,): all below a level have, together, that chance of one false alarm.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    >>> holm_correction(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    found = np.empty(len(p))
    found[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return found


def _wilson_interval(successes: Floats, trials: Floats, z: float) -> tuple[Floats, Floats]:
    share = _ratio(successes, trials)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
        half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if (~np.isnan(values)).any() else float("nan")
