"""A review of entries: what the page shows of them, what it saves, and how a save is undone. Nothing here knows the web.

A label is on disk when `ReviewSession.save` returns. Marks that are not saved stay with the page that made them, so that any
number of pages can share one session. A save says which labels the page saw, and is refused if somebody else changed them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tagger.curation.marks import Mark, Marks, set_mark
from tagger.curation.session import LabellingSession
from tagger.entry import Entry
from tagger.errors import UsageError
from tagger.labels.closure import implied_labels
from tagger.labels.dataset import Labels
from tagger.labels.store import LabelEdit
from tagger.labels.table import LabelRow
from tagger.model.explain import SimilarEntry, SimilarEntryIndex
from tagger.model.model import Model
from tagger.server.doubts import DoubtedLabel, DoubtedLabels
from tagger.server.entry_state import EntryDetails, EntryState, SavedEntry, SeenLabels
from tagger.server.evidence import TopicEvidence, explain_topic, without_evidence
from tagger.server.live_labels import LiveLabels
from tagger.server.queue import STATES, QueueFilter, QueueRow, entries_to_label_first, has_topic, sort_by_doubt, states_of
from tagger.workspace.workspace import Workspace

__all__ = ["ReviewSession", "TopicSummary"]

_N_SIMILAR = 5  # labelled entries that are shown beside an entry


@dataclass(frozen=True, slots=True)
class TopicSummary:
    """A topic as the page lists it; the threshold is None if the model has not learned it."""

    id: str
    name: str
    definition: str
    threshold: float | None


@dataclass(frozen=True, slots=True)
class _Save:
    """What reverses a save, and the doubted labels that the save reviewed."""

    inverse: LabelEdit
    reviewed: Sequence[DoubtedLabel]


class ReviewSession:
    """The entries of some listings and those of labels/, with a model that proposes topics.

    Args:
        workspace: where labels are read and saved.
        model: what proposes topics.
        entries: those of the listings.

    Raises:
        LabelsError, ListingError: if labels/ cannot be used.
    """

    def __init__(self, workspace: Workspace, model: Model, entries: Iterable[Entry] = ()) -> None:
        self.workspace, self.model = workspace, model
        self.name = workspace.folder.resolve().name
        listed = list(entries)
        self.n_given = len({entry.id for entry in listed})
        self._labels = LiveLabels(workspace, model, listed)
        self.entries = self._labels.labelling.entries
        self._search_texts = [
            " ".join([entry.id, entry.title, *entry.authors, entry.abstract]).casefold() for entry in self.entries
        ]
        self._saves: list[_Save | None] = []  # the number of a save is its place; None once it was undone
        self._doubted = DoubtedLabels(workspace.labels)
        self._similar: SimilarEntryIndex | None = None
        self._similar_rows: Mapping[str, LabelRow] = {}  # the rows that the index was made from

    @property
    def n_labelled(self) -> int:
        """How many entries have labels."""
        return self._labels.current().n_labelled

    def topics(self) -> list[TopicSummary]:
        """The topics in their order."""
        return [
            TopicSummary(
                topic.id,
                topic.name,
                topic.definition,
                None if (threshold := self.model.threshold_of(topic.id)) is None else round(threshold, 4),
            )
            for topic in self._labels.labelling.topics
        ]

    def queue(self, wanted: QueueFilter) -> list[QueueRow]:
        """The entries that a filter asks for, in its order.

        Raises:
            UsageError: if there is no such state, topic or order.
        """
        rows = [row for row in self._matching(wanted) if wanted.state in states_of(row, wanted.topic)]
        if wanted.order == "doubtful":
            return sort_by_doubt(rows)
        if wanted.order == "teaching":
            return self._sort_by_teaching(rows)
        return rows

    def counts(self, wanted: QueueFilter) -> dict[str, int]:
        """How many entries with the topic and the words of a filter are in each of `STATES`.

        Raises:
            UsageError: if there is no such state, topic or order.
        """
        counts = Counter(state for row in self._matching(wanted) for state in states_of(row, wanted.topic))
        return {state: counts[state] for state in STATES}

    def entry(self, id: str, topic: str = "") -> EntryDetails:
        """An entry with its labels, scores and the evidence for one topic.

        Args:
            id: the entry.
            topic: what the evidence is for. If it is no topic: that of a doubted label, else that of the best tag, else the
                one that came nearest to its threshold.

        Raises:
            UnknownEntryError: if there is no such entry.
        """
        current, n = self._labels.current(), self._labels.find(id)
        entry = current.entries[n]
        (tagged,) = self.model.tag([entry])
        state = self._state(current, n)
        candidates = [topic, *(doubt.topic for doubt in state.summary.doubts), *(tag.topic.id for tag in tagged.tags)]
        candidates += [tagged.nearest.id] if tagged.nearest else []
        known = current.taxonomy.ids
        return EntryDetails(
            entry,
            state,
            tuple(None if score is None else round(score, 4) for score in current.scores[n]),
            tagged.note,
            self.evidence(id, next((candidate for candidate in candidates if candidate in known), known[0])),
        )

    def evidence(self, id: str, topic: str) -> TopicEvidence:
        """What the words of an entry did for a topic.

        Raises:
            UnknownEntryError: if there is no such entry.
            UsageError: if there is no such topic.
        """
        entry = self.entries[self._labels.find(id)]
        of_model = {known.id for known in self.model.topics}
        newer = {known.id: known for known in self._labels.labelling.topics if known.id not in of_model}
        return without_evidence(entry, newer[topic]) if topic in newer else explain_topic(self.model, entry, topic)

    def similar(self, id: str) -> tuple[SimilarEntry, ...]:
        """The labelled entries that are most like one, nearest first; see `SimilarEntryIndex`.

        Raises:
            UnknownEntryError: if there is no such entry.
        """
        n = self._labels.find(id)
        with self._labels.lock:
            current = self._labels.current()
            if self._similar is None or self._similar_rows is not current.rows:
                labelled = sorted((entry for entry in current.entries if entry.id in current.rows), key=lambda entry: entry.id)
                rows = tuple(current.rows[entry.id] for entry in labelled)
                self._similar = SimilarEntryIndex(self.model, Labels(current.taxonomy, tuple(labelled), rows))
                self._similar_rows = current.rows
            (similar,) = self._similar.find([current.entries[n]], _N_SIMILAR)
        return similar

    def change_mark(self, marks: Sequence[Mark], topic: str, mark: Mark) -> Marks:
        """Marks with the one of a topic changed, and with it those that follow from it.

        Raises:
            UsageError: if there is no such topic, or not one mark for each topic.
        """
        taxonomy = self._labels.labelling.taxonomy
        if topic not in taxonomy.column or len(marks) != len(taxonomy.topics):
            raise UsageError(f"the topics have changed (now {', '.join(taxonomy.ids)}); reload the page")
        return set_mark(tuple(marks), taxonomy.column[topic], mark, taxonomy)

    def save(self, id: str, marks: Sequence[Mark], seen: SeenLabels | None) -> SavedEntry:
        """Put the labels of an entry on disk. Its doubted labels then count as reviewed.

        Args:
            id: the entry.
            marks: (n_topics,).
            seen: the labels that the marks were made on; None for none.

        Raises:
            UnknownEntryError: if there is no such entry.
            UsageError: if there is not one mark for each topic, or if the marks contradict each other.
            RowChangedError: if somebody else changed the labels meanwhile; nothing was changed.
            TaggerError: if they cannot be written.
        """
        with self._labels.lock:
            current, n = self._labels.current(), self._labels.find(id)
            entry = current.entries[n]
            title = current.rows[id].title if id in current.rows else entry.title
            before = None if seen is None else LabelRow(id, title, seen.topics, seen.unsure)
            row = self._labels.row_for(entry, tuple(marks), before)
            edit = LabelEdit(entry, before, row)
            written = self._labels.save(edit)
            doubted = self._doubted.to_review(id, before)
            self._doubted.confirm(doubted, row)
            number = None
            if row is not before or doubted:
                number = len(self._saves)
                self._saves.append(_Save(edit.inverse(written.added_text), doubted))
            return SavedEntry(self._state(self._labels.labelling, n), number)

    def undo(self, number: int) -> EntryState:
        """Reverse a save, on disk too.

        Args:
            number: that of the save, as `save` gave it.

        Raises:
            UsageError: if there was no such save, or if it was undone.
            RowChangedError: if somebody else changed the labels since; nothing was changed.
            TaggerError: if they cannot be written.
        """
        with self._labels.lock:
            save = self._saves[number] if 0 <= number < len(self._saves) else None
            if save is None:
                raise UsageError("nothing to undo: it was undone before, or the server was restarted since")
            self._labels.save(save.inverse)
            self._saves[number] = None
            self._doubted.reopen(save.reviewed)
            return self._state(self._labels.labelling, self._labels.find(save.inverse.entry.id))

    def set_doubted(self, doubted: Iterable[DoubtedLabel]) -> None:
        """Take these labels for the doubted ones from now on."""
        with self._labels.lock:
            self._doubted.replace(doubted)

    def use_model(self, model: Model) -> None:
        """Propose topics with another model from now on."""
        with self._labels.lock:
            self._labels.use_model(model)
            self.model, self._similar = model, None

    def _matching(self, wanted: QueueFilter) -> list[QueueRow]:
        """The entries with the words and the topic of a filter, in any state, as listed."""
        wanted.check(self._labels.labelling.taxonomy.ids)
        current = self._labels.current()
        words = wanted.search.casefold().split()
        matches = (n for n, text in enumerate(self._search_texts) if all(word in text for word in words))
        rows = (self._summary(current, n) for n in matches)
        return [row for row in rows if has_topic(row, wanted.topic)]

    def _sort_by_teaching(self, rows: Sequence[QueueRow]) -> list[QueueRow]:
        """First the rows that `tagger next` would choose, then the others as they are."""
        current = self._labels.labelling
        labelled = [entry for entry in current.entries if entry.id in current.rows]
        first = entries_to_label_first(self.model, labelled, [self.entries[self._labels.find(row.id)] for row in rows])
        others = {row.id: row for row in rows}
        return [others.pop(id) for id in first] + list(others.values())

    def _state(self, current: LabellingSession, n: int) -> EntryState:
        return EntryState(self._summary(current, n), current.rows.get(current.entries[n].id), current.baseline(n))

    def _summary(self, current: LabellingSession, n: int) -> QueueRow:
        entry = current.entries[n]
        row = current.rows.get(entry.id)
        yes: Collection[str]
        unsure: Collection[str] = ()
        if row is None:
            yes = [topic.id for topic, mark in zip(current.topics, current.proposed[n], strict=True) if mark == Mark.yes]
        else:
            yes, unsure = implied_labels(row, current.taxonomy)
        return QueueRow(
            entry.id,
            entry.title,
            row is not None,
            tuple(topic.id for topic in current.topics if topic.id in yes),
            tuple(topic.id for topic in current.topics if topic.id in unsure),
            tuple(self._doubted.to_review(entry.id, row)),
        )
