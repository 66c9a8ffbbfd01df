"""Figures of quality, as pure functions of arrays.

Arrays are (n_entries, n_topics) and named the same everywhere: `yes` is what people said, `labelled` says which cells a person
decided, `tagged` is what the machine said, and `scores` are its scores. A cell that nobody decided counts for nothing.

Conventions:

- Precision without a tag, recall without a yes, and F1 with neither are not defined. They are NaN, and means leave them out.
- F1 is 2 TP / (2 TP + FP + FN), so it is 0 where there are tags and yes entries but never both at once.
- Average precision is that of scikit-learn: the sum over distinct scores of (recall gained) x precision. Entries with equal
  scores are taken together.
- Intervals are at 95%.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ConfusionCounts",
    "ReliabilityBins",
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

_ROUNDS_AT_ONCE = 1000  # of a randomisation test: more take more memory and hardly less time


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionCounts:
    """True positives, false positives and false negatives, as arrays of the same shape."""

    tp: Floats
    fp: Floats
    fn: Floats

    def sum(self, axis: int | None = None) -> ConfusionCounts:
        """The counts added up along an axis."""
        return ConfusionCounts(self.tp.sum(axis), self.fp.sum(axis), self.fn.sum(axis))


def count_cells(yes: Bools, labelled: Bools, tagged: Bools) -> ConfusionCounts:
    """What each labelled cell is, as 0 or 1: (n_entries, n_topics)."""
    return ConfusionCounts(
        tp=(yes & tagged & labelled).astype(float),
        fp=(~yes & tagged & labelled).astype(float),
        fn=(yes & ~tagged & labelled).astype(float),
    )


def precision(counts: ConfusionCounts) -> Floats:
    """TP / (TP + FP)."""
    return _ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: ConfusionCounts) -> Floats:
    """TP / (TP + FN)."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def f1(counts: ConfusionCounts) -> Floats:
    """2 TP / (2 TP + FP + FN).

    >>> f1(ConfusionCounts(tp=np.array([2.0, 0.0]), fp=np.array([1.0, 0.0]), fn=np.array([1.0, 0.0])))
    array([0.66666667,        nan])
    """
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def micro_f1(yes: Bools, labelled: Bools, tagged: Bools) -> float:
    """F1 of all cells taken together."""
    return float(f1(count_cells(yes, labelled, tagged).sum()))


def macro_f1(yes: Bools, labelled: Bools, tagged: Bools) -> float:
    """The mean F1 of the topics that have a yes or a tag."""
    return _mean(f1(count_cells(yes, labelled, tagged).sum(0)))


def precision_at_1(yes: Bools, labelled: Bools, scores: Floats, tagged: Bools) -> float:
    """The share of entries whose best tag is right, among those whose best tag a person decided on."""
    rows = np.flatnonzero(tagged.any(axis=1))
    best = np.where(tagged[rows], scores[rows], -1.0).argmax(axis=1)
    is_right = yes[rows, best][labelled[rows, best]]
    return float(is_right.mean()) if len(is_right) else float("nan")


