"""How scores become tags: the only place where a score meets a threshold.

For each entry:

1. A topic is wanted if its score reaches its threshold.
2. The wanted topics are taken one after the other, the likeliest first. Of topics with equal scores, the one that stands
   first in the taxonomy is taken first. A topic that is taken brings its ancestors with it.
3. A topic is left out if a topic taken before excludes it, or if the entry would have more topics than `max_topics`.

So a tagged topic always has its ancestors, no two tags of an entry exclude each other, and no entry has too many tags.

Where no topic excludes another and the number of topics has no limit, a higher threshold never adds a tag. Elsewhere, the
tag that a higher threshold removes may make room for a less likely one. An entry that loses no tag never gains one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from tagger.model.log_odds import logit
from tagger.taxonomy import Taxonomy

__all__ = [
    "UNCERTAIN_ODDS_RATIO",
    "apply_thresholds",
    "blocking_topics",
    "learned_topics",
    "log_odds_margins",
    "raise_to_descendants",
    "reach_thresholds",
    "scores_left_to_thresholds",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A score is uncertain if its odds and the odds of its threshold differ by at most this factor. In the cross-validation of the
# shipped labels, two in five of the tags decided by such scores are wrong, and fewer of the others.
UNCERTAIN_ODDS_RATIO = 2.0


def learned_topics(thresholds: Floats) -> Bools:
    """Which topics a model has learned, (n_topics,): those with a finite threshold. No score reaches an infinite one."""
    return np.isfinite(thresholds)


def reach_thresholds(scores: Floats, thresholds: Floats) -> Bools:
    """Which scores are high enough for a tag: those that are not below their threshold.

    Args:
        scores: (n_entries, n_topics), or of any shape.
        thresholds: (n_topics,), or of the shape of the scores.
    """
    reached: Bools = scores >= thresholds
    return reached


def raise_to_descendants(scores: Floats, taxonomy: Taxonomy) -> Floats:
    """The scores, (n_entries, n_topics), where each topic gets the highest score among itself and its descendants."""
    raised = scores.copy()
    for column, ancestors in taxonomy.ancestor_columns.items():
        for ancestor in ancestors:
            raised[:, ancestor] = np.maximum(raised[:, ancestor], scores[:, column])
    return raised


def apply_thresholds(
    scores: Floats,
    thresholds: Floats,
    taxonomy: Taxonomy = Taxonomy(),  # noqa: B008 - frozen
    min_topics: int = 0,
) -> Bools:
    """Which topics each entry is tagged with, (n_entries, n_topics).

    Args:
        scores: (n_entries, n_topics).
        thresholds: (n_topics,); infinite for a topic that is not learned.
        taxonomy: which topics imply or exclude each other, and how many an entry has at most. By default none do, and there
            is no limit.
        min_topics: 1 if the likeliest topic of an entry is wanted whatever its threshold, as long as its score is above 0.

    >>> apply_thresholds(np.array([[0.2, 0.5]]), np.array([0.3, 0.5]))
    array([[False,  True]])
    """
    wanted = reach_thresholds(scores, thresholds)
    if min_topics and scores.size:
        rows, best = np.arange(len(scores)), scores.argmax(axis=1)
        wanted[rows, best] |= scores[rows, best] > 0
    tagged = wanted.copy()
    for column, ancestors in taxonomy.ancestor_columns.items():
        for ancestor in ancestors:
            tagged[:, ancestor] |= wanted[:, column]
    # Only an entry whose tags contradict each other needs them taken one after the other.
    for n in np.flatnonzero(_have_contradictions(tagged, taxonomy)):
        columns = np.flatnonzero(wanted[n])
        likeliest_first = columns[np.argsort(-scores[n, columns], kind="stable")].tolist()
        taken, _ = _take_in_order(likeliest_first, lambda column: True, taxonomy)
        tagged[n] = False
        tagged[n, list(taken)] = True
    return tagged


def scores_left_to_thresholds(
    entries: Ints,
    columns: Ints,
    scores: Floats,
    thresholds: Floats,
    taxonomy: Taxonomy,
    min_topics: int = 0,
) -> Floats:
    """What each topic's own threshold has left to decide, given the thresholds of the other topics.

    Args:
        entries: the entry of each cell, (n_cells,).
        columns: the topic of each cell, (n_cells,).
        scores: (n_cells,).
        thresholds: (n_topics,).
        taxonomy: as in `apply_thresholds`.
        min_topics: as in `apply_thresholds`.

    Returns:
        The scores, (n_cells,), with two exceptions. A topic that a tag implies is tagged whatever its threshold: its score
        becomes 1. A topic for which likelier tags leave no room is not tagged: its score becomes 0.
    """
    left = scores.copy()
    likeliest_first = np.lexsort((columns, -scores, entries))
    starts = np.flatnonzero(np.diff(entries[likeliest_first], prepend=-1))
    for cells in np.split(likeliest_first, starts[1:]) if len(likeliest_first) else ():
        topics = columns[cells]
        wanted = {*topics[reach_thresholds(scores[cells], thresholds[topics])].tolist()}
        if min_topics:
            wanted.add(int(topics[0]))
        taken, has_room = _take_in_order(topics.tolist(), wanted.__contains__, taxonomy)
        implied = {ancestor for topic in taken for ancestor in taxonomy.ancestor_columns.get(topic, ())}
        left[cells[~np.array(has_room)]] = 0.0
        left[cells[[topic in implied for topic in topics.tolist()]]] = 1.0
    return left


def log_odds_margins(scores: Floats, thresholds: Floats) -> Floats:
    """The log-odds of each score minus those of its threshold, (n_entries, n_topics); -inf for a topic that is not learned.

    Args:
        scores: (n_entries, n_topics).
        thresholds: (n_topics,).
    """
    learned = learned_topics(thresholds)
    margins: Floats = np.where(learned, logit(scores) - logit(np.where(learned, thresholds, 0.5)), -np.inf)
    return margins


def blocking_topics(column: int, tagged: Bools, taxonomy: Taxonomy) -> list[int]:
    """The tags because of which an entry cannot have one more topic, as columns.

    These are the tags that the topic is incompatible with. If there are none, they are all tags of the entry, because it has
    as many as the taxonomy allows.

    Args:
        column: the topic.
        tagged: the tags of the entry, (n_topics,).
        taxonomy: as in `apply_thresholds`.
    """
    incompatible = taxonomy.incompatible_columns.get(column, frozenset())
    tags = np.flatnonzero(tagged).tolist()
    return [tag for tag in tags if tag in incompatible] or tags


def _have_contradictions(tagged: Bools, taxonomy: Taxonomy) -> Bools:
    """Which entries have tags that exclude each other, or too many of them, (n_entries,). Tags stand with their ancestors."""
    contradictory = np.zeros(len(tagged), dtype=bool)
    for column, other in taxonomy.excluded_columns:
        contradictory |= tagged[:, column] & tagged[:, other]
    return contradictory if taxonomy.max_topics is None else contradictory | (tagged.sum(axis=1) > taxonomy.max_topics)


def _take_in_order(columns: Iterable[int], is_wanted: Callable[[int], bool], taxonomy: Taxonomy) -> tuple[set[int], list[bool]]:
    """The topics of an entry that are taken, with their ancestors; and for each topic whether there was room for it.

    Args:
        columns: the topics, in the order in which they are taken.
        is_wanted: whether a topic is taken if there is room for it.
        taxonomy: as in `apply_thresholds`.
    """
    taken: set[int] = set()
    has_room = []
    for column in columns:
        more = taken.union((column,), taxonomy.ancestor_columns.get(column, ()))
        compatible = taken.isdisjoint(taxonomy.incompatible_columns.get(column, ()))
        has_room.append(compatible and (taxonomy.max_topics is None or len(more) <= taxonomy.max_topics))
        if has_room[-1] and is_wanted(column):
            taken = more
    return taken, has_room
