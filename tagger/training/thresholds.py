"""Out-of-fold scores -> calibration, and the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.model.decision import reach_thresholds, scores_left_to_thresholds
from tagger.model.log_odds import logit, sigmoid
from tagger.taxonomy import Taxonomy, Topic

__all__ = [
    "OutOfFoldScores",
    "PrecisionGoal",
    "best_f1_threshold",
    "choose_thresholds",
    "mean_f1",
    "precision_bound",
    "raise_cells_to_descendants",
    "threshold_for_precision",
    "thresholds_under_constraints",
    "with_precision",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


FLOOR = 0.01  # cells below this probability are not kept, but for those with a yes: no threshold is that low


_MOST_LABELS = 100  # times as many as there are: a precision that these would not support is not one of more labels


SHRINKAGES = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, np.inf)


_MARGIN = 1e-6  # from 0 and 1, of thresholds whose log-odds are averaged


@dataclass(frozen=True, slots=True)
class OutOfFoldScores:
    """Out-of-fold scores of entries and topics, those near 0 left out; every array is (n_cells,), ordered by topic."""

    topics: Ints
    entries: Ints
    scores: Floats
    yes: Bools

    def of(self, kept: Bools) -> OutOfFoldScores:
        """Some of them, (n_cells,)."""
        return OutOfFoldScores(self.topics[kept], self.entries[kept], self.scores[kept], self.yes[kept])


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The threshold of each topic, and how it was found."""

    thresholds: Floats  # (n_topics,)
    threshold_shrinkage: float
    min_topics: int  # how many topics an entry has at least, 0 or 1
    quality: float  # mean of micro-F1 and macro-F1 of entries that the thresholds do not come from


def choose_thresholds(cells: OutOfFoldScores, n_topics: int, part: Ints, shrink: float | None, every: bool) -> Thresholds:
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
        own.append((cells.of(out), _per_topic_thresholds(cells.of(~out), n_topics)))
    gains = {
        (one, min_topics): _quality([(side, _shrink_to_common(*cut, one)) for side, cut in own], min_topics)
        for one in (SHRINKAGES if shrink is None else (shrink,))
        for min_topics in ((0, 1) if every else (0,))
    }
    # of those that are all but equal the one furthest from own cuts, which changes least with other entries
    best = max(gains.values())
    chosen, min_topics = max(
        ((one, few) for one, few in gains if gains[one, few] >= best - 0.0005), key=lambda s: (s[0], -s[1])
    )
    return Thresholds(_shrink_to_common(*_per_topic_thresholds(cells, n_topics), chosen), chosen, min_topics, best)


@dataclass(frozen=True, slots=True)
class PrecisionGoal:
    """The threshold for a precision that was asked for, and how far labels support it."""

    threshold: float
    goal: float
    bound: float  # the lower 95% bound of the precision of out-of-fold tags at the threshold
    tags: int  # out-of-fold tags at the threshold
    right: int  # of these
    more: int | None  # yes entries that are lacking, 0 if none, None if more of the same would not do

    @property
    def supported(self) -> bool:
        """Whether the precision is at the goal, as far as can be told."""
        return self.bound >= self.goal


def precision_bound(right: Any, tags: Any) -> Any:
    """The lower 95% bound of a precision, one-sided: with 95% chance tags of that kind are right at least so often.

    Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26, 1934. It is exact: Wilson's, taken one-sided, holds less often than it says where nearly all are right.

    Args:
        right: how many are right; any shape.
        tags: of how many, at least 1; the same shape.

    >>> [round(float(precision_bound(n, n)), 3) for n in (28, 29)]
    [0.899, 0.902]
    """
    from scipy.special import betaincinv

    right, tags = np.asarray(right, dtype=float), np.asarray(tags, dtype=float)
    return np.where(right > 0, betaincinv(np.maximum(right, 1e-9), tags - right + 1, 0.05), 0.0)


