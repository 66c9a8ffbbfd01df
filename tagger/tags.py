"""What tagging returns: an entry with its tags, and the reasons for one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.taxonomy import Topic

__all__ = [
    "Reason",
    "Tag",
    "Tagged",
]


@dataclass(frozen=True, slots=True)
class Tag:
    """A topic that an entry has. `score` is a calibrated probability; None where a person said so."""

    topic: Topic
    score: float | None
    by: str  # "model" or "hand"


@dataclass(frozen=True, slots=True)
class Reason:
    """What a term did for a topic: its share of the score's log-odds, negative if it spoke against."""

    term: str
    share: float


@dataclass(frozen=True, slots=True)
class Tagged:
    """An entry with its tags, best first.

    `scores` are those of all topics, (n_topics,), where they were asked for.

    Where there is no tag, `note` says why, and `nearest` is the topic that came nearest to its threshold.
    """

    entry: Entry
    tags: tuple[Tag, ...]
    scores: NDArray[np.float64] | None = None
    note: str | None = None
    nearest: Topic | None = None
    by: str = "model"  # or "hand"
