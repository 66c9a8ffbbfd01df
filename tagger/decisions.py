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

from tagger.errors import LabelsError, ListingError, Problem
from tagger.files import locked, write_whole
from tagger.labels import Row, read_rows, write_rows
from tagger.listing import jsonl, read_text
from tagger.taxonomy import read_topics

__all__ = ["ANSWERS", "Decision", "apply", "label", "read_confirmed", "read_decisions"]

ANSWERS = ("accept", "reject", "unsure")
CONFIRMED = "confirmed.csv"
_COLUMNS = ("id", "title", "topic", "label")
_OTHER = {"yes": "no", "no": "yes"}

Confirmed = Mapping[tuple[str, str], str]  # by (entry id, topic id) the label, "yes" or "no"


@dataclass(frozen=True, slots=True)
class Decision:
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


def read_decisions(path: str | Path) -> list[Decision]:
    """The decisions in JSON Lines as `tagger audit --format jsonl` writes them; "-" is standard input.

    An object whose `decision` is null or missing says nothing.

    Raises:
        ListingError: if the file cannot be read, or naming every line that is no decision.
    """
    found: list[Decision] = []
    problems: list[Problem] = []
    source = "standard input" if str(path) == "-" else str(path)
    for line, record in jsonl.records(read_text(path)):
        if isinstance(record, ValueError):
            problems.append(Problem(source, line, str(record)))
        elif not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("id", "topic")):
            problems.append(Problem(source, line, "expected an object with id, topic, label and decision"))
        elif record.get("label") not in _OTHER:
            problems.append(Problem(source, line, f"expected yes or no under 'label', found {record.get('label')!r}"))
        elif record.get("decision") in ANSWERS:
            found.append(Decision(record["id"], record["topic"], record["label"], record["decision"], line))
        elif record.get("decision") is not None:
            wanted = f"expected {', '.join(ANSWERS)} or null under 'decision', found {record['decision']!r}"
            problems.append(Problem(source, line, wanted))
    if problems:
        raise ListingError(f"{source}: {len(problems)} to correct; nothing was changed", problems)
    return found


def read_confirmed(folder: Path) -> dict[tuple[str, str], str]:
    """What confirmed.csv of a folder labels/ holds, nothing where there is no such file: by (id, topic) the label.

    Raises:
        LabelsError: with every line that is not a row of it.
    """
    return {cell: label for cell, (_, label) in _read(folder / CONFIRMED).items()}


def apply(folder: Path, decisions: Sequence[Decision], source: str = "") -> tuple[int, int]:
    """Write decisions to labels.csv and confirmed.csv, all or none of them; a decision that was written before is no error.

    The files are read anew, so that what others changed meanwhile stays.

    Args:
        folder: labels/.
        decisions: of several on a label the last one holds.
        source: the file that they are from, for messages.

    Returns:
        How many labels were changed, and how many stay as they are.

    Raises:
        LabelsError: naming every decision on an entry or topic that is unknown, or on a label that is another by now.
        OutputError: if a file cannot be written.
    """
    with locked(folder):
        rows = {row.id: row for row in read_rows(folder / "labels.csv")}
        column = {topic.id: n for n, topic in enumerate(read_topics(folder / "topics.toml"))}
        last = {(decision.id, decision.topic): decision for decision in decisions}.values()
        problems = [
            Problem(source or str(folder / "labels.csv"), decision.line, message)
            for decision in last
            if (message := _wrong(decision, rows.get(decision.id), column))
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
            if label(row, decision.topic) != decision.result:
                rows[row.id] = _with(row, decision.topic, decision.result, column)
                changed += 1
        # First what was confirmed: a row of it counts for nothing until the label is the one that it names.
        if confirmed != before:
            _write(folder / CONFIRMED, confirmed)
        if changed:
            write_rows(folder / "labels.csv", rows.values())
    return changed, len(last) - changed


def _wrong(decision: Decision, row: Row | None, column: Mapping[str, int]) -> str | None:
    if row is None:
        return f"no entry has the id {decision.id!r}"
    if decision.topic not in column:
        return f"unknown topic {decision.topic!r}; known: {', '.join(column)}"
    now = label(row, decision.topic)
    if decision.answer == "undo" or now in (decision.label, decision.result):
        return None
    return (
        f"{decision.topic} of {decision.id} was {decision.label} when it was doubted and is {now} now; run 'tagger audit' again"
    )


def label(row: Row, topic: str) -> str:
    """What a row says of a topic: "yes", "no" or "unsure"."""
    return "yes" if topic in row.topics else "unsure" if topic in row.unsure else "no"


def _with(row: Row, topic: str, label: str, column: Mapping[str, int]) -> Row:
    """The row with another label for a topic, its topics in their order."""

    def ordered(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(ids, key=lambda topic: column.get(topic, len(column))))

    topics, unsure = ([id for id in ids if id != topic] for ids in (row.topics, row.unsure))
    return replace(
        row,
        topics=ordered([*topics, topic] if label == "yes" else topics),
        unsure=ordered([*unsure, topic] if label == "unsure" else unsure),
    )


def _read(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """By (id, topic) title and label."""
    if not path.exists():
        return {}
    try:
        lines = list(csv.reader(io.StringIO(read_text(path), newline=""), strict=True))
    except ListingError as error:
        raise LabelsError(f"{path}: cannot be used", error.problems) from None
    except csv.Error as error:
        raise LabelsError(f"{path}: expected a CSV table: {error}") from None
    wanted = ",".join(_COLUMNS)
    problems = [Problem(str(path), 1, f"expected the columns {wanted}")] if not lines or tuple(lines[0]) != _COLUMNS else []
    problems += [
        Problem(str(path), n, f"expected {wanted} with the label yes or no, found {','.join(cells)!r}")
        for n, cells in enumerate(lines[1:], 2)
        if cells and (len(cells) != len(_COLUMNS) or cells[3] not in _OTHER)
    ]
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return {(cells[0], cells[2]): (cells[1], cells[3]) for cells in lines[1:] if cells}


def _write(path: Path, confirmed: Mapping[tuple[str, str], tuple[str, str]]) -> None:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_COLUMNS)
    for (id, topic), (title, label) in sorted(confirmed.items()):
        table.writerow([id, title, topic, label])
    write_whole(path, out.getvalue())