def threshold_for_precision(scores: Floats, yes: Bools, goal: float, n_yes: int) -> PrecisionGoal:
    """The lowest threshold at which the lower 95% bound of the precision is at the goal.

    Where there is none, that with the highest bound. The bound is that of each threshold alone; the lowest of many that reach
    the goal is a little too good, by what chance did for it.

    `more` is how many yes entries are lacking if more labels keep the precision of each threshold and give as many tags for
    each yes entry: of the thresholds whose precision is above the goal the one with the fewest counts.

    Args:
        scores: out-of-fold, (n_cells,), at least one.
        yes: (n_cells,).
        goal: the precision asked for.
        n_yes: yes entries of the topic.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    right, tags = np.cumsum(yes[order]), np.arange(1, len(ranked) + 1)
    ends = np.append(ranked[1:] < ranked[:-1], True)  # a cut cannot part equal scores
    bound = np.where(ends, precision_bound(right, tags), -1.0)
    good = np.flatnonzero(bound >= goal)
    at = int(good[-1]) if len(good) else int(bound.argmax())
    more = 0 if len(good) else _missing_yes_entries(right[ends], tags[ends], goal, n_yes)
    return PrecisionGoal(_threshold_below(ranked, at), goal, float(bound[at]), int(tags[at]), int(right[at]), more)


def _missing_yes_entries(right: Ints, tags: Ints, goal: float, n_yes: int) -> int | None:
    """How many more yes entries bring the bound of the best cut to the goal, at the precision that it has."""
    better = right > goal * tags
    precision, tags = right[better] / tags[better], tags[better].astype(float)
    low, high = tags.copy(), _MOST_LABELS * tags
    reached = precision_bound(precision * high, high) >= goal
    if not reached.any():
        return None
    for _ in range(30):
        middle = (low + high) / 2
        enough = precision_bound(precision * middle, middle) >= goal
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return max(1, int(np.ceil(n_yes * (high / tags - 1)[reached].min() - 1e-6)))


def with_precision(
    found: Thresholds, cells: OutOfFoldScores, topics: Sequence[Topic]
) -> tuple[Thresholds, dict[str, PrecisionGoal]]:
    """Thresholds, but those of `threshold_for_precision` for topics that ask for a precision, and these by id."""
    precise: dict[str, PrecisionGoal] = {}
    cut = found.thresholds.copy()
    for t, topic in enumerate(topics):
        if topic.precision is None:
            continue
        mine = cells.of(cells.topics == t)
        kept = mine.scores > FLOOR
        if kept.any():
            precise[topic.id] = threshold_for_precision(mine.scores[kept], mine.yes[kept], topic.precision, int(mine.yes.sum()))
            cut[t] = precise[topic.id].threshold
        elif mine.yes.any():  # learned, and told apart so badly that no score is worth keeping
            precise[topic.id] = PrecisionGoal(float(cut[t]), topic.precision, 0.0, 0, 0, None)
    return replace(found, thresholds=cut), precise


def raise_cells_to_descendants(
    cells: OutOfFoldScores,
    known: Bools,
    n_entries: int,
    taxonomy: Taxonomy,
    labelled: Callable[[int], tuple[Bools, Bools]],
) -> tuple[OutOfFoldScores, Bools]:
    """Cells in which a topic is at least as likely as each one that implies it, as in `raise_to_descendants`.

    Args:
        cells: out-of-fold scores; a topic without any is one that is not learned.
        known: which of them a person decided, (n_cells,).
        n_entries: how many entries there are.
        taxonomy: what topics imply.
        labelled: of a topic's column which entries have it, and of which a person decided, (n_entries,) each.

    Returns:
        The cells, with those that a topic did not have and its children do; which of them a person decided.
    """
    bounds = np.searchsorted(cells.topics, np.arange(len(taxonomy.topics) + 1))
    parts, sure = [], []
    for t, id in enumerate(taxonomy.ids):
        mine = slice(bounds[t], bounds[t + 1])
        part, decided = cells.of(np.arange(mine.start, mine.stop)), known[mine]
        descendants = [taxonomy.column[other] for other in taxonomy.descendants[id]]
        if descendants and len(part.scores):
            best = np.zeros(n_entries)
            for other in (t, *descendants):
                cell = slice(bounds[other], bounds[other + 1])
                best[cells.entries[cell]] = np.maximum(best[cells.entries[cell]], cells.scores[cell])
            there = np.zeros(n_entries, dtype=bool)
            there[part.entries] = True
            at = np.flatnonzero(there | (best > 0))
            yes, decided = (side[at] for side in labelled(t))
            part = OutOfFoldScores(np.full(len(at), t), at, best[at], yes)
        parts.append(part)
        sure.append(decided)
    sides = zip(*((part.topics, part.entries, part.scores, part.yes) for part in parts), strict=True)
    return OutOfFoldScores(*map(np.concatenate, sides)), np.concatenate(sure)


def thresholds_under_constraints(
    cells: OutOfFoldScores,
    known: Bools,
    taxonomy: Taxonomy,
    choose: Callable[[OutOfFoldScores], Thresholds],
) -> tuple[Thresholds, dict[str, PrecisionGoal]]:
    """The thresholds that suit out-of-fold scores where topics imply and exclude each other, or are limited in number.

    They are chosen twice. What the tags of the first thresholds leave no room for, or bring with them, no threshold of its own
    decides; so the second time it counts as not tagged, or as tagged.

    Args:
        cells: out-of-fold scores, those of cells that nobody decided too, for they rule others out in tagging as well.
        known: which of them a person decided, (n_cells,).
        taxonomy: what topics imply and exclude, how many an entry has at most, and which of them ask for a precision.
        choose: cells to thresholds.

    Returns:
        The thresholds, and by id what was found for each topic that asks for a precision.
    """
    found, precise = with_precision(choose(cells.of(known)), cells.of(known), taxonomy.topics)
    if taxonomy.has_constraints:
        left = scores_left_to_thresholds(
            cells.entries, cells.topics, cells.scores, found.thresholds, taxonomy, found.min_topics
        )
        cells = OutOfFoldScores(cells.topics, cells.entries, left, cells.yes).of(known)
        found, precise = with_precision(choose(cells), cells, taxonomy.topics)
    return found, precise


def best_f1_threshold(scores: Floats, yes: Bools, n_yes: int | None = None) -> float:
    """The threshold with the best F1: halfway between two scores that follow one another.

    `n_yes` is the number of yes entries, where these are not all of them.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(yes[order])
    quality = 2 * hits / (np.arange(1, len(ranked) + 1) + max(1, hits[-1] if n_yes is None else n_yes))
    quality[:-1][ranked[:-1] == ranked[1:]] = -1  # a cut cannot part equal scores
    return _threshold_below(ranked, int(quality.argmax()))


