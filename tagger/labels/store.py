"""`LabelStore`: how the labels and the text of one entry get into labels/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tagger.atomic import locked, remove_leftovers, write_whole
from tagger.entry import Entry
from tagger.errors import LabelsError, Problem, TaggerError
from tagger.formats.registry import append_entry, read_entries, read_text, remove_entry
from tagger.labels.entry_files import entry_file_for, find_entry_files
from tagger.labels.table import LABELS_CSV, LabelRow, describe_row, read_rows, write_rows
from tagger.source import Source
from tagger.stamp import FileStamp, file_stamp

__all__ = ["LabelEdit", "LabelStore", "RowChangedError", "SavedRows"]


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """A change of the row of one entry."""

    entry: Entry
    before: LabelRow | None  # the row that the change was made on; None for none
    after: LabelRow | None  # None to delete the row
    removes_text: bool = False  # whether the text of the entry is deleted too

    def inverse(self, added_text: bool) -> LabelEdit:
        """The edit that takes this one back. It deletes the text of the entry if this one added it."""
        return LabelEdit(self.entry, self.after, self.before, added_text)


@dataclass(frozen=True, slots=True)
class SavedRows:
    """What labels.csv holds after an edit."""

    rows: Mapping[str, LabelRow]  # by entry id
    added_text: bool  # whether the text of the entry was not in labels/ before


class RowChangedError(TaggerError):
    """Somebody else changed the row that an edit was made on. `row` is theirs; None if they deleted it."""

    def __init__(self, row: LabelRow | None) -> None:
        super().__init__(f"labels.csv was changed meanwhile and says of this entry: {describe_row(row)}")
        self.row = row


class LabelStore:
    """A folder labels/ into which edits are saved, one at a time, while others may write there too.

    An edit can change two files: labels.csv, and the file with the text of the entry. To add an entry, the text is written
    first; to delete it, the row is deleted first. A program that is killed between the two leaves a text without a row:
    `tagger retrain` then says which row to add, and labelling asks about the entry again. Each file is whole at any moment.

    Args:
        folder: labels/.

    Raises:
        ListingError: if a file of entries cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ids_read: dict[Path, tuple[FileStamp | None, frozenset[str]]] = {}
        self._ids_by_file()  # the first reading takes long, and the first edit must not wait for it

    @property
    def table(self) -> Path:
        """The file labels.csv."""
        return self.folder / LABELS_CSV

    def save(self, edit: LabelEdit) -> SavedRows:
        """Put an edit on disk, beside what is there by now.

        Raises:
            RowChangedError: if the row of the entry is not the one that the edit was made on; nothing was changed.
            LabelsError, ListingError: if a file cannot be read; labels.csv was not changed.
            OutputError, OSError: if a file cannot be written.
        """
        with locked(self.folder):
            for file in (self.table, entry_file_for(self.folder, edit.entry)):
                remove_leftovers(file)
            self._read_other_rows(edit)
            adds_text = edit.after is not None and self._find_file(edit.entry.id) is None
            if adds_text:
                self._add_text(edit.entry)
            # The rows are read again: adding the text took a while, and an editor does not ask for the lock.
            rows = [*self._read_other_rows(edit), *([] if edit.after is None else [edit.after])]
            write_rows(self.table, rows)
            if edit.removes_text:
                self._remove_text(edit.entry.id)
        return SavedRows({row.id: row for row in rows}, adds_text)

    def _read_other_rows(self, edit: LabelEdit) -> list[LabelRow]:
        """The rows of all other entries, if the row of this one is still the one that the edit was made on."""
        rows = read_rows(self.table) if self.table.exists() else []
        of_entry = [row for row in rows if row.id == edit.entry.id]
        if len(of_entry) > 1:
            source = Source(str(self.table), of_entry[1].line)
            problem = Problem(source, f"a second row for {edit.entry.id!r}; delete one")
            raise LabelsError(f"{self.table}: 1 to correct", [problem])
        current = of_entry[0] if of_entry else None
        if _label_sets(current) != _label_sets(edit.before):
            raise RowChangedError(current)
        return [row for row in rows if row.id != edit.entry.id]

    def _add_text(self, entry: Entry) -> None:
        path = entry_file_for(self.folder, entry)
        path.parent.mkdir(exist_ok=True)  # git does not keep an empty folder
        write_whole(path, append_entry(read_text(path) if path.exists() else "", entry))

    def _remove_text(self, id: str) -> None:
        path = self._find_file(id)
        if path is None:
            return
        text = remove_entry(read_text(path), id)
        if text:
            write_whole(path, text)
        else:
            path.unlink()

    def _find_file(self, id: str) -> Path | None:
        """The file with the text of an entry."""
        return next((path for path, ids in self._ids_by_file().items() if id in ids), None)

    def _ids_by_file(self) -> dict[Path, frozenset[str]]:
        """The ids of the entries in each file. A file is read again only if it changed."""
        ids_read: dict[Path, tuple[FileStamp | None, frozenset[str]]] = {}
        for path in find_entry_files(self.folder):
            stamp = file_stamp(path)
            ids_read[path] = self._ids_read.get(path, (None, frozenset()))
            if stamp is None or ids_read[path][0] != stamp:
                entries = read_entries(read_text(path), str(path), None).entries
                ids_read[path] = (stamp, frozenset(entry.id for entry in entries))
        self._ids_read = ids_read
        return {path: ids for path, (_, ids) in ids_read.items()}


def _label_sets(row: LabelRow | None) -> tuple[frozenset[str], frozenset[str]] | None:
    """The labels of a row, in whatever order they stand."""
    return None if row is None else (frozenset(row.topics), frozenset(row.unsure))
