"""The only place where a score meets a threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.taxonomy import Topic, ancestors

__all__ = ["NEAR", "decide", "with_parents"]

# A score is uncertain where its odds and those of its threshold differ by no more than this factor. Out of fold, two in five
# of such decisions on the shipped labels are wrong, and fewer beyond.
NEAR = 2.0


def with_parents(scores: NDArray[np.float64], topics: Sequence[Topic]) -> NDArray[np.float64]:
    """The scores, (n_entries, n_topics), where a topic is at least as likely as each one that implies it."""
    column = {topic.id: n for n, topic in enumerate(topics)}
    raised = scores.copy()
    for topic, above in ancestors(topics).items():
        for up in above:
            raised[:, column[up]] = np.maximum(raised[:, column[up]], scores[:, column[topic]])
    return raised


def decide(
    scores: NDArray[np.float64], thresholds: NDArray[np.float64], topics: Sequence[Topic] = (), fewest: int = 0
) -> NDArray[np.bool_]:
    """Which topics each entry is tagged with: those whose score reaches the threshold, and those that they imply.

    Args:
        scores: (n_entries, n_topics).
        thresholds: (n_topics,); infinite for a topic that is never tagged.
        topics: for parents; without it nothing implies anything.
        fewest: 1 to tag the best topic in any case, if it has a score above 0 at all.

    Returns:
        (n_entries, n_topics).

    >>> decide(np.array([[0.2, 0.5]]), np.array([0.3, 0.5]))
    array([[False,  True]])
    """
    tagged = scores >= thresholds
    if fewest and scores.size:
        rows, best = np.arange(len(scores)), scores.argmax(axis=1)
        tagged[rows, best] |= scores[rows, best] > 0
    column = {topic.id: n for n, topic in enumerate(topics)}
    for topic, above in ancestors(topics).items():
        for up in above:
            tagged[:, column[up]] |= tagged[:, column[topic]]
    return tagged
