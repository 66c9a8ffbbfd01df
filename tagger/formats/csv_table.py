"""CSV: tagged entries as a table for programs and spreadsheets, and the topics read back from one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from tagger.entry import Entry
from tagger.formats.format import TaggedRow, TextFormat, WriteOptions
from tagger.formats.wording import require_scores
from tagger.tags import Tagged

__all__ = ["CSV", "optional_columns", "read_csv_tags", "write_csv"]

_COLUMNS = ("id", "title", "topics", "scores", "by", "note", "source")
_OPTIONAL_COLUMNS = ("doi", "arxiv", "pmid", "url", "key", "venue", "keywords")


def write_csv(results: Sequence[Tagged], options: WriteOptions) -> str:
    """Tagged entries as CSV, a row an entry; topics, their scores and keywords are separated by ';'.

    A column such as `doi` is there where an entry has one, and a column `score ID` for each of `options.scored_topics`.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    optional = optional_columns(result.entry for result in results)
    table.writerow([*_COLUMNS, *optional, *(f"score {topic.id}" for topic in options.scored_topics or ())])
    for result in results:
        row = [
            result.entry.id,
            result.entry.title,
            ";".join(tag.topic.id for tag in result.tags),
            ";".join("" if tag.score is None else f"{tag.score:.{options.digits}f}" for tag in result.tags),
            result.by,
            result.note or "",
            str(result.entry.source or ""),
        ]
        row += [
            ";".join(result.entry.keywords) if name == "keywords" else getattr(result.entry, name) or "" for name in optional
        ]
        if options.scored_topics is not None:
            row += [f"{round(score, 4):.4f}" for score in require_scores(result).values]
        table.writerow(row)
    return out.getvalue()


def optional_columns(entries: Iterator[Entry]) -> list[str]:
    """The names of the identifiers and other facts that any of these entries has, as columns of a table."""
    present = {name for entry in entries for name in _OPTIONAL_COLUMNS if getattr(entry, name)}
    return [name for name in _OPTIONAL_COLUMNS if name in present]


def read_csv_tags(text: str) -> Iterator[tuple[int, TaggedRow | None]]:
    """(line, row) for each entry of a table with the columns `id`, `title` and `topics`; None for what is no such row."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            id, title, topics = (row.get(name) for name in ("id", "title", "topics"))
            if id is None or title is None or topics is None:
                yield rows.line_num, None
            else:
                yield rows.line_num, TaggedRow(id, title, tuple(topic for topic in topics.split(";") if topic))
    except csv.Error:
        yield rows.line_num, None


CSV = TextFormat(
    name="csv",
    title="CSV",
    ending=".csv",
    endings=(".csv",),
    media_types=("text/csv",),
    write=write_csv,
    read_tags=read_csv_tags,
    names_listings=True,
    shows_reasons=False,
)
