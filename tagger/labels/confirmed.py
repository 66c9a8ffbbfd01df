"""confirmed.csv: the labels that a person looked at once more, so that `tagger audit` does not ask about them again.

It has one row for each such label. A row counts for as long as the label is still the one that the row has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import LabelsError, Problem
from tagger.labels.dataset import Labels
from tagger.labels.table import read_csv_table, write_csv_table
from tagger.source import Source

__all__ = [
    "CONFIRMED_CSV",
    "ConfirmedLabel",
    "check_confirmed",
    "read_confirmed",
    "read_confirmed_labels",
    "write_confirmed_labels",
]

CONFIRMED_CSV = "confirmed.csv"  # its name in a folder labels/
_COLUMNS = ("id", "title", "topic", "label")


@dataclass(frozen=True, slots=True)
class ConfirmedLabel:
    """A label that a person confirmed."""

    id: str  # of the entry
    title: str
    topic: str
    label: str  # "yes" or "no"
    line: int = field(default=0, compare=False)


def read_confirmed(folder: Path) -> dict[tuple[str, str], str]:
    """The confirmed labels of a folder labels/ by (entry id, topic id); none where there is no confirmed.csv.

    Raises:
        LabelsError: with every line that is not a row.
    """
    return {(label.id, label.topic): label.label for label in read_confirmed_labels(folder)}


def read_confirmed_labels(folder: Path) -> list[ConfirmedLabel]:
    """As `read_confirmed`, in the order of the file.

    Raises:
        LabelsError: with every line that is not a row.
    """
    path = folder / CONFIRMED_CSV
    confirmed, problems = _find_confirmed(path)
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return confirmed


def write_confirmed_labels(folder: Path, confirmed: Iterable[ConfirmedLabel]) -> None:
    """Write the confirmed.csv of a folder labels/, sorted by entry and topic.

    Raises:
        OutputError: if it cannot be written.
    """
    ordered = sorted(confirmed, key=lambda label: (label.id, label.topic))
    write_csv_table(folder / CONFIRMED_CSV, _COLUMNS, ((label.id, label.title, label.topic, label.label) for label in ordered))


def check_confirmed(folder: Path, labels: Labels) -> list[Problem]:
    """What is wrong in the confirmed.csv of a folder labels/: lines that are not rows, and rows that fit no label."""
    path = folder / CONFIRMED_CSV
    confirmed, problems = _find_confirmed(path)
    ids = {row.id for row in labels.rows}
    first_lines: dict[tuple[str, str], int] = {}
    for label in confirmed:
        messages = []
        if label.id not in ids:
            messages.append(f"no labelled entry has the id {label.id!r} ({label.title!r}); delete the row")
        if label.topic not in labels.taxonomy.column:
            known = ", ".join(labels.taxonomy.ids)
            messages.append(f"unknown topic {label.topic!r}; correct it or delete the row; known: {known}")
        first_line = first_lines.setdefault((label.id, label.topic), label.line)
        if first_line != label.line:
            messages.append(f"a second row for {label.topic!r} of {label.id!r}; the first one is in line {first_line}")
        problems += [Problem(Source(str(path), label.line), message) for message in messages]
    return sorted(problems)


def _find_confirmed(path: Path) -> tuple[list[ConfirmedLabel], list[Problem]]:
    return read_csv_table(path, _COLUMNS, _parse_confirmed_row) if path.exists() else ([], [])


def _parse_confirmed_row(cells: list[str], line: int) -> ConfirmedLabel:
    if len(cells) != len(_COLUMNS) or cells[3] not in ("yes", "no"):
        raise ValueError(f"expected {','.join(_COLUMNS)} with the label yes or no, found {','.join(cells)!r}")
    id, title, topic, label = cells
    return ConfirmedLabel(id, title, topic, label, line)
