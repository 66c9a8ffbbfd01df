"""What a review session says of an entry: in a queue, on the page, and after a save."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.curation.marks import Marks
from tagger.entry import Entry
from tagger.labels.table import LabelRow
from tagger.server.evidence import TopicEvidence
from tagger.server.queue import QueueRow

__all__ = ["EntryDetails", "EntryState", "SavedEntry", "SeenLabels"]


@dataclass(frozen=True, slots=True)
class SeenLabels:
    """The labels of an entry as a page saw them when somebody made marks on it."""

    topics: tuple[str, ...]
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryState:
    """What is said of an entry now."""

    summary: QueueRow
    row: LabelRow | None  # None if the entry has no labels
    marks: Marks  # (n_topics,): those of the row, or those that the model proposes


@dataclass(frozen=True, slots=True)
class SavedEntry:
    """An entry after a save, and the number that undoes the save; None if nothing changed."""

    state: EntryState
    undo: int | None


@dataclass(frozen=True, slots=True)
class EntryDetails:
    """An entry as the page shows it."""

    entry: Entry
    state: EntryState
    scores: tuple[float | None, ...]  # (n_topics,): None if the model has not learned the topic
    note: str | None  # see `Tagged.note`
    evidence: TopicEvidence
