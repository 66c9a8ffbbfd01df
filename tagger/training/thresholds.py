"""How the thresholds of all topics are chosen, from out-of-fold scores.

The rule for one topic is in topic_threshold.py. Here it is made to hold for topics with few labels, for topics that ask for a
precision, and for topics that imply or exclude each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tagger.model.decision import reach_thresholds, scores_left_to_thresholds
from tagger.model.log_odds import logit, sigmoid
from tagger.taxonomy import Taxonomy
from tagger.training.out_of_fold import MIN_KEPT_SCORE, OutOfFoldScores
from tagger.training.topic_threshold import PrecisionGoal, best_f1_threshold, threshold_for_precision

__all__ = [
    "SHRINKAGES",
    "Thresholds",
    "apply_precision_goals",
    "choose_thresholds",
    "mean_of_micro_and_macro_f1",
    "thresholds_under_constraints",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHRINKAGES = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, np.inf)  # those that `choose_thresholds` chooses from

_MARGIN = 1e-6  # from 0 and 1, of thresholds whose log-odds are averaged

_TIE = 0.0005  # qualities that differ by no more than this count as equal


@dataclass(frozen=True, slots=True, eq=False)
class Thresholds:
    """The threshold of each topic, and how they were found."""

    thresholds: Floats  # (n_topics,)
    threshold_shrinkage: float  # yes entries at which a topic's own threshold weighs as much as the common one
    min_topics: int  # 1 if the best topic of an entry is tagged in any case, else 0
    quality: float  # the mean of micro-F1 and macro-F1, on entries that the thresholds were not chosen from


@dataclass(frozen=True, slots=True, eq=False)
class _BestThresholds:
    """The thresholds with the best F1."""

    common: float  # of all topics taken together
    by_topic: Floats  # (n_topics,) of each topic alone
    n_yes: Ints  # (n_topics,) yes entries that each of `by_topic` comes from

    @classmethod
    def from_cells(cls, cells: OutOfFoldScores, n_topics: int) -> _BestThresholds:
        n_yes = np.bincount(cells.topics[cells.yes], minlength=n_topics)
        cells = cells.select(cells.scores > MIN_KEPT_SCORE)
        common = best_f1_threshold(cells.scores, cells.yes, int(n_yes.sum())) if len(cells.scores) else 0.5
        by_topic = np.full(n_topics, common)
        slices = cells.topic_slices(n_topics)
        for t in np.flatnonzero(n_yes):
            if cells.yes[slices[t]].any():
                by_topic[t] = best_f1_threshold(cells.scores[slices[t]], cells.yes[slices[t]], int(n_yes[t]))
        return cls(common, by_topic, n_yes)

    def shrink(self, threshold_shrinkage: float) -> Floats:
        """Each topic's own threshold, drawn to the common one in log-odds: (n_topics,)."""
        weights = np.where(self.n_yes > 0, self.n_yes / np.maximum(self.n_yes + threshold_shrinkage, 1), 0.0)
        by_topic, common = logit(self.by_topic, _MARGIN), logit(np.array(self.common), _MARGIN)
        shrunk: Floats = sigmoid(weights * by_topic + (1 - weights) * common)
        return shrunk


def choose_thresholds(
    cells: OutOfFoldScores, n_topics: int, part: Ints, threshold_shrinkage: float | None, every_entry_has_topic: bool
) -> Thresholds:
    """The thresholds that suit out-of-fold scores.

    A topic's own threshold is the one with the best F1. With few yes entries it is mostly chance, so it is drawn, in log-odds,
    to the common threshold with the best micro-F1. At `threshold_shrinkage` yes entries both weigh the same.

    The shrinkage, and whether the best topic of an entry is tagged in any case, are chosen by the mean of micro-F1 and
    macro-F1. The entries are cut in parts: each part is tagged with thresholds from the other parts.

    Source: Y. Yang, "A study of thresholding strategies for text categorization", SIGIR 2001, shows that thresholds tuned for
    each topic overfit rare topics. Y.-J. Lin and C.-J. Lin, "On the thresholding strategy for infrequent labels in multi-label
    classification", CIKM 2023, explain why, and smooth F1 or tune micro-F1 and macro-F1 together. Drawing rare topics to a
    common threshold is ours.

    Args:
        cells: out-of-fold scores of labelled cells.
        n_topics: how many topics there are.
        part: which part each entry is in, (n_entries,).
        threshold_shrinkage: the shrinkage; None to choose it from `SHRINKAGES`.
        every_entry_has_topic: whether that is so; then the best topic of an entry may be tagged in any case.
    """
    if not cells.yes.any():
        return Thresholds(np.full(n_topics, 0.5), threshold_shrinkage or 0.0, 0, 0.0)
    splits = []
    for k in np.unique(part):
        in_part = part[cells.entries] == k
        splits.append((cells.select(in_part), _BestThresholds.from_cells(cells.select(~in_part), n_topics)))
    qualities = {
        (shrinkage, min_topics): _quality([(cells, best.shrink(shrinkage)) for cells, best in splits], min_topics)
        for shrinkage in (SHRINKAGES if threshold_shrinkage is None else (threshold_shrinkage,))
        for min_topics in ((0, 1) if every_entry_has_topic else (0,))
    }
    best_quality = max(qualities.values())
    # Of nearly equal ones the strongest shrinkage, because it changes least with other entries.
    nearly_best = [candidate for candidate, quality in qualities.items() if quality >= best_quality - _TIE]
    shrinkage, min_topics = max(nearly_best, key=lambda candidate: (candidate[0], -candidate[1]))
    thresholds = _BestThresholds.from_cells(cells, n_topics).shrink(shrinkage)
    return Thresholds(thresholds, shrinkage, min_topics, best_quality)


