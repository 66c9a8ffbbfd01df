"""How one label, and the text of its entry, get on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tagger.atomic import locked, remove_leftovers, write_whole
from tagger.entry import Entry
from tagger.errors import LabelsError, Problem, TaggerError
from tagger.formats.registry import LISTING_FORMATS, append_entry, find_holding_format, read_entries, read_text, remove_entry
from tagger.labels.table import LabelRow, read_rows, write_rows
from tagger.source import Source
from tagger.stamp import FileStamp, file_stamp

__all__ = [
    "LabelEdit",
    "LabelStore",
    "RowChangedError",
    "SavedRows",
]


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """The row that an entry gets, None to take it away, in place of the one that was there."""

    entry: Entry
    was: LabelRow | None
    row: LabelRow | None
    text: bool = False  # whether the entry's text goes with its row, since it came with it


@dataclass(frozen=True, slots=True)
class SavedRows:
    """What labels.csv holds after a decision, by id, and whether the entry's text was new."""

    rows: Mapping[str, LabelRow]
    text: bool


class RowChangedError(TaggerError):
    """Somebody else changed the row that a decision was made on; `row` is theirs, None if it is gone."""

    def __init__(self, row: LabelRow | None) -> None:
        super().__init__(f"labels.csv was changed meanwhile and says of this entry: {_said(row)}")
        self.row = row


def _said(row: LabelRow | None) -> str:
    """A row in words."""
    if row is None:
        return "nothing, its row is gone"
    return (", ".join(row.topics) or "no topic") + (f"; unsure: {', '.join(row.unsure)}" if row.unsure else "")


class LabelStore:
    """A folder labels/ that decisions are put into, one by one, while others may write there too.

    A decision is two files. The text goes first and the row last, and the other way round when both are taken away: whoever
    is killed between them leaves a text without a row, which `tagger retrain` names with the row to add, and which is asked
    for again the next time. Each file is whole at any moment.

    Raises:
        ListingError: if a file of entries cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[Path, tuple[FileStamp | None, frozenset[str]]] = {}
        self._files()  # reading all of them takes its time, and the first decision shall not wait for it

    @property
    def table(self) -> Path:
        """The file labels.csv."""
        return self.path / "labels.csv"

    def save(self, decision: LabelEdit) -> SavedRows:
        """Put a decision on disk, among all that is there by now.

        Raises:
            ChangedError: if the row of this entry is another one by now; nothing was changed.
            LabelsError, ListingError: if a file there is not in order; labels.csv is then as it was.
            OutputError, OSError: if one cannot be written.
        """
        with locked(self.path):
            for file in (self.table, self._file(decision.entry)):
                remove_leftovers(file)
            self._others(decision)
            new = decision.row is not None and self._holding(decision.entry.id) is None
            if new:
                self._add(decision.entry)
            # Read again: that took a while, and an editor asks for no lock.
            rows = [*self._others(decision), *([] if decision.row is None else [decision.row])]
            write_rows(self.table, rows)
            if decision.text:
                self._remove(decision.entry.id)
        return SavedRows({row.id: row for row in rows}, new)

    def _others(self, decision: LabelEdit) -> list[LabelRow]:
        """The rows of all other entries, where that of this one is what it was."""
        rows = read_rows(self.table) if self.table.exists() else []
        mine = [row for row in rows if row.id == decision.entry.id]
        if len(mine) > 1:
            problem = Problem(Source(str(self.table), mine[1].line), f"a second row for {mine[1].id!r}; delete one")
            raise LabelsError(f"{self.table}: 1 to correct", [problem])
        found = mine[0] if mine else None
        if _decides(found) != _decides(decision.was):
            raise RowChangedError(found)
        return [row for row in rows if row.id != decision.entry.id]

    def _file(self, entry: Entry) -> Path:
        """Where the text of an entry goes: a file named after its listing."""
        listing = Path("by-hand" if entry.source is None else entry.source.path)
        format = find_holding_format(entry)
        ending = "" if format is LISTING_FORMATS[0] else format.ending  # which keeps files of two formats apart
        return self.path / "entries" / f"{listing.stem}{ending}.txt"

    def _add(self, entry: Entry) -> None:
        path = self._file(entry)
        path.parent.mkdir(exist_ok=True)  # an empty folder is not kept by git
        write_whole(path, append_entry(read_text(path) if path.exists() else "", entry))

    def _remove(self, id: str) -> None:
        path = self._holding(id)
        if path is None:
            return
        text = remove_entry(read_text(path), id)
        if text:
            write_whole(path, text)
        else:
            path.unlink()

    def _holding(self, id: str) -> Path | None:
        """The file with the text of an entry."""
        return next((path for path, ids in self._files().items() if id in ids), None)

    def _files(self) -> dict[Path, frozenset[str]]:
        """The ids in each file of entries. Only files that changed are read again."""
        seen: dict[Path, tuple[FileStamp | None, frozenset[str]]] = {}
        for path in sorted((self.path / "entries").glob("*.txt")):
            stamp = file_stamp(path)
            if path in self._seen and self._seen[path][0] == stamp:
                seen[path] = self._seen[path]
            else:
                seen[path] = (stamp, frozenset(entry.id for entry in read_entries(read_text(path), str(path), None).entries))
        self._seen = seen
        return {path: ids for path, (_, ids) in seen.items()}


def _decides(row: LabelRow | None) -> tuple[frozenset[str], frozenset[str]] | None:
    return None if row is None else (frozenset(row.topics), frozenset(row.unsure))
