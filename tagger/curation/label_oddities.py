"""What is odd about labels besides single ones: near-duplicates that differ, topics without a yes, topics always together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.taxonomy import Taxonomy
from tagger.text.near_duplicates import group_near_duplicate_texts

__all__ = [
    "ConflictingDuplicates",
    "InseparableTopics",
    "find_conflicting_duplicates",
    "find_inseparable_topics",
    "find_unused_topics",
]

Bools = NDArray[np.bool_]

_MIN_YES = 5  # entries of a topic, from which on it says something that the topic never occurs alone


@dataclass(frozen=True, slots=True)
class ConflictingDuplicates:
    """Near-duplicates that are labelled differently."""

    rows: tuple[LabelRow, ...]
    topics: tuple[str, ...]  # ids of those in which they differ


@dataclass(frozen=True, slots=True)
class InseparableTopics:
    """A topic that never occurs without another one, though it does not imply it."""

    topic: str
    other: str
    n_yes: int  # entries with the topic
    mutual: bool  # whether the other one never occurs without this one either


def find_conflicting_duplicates(
    labels: Labels, texts: Sequence[str], yes: Bools, labelled: Bools
) -> tuple[ConflictingDuplicates, ...]:
    """The groups of near-duplicates of which one entry has a topic and another one does not.

    Args:
        labels: of the entries.
        texts: what the model reads of each entry, (n_entries,).
        yes: which topics apply, (n_entries, n_topics).
        labelled: which cells a person decided, (n_entries, n_topics).
    """
    groups = group_near_duplicate_texts(texts)
    conflicts = []
    for group in np.flatnonzero(np.bincount(groups, minlength=len(texts)) > 1):
        members = np.flatnonzero(groups == group)
        differ = (yes & labelled)[members].any(0) & (~yes & labelled)[members].any(0)
        if differ.any():
            rows = tuple(labels.rows[n] for n in members)
            conflicts.append(ConflictingDuplicates(rows, tuple(labels.topics[t].id for t in np.flatnonzero(differ))))
    return tuple(conflicts)


def find_unused_topics(taxonomy: Taxonomy, yes: Bools) -> tuple[str, ...]:
    """The ids of the topics that no entry has; `yes` says which topics apply, (n_entries, n_topics)."""
    return tuple(id for id, n_yes in zip(taxonomy.ids, yes.sum(0).tolist(), strict=True) if not n_yes)


def find_inseparable_topics(taxonomy: Taxonomy, yes: Bools, labelled: Bools) -> tuple[InseparableTopics, ...]:
    """Pairs of topics of which the first never occurs without the second, although it does not imply it.

    Args:
        taxonomy: the topics.
        yes: which topics apply, (n_entries, n_topics).
        labelled: which cells a person decided, (n_entries, n_topics).
    """
    has_topic = yes & labelled
    n_yes = has_topic.sum(0)
    n_without = has_topic.T.astype(int) @ (~has_topic).astype(int)  # entries with the row's topic, without the column's
    pairs = []
    for t, other in zip(*np.nonzero(n_without == 0), strict=True):
        topic, other_topic = taxonomy.ids[t], taxonomy.ids[other]
        mutual = bool(n_without[other, t] == 0)
        implied = other_topic in taxonomy.ancestors[topic]
        if t != other and n_yes[t] >= _MIN_YES and not implied and not (mutual and t > other):
            pairs.append(InseparableTopics(topic, other_topic, int(n_yes[t]), mutual))
    return tuple(pairs)