def _threshold_below(ranked: Floats, at: int) -> float:
    """Halfway from a score to the next lower one, where there is one; scores go down."""
    low = ranked[min(at + 1, len(ranked) - 1)]
    middle = (ranked[at] + low) / 2
    return float(middle if middle > low else ranked[at])  # of two that are all but equal, halfway rounds to the lower


def mean_f1(scores: Sequence[Floats], yes: Sequence[Bools]) -> float:
    """The mean of micro-F1 and macro-F1 with the one cut for all topics that has the best micro-F1, an array a topic.

    Macro-F1 here is the mean over ten bands of topics that follow one another, which chance moves less than the mean over
    topics with a handful of yes entries each.
    """
    flat, truth = np.concatenate(scores), np.concatenate(yes)
    if not truth.any():
        return 0.0
    tagged = reach_thresholds(flat, np.array(best_f1_threshold(flat, truth)))
    lengths = [len(side) for side in yes]
    bands = np.repeat(np.arange(len(yes)) * min(10, len(yes)) // len(yes), lengths)
    hits, given, there = (np.bincount(bands[kept], minlength=bands[-1] + 1) for kept in (tagged & truth, tagged, truth))
    f1 = 2 * hits / np.maximum(given + there, 1)
    return float(hits.sum() / (given.sum() + there.sum()) + f1[there > 0].mean() / 2)


def _per_topic_thresholds(cells: OutOfFoldScores, n_topics: int) -> tuple[float, Floats, Ints]:
    """The common cut, each topic's own, (n_topics,), and the yes entries that it comes from, (n_topics,)."""
    n_yes = np.bincount(cells.topics[cells.yes], minlength=n_topics)
    cells = cells.of(cells.scores > FLOOR)
    common = best_f1_threshold(cells.scores, cells.yes, int(n_yes.sum())) if len(cells.scores) else 0.5
    own = np.full(n_topics, common)
    bounds = np.searchsorted(cells.topics, np.arange(n_topics + 1))
    for t in np.flatnonzero(n_yes):
        part = slice(bounds[t], bounds[t + 1])
        if cells.yes[part].any():
            own[t] = best_f1_threshold(cells.scores[part], cells.yes[part], int(n_yes[t]))
    return common, own, n_yes


def _shrink_to_common(common: float, own: Floats, n_yes: Ints, shrink: float) -> Floats:
    weight = np.where(n_yes > 0, n_yes / np.maximum(n_yes + shrink, 1), 0.0)
    thresholds: Floats = sigmoid(weight * logit(own, _MARGIN) + (1 - weight) * logit(np.array(common), _MARGIN))
    return thresholds


def _quality(sides: Sequence[tuple[OutOfFoldScores, Floats]], min_topics: int) -> float:
    """The mean of micro-F1 and of macro-F1 over the topics that have a yes, with the thresholds of each part."""
    total = np.zeros((3, len(sides[0][1])))
    for cells, cut in sides:
        tagged = reach_thresholds(cells.scores, cut[cells.topics])
        if min_topics:
            tagged = tagged | (cells.scores == _best_scores(cells)[cells.entries])
        kept = tagged & cells.yes, tagged, cells.yes
        total += [np.bincount(cells.topics[some], minlength=len(cut)) for some in kept]
    hits, given, there = total
    f1 = 2 * hits / np.maximum(given + there, 1)
    return float(hits.sum() / (given + there).sum() + f1[there > 0].mean() / 2)


def _best_scores(cells: OutOfFoldScores) -> Floats:
    """The best score of each entry, (n_entries,)."""
    best = np.full(cells.entries.max(initial=0) + 1, -1.0)
    np.maximum.at(best, cells.entries, cells.scores)
    return best
