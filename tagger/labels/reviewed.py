"""What a person answered about doubted labels, and how the answers get into labels/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.atomic import locked
from tagger.errors import LabelsError, ListingError, Problem
from tagger.formats import json_lines as jsonl
from tagger.formats.registry import read_text
from tagger.labels.closure import find_contradictions
from tagger.labels.confirmed import ConfirmedLabel, read_confirmed_labels, write_confirmed_labels
from tagger.labels.table import LABELS_CSV, LabelRow, read_rows, write_rows
from tagger.source import Source
from tagger.taxonomy import Taxonomy, read_taxonomy

__all__ = ["ANSWERS", "AuditAnswer", "apply_answers", "read_answers"]

ANSWERS = ("accept", "reject", "unsure")  # to the doubt that a label is wrong
_OPPOSITE = {"yes": "no", "no": "yes"}


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """A person's answer to the doubt that a label is wrong.

    "accept" changes the label, "reject" keeps it, and "unsure" leaves the topic open. "undo" puts the doubted label back and
    forgets that a person looked at it.
    """

    id: str  # of the entry
    topic: str
    label: str  # "yes" or "no": the doubted label
    answer: str  # one of `ANSWERS`, or "undo"
    line: int = 0  # where the answer was read; 0 for one that was not read from a file

    @property
    def new_label(self) -> str:
        """The label after the answer: "yes", "no" or "unsure"."""
        return {"accept": _OPPOSITE[self.label], "unsure": "unsure"}.get(self.answer, self.label)


def read_answers(path: str | Path) -> list[AuditAnswer]:
    """The answers in JSON Lines as `tagger audit --format jsonl` writes them; "-" is standard input.

    An object whose `decision` is null or missing is not an answer yet, and is skipped.

    Raises:
        ListingError: if the file cannot be read, or with every line that is not an answer.
    """
    answers: list[AuditAnswer] = []
    problems: list[Problem] = []
    path_shown = "standard input" if str(path) == "-" else str(path)
    for line, record in jsonl.parse_records(read_text(path)):
        try:
            answer = _parse_answer(record, line)
        except ValueError as error:
            problems.append(Problem(Source(path_shown, line), str(error)))
        else:
            answers += [] if answer is None else [answer]
    if problems:
        raise ListingError(f"{path_shown}: {len(problems)} to correct; nothing was changed", problems)
    return answers


def apply_answers(folder: Path, answers: Sequence[AuditAnswer], source: str = "") -> tuple[int, int]:
    """Write answers to labels.csv and confirmed.csv, all of them or none. To give an answer twice is no error.

    The files are read again first, so that what others changed meanwhile stays.

    Args:
        folder: labels/.
        answers: of several for one label, the last one counts.
        source: the file that the answers are from, for messages.

    Returns:
        How many labels were changed, and how many were not.

    Raises:
        LabelsError: with every answer about an unknown entry or topic, about a label that has changed since, or with a yes
            that contradicts the other labels of its entry.
        OutputError: if a file cannot be written.
    """
    with locked(folder):
        table = folder / LABELS_CSV
        rows = {row.id: row for row in read_rows(table)}
        taxonomy = read_taxonomy(folder / "topics.toml")
        last = list({(answer.id, answer.topic): answer for answer in answers}.values())
        source = source or str(table)
        _refuse(folder, source, ((answer, _misfits(answer, rows.get(answer.id), taxonomy)) for answer in last))
        confirmed = {(label.id, label.topic): label for label in read_confirmed_labels(folder)}
        confirmed_before, n_changed = dict(confirmed), 0
        for answer in last:
            row, cell = rows[answer.id], (answer.id, answer.topic)
            confirmed.pop(cell, None)
            if answer.answer in ("accept", "reject"):
                confirmed[cell] = ConfirmedLabel(row.id, row.title, answer.topic, answer.new_label)
            if row.label_of(answer.topic) != answer.new_label:
                rows[row.id] = row.with_label(answer.topic, answer.new_label, taxonomy)
                n_changed += 1
        _refuse(folder, source, ((answer, _contradictions(answer, rows, taxonomy)) for answer in last))
        # confirmed.csv goes first: a row in it does not count before the label is the one that it has.
        if confirmed != confirmed_before:
            write_confirmed_labels(folder, confirmed.values())
        if n_changed:
            write_rows(table, rows.values())
    return n_changed, len(last) - n_changed


def _parse_answer(record: object, line: int) -> AuditAnswer | None:
    """The answer in an object of JSON Lines, None where there is none yet; a ValueError says what is wrong with it."""
    if isinstance(record, ValueError):
        raise record
    if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("id", "topic")):
        raise ValueError("expected an object with id, topic, label and decision")
    if record.get("label") not in [*_OPPOSITE]:
        raise ValueError(f"expected yes or no under 'label', found {record.get('label')!r}")
    if record.get("decision") is None:
        return None
    if record["decision"] not in ANSWERS:
        raise ValueError(f"expected {', '.join(ANSWERS)} or null under 'decision', found {record['decision']!r}")
    return AuditAnswer(record["id"], record["topic"], record["label"], record["decision"], line)


def _refuse(folder: Path, source: str, messages: Iterable[tuple[AuditAnswer, list[str]]]) -> None:
    """Raise a LabelsError if there is any message about an answer."""
    problems = [Problem(Source(source, answer.line), text) for answer, texts in messages for text in texts]
    if problems:
        raise LabelsError(f"{folder}: nothing was changed", sorted(problems))


def _misfits(answer: AuditAnswer, row: LabelRow | None, taxonomy: Taxonomy) -> list[str]:
    """Why an answer does not fit the labels as they are now."""
    if row is None:
        return [f"no entry has the id {answer.id!r}"]
    if answer.topic not in taxonomy.column:
        return [f"unknown topic {answer.topic!r}; known: {', '.join(taxonomy.ids)}"]
    now = row.label_of(answer.topic)
    if answer.answer == "undo" or now in (answer.label, answer.new_label):
        return []
    return [f"{answer.topic} of {answer.id} was {answer.label} when it was doubted and is {now} now; run 'tagger audit' again"]


def _contradictions(answer: AuditAnswer, rows: Mapping[str, LabelRow], taxonomy: Taxonomy) -> list[str]:
    """What a new yes contradicts in its row: topics that exclude each other, or too many topics."""
    if (answer.label, answer.answer) != ("no", "accept"):
        return []
    return [f"{answer.topic} of {answer.id} as yes: {message}" for message in find_contradictions(rows[answer.id], taxonomy)]
