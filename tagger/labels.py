"""What people said: the folder labels/, read, checked as a whole, written, and turned into arrays."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.entry import Entry, entry_id
from tagger.errors import LabelsError, ListingError, Problem
from tagger.files import write_whole
from tagger.listing import read, read_text
from tagger.taxonomy import Topic, ancestors, read_at_most, read_topics, ruled_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csc_array

__all__ = ["Labels", "Row", "arrays", "contradictions", "followed", "meant", "read_labels", "read_rows", "write_rows"]

COLUMNS = ("id", "title", "topics", "unsure")


@dataclass(frozen=True, slots=True)
class Row:
    """What a person said of one entry: topics that apply, topics left open; every other topic does not apply."""

    id: str
    title: str
    topics: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Labels:
    """A checked labels/ folder: `entries[i]` is labelled by `rows[i]`; both are sorted by id."""

    topics: tuple[Topic, ...]
    entries: tuple[Entry, ...]
    rows: tuple[Row, ...]
    warnings: tuple[Problem, ...] = ()  # they stop nothing
    at_most: int | None = None  # how many topics an entry has at most

    def arrays(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(Y, known), each (n_entries, n_topics): yes, and whether a person decided."""
        return arrays(self.rows, self.topics)

    def hash(self) -> str:
        """A hash of all that training sees: topics, titles, abstracts and labels."""
        digest = blake2b(digest_size=16)
        for topic in self.topics:
            said: list[object] = [topic.id, topic.name, topic.definition, topic.parent]
            if topic.excludes or topic.precision is not None:
                said += [sorted(topic.excludes), topic.precision]
            digest.update(json.dumps(said).encode())
        if self.at_most is not None:
            digest.update(json.dumps(self.at_most).encode())
        for entry, row in zip(self.entries, self.rows, strict=True):
            digest.update(json.dumps([entry.title, entry.abstract, sorted(row.topics), sorted(row.unsure)]).encode())
        return digest.hexdigest()


