"""A model on labelled entries from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tagger.decide import decide
from tagger.entry import Entry
from tagger.errors import LabelsError, Problem
from tagger.figures import figures
from tagger.labels import Row, arrays, read_rows
from tagger.listing import jsonl, read, read_text
from tagger.model import Model
from tagger.taxonomy import Topic

__all__ = ["evaluated", "read_labelled"]


def read_labelled(
    file: str, labels: Path | None, topics: Sequence[Topic], year: int | None = None
) -> tuple[list[Entry], list[Row]]:
    """Entries with a row each: of a listing and a table, or of JSON Lines whose objects have `topics` (and `unsure`).

    Raises:
        ListingError: if the entries cannot be read in full.
        LabelsError: naming every row that is missing or has a topic that is unknown.
    """
    text = read_text(file)
    entries = list(read(text, file, date.today().year if year is None else year).all())
    if labels is not None:
        by_id = {row.id: row for row in read_rows(labels)}
        rows = [by_id.get(entry.id) for entry in entries]
        where = [Problem(str(labels), row.line, "") if row else Problem(str(labels), 0, "") for row in rows]
    else:
        found = [record for _, record in jsonl.records(text) if isinstance(record, dict)]
        if len(found) != len(entries):
            raise LabelsError(f"{file}: a listing has no topics in it; give --labels with a table of them")
        rows = [_row(entry, record) for entry, record in zip(entries, found, strict=True)]
        where = [Problem(*_place(entry), "") for entry in entries]
    ids = {topic.id for topic in topics}
    problems: list[Problem] = []
    for entry, row, at in zip(entries, rows, where, strict=True):
        if row is None:
            wanted = f"a row for {entry.id}" if labels is not None else "a list of topic ids under 'topics'"
            problems.append(Problem(at.path, at.line, f"expected {wanted} ({entry.title!r}), found none"))
        else:
            problems += [
                Problem(at.path, at.line, f"unknown topic {topic!r}; the model has {', '.join(sorted(ids))}")
                for topic in dict.fromkeys(row.topics + row.unsure)
                if topic not in ids
            ]
    if not entries:
        raise LabelsError(f"{file}: no entries in it; nothing to evaluate")
    if problems:
        raise LabelsError(f"{file}: cannot be evaluated", problems)
    return entries, [row for row in rows if row is not None]


def evaluated(model: Model, entries: Sequence[Entry], rows: Sequence[Row]) -> tuple[dict[str, Any], int]:
    """Figures as in `tagger.figures`, of the entries that the model was not trained on; and how many it was.

    Raises:
        LabelsError: if the model was trained on all of them.
    """
    seen = {bytes(id).decode("ascii", "replace") for id in model.held_out_ids}
    kept = [n for n, entry in enumerate(entries) if entry.id not in seen]
    if not kept:
        raise LabelsError("the model was trained on all of these entries; figures need entries that it has not seen")
    yes, known = arrays([rows[n] for n in kept], model.topics)
    scores = model.scores([entries[n] for n in kept])
    tagged = decide(scores, model.thresholds, model.topics)
    return figures(yes, known, scores, tagged, model.topics), len(entries) - len(kept)


def _row(entry: Entry, record: dict[str, Any]) -> Row | None:
    """The labels of a JSON object; topics may be ids or the objects that `tag --format jsonl` writes."""
    sides: list[tuple[str, ...]] = []
    for key in ("topics", "unsure"):
        found = record.get(key, [] if key == "unsure" else None)
        if not isinstance(found, list):
            return None
        sides.append(tuple(str(topic.get("id") if isinstance(topic, dict) else topic) for topic in found))
    return Row(entry.id, entry.title, topics=sides[0], unsure=sides[1])


def _place(entry: Entry) -> tuple[str, int]:
    path, _, line = (entry.source or ":0").rpartition(":")
    return path, int(line)