def _quality(parts: Sequence[tuple[OutOfFoldScores, Floats]], min_topics: int) -> float:
    """The mean of micro-F1 and macro-F1 over all parts, each with thresholds of its own."""
    n_topics = len(parts[0][1])
    totals = np.zeros((3, n_topics))
    for cells, thresholds in parts:
        tagged = reach_thresholds(cells.scores, thresholds[cells.topics])
        if min_topics:
            tagged = tagged | (cells.scores == _best_scores(cells)[cells.entries])
        masks = tagged & cells.yes, tagged, cells.yes
        totals += [np.bincount(cells.topics[mask], minlength=n_topics) for mask in masks]
    return mean_of_micro_and_macro_f1(*totals)


def mean_of_micro_and_macro_f1(n_right: Floats | Ints, n_tagged: Floats | Ints, n_yes: Floats | Ints) -> float:
    """The mean of micro-F1 and of macro-F1 over the topics that have a yes.

    Args:
        n_right: tags that are right, (n_topics,).
        n_tagged: tags, (n_topics,).
        n_yes: yes entries, (n_topics,); at least one in all.
    """
    f1 = 2 * n_right / np.maximum(n_tagged + n_yes, 1)
    half_micro_f1 = n_right.sum() / (n_tagged + n_yes).sum()
    return float(half_micro_f1 + f1[n_yes > 0].mean() / 2)


def _best_scores(cells: OutOfFoldScores) -> Floats:
    """The best score of each entry, (n_entries,)."""
    best = np.full(cells.entries.max(initial=0) + 1, -1.0)
    np.maximum.at(best, cells.entries, cells.scores)
    return best


def apply_precision_goals(
    thresholds: Thresholds, cells: OutOfFoldScores, taxonomy: Taxonomy
) -> tuple[Thresholds, dict[str, PrecisionGoal]]:
    """The thresholds with those of topics that ask for a precision replaced, and what was found for these topics, by id."""
    goals: dict[str, PrecisionGoal] = {}
    changed = thresholds.thresholds.copy()
    for t, topic in enumerate(taxonomy.topics):
        if topic.precision is None:
            continue
        topic_cells = cells.select(cells.topics == t)
        is_kept = topic_cells.scores > MIN_KEPT_SCORE
        if is_kept.any():
            goal = threshold_for_precision(
                topic_cells.scores[is_kept], topic_cells.yes[is_kept], topic.precision, int(topic_cells.yes.sum())
            )
            goals[topic.id] = goal
            changed[t] = goal.threshold
        elif topic_cells.yes.any():  # the topic is learned, but so badly that all its scores are near 0
            goals[topic.id] = PrecisionGoal(float(changed[t]), topic.precision, 0.0, 0, 0, None)
    return replace(thresholds, thresholds=changed), goals


def thresholds_under_constraints(
    cells: OutOfFoldScores, taxonomy: Taxonomy, choose: Callable[[OutOfFoldScores], Thresholds]
) -> tuple[Thresholds, dict[str, PrecisionGoal]]:
    """The thresholds that suit out-of-fold scores where topics imply or exclude each other, or where their number is limited.

    They are chosen twice. The first thresholds show which cells are tagged because another tag implies them, and which are not
    because other tags leave no room. A topic's own threshold does not decide these cells. So the second time they count as
    tagged, or as not tagged.

    Args:
        cells: out-of-fold scores, also of cells that nobody decided, because these exclude other tags too.
        taxonomy: what topics imply and exclude, how many an entry has at most, and which of them ask for a precision.
        choose: gives thresholds for labelled cells.

    Returns:
        The thresholds, and what was found for each topic that asks for a precision, by id.
    """
    labelled_cells = cells.select(cells.labelled)
    first, goals = apply_precision_goals(choose(labelled_cells), labelled_cells, taxonomy)
    if not taxonomy.has_constraints:
        return first, goals
    scores_left = scores_left_to_thresholds(
        cells.entries, cells.topics, cells.scores, first.thresholds, taxonomy, first.min_topics
    )
    left_cells = replace(cells, scores=scores_left).select(cells.labelled)
    return apply_precision_goals(choose(left_cells), left_cells, taxonomy)
