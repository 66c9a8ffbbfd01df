"""Out-of-fold scores -> calibration, and the thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calibration", "Cells", "best_cut", "calibration", "mean_f1", "sigmoid", "thresholds"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FLOOR = 0.01  # cells below this probability are not kept, but for those with a yes: no threshold is that low
PRECISIONS = (1.0, 10.0, 100.0, 1000.0, 1e6)
SHRINKS = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, np.inf)


@dataclass(frozen=True, slots=True)
class Cells:
    """Out-of-fold scores of entries and topics, those near 0 left out; every array is (n_cells,), ordered by topic."""

    topics: Ints
    entries: Ints
    scores: Floats
    yes: Bools

    def of(self, kept: Bools) -> Cells:
        """Some of them, (n_cells,)."""
        return Cells(self.topics[kept], self.entries[kept], self.scores[kept], self.yes[kept])


@dataclass(frozen=True, slots=True)
class Calibration:
    """How out-of-fold logits become probabilities: the slope and offset of all topics together, and how far to trust them."""

    centre: Floats  # (slope, offset)
    precision: float  # of a normal prior around them

    def of(self, logits: Floats, yes: Bools) -> Floats:
        """(slope, offset) of a topic: the sigmoid of its logits, so changed, is a probability."""
        return _platt(logits, yes, self.centre, self.precision) if yes.any() else self.centre


def calibration(logits: Sequence[Floats], yes: Sequence[Bools]) -> Calibration:
    """The calibration of some topics' out-of-fold logits, an array a topic.

    The precision of the prior is that with which the logits of every second entry say most of the others': little where
    topics have many yes entries each, much where they have a handful.
    """
    centre = _platt(np.concatenate(logits), np.concatenate(yes), np.array([1.0, 0.0]), 1e-3)
    losses = []
    for precision in PRECISIONS:
        one = Calibration(centre, precision)
        losses.append(
            sum(
                _loss(some[1 - k :: 2], side[1 - k :: 2], one.of(some[k::2], side[k::2]))
                for some, side in zip(logits, yes, strict=True)
                for k in (0, 1)
            )
        )
    return Calibration(centre, PRECISIONS[int(np.argmin(losses))])


def _platt(logits: Floats, yes: Bools, centre: Floats, precision: float) -> Floats:
    """(slope, offset) by Platt's method: a logistic regression on the logits, with his corrected targets.

    The two are drawn to `centre` by a normal prior with that precision. Found by Newton's method.

    Source: J. Platt, "Probabilistic outputs for support vector machines", 1999; the prior is ours.
    """
    n_yes = yes.sum()
    target = np.where(yes, (n_yes + 1) / (n_yes + 2), 1 / (len(yes) - n_yes + 2))
    x = np.stack([logits, np.ones(len(logits))], axis=1)
    at = centre.copy()
    for _ in range(50):
        p = sigmoid(x @ at)
        gradient = x.T @ (p - target) + precision * (at - centre)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + precision * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        at -= step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return np.array([max(at[0], 0.1), at[1]])


def _loss(logits: Floats, yes: Bools, at: Floats) -> float:
    """The negative log-likelihood."""
    return float(np.logaddexp(0, np.where(yes, -1, 1) * (logits * at[0] + at[1])).sum())


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The threshold of each topic, and how it was found."""

    thresholds: Floats  # (n_topics,)
    shrink: float
    fewest: int  # how many topics an entry has at least, 0 or 1
    quality: float  # mean of micro-F1 and macro-F1 of entries that the thresholds do not come from


def thresholds(cells: Cells, n_topics: int, part: Ints, shrink: float | None, every: bool) -> Thresholds:
    """The thresholds that suit out-of-fold scores.

    Each topic's own threshold is the cut with the best F1; it is drawn, in log-odds, to the common cut that has the best
    micro-F1, the more the fewer yes entries the topic has: at `shrink` yes entries both count alike. Which shrinkage, and
    whether the best topic of an entry is tagged in any case, is what has the best micro-F1 and macro-F1 together where
    figures come from one part of the entries after the other and thresholds from the other parts.

    Source: after Y. Yang, "A study of thresholding strategies for text categorization", SIGIR 2001, where own cuts alone are
    shown to overfit rare categories.

    Args:
        cells: out-of-fold scores.
        n_topics: how many topics there are.
        part: which part each entry is in, (n_entries,).
        shrink: the shrinkage, if it is given.
        every: whether every entry has a topic, so that the best one may be tagged in any case.
    """
    if not cells.yes.any():
        return Thresholds(np.full(n_topics, 0.5), 0.0 if shrink is None else shrink, 0, 0.0)
    own = []
    for k in np.unique(part):
        out = part[cells.entries] == k
        own.append((cells.of(out), _own_cuts(cells.of(~out), n_topics)))
    gains = {
        (one, fewest): _quality([(side, _drawn(*cut, one)) for side, cut in own], fewest)
        for one in (SHRINKS if shrink is None else (shrink,))
        for fewest in ((0, 1) if every else (0,))
    }
    # of those that are all but equal the one furthest from own cuts, which changes least with other entries
    best = max(gains.values())
    chosen, fewest = max(((one, few) for one, few in gains if gains[one, few] >= best - 0.0005), key=lambda s: (s[0], -s[1]))
    return Thresholds(_drawn(*_own_cuts(cells, n_topics), chosen), chosen, fewest, best)


