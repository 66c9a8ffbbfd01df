"""Which entries got or lost topics between two runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tagger.batch.manifest import TagRecord

__all__ = ["EntryChange", "find_entry_changes"]


class EntryChange(NamedTuple):
    """What became of an entry: topics that it got and topics that it lost."""

    id: str
    title: str
    state: str  # "new", "changed" or "gone"
    added: tuple[str, ...]
    removed: tuple[str, ...]


def find_entry_changes(old: Iterable[TagRecord], new: Iterable[TagRecord]) -> list[EntryChange]:
    """The entries whose topics differ, those of `new` in its order, then those that are gone.

    An entry that stands in several places counts as it stands in the first.
    """
    before, after = _first_by_id(old), _first_by_id(new)
    changes = []
    for id, record in after.items():
        old_topics = before[id].topic_ids if id in before else ()
        added = tuple(topic for topic in record.topic_ids if topic not in old_topics)
        removed = tuple(topic for topic in old_topics if topic not in record.topic_ids)
        if id not in before or added or removed:
            changes.append(EntryChange(id, record.title, "changed" if id in before else "new", added, removed))
    gone = (record for id, record in before.items() if id not in after)
    return changes + [EntryChange(record.id, record.title, "gone", (), record.topic_ids) for record in gone]


def _first_by_id(records: Iterable[TagRecord]) -> dict[str, TagRecord]:
    first: dict[str, TagRecord] = {}
    for record in records:
        first.setdefault(record.id, record)
    return first
