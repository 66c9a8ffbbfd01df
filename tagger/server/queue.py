"""The queue of entries: which ones are in it, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tagger.curation.query import build_pool, select_batch
from tagger.entry import Entry
from tagger.errors import UsageError
from tagger.model.model import Model
from tagger.server.doubts import DoubtedLabel

__all__ = ["ORDERS", "STATES", "QueueFilter", "QueueRow", "entries_to_label_first", "has_topic", "sort_by_doubt", "states_of"]

STATES = ("new", "labelled", "unsure", "doubted", "all")
ORDERS = ("listed", "teaching", "doubtful")
_N_TEACHING = 100  # entries at the front of the order "teaching"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which entries a queue has, and in which order."""

    state: str = "all"  # one of `STATES`
    topic: str = ""  # a topic that each entry has by its labels, or by its tags if it has none; "" for any
    search: str = ""  # words, each of which is in the title, the authors or the abstract
    order: str = "listed"  # one of `ORDERS`

    def check(self, topics: Collection[str]) -> None:
        """Check the filter against the topics that exist.

        Raises:
            UsageError: if its state, topic or order does not exist.
        """
        for value, known in ((self.state, STATES), (self.order, ORDERS), (self.topic, ("", *topics))):
            if value not in known:
                raise UsageError(f"unknown filter value {value!r}; known: {', '.join(filter(None, known))}")


@dataclass(frozen=True, slots=True)
class QueueRow:
    """An entry in brief. Its topics are those of its labels, or those that the model proposes if it has none."""

    id: str
    title: str
    labelled: bool
    topics: tuple[str, ...]
    unsure: tuple[str, ...]
    doubts: tuple[DoubtedLabel, ...]  # that wait for a review


def has_topic(row: QueueRow, topic: str) -> bool:
    """Whether an entry has a topic, is unsure about it, or has a doubted label for it; true for no topic in particular."""
    return topic in ("", *row.topics, *row.unsure, *(doubt.topic for doubt in row.doubts))


def states_of(row: QueueRow, topic: str) -> list[str]:
    """Those of `STATES` that an entry is in. With a topic, "unsure" and "doubted" are about that topic alone."""
    states = ["all", "labelled" if row.labelled else "new"]
    if row.unsure and topic in ("", *row.unsure):
        states.append("unsure")
    if row.doubts and topic in ("", *(doubt.topic for doubt in row.doubts)):
        states.append("doubted")
    return states


def sort_by_doubt(rows: Sequence[QueueRow]) -> list[QueueRow]:
    """Rows with the most doubtful label first."""
    return sorted(rows, key=lambda row: -max((doubt.distance for doubt in row.doubts), default=0.0))


def entries_to_label_first(model: Model, labelled: Sequence[Entry], entries: Sequence[Entry]) -> list[str]:
    """The ids of the entries that `tagger next` would choose, best first."""
    pool = build_pool(model, labelled, entries)
    return [pool.entries[pick.entry].id for pick in select_batch(model, pool, _N_TEACHING)]
