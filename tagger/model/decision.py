"""The only place where a score meets a threshold.

A topic whose score reaches its threshold is wanted. The wanted topics of an entry are taken likeliest first, of equal scores
the one that stands first among the topics; each brings those that it implies. One is left out if an entry cannot have it
beside those taken before, because they exclude each other or because there would be too many. So a tagged topic always has
its ancestors, no two tagged ones exclude each other, and there are never more than `max_topics`.

A higher threshold never adds a tag where nothing excludes and nothing is limited. Elsewhere a tag that a higher threshold
takes away may make room for a less likely one; it never adds a tag to an entry that it takes none from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.taxonomy import Topic, ancestors, incompatible_topics

__all__ = [
    "UNCERTAIN_ODDS_RATIO",
    "apply_thresholds",
    "blocking_topics",
    "log_odds_margins",
    "raise_to_descendants",
    "scores_left_to_thresholds",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


# A score is uncertain where its odds and those of its threshold differ by no more than this factor. Out of fold, two in five
# of such decisions on the shipped labels are wrong, and fewer beyond.
UNCERTAIN_ODDS_RATIO = 2.0


def raise_to_descendants(scores: Floats, topics: Sequence[Topic]) -> Floats:
    """The scores, (n_entries, n_topics), where a topic is at least as likely as each one that implies it."""
    column = {topic.id: n for n, topic in enumerate(topics)}
    raised = scores.copy()
    for topic, above in ancestors(topics).items():
        for up in above:
            raised[:, column[up]] = np.maximum(raised[:, column[up]], scores[:, column[topic]])
    return raised


def apply_thresholds(
    scores: Floats,
    thresholds: Floats,
    topics: Sequence[Topic] = (),
    min_topics: int = 0,
    max_topics: int | None = None,
) -> Bools:
    """Which topics each entry is tagged with: those whose score reaches the threshold, and what follows from them.

    Args:
        scores: (n_entries, n_topics).
        thresholds: (n_topics,); infinite for a topic that is never tagged.
        topics: what implies and excludes what; without it nothing does.
        min_topics: 1 to tag the best topic in any case, if it has a score above 0 at all.
        max_topics: how many topics an entry has at most, those implied among them; None for any number.

    Returns:
        (n_entries, n_topics).

    >>> apply_thresholds(np.array([[0.2, 0.5]]), np.array([0.3, 0.5]))
    array([[False,  True]])
    """
    wanted = scores >= thresholds
    if min_topics and scores.size:
        rows, best = np.arange(len(scores)), scores.argmax(axis=1)
        wanted[rows, best] |= scores[rows, best] > 0
    rules = _Rules.of(topics, max_topics)
    tagged = wanted.copy()
    for t, above in rules.above.items():
        for up in above:
            tagged[:, up] |= wanted[:, t]
    for n in np.flatnonzero(rules.broken(tagged)):
        mine = np.flatnonzero(wanted[n])
        taken, _ = rules.settle(mine[np.argsort(-scores[n, mine], kind="stable")].tolist(), lambda t: True)
        tagged[n] = False
        tagged[n, list(taken)] = True
    return tagged


def scores_left_to_thresholds(
    entries: Ints,
    columns: Ints,
    scores: Floats,
    thresholds: Floats,
    topics: Sequence[Topic],
    min_topics: int = 0,
    max_topics: int | None = None,
) -> Floats:
    """What is left to each topic's own threshold to decide, given the thresholds of the others.

    Args:
        entries: of some cells, (n_cells,).
        columns: of the same cells, (n_cells,).
        scores: of the same cells, (n_cells,).
        thresholds: (n_topics,).
        topics: (n_topics,).
        min_topics: as in `apply_thresholds`.
        max_topics: as in `apply_thresholds`.

    Returns:
        The scores, (n_cells,), but 1 where a tagged topic implies this one, so that it is tagged whatever its threshold, and
        0 where likelier tags leave no room for it, so that it is not.
    """
    rules = _Rules.of(topics, max_topics)
    order = np.lexsort((columns, -scores, entries))
    found = scores.copy()
    starts = np.flatnonzero(np.diff(entries[order], prepend=-1))
    for cells in np.split(order, starts[1:]) if len(order) else ():
        mine = columns[cells].tolist()
        wanted = {t for t, score in zip(mine, scores[cells], strict=True) if score >= thresholds[t]}
        if min_topics:
            wanted.add(mine[0])
        taken, free = rules.settle(mine, wanted.__contains__)
        implied = {up for t in taken for up in rules.above.get(t, ())}
        found[cells[[not one for one in free]]] = 0.0
        found[cells[[t in implied for t in mine]]] = 1.0
    return found


def log_odds_margins(scores: Floats, thresholds: Floats) -> Floats:
    """How far the log-odds of scores, (n_entries, n_topics), are above those of the thresholds, (n_topics,).

    Minus infinity for a topic that is never tagged.
    """
    learned = np.isfinite(thresholds)
    found: Floats = np.where(learned, _logit(scores) - _logit(np.where(learned, thresholds, 0.5)), -np.inf)
    return found


def blocking_topics(column: int, tagged: Bools, topics: Sequence[Topic]) -> list[int]:
    """The columns of the tags, (n_topics,), beside which an entry cannot have one more topic.

    Those that exclude it; where none does, all, as there are as many as there may be.
    """
    against = _Rules.of(topics, None).against.get(column, frozenset())
    there = np.flatnonzero(tagged).tolist()
    return [t for t in there if t in against] or there


@dataclass(frozen=True, slots=True)
class _Rules:
    """What topics say of each other, by column; topics of which nothing is said are left out."""

    above: dict[int, tuple[int, ...]]
    against: dict[int, frozenset[int]]
    pairs: tuple[tuple[int, int], ...]  # those declared
    max_topics: int | None

    @classmethod
    def of(cls, topics: Sequence[Topic], max_topics: int | None) -> _Rules:
        if not any(topic.parent or topic.excludes for topic in topics):
            return cls({}, {}, (), max_topics)
        column = {topic.id: n for n, topic in enumerate(topics)}
        above = {column[id]: tuple(column[up] for up in chain) for id, chain in ancestors(topics).items() if chain}
        pairs = tuple((column[topic.id], column[other]) for topic in topics for other in topic.excludes if other in column)
        against = {
            column[id]: frozenset(column[other] for other in others)
            for id, others in incompatible_topics(topics).items()
            if others
        }
        return cls(above, against, pairs, max_topics)

    def broken(self, tagged: Bools) -> Bools:
        """The entries whose tags, with all that they imply, exclude each other or are too many: (n_entries,)."""
        broken = np.zeros(len(tagged), dtype=bool)
        for one, other in self.pairs:
            broken |= tagged[:, one] & tagged[:, other]
        return broken if self.max_topics is None else broken | (tagged.sum(axis=1) > self.max_topics)

    def settle(self, order: Iterable[int], wanted: Callable[[int], bool]) -> tuple[set[int], list[bool]]:
        """The topics of an entry, taken in this order, with what they imply; and for each whether there was room for it."""
        taken: set[int] = set()
        free = []
        for t in order:
            more = taken.union((t,), self.above.get(t, ()))
            free.append(taken.isdisjoint(self.against.get(t, ())) and (self.max_topics is None or len(more) <= self.max_topics))
            if free[-1] and wanted(t):
                taken = more
        return taken, free


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p / (1 - p)))