def wilson_interval(successes: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """The 95% score interval of a share.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    >>> [np.round(bound, 3).item() for bound in wilson_interval(np.array(8.0), np.array(10.0))]
    [0.49, 0.943]
    """
    return _wilson_interval(successes, trials, _Z)


def difference_interval(
    successes: Floats, trials: Floats, other_successes: Floats, other_trials: Floats, n_comparisons: int = 1
) -> tuple[Floats, Floats]:
    """The 95% interval of a share less another share, of independent trials, from Wilson's interval of each.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17, 1998: method 10, and its first example.

    Args:
        successes: of the first share.
        trials: of the first share.
        other_successes: of the second share.
        other_trials: of the second share.
        n_comparisons: how many differences are looked at; all their intervals hold with 95% chance (Bonferroni).

    >>> [np.round(bound, 4).item() for bound in difference_interval(*map(np.array, (56.0, 70.0, 48.0, 80.0)))]
    [0.0524, 0.3339]
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf(1 - 0.025 / n_comparisons)
    p, q = _ratio(successes, trials), _ratio(other_successes, other_trials)
    p_low, p_high = _wilson_interval(successes, trials, z)
    q_low, q_high = _wilson_interval(other_successes, other_trials, z)
    below, above = np.hypot(p - p_low, q_high - q), np.hypot(p_high - p, q - q_low)
    return p - q - below, p - q + above


def f1_interval(counts: ConfusionCounts) -> tuple[Floats, Floats]:
    """The 95% interval of F1.

    F1 is 2J / (1 + J), where J = TP / (TP + FP + FN) is a share of cells. So the interval is Wilson's interval of J, mapped.
    """
    low, high = wilson_interval(counts.tp, counts.tp + counts.fp + counts.fn)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def average_precision(yes: Bools, labelled: Bools, scores: Floats) -> Floats:
    """The average precision of each topic, NaN where it has no yes: (n_topics,)."""
    n_topics = yes.shape[1]
    result = np.full(n_topics, np.nan)
    for t in range(n_topics):
        topic_yes, topic_scores = yes[labelled[:, t], t], scores[labelled[:, t], t]
        if topic_yes.any():
            order = np.argsort(-topic_scores, kind="stable")
            last_of_ties = np.append(np.flatnonzero(np.diff(topic_scores[order])), len(order) - 1)
            hits = np.cumsum(topic_yes[order])[last_of_ties]
            result[t] = (np.diff(hits, prepend=0) / topic_yes.sum() * hits / (last_of_ties + 1)).sum()
    return result


def calibration_error(yes: Bools, labelled: Bools, scores: Floats, bins: int = 10) -> float:
    """The expected calibration error: the mean over bins of |mean score - share of yes|, weighted by cells.

    Source: M. Naeini, G. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI
    2015. The bins are those of `reliability`. NaN where no cell is labelled.
    """
    n_cells, score_sums, n_yes = reliability(yes, labelled, scores, bins)
    return float(np.abs(score_sums - n_yes).sum() / n_cells.sum()) if n_cells.any() else float("nan")


class ReliabilityBins(NamedTuple):
    """What a reliability diagram shows, by bins of the score: (n_bins,) each."""

    n_cells: Floats
    score_sums: Floats
    n_yes: Floats


def reliability(yes: Bools, labelled: Bools, scores: Floats, bins: int = 10) -> ReliabilityBins:
    """What a reliability diagram shows: bins of equal width, the last one closed, over the labelled cells of all topics.

    Source: A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning", ICML 2005.
    """
    cell_scores = scores[labelled]
    cell_bins = np.minimum((cell_scores * bins).astype(int), bins - 1)
    weights = np.ones(len(cell_scores)), cell_scores, yes[labelled].astype(float)
    return ReliabilityBins(*(np.bincount(cell_bins, weights=each, minlength=bins).astype(float) for each in weights))


def bootstrap_interval(
    figure: Callable[[NDArray[np.int64]], float], n_entries: int, seed: int = 0, rounds: int = 1000
) -> tuple[float, float]:
    """The 95% percentile interval of a figure over resampled entries; rounds where it is NaN are left out.

    Args:
        figure: the figure of the entries at some indexes.
        n_entries: how many entries to draw from.
        seed: of the random draws.
        rounds: how many times to draw.
    """
    random = np.random.default_rng(seed)
    values = np.array([figure(random.integers(n_entries, size=n_entries)) for _ in range(rounds)])
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def paired_randomization_test(
    yes: Bools, labelled: Bools, old: Bools, new: Bools, seed: int = 0, rounds: int = 10_000
) -> float:
    """The one-sided p of the hypothesis that `new` has no lower micro-F1 than `old`.

    An approximate randomisation test over entries. In each round, each entry's two sets of tags are swapped with a chance of
    one half. p is the share of rounds in which the loss is at least as large as the observed one; the observed one counts as
    a round.

    Source: A. Yeh, "More accurate tests for the statistical significance of result differences", COLING 2000.

    Args:
        yes: (n_entries, n_topics).
        labelled: (n_entries, n_topics).
        old: one set of tags, (n_entries, n_topics).
        new: the other set of tags, (n_entries, n_topics).
        seed: of the random swaps.
        rounds: how many times to swap.
    """
    old_counts, new_counts = (_hits_and_errors(count_cells(yes, labelled, tagged)) for tagged in (old, new))
    changes = (new_counts - old_counts)[(new_counts != old_counts).any(axis=1)]  # other swaps change nothing
    if not len(changes):
        return 1.0
    old_total = old_counts.sum(0)
    total = old_total + new_counts.sum(0)
    observed = _micro_f1_loss(old_total, total - old_total)
    random = np.random.default_rng(seed)
    n_at_least_observed = 1
    for done in range(0, rounds, _ROUNDS_AT_ONCE):
        is_swapped = random.random((min(_ROUNDS_AT_ONCE, rounds - done), len(changes))) < 0.5
        swapped_total = old_total + is_swapped @ changes
        losses = _micro_f1_loss(swapped_total, total - swapped_total)
        n_at_least_observed += int(np.count_nonzero(losses >= observed - 1e-12))
    return n_at_least_observed / (rounds + 1)


def _hits_and_errors(cells: ConfusionCounts) -> Floats:
    """The true positives of each entry, and its false positives and false negatives together: (n_entries, 2)."""
    counts = cells.sum(1)
    return np.stack([counts.tp, counts.fp + counts.fn], axis=1)


def _micro_f1_loss(old: Floats, new: Floats) -> Floats:
    """Micro-F1 of the old tags less that of the new ones, from (hits, errors) along the last axis: (...,)."""
    # Where there is no yes and no tag, nothing is wrong.
    old_f1, new_f1 = (
        np.nan_to_num(_ratio(2 * counts[..., 0], 2 * counts[..., 0] + counts[..., 1]), nan=1.0) for counts in (old, new)
    )
    return np.asarray(old_f1 - new_f1)


def holm_correction(p: Floats) -> Floats:
    """P-values corrected for their number, (n,): those below a level together have that chance of one false alarm.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    >>> holm_correction(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return corrected


def _wilson_interval(successes: Floats, trials: Floats, z: float) -> tuple[Floats, Floats]:
    share = _ratio(successes, trials)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
        half_width = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return np.clip(centre - half_width, 0, 1), np.clip(centre + half_width, 0, 1)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if (~np.isnan(values)).any() else float("nan")
