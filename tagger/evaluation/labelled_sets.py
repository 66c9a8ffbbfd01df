"""A model on labelled entries from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tagger.entry import Entry
from tagger.errors import LabelsError, Problem
from tagger.evaluation.figures import Figures, compute_figures
from tagger.formats.registry import read_entries, read_text, recognize_format
from tagger.labels.closure import find_contradictions
from tagger.labels.dataset import label_arrays
from tagger.labels.table import LabelRow, read_rows
from tagger.model.model import Model
from tagger.source import Source
from tagger.taxonomy import Taxonomy

__all__ = ["Evaluation", "LabelledSet", "evaluate_model", "read_labelled_set"]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Labelled entries: `entries[i]` is labelled by `rows[i]`."""

    entries: tuple[Entry, ...]
    rows: tuple[LabelRow, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of a model on a labelled set, of the entries that it was not trained on."""

    figures: Figures
    n_trained_on: int  # entries of the set that were left out


def read_labelled_set(file: str, labels: Path | None, taxonomy: Taxonomy, year: int | None = None) -> LabelledSet:
    """Entries with their labels: of a listing and a table, or of JSON Lines whose objects have `topics` (and `unsure`).

    Args:
        file: the entries; "-" is standard input.
        labels: the table; None where the entries are JSON Lines that have labels.
        taxonomy: of the topics that a label may name.
        year: of dates without one; by default the current year.

    Raises:
        ListingError: if the entries cannot be read in full.
        LabelsError: naming every row that is missing, that has an unknown topic, or whose topics contradict each other.
    """
    text = read_text(file)
    source = "standard input" if file == "-" else file
    entries = list(read_entries(text, source, date.today().year if year is None else year).require_entries())
    if not entries:
        raise LabelsError(f"{source}: no entries in it; nothing to evaluate")
    rows = _rows_from_text(text, source, entries) if labels is None else _rows_from_table(labels, entries)
    problems = list(_find_problems(entries, rows, labels, taxonomy))
    if problems:
        raise LabelsError(f"{source}: cannot be evaluated", problems)
    return LabelledSet(tuple(entries), tuple(row for row in rows if isinstance(row, LabelRow)))


def evaluate_model(model: Model, labelled_set: LabelledSet) -> Evaluation:
    """The figures of a model on the entries of a labelled set that it was not trained on.

    Raises:
        LabelsError: if the model was trained on all of them.
    """
    trained_on = set(model.trained_ids)
    unseen = [n for n, entry in enumerate(labelled_set.entries) if entry.id not in trained_on]
    if not unseen:
        raise LabelsError("the model was trained on all of these entries; figures need entries that it has not seen")
    yes, labelled = label_arrays([labelled_set.rows[n] for n in unseen], model.taxonomy)
    scores = model.scores([labelled_set.entries[n] for n in unseen])
    figures = compute_figures(yes, labelled, scores, model.predict(scores), model.topics)
    return Evaluation(figures, len(labelled_set.entries) - len(unseen))


def _rows_from_table(table: Path, entries: Sequence[Entry]) -> list[LabelRow | str]:
    """For each entry its row, or what is wrong."""
    by_id = {row.id: row for row in read_rows(table)}
    return [by_id.get(entry.id, f"expected a row for {entry.id} in {table}, found none") for entry in entries]


def _rows_from_text(text: str, source: str, entries: Sequence[Entry]) -> list[LabelRow | str]:
    """For each entry the labels that the text has beside it, or what is wrong with them."""
    read_entry_labels = recognize_format(text).read_entry_labels
    if read_entry_labels is None:
        raise LabelsError(f"{source}: a listing has no topics in it; give --labels with a table of them")
    return [
        labels if isinstance(labels, str) else LabelRow(entry.id, entry.title, labels.topics, labels.unsure)
        for entry, labels in zip(entries, read_entry_labels(text), strict=True)
    ]


def _find_problems(
    entries: Sequence[Entry], rows: Sequence[LabelRow | str], table: Path | None, taxonomy: Taxonomy
) -> Iterator[Problem]:
    """What is wrong with entries and their labels, each problem with its file and line."""
    known = ", ".join(sorted(taxonomy.ids))
    source_of: dict[str, Source | None] = {}
    for entry, row in zip(entries, rows, strict=True):
        messages = [row] if isinstance(row, str) else []
        if entry.id in source_of:
            messages.append(f"the title {entry.title!r} is already in {source_of[entry.id]}")
        source_of.setdefault(entry.id, entry.source)
        if isinstance(row, LabelRow):
            named = dict.fromkeys(row.topics + row.unsure)
            messages += [f"unknown topic {id!r}; the model has {known}" for id in named if id not in taxonomy.column]
            messages += [f"topic {id!r} is both yes and unsure" for id in named if id in row.topics and id in row.unsure]
            messages += find_contradictions(row, taxonomy)
        source = Source(str(table), row.line) if table is not None and isinstance(row, LabelRow) else entry.source
        for message in messages:
            yield Problem(source or Source(""), message)
