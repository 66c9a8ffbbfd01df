"""`labels.csv`: one row an entry, read and written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.atomic import write_whole
from tagger.errors import LabelsError, ListingError, Problem
from tagger.formats.registry import read_text
from tagger.source import Source

if TYPE_CHECKING:
    pass

__all__ = [
    "LabelRow",
    "read_rows",
    "write_rows",
]


COLUMNS = ("id", "title", "topics", "unsure")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What a person said of one entry: topics that apply, topics left open; every other topic does not apply."""

    id: str
    title: str
    topics: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    line: int = 0


def read_rows(path: Path) -> list[LabelRow]:
    """The rows of a labels.csv, in the order of the file; their topics are not checked.

    Raises:
        LabelsError: if the file is missing, not UTF-8, or not of the four columns.
    """
    rows, problems = _read_table(path)
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return rows


def write_rows(path: Path, rows: Iterable[LabelRow]) -> None:
    """Write a labels.csv whole, one row a line, sorted by id."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: row.id):
        table.writerow([row.id, row.title, ";".join(row.topics), ";".join(row.unsure)])
    write_whole(path, out.getvalue())


def _read_table(path: Path) -> tuple[list[LabelRow], list[Problem]]:
    rows: list[LabelRow] = []
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
            return rows, [Problem(Source(str(path), 1), f"expected the columns {','.join(COLUMNS)}, found {found}")]
        start = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(COLUMNS):
                rows.append(LabelRow(cells[0].strip(), cells[1], _ids(cells[2]), _ids(cells[3]), start))
            elif cells:
                problems.append(Problem(Source(str(path), start), f"expected {len(COLUMNS)} cells, found {len(cells)}"))
            start = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(Source(str(path), start), f"expected a CSV table: {error}"))
    return rows, problems


def _ids(cell: str) -> tuple[str, ...]:
    return tuple(id for id in (part.strip() for part in cell.split(";")) if id)
