"""Marks: what is said of each topic of an entry, and how a row of labels.csv says the same."""

from __future__ import annotations

from enum import StrEnum

from tagger.entry import Entry
from tagger.labels.closure import implied_labels
from tagger.labels.table import LabelRow
from tagger.taxonomy import Taxonomy

__all__ = ["Mark", "Marks", "marks_from_row", "row_from_marks", "set_mark"]


class Mark(StrEnum):
    """What is said of one topic of an entry."""

    no = "no"
    yes = "yes"
    unsure = "unsure"


Marks = tuple[Mark, ...]  # (n_topics,)
_FROM_NO_TO_YES = (Mark.no, Mark.unsure, Mark.yes)


def set_mark(marks: Marks, t: int, mark: Mark, taxonomy: Taxonomy) -> Marks:
    """Marks with one of them changed, and with what follows from it, as in `implied_labels`.

    From no over unsure to yes, a topic that the changed one implies becomes at least what it is, and a topic that implies it
    at most. A topic that it excludes becomes a no beside a yes, and at most unsure beside unsure.

    Args:
        marks: (n_topics,).
        t: the column of the topic to change.
        mark: its new mark.
        taxonomy: of the topics.
    """
    changed, id, column = [*marks], taxonomy.ids[t], taxonomy.column
    changed[t] = mark
    for other in taxonomy.ancestors[id]:
        changed[column[other]] = max(changed[column[other]], mark, key=_FROM_NO_TO_YES.index)
    for other in taxonomy.descendants[id]:
        changed[column[other]] = min(changed[column[other]], mark, key=_FROM_NO_TO_YES.index)
    for other in taxonomy.incompatible[id]:
        opposite = _FROM_NO_TO_YES[2 - _FROM_NO_TO_YES.index(mark)]
        changed[column[other]] = min(changed[column[other]], opposite, key=_FROM_NO_TO_YES.index)
    return tuple(changed)


def marks_from_row(row: LabelRow, taxonomy: Taxonomy) -> Marks:
    """What a row says of each topic: (n_topics,)."""
    yes, unsure = implied_labels(row, taxonomy)
    return tuple(Mark.yes if id in yes else Mark.unsure if id in unsure else Mark.no for id in taxonomy.ids)


def row_from_marks(entry: Entry, marks: Marks, taxonomy: Taxonomy, before: LabelRow | None) -> LabelRow:
    """The row that says the same as some marks.

    Args:
        entry: what the marks are about.
        marks: (n_topics,).
        taxonomy: of the topics.
        before: the row that the entry has. What it says of topics that do not exist any more stays.
    """
    yes = [id for id, mark in zip(taxonomy.ids, marks, strict=True) if mark == Mark.yes]
    unsure = [id for id, mark in zip(taxonomy.ids, marks, strict=True) if mark == Mark.unsure]
    if before is not None:
        yes += [id for id in before.topics if id not in taxonomy.column]
        unsure += [id for id in before.unsure if id not in taxonomy.column]
    return LabelRow(entry.id, entry.title if before is None else before.title, tuple(yes), tuple(unsure))
