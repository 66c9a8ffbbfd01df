"""The tables of labels/: how a CSV file is read, and labels.csv, which has one row for each labelled entry."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from tagger.atomic import write_whole
from tagger.errors import LabelsError, ListingError, Problem
from tagger.formats.registry import read_text
from tagger.source import Source
from tagger.taxonomy import Taxonomy

__all__ = [
    "LABELS_CSV",
    "LabelRow",
    "describe_row",
    "find_rows",
    "read_csv_table",
    "read_rows",
    "write_csv_table",
    "write_rows",
]

Row = TypeVar("Row")

LABELS_CSV = "labels.csv"  # its name in a folder labels/
_COLUMNS = ("id", "title", "topics", "unsure")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What a person said of one entry: the topics that apply and those left open. All other topics do not apply.

    Rows are equal when they say the same, wherever they stand.
    """

    id: str
    title: str
    topics: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)  # where the row was read; 0 for one that was not read from a file

    def label_of(self, topic: str) -> str:
        """The label of a topic: "yes", "no" or "unsure"."""
        return "yes" if topic in self.topics else "unsure" if topic in self.unsure else "no"

    def with_label(self, topic: str, label: str, taxonomy: Taxonomy) -> LabelRow:
        """The row with another label for one topic. Its topics stand in the order of the taxonomy, unknown ones last."""

        def relabelled(ids: Sequence[str], has_topic: bool) -> tuple[str, ...]:
            others = [id for id in ids if id != topic]
            return tuple(sorted([*others, topic] if has_topic else others, key=order))

        def order(id: str) -> int:
            return taxonomy.column.get(id, len(taxonomy.topics))

        return replace(self, topics=relabelled(self.topics, label == "yes"), unsure=relabelled(self.unsure, label == "unsure"))


def describe_row(row: LabelRow | None) -> str:
    """The labels of a row in words; None stands for a row that is gone.

    >>> describe_row(LabelRow("s12qsv0r", "Deep Interest Network", ("ctr", "seq"), ("llm",)))
    'ctr, seq; unsure: llm'
    """
    if row is None:
        return "nothing, its row is gone"
    return (", ".join(row.topics) or "no topic") + (f"; unsure: {', '.join(row.unsure)}" if row.unsure else "")


def read_rows(path: Path) -> list[LabelRow]:
    """The rows of a labels.csv, in the order of the file; their topics are not checked.

    Raises:
        LabelsError: if the file is missing, is not UTF-8, or does not have the four columns.
    """
    rows, problems = find_rows(path)
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return rows


def find_rows(path: Path) -> tuple[list[LabelRow], list[Problem]]:
    """As `read_rows`, with the problems beside the rows that have none."""
    return read_csv_table(path, _COLUMNS, _parse_label_row)


def write_rows(path: Path, rows: Iterable[LabelRow]) -> None:
    """Write a labels.csv whole, one row a line, sorted by id.

    Raises:
        OutputError: if it cannot be written.
    """
    ordered = sorted(rows, key=lambda row: row.id)
    write_csv_table(path, _COLUMNS, ((row.id, row.title, ";".join(row.topics), ";".join(row.unsure)) for row in ordered))


def read_csv_table(
    path: Path, columns: Sequence[str], parse_row: Callable[[list[str], int], Row]
) -> tuple[list[Row], list[Problem]]:
    """The rows of a CSV file, and what is wrong in it. Empty lines are skipped.

    Args:
        path: the file.
        columns: the cells that its first line has to have.
        parse_row: makes a row of the cells and the number of a line; its ValueError says what is wrong with them.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        text = read_text(path)
    except ListingError as error:
        return rows, list(error.problems)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, [])
        if header != list(columns):
            header_text = ",".join(header) or "nothing"
            return rows, [Problem(Source(str(path), 1), f"expected the columns {','.join(columns)}, found {header_text}")]
        line = reader.line_num + 1
        for cells in reader:
            try:
                rows += [parse_row(cells, line)] if cells else []
            except ValueError as error:
                problems.append(Problem(Source(str(path), line), str(error)))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(Source(str(path), line), f"expected a CSV table: {error}"))
    return rows, problems


def write_csv_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file whole: a line of columns, then the rows.

    Raises:
        OutputError: if it cannot be written.
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    write_whole(path, out.getvalue())


def _parse_label_row(cells: list[str], line: int) -> LabelRow:
    if len(cells) != len(_COLUMNS):
        raise ValueError(f"expected {len(_COLUMNS)} cells, found {len(cells)}")
    id, title, topics, unsure = cells
    return LabelRow(id.strip(), title, _split_ids(topics), _split_ids(unsure), line)


def _split_ids(cell: str) -> tuple[str, ...]:
    return tuple(id for id in (part.strip() for part in cell.split(";")) if id)
