"""A model on labelled entries from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tagger.entry import Entry
from tagger.errors import LabelsError, Problem
from tagger.evaluation.figures import compute_figures
from tagger.formats import json_lines as jsonl
from tagger.formats.registry import read_entries, read_text
from tagger.labels.closure import find_contradictions, label_arrays
from tagger.labels.table import LabelRow, read_rows
from tagger.model.model import Model
from tagger.source import Source
from tagger.taxonomy import Taxonomy

__all__ = [
    "evaluate_model",
    "read_labelled_set",
]


def read_labelled_set(
    file: str, labels: Path | None, taxonomy: Taxonomy, year: int | None = None
) -> tuple[list[Entry], list[LabelRow]]:
    """Entries with a row each: of a listing and a table, or of JSON Lines whose objects have `topics` (and `unsure`).

    Raises:
        ListingError: if the entries cannot be read in full.
        LabelsError: naming every row that is missing, has a topic that is unknown, or that contradicts what topics exclude.
    """
    text = read_text(file)
    source = "standard input" if file == "-" else file
    entries = list(read_entries(text, source, date.today().year if year is None else year).all())
    if not entries:
        raise LabelsError(f"{source}: no entries in it; nothing to evaluate")
    rows: list[LabelRow | str]
    if labels is not None:
        by_id = {row.id: row for row in read_rows(labels)}
        rows = [by_id.get(entry.id, f"expected a row for {entry.id} in {labels}, found none") for entry in entries]
    else:
        found = [record for _, record in jsonl.parse_records(text) if isinstance(record, dict)]
        if len(found) != len(entries):
            raise LabelsError(f"{source}: a listing has no topics in it; give --labels with a table of them")
        rows = [_row(entry, record) for entry, record in zip(entries, found, strict=True)]
    seen: dict[str, Source | None] = {}
    problems: list[Problem] = []
    for entry, row in zip(entries, rows, strict=True):
        messages = [row] if isinstance(row, str) else []
        if entry.id in seen:
            messages.append(f"the title {entry.title!r} is already in {seen[entry.id]}")
        seen.setdefault(entry.id, entry.source)
        if isinstance(row, LabelRow):
            said = dict.fromkeys(row.topics + row.unsure)
            ids = ", ".join(sorted(taxonomy.ids))
            messages += [f"unknown topic {id!r}; the model has {ids}" for id in said if id not in taxonomy.column]
            messages += [f"topic {id!r} is both yes and unsure" for id in said if id in row.topics and id in row.unsure]
            messages += find_contradictions(row, taxonomy)
        where = Source(str(labels), row.line) if labels is not None and isinstance(row, LabelRow) else entry.source
        problems += [Problem(where or Source(""), message) for message in messages]
    if problems:
        raise LabelsError(f"{source}: cannot be evaluated", problems)
    return entries, [row for row in rows if isinstance(row, LabelRow)]


def evaluate_model(model: Model, entries: Sequence[Entry], rows: Sequence[LabelRow]) -> tuple[dict[str, Any], int]:
    """Figures as in `compute_figures`, of the entries that the model was not trained on; and how many it was.

    Raises:
        LabelsError: if the model was trained on all of them.
    """
    seen = {bytes(id).decode("ascii", "replace") for id in model.out_of_fold_ids}
    kept = [n for n, entry in enumerate(entries) if entry.id not in seen]
    if not kept:
        raise LabelsError("the model was trained on all of these entries; figures need entries that it has not seen")
    yes, known = label_arrays([rows[n] for n in kept], model.taxonomy)
    scores = model.scores([entries[n] for n in kept])
    return compute_figures(yes, known, scores, model.predict(scores), model.topics), len(entries) - len(kept)


def _row(entry: Entry, record: dict[str, Any]) -> LabelRow | str:
    """The labels of a JSON object, or what is wrong with them."""
    sides: list[tuple[str, ...]] = []
    for key in ("topics", "unsure"):
        found = record.get(key)
        if found is None and key == "unsure":
            found = []
        if isinstance(found, list) and any(isinstance(topic, dict) for topic in found):
            return f"expected ids of topics under {key!r}, as a person gave them, found tags with scores"
        if not isinstance(found, list) or not all(isinstance(topic, str) for topic in found):
            return f"expected a list of topic ids under {key!r}, found {found!r}"
        sides.append(tuple(found))
    return LabelRow(entry.id, entry.title, topics=sides[0], unsure=sides[1])