def best_cut(scores: Floats, yes: Bools, n_yes: int | None = None) -> float:
    """The threshold with the best F1: halfway between two scores that follow one another.

    `n_yes` is the number of yes entries, where these are not all of them.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(yes[order])
    quality = 2 * hits / (np.arange(1, len(ranked) + 1) + max(1, hits[-1] if n_yes is None else n_yes))
    quality[:-1][ranked[:-1] == ranked[1:]] = -1  # a cut cannot part equal scores
    best = int(quality.argmax())
    return float((ranked[best] + (ranked[best + 1] if best + 1 < len(ranked) else ranked[best])) / 2)


def mean_f1(scores: Sequence[Floats], yes: Sequence[Bools]) -> float:
    """The mean of micro-F1 and macro-F1 with the one cut for all topics that has the best micro-F1, an array a topic.

    Macro-F1 here is the mean over ten bands of topics that follow one another, which chance moves less than the mean over
    topics with a handful of yes entries each.
    """
    flat, truth = np.concatenate(scores), np.concatenate(yes)
    if not truth.any():
        return 0.0
    tagged = flat >= best_cut(flat, truth)
    lengths = [len(side) for side in yes]
    bands = np.repeat(np.arange(len(yes)) * min(10, len(yes)) // len(yes), lengths)
    hits, given, there = (np.bincount(bands[kept], minlength=bands[-1] + 1) for kept in (tagged & truth, tagged, truth))
    f1 = 2 * hits / np.maximum(given + there, 1)
    return float(hits.sum() / (given.sum() + there.sum()) + f1[there > 0].mean() / 2)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def _own_cuts(cells: Cells, n_topics: int) -> tuple[float, Floats, Ints]:
    """The common cut, each topic's own, (n_topics,), and the yes entries that it comes from, (n_topics,)."""
    n_yes = np.bincount(cells.topics[cells.yes], minlength=n_topics)
    cells = cells.of(cells.scores > FLOOR)
    common = best_cut(cells.scores, cells.yes, int(n_yes.sum())) if len(cells.scores) else 0.5
    own = np.full(n_topics, common)
    bounds = np.searchsorted(cells.topics, np.arange(n_topics + 1))
    for t in np.flatnonzero(n_yes):
        part = slice(bounds[t], bounds[t + 1])
        if cells.yes[part].any():
            own[t] = best_cut(cells.scores[part], cells.yes[part], int(n_yes[t]))
    return common, own, n_yes


def _drawn(common: float, own: Floats, n_yes: Ints, shrink: float) -> Floats:
    weight = np.where(n_yes > 0, n_yes / np.maximum(n_yes + shrink, 1), 0.0)
    thresholds: Floats = sigmoid(weight * _logit(own) + (1 - weight) * _logit(np.array(common)))
    return thresholds


def _quality(sides: Sequence[tuple[Cells, Floats]], fewest: int) -> float:
    """The mean of micro-F1 and of macro-F1 over the topics that have a yes, with the thresholds of each part."""
    total = np.zeros((3, len(sides[0][1])))
    for cells, cut in sides:
        tagged = cells.scores >= cut[cells.topics]
        if fewest:
            tagged = tagged | (cells.scores == _best(cells)[cells.entries])
        kept = tagged & cells.yes, tagged, cells.yes
        total += [np.bincount(cells.topics[some], minlength=len(cut)) for some in kept]
    hits, given, there = total
    f1 = 2 * hits / np.maximum(given + there, 1)
    return float(hits.sum() / (given + there).sum() + f1[there > 0].mean() / 2)


def _best(cells: Cells) -> Floats:
    """The best score of each entry, (n_entries,)."""
    best = np.full(cells.entries.max(initial=0) + 1, -1.0)
    np.maximum.at(best, cells.entries, cells.scores)
    return best


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))
