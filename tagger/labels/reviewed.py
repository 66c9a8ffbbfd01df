"""What a person decided of labels that were doubted, written back to labels/.

`labels/confirmed.csv` holds the labels that a person looked at once more, so that nobody is asked again: a row for each,
which counts for as long as the label is still the one that it names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.atomic import locked, write_whole
from tagger.errors import LabelsError, ListingError, Problem
from tagger.formats import json_lines as jsonl
from tagger.formats.registry import read_text
from tagger.labels.closure import find_contradictions
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow, read_rows, write_rows
from tagger.source import Source
from tagger.taxonomy import Taxonomy, read_taxonomy

__all__ = [
    "ANSWERS",
    "AuditAnswer",
    "apply_answers",
    "check_confirmed",
    "label_of",
    "read_answers",
    "read_confirmed",
]


ANSWERS = ("accept", "reject", "unsure")


CONFIRMED = "confirmed.csv"


_COLUMNS = ("id", "title", "topic", "label")


_OTHER = {"yes": "no", "no": "yes"}


Confirmed = Mapping[tuple[str, str], str]  # by (entry id, topic id) the label, "yes" or "no"


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """What a person decided of a doubted label: "accept" that it is wrong, "reject" that, or be "unsure".

    "undo" puts the label back that was doubted, and forgets that it was looked at.
    """

    id: str
    topic: str
    label: str  # "yes" or "no", as it was doubted
    answer: str
    line: int = 0

    @property
    def result(self) -> str:
        """The label from then on: "yes", "no" or "unsure"."""
        return {"accept": _OTHER[self.label], "unsure": "unsure"}.get(self.answer, self.label)


def read_answers(path: str | Path) -> list[AuditAnswer]:
    """The decisions in JSON Lines as `tagger audit --format jsonl` writes them; "-" is standard input.

    An object whose `decision` is null or missing says nothing.

    Raises:
        ListingError: if the file cannot be read, or naming every line that is no decision.
    """
    found: list[AuditAnswer] = []
    problems: list[Problem] = []
    source = "standard input" if str(path) == "-" else str(path)
    for line, record in jsonl.parse_records(read_text(path)):
        if isinstance(record, ValueError):
            problems.append(Problem(Source(source, line), str(record)))
        elif not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("id", "topic")):
            problems.append(Problem(Source(source, line), "expected an object with id, topic, label and decision"))
        elif record.get("label") not in _OTHER:
            problems.append(Problem(Source(source, line), f"expected yes or no under 'label', found {record.get('label')!r}"))
        elif record.get("decision") in ANSWERS:
            found.append(AuditAnswer(record["id"], record["topic"], record["label"], record["decision"], line))
        elif record.get("decision") is not None:
            wanted = f"expected {', '.join(ANSWERS)} or null under 'decision', found {record['decision']!r}"
            problems.append(Problem(Source(source, line), wanted))
    if problems:
        raise ListingError(f"{source}: {len(problems)} to correct; nothing was changed", problems)
    return found


def read_confirmed(folder: Path) -> dict[tuple[str, str], str]:
    """What confirmed.csv of a folder labels/ holds, nothing where there is no such file: by (id, topic) the label.

    Raises:
        LabelsError: with every line that is not a row of it.
    """
    return {cell: label for cell, (_, label) in _read(folder / CONFIRMED).items()}


def check_confirmed(folder: Path, labels: Labels) -> list[Problem]:
    """What is wrong in confirmed.csv of a folder labels/: lines that are no rows, and rows about what is not labelled."""
    path = folder / CONFIRMED
    rows, problems = _read_table(path)
    ids = {row.id for row in labels.rows}
    first: dict[tuple[str, str], int] = {}
    for line, (id, title, topic, _) in rows:
        if id not in ids:
            problems.append(
                Problem(Source(str(path), line), f"no labelled entry has the id {id!r} ({title!r}); delete the row")
            )
        if topic not in labels.taxonomy.column:
            known = ", ".join(labels.taxonomy.ids)
            problems.append(
                Problem(Source(str(path), line), f"unknown topic {topic!r}; correct it or delete the row; known: {known}")
            )
        if (id, topic) in first:
            where = f"the first one is in line {first[id, topic]}"
            problems.append(Problem(Source(str(path), line), f"a second row for {topic!r} of {id!r}; {where}"))
        first.setdefault((id, topic), line)
    return sorted(problems)


def apply_answers(folder: Path, decisions: Sequence[AuditAnswer], source: str = "") -> tuple[int, int]:
    """Write decisions to labels.csv and confirmed.csv, all or none of them; a decision that was written before is no error.

    The files are read anew, so that what others changed meanwhile stays.

    Args:
        folder: labels/.
        decisions: of several on a label the last one holds.
        source: the file that they are from, for messages.

    Returns:
        How many labels were changed, and how many stay as they are.

    Raises:
        LabelsError: naming every decision on an entry or topic that is unknown, on a label that is another by now, or whose yes
            contradicts the other labels of its entry.
        OutputError: if a file cannot be written.
    """
    with locked(folder):
        rows = {row.id: row for row in read_rows(folder / "labels.csv")}
        taxonomy = read_taxonomy(folder / "topics.toml")
        last = {(decision.id, decision.topic): decision for decision in decisions}.values()
        problems = [
            Problem(Source(source or str(folder / "labels.csv"), decision.line), message)
            for decision in last
            if (message := _wrong(decision, rows.get(decision.id), taxonomy))
        ]
        if problems:
            raise LabelsError(f"{folder}: nothing was changed", sorted(problems))
        confirmed, changed = _read(folder / CONFIRMED), 0
        before = dict(confirmed)
        for decision in last:
            row, cell = rows[decision.id], (decision.id, decision.topic)
            confirmed.pop(cell, None)
            if decision.answer in ("accept", "reject"):
                confirmed[cell] = (row.title, decision.result)
            if label_of(row, decision.topic) != decision.result:
                rows[row.id] = _with(row, decision.topic, decision.result, taxonomy)
                changed += 1
        _check_rows(folder, rows, last, source, taxonomy)
        # First what was confirmed: a row of it counts for nothing until the label is the one that it names.
        if confirmed != before:
            _write(folder / CONFIRMED, confirmed)
        if changed:
            write_rows(folder / "labels.csv", rows.values())
    return changed, len(last) - changed


def _wrong(decision: AuditAnswer, row: LabelRow | None, taxonomy: Taxonomy) -> str | None:
    if row is None:
        return f"no entry has the id {decision.id!r}"
    if decision.topic not in taxonomy.column:
        return f"unknown topic {decision.topic!r}; known: {', '.join(taxonomy.ids)}"
    now = label_of(row, decision.topic)
    if decision.answer == "undo" or now in (decision.label, decision.result):
        return None
    return (
        f"{decision.topic} of {decision.id} was {decision.label} when it was doubted and is {now} now; run 'tagger audit' again"
    )


def _check_rows(
    folder: Path, rows: Mapping[str, LabelRow], decisions: Iterable[AuditAnswer], source: str, taxonomy: Taxonomy
) -> None:
    """That no new yes leaves its entry with topics that exclude each other or are too many."""
    problems = [
        Problem(
            Source(source or str(folder / "labels.csv"), decision.line), f"{decision.topic} of {decision.id} as yes: {message}"
        )
        for decision in decisions
        if (decision.label, decision.answer) == ("no", "accept")
        for message in find_contradictions(rows[decision.id], taxonomy)
    ]
    if problems:
        raise LabelsError(f"{folder}: nothing was changed", sorted(problems))


def label_of(row: LabelRow, topic: str) -> str:
    """What a row says of a topic: "yes", "no" or "unsure"."""
    return "yes" if topic in row.topics else "unsure" if topic in row.unsure else "no"


def _with(row: LabelRow, topic: str, label: str, taxonomy: Taxonomy) -> LabelRow:
    """The row with another label for a topic, its topics in their order."""

    def ordered(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(ids, key=lambda topic: taxonomy.column.get(topic, len(taxonomy.topics))))

    topics, unsure = ([id for id in ids if id != topic] for ids in (row.topics, row.unsure))
    return replace(
        row,
        topics=ordered([*topics, topic] if label == "yes" else topics),
        unsure=ordered([*unsure, topic] if label == "unsure" else unsure),
    )


def _read(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """By (id, topic) title and label."""
    rows, problems = _read_table(path)
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return {(id, topic): (title, label) for _, (id, title, topic, label) in rows}


def _read_table(path: Path) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    """The rows of a confirmed.csv, each with its line, none where there is no such file; and what is no row of it."""
    rows: list[tuple[int, list[str]]] = []
    if not path.exists():
        return rows, []
    try:
        table = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    except ListingError as error:
        return rows, list(error.problems)
    wanted, problems, start = ",".join(_COLUMNS), list[Problem](), 1
    try:
        if tuple(next(table, [])) != _COLUMNS:
            return rows, [Problem(Source(str(path), 1), f"expected the columns {wanted}")]
        start = table.line_num + 1
        for cells in table:
            if len(cells) == len(_COLUMNS) and cells[3] in _OTHER:
                rows.append((start, cells))
            elif cells:
                found = f"expected {wanted} with the label yes or no, found {','.join(cells)!r}"
                problems.append(Problem(Source(str(path), start), found))
            start = table.line_num + 1
    except csv.Error as error:
        problems.append(Problem(Source(str(path), start), f"expected a CSV table: {error}"))
    return rows, problems


def _write(path: Path, confirmed: Mapping[tuple[str, str], tuple[str, str]]) -> None:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_COLUMNS)
    for (id, topic), (title, label) in sorted(confirmed.items()):
        table.writerow([id, title, topic, label])
    write_whole(path, out.getvalue())
