"""Out-of-fold scores: what models said of entries that they had not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tagger.taxonomy import Taxonomy

__all__ = ["MIN_KEPT_SCORE", "OutOfFold", "OutOfFoldScores", "TopicLabels", "raise_cells_to_descendants"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_KEPT_SCORE = 0.01  # cells with lower scores are kept only if they are a yes: no threshold is that low


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What cross-validation said of each labelled entry, by a model that had not seen it."""

    scores: Floats  # (n_entries, n_topics)
    tagged: Bools  # (n_entries, n_topics)
    fold: Ints  # (n_entries,): entries of one fold were scored by one model

    @classmethod
    def empty(cls, n_topics: int) -> OutOfFold:
        """The result of no cross-validation: there are no entries in it."""
        return cls(np.zeros((0, n_topics)), np.zeros((0, n_topics), dtype=bool), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class TopicLabels:
    """The labels of some entries for one topic."""

    yes: Bools  # (n_entries,) which of them have the topic
    labelled: Bools  # (n_entries,) which of them a person decided

    def select(self, entries: Ints) -> TopicLabels:
        """The labels of the entries at some indexes."""
        return TopicLabels(self.yes[entries], self.labelled[entries])


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFoldScores:
    """Out-of-fold scores that may meet a threshold, as cells of entry and topic; arrays are (n_cells,), ordered by topic.

    Scores near 0 are left out, so that memory grows with the number of labels and not with entries times topics.
    """

    topics: Ints
    entries: Ints
    scores: Floats
    yes: Bools
    labelled: Bools  # which cells a person decided

    @classmethod
    def from_arrays(cls, scores: Floats, yes: Bools, labelled: Bools) -> OutOfFoldScores:
        """The labelled cells of arrays (n_entries, n_topics) that have a yes or a score that is not near 0."""
        topics, entries = np.nonzero((labelled & ((scores > MIN_KEPT_SCORE) | yes)).T)
        return cls(topics, entries, scores[entries, topics], yes[entries, topics], labelled[entries, topics])

    @classmethod
    def concatenate(cls, parts: Sequence[OutOfFoldScores]) -> OutOfFoldScores:
        """The cells of several parts, one after the other."""
        arrays = zip(*((part.topics, part.entries, part.scores, part.yes, part.labelled) for part in parts), strict=True)
        return cls(*map(np.concatenate, arrays))

    def select(self, cells: Bools | Ints | slice) -> OutOfFoldScores:
        """Some of the cells, in their order."""
        return OutOfFoldScores(
            self.topics[cells], self.entries[cells], self.scores[cells], self.yes[cells], self.labelled[cells]
        )

    def topic_slices(self, n_topics: int) -> list[slice]:
        """Which cells belong to each topic: (n_topics,)."""
        bounds = np.searchsorted(self.topics, np.arange(n_topics + 1)).tolist()
        return [slice(start, end) for start, end in pairwise(bounds)]


def raise_cells_to_descendants(
    cells: OutOfFoldScores, n_entries: int, taxonomy: Taxonomy, labels_of: Callable[[int], TopicLabels]
) -> OutOfFoldScores:
    """Cells in which a topic is at least as likely as each topic that implies it, as in `raise_to_descendants`.

    Args:
        cells: out-of-fold scores; a topic without any is not learned.
        n_entries: how many entries there are.
        taxonomy: which topics imply which.
        labels_of: the labels of all entries for the topic in a column.

    Returns:
        The cells, and more of them: those in which only descendants of a learned topic had a score.
    """
    by_topic = [cells.select(topic_cells) for topic_cells in cells.topic_slices(len(taxonomy.topics))]
    parts = []
    for column, id in enumerate(taxonomy.ids):
        part, descendants = by_topic[column], [by_topic[taxonomy.column[other]] for other in taxonomy.descendants[id]]
        if descendants and len(part.scores):
            part = _merge_highest([part, *descendants], n_entries, labels_of(column))
        parts.append(part)
    return OutOfFoldScores.concatenate(parts)


def _merge_highest(family: Sequence[OutOfFoldScores], n_entries: int, labels: TopicLabels) -> OutOfFoldScores:
    """The cells of a topic, the first of a family, with the highest score that its entry has in the family."""
    topic = family[0]
    highest = np.zeros(n_entries)
    for cells in family:
        highest[cells.entries] = np.maximum(highest[cells.entries], cells.scores)
    has_cell = highest > 0
    has_cell[topic.entries] = True
    entries = np.flatnonzero(has_cell)
    labels = labels.select(entries)
    return OutOfFoldScores(np.full(len(entries), topic.topics[0]), entries, highest[entries], labels.yes, labels.labelled)
