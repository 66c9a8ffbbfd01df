"""What people said: the folder labels/, read, checked as a whole, written, and turned into arrays."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.entry import Entry, entry_id
from tagger.errors import LabelsError, ListingError, Problem
from tagger.formats.registry import read_entries, read_text
from tagger.labels.closure import find_contradictions, label_arrays
from tagger.labels.table import LabelRow, _read_table
from tagger.source import Source
from tagger.taxonomy import Taxonomy, Topic, read_taxonomy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Labels",
    "read_labels",
]


@dataclass(frozen=True)
class Labels:
    """A checked labels/ folder: `entries[i]` is labelled by `rows[i]`; both are sorted by id."""

    taxonomy: Taxonomy
    entries: tuple[Entry, ...]
    rows: tuple[LabelRow, ...]
    warnings: tuple[Problem, ...] = ()  # they stop nothing

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics, (n_topics,)."""
        return self.taxonomy.topics

    def arrays(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(Y, labelled), each (n_entries, n_topics): yes, and whether a person decided."""
        return label_arrays(self.rows, self.taxonomy)

    def hash(self) -> str:
        """A hash of all that training sees: topics, titles, abstracts and labels."""
        digest = blake2b(digest_size=16)
        for topic in self.topics:
            said: list[object] = [topic.id, topic.name, topic.definition, topic.parent]
            if topic.excludes or topic.precision is not None:
                said += [sorted(topic.excludes), topic.precision]
            digest.update(json.dumps(said).encode())
        if self.taxonomy.max_topics is not None:
            digest.update(json.dumps(self.taxonomy.max_topics).encode())
        for entry, row in zip(self.entries, self.rows, strict=True):
            digest.update(json.dumps([entry.title, entry.abstract, sorted(row.topics), sorted(row.unsure)]).encode())
        return digest.hexdigest()


def read_labels(folder: Path) -> Labels:
    """All of labels/, checked.

    Raises:
        LabelsError: with every problem found, each with its file and line.
    """
    problems: list[Problem] = []
    try:
        taxonomy = read_taxonomy(folder / "topics.toml")
    except LabelsError as error:
        if not error.problems:
            raise
        taxonomy = Taxonomy()
        problems += error.problems

    entries: dict[str, Entry] = {}
    warnings: list[Problem] = []
    for path in sorted((folder / "entries").glob("*.txt")):
        try:
            listing = read_entries(read_text(path), str(path), None)
        except ListingError as error:
            problems += error.problems or [Problem(Source(str(path)), str(error))]
            continue
        problems += listing.problems
        warnings += listing.warnings
        for entry in listing.entries:
            if entry.id in entries:
                problems.append(_at(entry, f"entry {entry.id} ({entry.title!r}) is already in {entries[entry.id].source}"))
            entries.setdefault(entry.id, entry)

    table = folder / "labels.csv"
    rows: dict[str, LabelRow] = {}
    found, wrong = _read_table(table)
    problems += wrong
    for row in found:
        messages = list(_check(row, taxonomy, rows)) if taxonomy.topics else []
        if row.id not in entries:
            messages.append(f"no entry in {folder / 'entries'} has the id {row.id!r} ({row.title!r}); add it or delete the row")
        if taxonomy.topics and not messages:
            messages += find_contradictions(row, taxonomy)
            warnings += [Problem(Source(str(table), row.line), message) for message in _overruled(row, taxonomy)]
        problems += [Problem(Source(str(table), row.line), message) for message in messages]
        rows.setdefault(row.id, row)
    for entry in entries.values() if table.exists() else ():
        if entry.id not in rows:
            problems.append(_at(entry, f"no row in {table}; add this one with its topics: {_csv_line(entry)}"))
    if problems:
        raise LabelsError(
            f"{folder}: {len(problems)} {'problem' if len(problems) == 1 else 'problems'}; nothing was changed",
            sorted(problems),
        )
    order = sorted(rows)
    return Labels(taxonomy, tuple(entries[id] for id in order), tuple(rows[id] for id in order), tuple(warnings))


def _check(row: LabelRow, taxonomy: Taxonomy, rows: dict[str, LabelRow]) -> Iterator[str]:
    if row.id in rows:
        yield f"a second row for {row.id!r}; the first one is in line {rows[row.id].line}"
    if entry_id(row.title) != row.id:
        yield f"the title {row.title!r} has the id {entry_id(row.title)!r}, not {row.id!r}"
    for topic in dict.fromkeys(row.topics + row.unsure):
        if topic not in taxonomy.column:
            from difflib import get_close_matches

            ids = sorted(taxonomy.ids)
            near = get_close_matches(topic, ids, 1)
            yield f"unknown topic {topic!r}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(ids)}")
        elif topic in row.topics and topic in row.unsure:
            yield f"topic {topic!r} is both yes and unsure"
        elif (row.topics + row.unsure).count(topic) > 1:
            yield f"topic {topic!r} stands twice"


def _overruled(row: LabelRow, taxonomy: Taxonomy) -> Iterator[str]:
    """Topics that a row calls unsure although another one, which is yes, says what they are."""
    for topic in row.unsure:
        for other in row.topics:
            if topic in taxonomy.ancestors[other]:
                yield f"topic {topic!r} is unsure, but {other!r} is yes and implies it; it counts as yes"
                break
            if topic in taxonomy.incompatible[other]:
                yield f"topic {topic!r} is unsure, but {other!r} is yes and excludes it; it counts as no"
                break


def _at(entry: Entry, message: str) -> Problem:
    return Problem(entry.source or Source(""), message)


def _csv_line(entry: Entry) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([entry.id, entry.title, "", ""])
    return out.getvalue()
