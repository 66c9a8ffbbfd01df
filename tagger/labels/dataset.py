"""`Labels`: a folder labels/, read and checked as a whole, and turned into arrays."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.entry import Entry
from tagger.errors import LabelsError, ListingError, Problem
from tagger.formats.plain_text import count_noun
from tagger.formats.registry import read_entries, read_text
from tagger.identity import entry_id
from tagger.labels.closure import find_contradictions, implied_labels
from tagger.labels.entry_files import find_entry_files
from tagger.labels.table import LABELS_CSV, LabelRow, find_rows
from tagger.source import Source
from tagger.taxonomy import Taxonomy, Topic, read_taxonomy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Labels", "label_arrays", "read_labels"]


@dataclass(frozen=True)
class Labels:
    """A folder labels/ without problems. `rows[i]` has the labels of `entries[i]`; both are sorted by id."""

    taxonomy: Taxonomy
    entries: tuple[Entry, ...]
    rows: tuple[LabelRow, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics, (n_topics,)."""
        return self.taxonomy.topics

    def arrays(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(yes, labelled), (n_entries, n_topics) each: which topics apply, and for which a person said whether they do."""
        return label_arrays(self.rows, self.taxonomy)

    def hash(self) -> str:
        """A hash of everything that training reads: topics, titles, abstracts and labels."""
        digest = blake2b(digest_size=16)
        for topic in self.topics:
            values: list[object] = [topic.id, topic.name, topic.definition, topic.parent]
            if topic.excludes or topic.precision is not None:
                values += [sorted(topic.excludes), topic.precision]
            digest.update(json.dumps(values).encode())
        if self.taxonomy.max_topics is not None:
            digest.update(json.dumps(self.taxonomy.max_topics).encode())
        for entry, row in zip(self.entries, self.rows, strict=True):
            digest.update(json.dumps([entry.title, entry.abstract, sorted(row.topics), sorted(row.unsure)]).encode())
        return digest.hexdigest()


def read_labels(folder: Path) -> Labels:
    """Read and check a folder labels/.

    Raises:
        LabelsError: with every problem in it, each with its file and line.
    """
    findings = _Findings()
    taxonomy = _find_taxonomy(folder / "topics.toml", findings)
    entries = _find_entries(folder, findings)
    rows = _find_labels(folder, taxonomy, entries, findings)
    if findings.problems:
        n_problems = count_noun(len(findings.problems), "problem", "problems")
        raise LabelsError(f"{folder}: {n_problems}; nothing was changed", sorted(findings.problems))
    ids = sorted(rows)
    return Labels(taxonomy, tuple(entries[id] for id in ids), tuple(rows[id] for id in ids), tuple(findings.warnings))


@dataclass(slots=True)
class _Findings:
    """What is wrong in a folder: problems, which stop everything, and warnings."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def _find_taxonomy(path: Path, findings: _Findings) -> Taxonomy:
    """The taxonomy in a topics.toml; one without topics where it has problems."""
    try:
        return read_taxonomy(path)
    except LabelsError as error:
        if not error.problems:
            raise
        findings.problems += error.problems
        return Taxonomy()


def _find_entries(labels: Path, findings: _Findings) -> dict[str, Entry]:
    """The entries of a folder labels/ by id; of two with one id the first."""
    entries: dict[str, Entry] = {}
    for path in find_entry_files(labels):
        try:
            listing = read_entries(read_text(path), str(path), None)
        except ListingError as error:
            findings.problems += error.problems or [Problem(Source(str(path)), str(error))]
            continue
        findings.problems += listing.problems
        findings.warnings += listing.warnings
        for entry in listing.entries:
            first = entries.setdefault(entry.id, entry)
            if first is not entry:
                message = f"entry {entry.id} ({entry.title!r}) is already in {first.source}"
                findings.problems.append(Problem(entry.source or Source(""), message))
    return entries


def _find_labels(folder: Path, taxonomy: Taxonomy, entries: Mapping[str, Entry], findings: _Findings) -> dict[str, LabelRow]:
    """The rows of labels.csv by id, one for each entry; of two with one id the first."""
    table = folder / LABELS_CSV
    read, problems = find_rows(table)
    findings.problems += problems
    rows: dict[str, LabelRow] = {}
    for row in read:
        source = Source(str(table), row.line)
        messages = list(_check_row(row, taxonomy, rows)) if taxonomy.topics else []
        if row.id not in entries:
            messages.append(f"no entry in {folder / 'entries'} has the id {row.id!r} ({row.title!r}); add it or delete the row")
        if taxonomy.topics and not messages:
            messages += find_contradictions(row, taxonomy)
            findings.warnings += [Problem(source, message) for message in _overruled_topics(row, taxonomy)]
        findings.problems += [Problem(source, message) for message in messages]
        rows.setdefault(row.id, row)
    for entry in entries.values() if table.exists() else ():
        if entry.id not in rows:
            message = f"no row in {table}; add this one with its topics: {_row_to_add(entry)}"
            findings.problems.append(Problem(entry.source or Source(""), message))
    return rows


def _check_row(row: LabelRow, taxonomy: Taxonomy, earlier: Mapping[str, LabelRow]) -> Iterator[str]:
    """What is wrong with a row, beside those before it."""
    if row.id in earlier:
        yield f"a second row for {row.id!r}; the first one is in line {earlier[row.id].line}"
    if entry_id(row.title) != row.id:
        yield f"the title {row.title!r} has the id {entry_id(row.title)!r}, not {row.id!r}"
    for topic in dict.fromkeys(row.topics + row.unsure):
        if topic not in taxonomy.column:
            yield f"unknown topic {topic!r}; {_suggest_topic(topic, taxonomy)}"
        elif topic in row.topics and topic in row.unsure:
            yield f"topic {topic!r} is both yes and unsure"
        elif (row.topics + row.unsure).count(topic) > 1:
            yield f"topic {topic!r} stands twice"


def _suggest_topic(unknown: str, taxonomy: Taxonomy) -> str:
    from difflib import get_close_matches

    ids = sorted(taxonomy.ids)
    similar = get_close_matches(unknown, ids, 1)
    return f"did you mean {similar[0]!r}?" if similar else f"known: {', '.join(ids)}"


def _overruled_topics(row: LabelRow, taxonomy: Taxonomy) -> Iterator[str]:
    """A sentence for each topic that is unsure in a row although a yes of the row decides it."""
    for topic in row.unsure:
        for other in row.topics:
            if topic in taxonomy.ancestors[other]:
                yield f"topic {topic!r} is unsure, but {other!r} is yes and implies it; it counts as yes"
                break
            if topic in taxonomy.incompatible[other]:
                yield f"topic {topic!r} is unsure, but {other!r} is yes and excludes it; it counts as no"
                break


def _row_to_add(entry: Entry) -> str:
    """The line of labels.csv that says that an entry has no topic."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([entry.id, entry.title, "", ""])
    return out.getvalue()


def label_arrays(rows: Sequence[LabelRow], taxonomy: Taxonomy) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(yes, labelled) of some rows with all that they imply, (n_entries, n_topics) each; see `implied_labels`.

    A cell is yes if the topic applies, and labelled if the topic is not unsure.
    """
    import numpy as np

    shape = (len(rows), len(taxonomy.topics))
    yes, labelled = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    for n, row in enumerate(rows):
        has, unsure = implied_labels(row, taxonomy)
        yes[n, [taxonomy.column[topic] for topic in has]] = True
        labelled[n, [taxonomy.column[topic] for topic in unsure]] = False
    return yes, labelled
