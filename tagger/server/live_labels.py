"""Entries and their labels, which follow the files on disk while others change them too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import RLock

from tagger.curation.marks import Marks, marks_from_row, row_from_marks
from tagger.curation.session import LabellingSession, start_session
from tagger.entry import Entry
from tagger.errors import TaggerError, UsageError
from tagger.formats.listing import Listing
from tagger.formats.registry import read_entries, read_text
from tagger.labels.closure import find_contradictions
from tagger.labels.entry_files import find_entry_files
from tagger.labels.store import LabelEdit, LabelStore, SavedRows
from tagger.labels.table import LabelRow, read_rows
from tagger.model.model import Model
from tagger.server.file_cache import CachedFromFiles
from tagger.workspace.workspace import Workspace

__all__ = ["LiveLabels", "UnknownEntryError"]


class UnknownEntryError(TaggerError):
    """No entry has such an id."""


class LiveLabels:
    """The entries of some listings and those of labels/, with the labels that they have on disk at any moment.

    `labelling` has entries, topics, proposals and the rows as they were last read or saved.

    Args:
        workspace: where labels are read and saved.
        model: what proposes topics.
        listed: the entries of the listings, which go before those of labels/.

    Raises:
        LabelsError, ListingError: if labels/ cannot be used.
    """

    def __init__(self, workspace: Workspace, model: Model, listed: Iterable[Entry]) -> None:
        self.lock = RLock()
        self._store = LabelStore(workspace.labels)
        taxonomy = workspace.read_hand_labels().taxonomy
        self._read_rows = CachedFromFiles(self._rows_from_disk, lambda: (self._store.table,))
        self._rows_read = self._read_rows()
        self.labelling: LabellingSession = start_session(
            [*listed, *_read_entries(workspace.labels)],
            taxonomy,
            self._rows_read,
            model,
            with_labelled=True,
        )
        self._positions = {entry.id: n for n, entry in enumerate(self.labelling.entries)}

    def current(self) -> LabellingSession:
        """`labelling` with the rows that are on disk now.

        Raises:
            LabelsError: if labels.csv cannot be read.
        """
        with self.lock:
            rows = self._read_rows()
            if rows is not self._rows_read:
                self._rows_read = rows
                self.labelling = replace(self.labelling, rows=rows)
            return self.labelling

    def find(self, id: str) -> int:
        """The position of an entry.

        Raises:
            UnknownEntryError: if there is no such entry.
        """
        if id not in self._positions:
            raise UnknownEntryError(f"no entry has the id {id!r}")
        return self._positions[id]

    def row_for(self, entry: Entry, marks: Marks, before: LabelRow | None) -> LabelRow:
        """The row that says the same as some marks: the one before, if it does.

        Args:
            entry: what the marks are about.
            marks: (n_topics,).
            before: the row that the marks were made on.

        Raises:
            UsageError: if there is not one mark for each topic, or if the marks contradict each other.
        """
        taxonomy = self.labelling.taxonomy
        if len(marks) != len(taxonomy.topics):
            raise UsageError("the topics have changed; reload the page")
        if before is not None and marks == marks_from_row(before, taxonomy):
            return before
        row = row_from_marks(entry, marks, taxonomy, before)
        if contradictions := find_contradictions(row, taxonomy):
            raise UsageError(contradictions[0])
        return row

    def save(self, edit: LabelEdit) -> SavedRows:
        """Put an edit on disk; see `LabelStore.save`."""
        with self.lock:
            saved = self._store.save(edit)
            self.labelling = replace(self.labelling, rows=saved.rows)
            return saved

    def use_model(self, model: Model) -> None:
        """Propose topics with another model from now on."""
        with self.lock:
            current = self.current()
            self.labelling = start_session(current.entries, current.taxonomy, current.rows, model, with_labelled=True)

    def _rows_from_disk(self) -> Mapping[str, LabelRow]:
        table = self._store.table
        return {row.id: row for row in read_rows(table)} if table.exists() else {}


def _read_entries(folder: Path) -> tuple[Entry, ...]:
    """All entries in a folder labels/, whether or not they have labels.

    Raises:
        ListingError: naming everything in their files that was not understood.
    """
    listings = [read_entries(read_text(path), str(path), None) for path in find_entry_files(folder)]
    return Listing(
        tuple(entry for listing in listings for entry in listing.entries),
        tuple(problem for listing in listings for problem in listing.problems),
    ).require_entries()
