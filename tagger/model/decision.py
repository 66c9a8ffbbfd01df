"""The only place where a score meets a threshold.

A topic whose score reaches its threshold is wanted. The wanted topics of an entry are taken likeliest first, of equal scores
the one that stands first among the topics; each brings those that it implies. One is left out if an entry cannot have it
beside those taken before, because they exclude each other or because there would be too many. So a tagged topic always has
its ancestors, no two tagged ones exclude each other, and there are never more than `max_topics`.

A higher threshold never adds a tag where nothing excludes and nothing is limited. Elsewhere a tag that a higher threshold
takes away may make room for a less likely one; it never adds a tag to an entry that it takes none from.
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


# A score is uncertain where its odds and those of its threshold differ by no more than this factor. Out of fold, two in five
# of such decisions on the shipped labels are wrong, and fewer beyond.
UNCERTAIN_ODDS_RATIO = 2.0


def learned_topics(thresholds: Floats) -> Bools:
    """Which topics a model has learned, (n_topics,): those with a finite threshold. The others are never tagged."""
    return np.isfinite(thresholds)


def reach_thresholds(scores: Floats, thresholds: Floats) -> Bools:
    """Which scores are high enough for a tag. This is the only comparison of a score with a threshold.

    Args:
        scores: (n_entries, n_topics), or of any shape.
        thresholds: (n_topics,), or of the shape of the scores.
    """
    reached: Bools = scores >= thresholds
    return reached


def raise_to_descendants(scores: Floats, taxonomy: Taxonomy) -> Floats:
    """The scores, (n_entries, n_topics), where a topic is at least as likely as each one that implies it."""
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
    """Which topics each entry is tagged with: those whose score reaches the threshold, and what follows from them.

    Args:
        scores: (n_entries, n_topics).
        thresholds: (n_topics,); infinite for a topic that is never tagged.
        taxonomy: what implies and excludes what, and how many topics an entry has at most; by default nothing and any number.
        min_topics: 1 to tag the best topic in any case, if it has a score above 0 at all.

    Returns:
        (n_entries, n_topics).

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
    for n in np.flatnonzero(_contradictory(tagged, taxonomy)):
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
    """What is left to each topic's own threshold to decide, given the thresholds of the others.

    Args:
        entries: of some cells, (n_cells,).
        columns: of the same cells, (n_cells,).
        scores: of the same cells, (n_cells,).
        thresholds: (n_topics,).
        taxonomy: as in `apply_thresholds`.
        min_topics: as in `apply_thresholds`.

    Returns:
        The scores, (n_cells,), but 1 where a tagged topic implies this one, so that it is tagged whatever its threshold, and
        0 where likelier tags leave no room for it, so that it is not.
    """
    order = np.lexsort((columns, -scores, entries))
    found = scores.copy()
    starts = np.flatnonzero(np.diff(entries[order], prepend=-1))
    for cells in np.split(order, starts[1:]) if len(order) else ():
        mine = columns[cells].tolist()
        reached = reach_thresholds(scores[cells], thresholds[columns[cells]])
        wanted = {t for t, reaches in zip(mine, reached, strict=True) if reaches}
        if min_topics:
            wanted.add(mine[0])
        taken, free = _take_in_order(mine, wanted.__contains__, taxonomy)
        implied = {ancestor for t in taken for ancestor in taxonomy.ancestor_columns.get(t, ())}
        found[cells[[not one for one in free]]] = 0.0
        found[cells[[t in implied for t in mine]]] = 1.0
    return found


def log_odds_margins(scores: Floats, thresholds: Floats) -> Floats:
    """How far the log-odds of scores, (n_entries, n_topics), are above those of the thresholds, (n_topics,).

    Minus infinity for a topic that is never tagged.
    """
    learned = learned_topics(thresholds)
    margins: Floats = np.where(learned, logit(scores) - logit(np.where(learned, thresholds, 0.5)), -np.inf)
    return margins


def blocking_topics(column: int, tagged: Bools, taxonomy: Taxonomy) -> list[int]:
    """The columns of the tags, (n_topics,), beside which an entry cannot have one more topic.

    Those that exclude it; where none does, all, as there are as many as there may be.
    """
    incompatible = taxonomy.incompatible_columns.get(column, frozenset())
    columns = np.flatnonzero(tagged).tolist()
    return [other for other in columns if other in incompatible] or columns


def _contradictory(tagged: Bools, taxonomy: Taxonomy) -> Bools:
    """The entries whose tags, with all that they imply, exclude each other or are too many: (n_entries,)."""
    contradictory = np.zeros(len(tagged), dtype=bool)
    for one, other in taxonomy.excluded_columns:
        contradictory |= tagged[:, one] & tagged[:, other]
    return contradictory if taxonomy.max_topics is None else contradictory | (tagged.sum(axis=1) > taxonomy.max_topics)


def _take_in_order(order: Iterable[int], wanted: Callable[[int], bool], taxonomy: Taxonomy) -> tuple[set[int], list[bool]]:
    """The topics of an entry, taken in this order, with what they imply; and for each whether there was room for it."""
    taken: set[int] = set()
    has_room = []
    for column in order:
        more = taken.union((column,), taxonomy.ancestor_columns.get(column, ()))
        compatible = taken.isdisjoint(taxonomy.incompatible_columns.get(column, ()))
        has_room.append(compatible and (taxonomy.max_topics is None or len(more) <= taxonomy.max_topics))
        if has_room[-1] and wanted(column):
            taken = more
    return taken, has_room