def arrays(rows: Sequence[Row], topics: Sequence[Topic]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(Y, known) of what some rows mean, each (n_entries, n_topics); see `meant`."""
    import numpy as np

    column = {topic.id: n for n, topic in enumerate(topics)}
    above, against = ancestors(topics), ruled_out(topics)
    yes = np.zeros((len(rows), len(topics)), dtype=bool)
    known = np.ones((len(rows), len(topics)), dtype=bool)
    for n, row in enumerate(rows):
        has, unsure = meant(row, above, against)
        yes[n, [column[topic] for topic in has]] = True
        known[n, [column[topic] for topic in unsure]] = False
    return yes, known


def meant(
    row: Row, above: Mapping[str, Sequence[str]], against: Mapping[str, Collection[str]]
) -> tuple[dict[str, None], dict[str, None]]:
    """The topics that a row says yes to and those that it leaves open, with what follows from them.

    A topic is at least what those are that imply it, a yes being more than an unsure one and that more than a no: so a yes
    makes its ancestors yes, and an unsure topic leaves them open where they are not. A yes makes a no of what it excludes,
    and of what implies that, even where the row calls it unsure.

    Args:
        row: what a person said.
        above: as `taxonomy.ancestors`.
        against: as `taxonomy.ruled_out`.

    Returns:
        Ids of topics, each once, in the order of the row; a topic that is unknown is taken as it is.
    """
    yes = dict.fromkeys(up for topic in row.topics for up in (topic, *above.get(topic, ())))
    out = {other for topic in row.topics for other in against.get(topic, ())}
    unsure = dict.fromkeys(up for topic in row.unsure if topic not in out for up in (topic, *above.get(topic, ())))
    return yes, {topic: None for topic in unsure if topic not in yes and topic not in out}


def followed(yes: csc_array, unsure: csc_array, topics: Sequence[Topic]) -> tuple[csc_array, csc_array]:
    """As `meant`, for sparse arrays: the cells that are yes, and those left open, (n_entries, n_topics) each."""
    import numpy as np
    from scipy.sparse import coo_array, csc_array

    column = {topic.id: n for n, topic in enumerate(topics)}
    n_topics = len(topics)

    def follows(said: csc_array, others: Mapping[str, Collection[str]]) -> csc_array:
        """Which cells are among the others of one that was said."""
        pairs = [(column[id], column[other]) for id, some in others.items() for other in some]
        if not pairs:
            return csc_array(said.shape, dtype=bool)
        rows, columns = zip(*pairs, strict=True)
        step = coo_array((np.ones(len(pairs), dtype=np.int32), (rows, columns)), shape=(n_topics, n_topics))
        return csc_array(said.astype(np.int32) @ step.tocsc(), dtype=bool)

    def less(some: csc_array, others: csc_array) -> csc_array:
        left = csc_array(some > others)
        left.sort_indices()
        return left

    above, against = ancestors(topics), ruled_out(topics)
    if not any(above.values()) and not any(against.values()):
        return yes, unsure
    out = follows(yes, against)
    yes = csc_array(yes + follows(yes, above))
    open_ = less(unsure, out)
    open_ = less(less(csc_array(open_ + follows(open_, above)), out), yes)
    yes.sort_indices()
    return yes, open_


def contradictions(
    row: Row, above: Mapping[str, Sequence[str]], against: Mapping[str, Collection[str]], at_most: int | None
) -> list[str]:
    """What cannot be in a row: topics that exclude each other, or more of them than an entry has at most; see `meant`."""
    messages = [
        f"topics {one!r} and {other!r} exclude each other; take one of them away"
        for n, one in enumerate(row.topics)
        for other in row.topics[n + 1 :]
        if other in against.get(one, ())
    ]
    yes, _ = meant(row, above, against)
    if at_most is not None and len(yes) > at_most:
        implied = len(yes) - len(set(row.topics))
        messages.append(f"{len(yes)} topics{f', {implied} of them implied' if implied else ''}; an entry has at most {at_most}")
    return messages


def read_labels(folder: Path) -> Labels:
    """All of labels/, checked.

    Raises:
        LabelsError: with every problem found, each with its file and line.
    """
    problems: list[Problem] = []
    at_most = None
    try:
        topics, at_most = read_topics(folder / "topics.toml"), read_at_most(folder / "topics.toml")
    except LabelsError as error:
        if not error.problems:
            raise
        topics = ()
        problems += error.problems
    ids = {topic.id for topic in topics}
    above, against = ancestors(topics), ruled_out(topics)

    entries: dict[str, Entry] = {}
    warnings: list[Problem] = []
    for path in sorted((folder / "entries").glob("*.txt")):
        try:
            listing = read(read_text(path), str(path), None)
        except ListingError as error:
            problems += error.problems or [Problem(str(path), 0, str(error))]
            continue
        problems += listing.problems
        warnings += listing.warnings
        for entry in listing.entries:
            if entry.id in entries:
                problems.append(_at(entry, f"entry {entry.id} ({entry.title!r}) is already in {entries[entry.id].source}"))
            entries.setdefault(entry.id, entry)

    table = folder / "labels.csv"
    rows: dict[str, Row] = {}
    found, wrong = _read_table(table)
    problems += wrong
    for row in found:
        messages = list(_check(row, ids, rows)) if topics else []
        if row.id not in entries:
            messages.append(f"no entry in {folder / 'entries'} has the id {row.id!r} ({row.title!r}); add it or delete the row")
        if topics and not messages:
            messages += contradictions(row, above, against, at_most)
            warnings += [Problem(str(table), row.line, message) for message in _overruled(row, above, against)]
        problems += [Problem(str(table), row.line, message) for message in messages]
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
    return Labels(topics, tuple(entries[id] for id in order), tuple(rows[id] for id in order), tuple(warnings), at_most)


def read_rows(path: Path) -> list[Row]:
    """The rows of a labels.csv, in the order of the file; their topics are not checked.

    Raises:
        LabelsError: if the file is missing, not UTF-8, or not of the four columns.
    """
    rows, problems = _read_table(path)
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a labels.csv whole, one row a line, sorted by id."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: row.id):
        table.writerow([row.id, row.title, ";".join(row.topics), ";".join(row.unsure)])
    write_whole(path, out.getvalue())


def _read_table(path: Path) -> tuple[list[Row], list[Problem]]:
    rows: list[Row] = []
    try:
        text = read_text(path)
    except ListingError as error:
        return rows, list(error.problems)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[Problem] = []
    start = 1
    try:
        header = next(reader, [])
        if tuple(header) != COLUMNS:
            found = ",".join(header) or "nothing"
            return rows, [Problem(str(path), 1, f"expected the columns {','.join(COLUMNS)}, found {found}")]
        start = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(COLUMNS):
                rows.append(Row(cells[0].strip(), cells[1], _ids(cells[2]), _ids(cells[3]), start))
            elif cells:
                problems.append(Problem(str(path), start, f"expected {len(COLUMNS)} cells, found {len(cells)}"))
            start = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(str(path), start, f"expected a CSV table: {error}"))
    return rows, problems


def _ids(cell: str) -> tuple[str, ...]:
    return tuple(id for id in (part.strip() for part in cell.split(";")) if id)


def _check(row: Row, ids: set[str], rows: dict[str, Row]) -> Iterator[str]:
    if row.id in rows:
        yield f"a second row for {row.id!r}; the first one is in line {rows[row.id].line}"
    if entry_id(row.title) != row.id:
        yield f"the title {row.title!r} has the id {entry_id(row.title)!r}, not {row.id!r}"
    for topic in dict.fromkeys(row.topics + row.unsure):
        if topic not in ids:
            from difflib import get_close_matches

            near = get_close_matches(topic, sorted(ids), 1)
            yield f"unknown topic {topic!r}" + (
                f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(ids))}"
            )
        elif topic in row.topics and topic in row.unsure:
            yield f"topic {topic!r} is both yes and unsure"
        elif (row.topics + row.unsure).count(topic) > 1:
            yield f"topic {topic!r} stands twice"


def _overruled(row: Row, above: Mapping[str, Sequence[str]], against: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Topics that a row calls unsure although another one, which is yes, says what they are."""
    for topic in row.unsure:
        for other in row.topics:
            if topic in above[other]:
                yield f"topic {topic!r} is unsure, but {other!r} is yes and implies it; it counts as yes"
                break
            if topic in against[other]:
                yield f"topic {topic!r} is unsure, but {other!r} is yes and excludes it; it counts as no"
                break


def _at(entry: Entry, message: str) -> Problem:
    path, _, line = (entry.source or ":0").rpartition(":")
    return Problem(path, int(line), message)


def _csv_line(entry: Entry) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([entry.id, entry.title, "", ""])
    return out.getvalue()
