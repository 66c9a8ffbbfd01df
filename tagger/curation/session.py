"""`LabellingSession`: where a person is in labelling entries one at a time. session_keys.py says what a key does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tagger.curation.marks import Mark, Marks, marks_from_row
from tagger.entry import Entry
from tagger.labels.store import LabelEdit
from tagger.labels.table import LabelRow
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.positions import Position

__all__ = ["KEYS", "LabellingSession", "UndoStep", "find_telling_positions", "start_session"]

KEYS = "1234567890acdeghijklmnoprtvwxyz"  # of the topics on a page; the other letters are commands

_N_TELLING = 6  # words of a topic that are highlighted


@dataclass(frozen=True, slots=True)
class UndoStep:
    """What undo goes back to."""

    entry: int  # its index
    marks: Marks  # that were on the screen
    undo: LabelEdit | None = None  # what takes back the labels that were saved; None where none were


@dataclass(frozen=True, slots=True)
class LabellingSession:
    """Where a person is in labelling some entries.

    `scores` and `proposed` have a tuple of n_topics for each entry. A score is None where the model does not know the topic.
    """

    entries: tuple[Entry, ...]
    taxonomy: Taxonomy
    scores: tuple[tuple[float | None, ...], ...]
    proposed: tuple[Marks, ...]
    rows: Mapping[str, LabelRow]  # of labels.csv, as they were last read
    view: tuple[int, ...]  # the indexes of the entries to go through
    position: int = 0  # in the view; its length is the end
    with_labelled: bool = False  # whether the view has the labelled entries too
    drafts: Mapping[int, Marks] = field(default_factory=dict)  # by entry, marks that differ from the baseline
    history: tuple[UndoStep, ...] = ()
    page: int = 0  # of topics
    per_page: int = len(KEYS)
    scroll: int = 0  # lines of text above the screen
    n_visible_lines: int = 1  # of text on the screen
    help: bool = False
    leaving: bool = False  # whether the person asked to leave while marks are not saved
    done: bool = False
    message: str = ""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics to decide, (n_topics,)."""
        return self.taxonomy.topics

    @property
    def current(self) -> int | None:
        """The index of the entry on the screen; None after the last one."""
        return self.view[self.position] if self.position < len(self.view) else None

    @property
    def columns(self) -> range:
        """The columns of the topics on the screen."""
        return range(len(self.topics))[self.page * self.per_page :][: self.per_page]

    @property
    def n_labelled(self) -> int:
        """How many of the entries have a row."""
        return sum(entry.id in self.rows for entry in self.entries)

    def baseline(self, n: int) -> Marks:
        """The marks that are saved for an entry; those that are proposed if none are saved."""
        row = self.rows.get(self.entries[n].id)
        return self.proposed[n] if row is None else marks_from_row(row, self.taxonomy)

    def marks(self, n: int) -> Marks:
        """The marks of an entry on the screen."""
        return self.drafts.get(n, self.baseline(n))


def start_session(
    entries: Iterable[Entry],
    taxonomy: Taxonomy,
    rows: Mapping[str, LabelRow],
    model: Model,
    with_labelled: bool = False,
) -> LabellingSession:
    """Labelling at its first entry.

    Args:
        entries: what to label; a repeated entry counts once.
        taxonomy: the topics to decide; more topics than it allows cannot be saved.
        rows: what is labelled, by entry id.
        model: what proposes topics, those that it has learned.
        with_labelled: whether to go through labelled entries too.
    """
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    distinct = tuple(first.values())
    scores = model.scores(distinct)
    tagged = model.predict(scores)
    columns = [model.column(id) if model.is_learned(id) else None for id in taxonomy.ids]
    return LabellingSession(
        distinct,
        taxonomy,
        tuple(tuple(None if t is None else float(line[t]) for t in columns) for line in scores),
        tuple(tuple(Mark.yes if t is not None and line[t] else Mark.no for t in columns) for line in tagged),
        rows,
        tuple(n for n, entry in enumerate(distinct) if with_labelled or entry.id not in rows),
        with_labelled=with_labelled,
    )


def find_telling_positions(model: Model, entry: Entry) -> frozenset[Position]:
    """Where the terms of an entry stand that spoke most for its topics, or for the topic nearest to its threshold."""
    (tagged,) = model.tag([entry])
    topics = [tag.topic for tag in tagged.tags] + ([tagged.nearest] if tagged.nearest else [])
    reasons = [[reason for reason in model.why(entry, topic.id) if reason.share > 0][:_N_TELLING] for topic in topics]
    positions = model.term_positions(entry)
    return frozenset(position for of_topic in reasons for reason in of_topic for position in positions[reason.term])
