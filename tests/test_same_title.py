"""Two works with the same title are one entry: the id of an entry is made of its title alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tagger import Entry, LabelsError, load, read_labels
from tagger.curation.session import start_session
from tagger.evaluation.labelled_sets import read_labelled_set
from tagger.labels.store import LabelEdit, LabelStore
from tagger.labels.table import LabelRow, read_rows
from tagger.taxonomy import read_taxonomy

FIRST = Entry("The Click", ("Ann Lee",), date=date(2020, 5, 3), category="IR", abstract="The click.")
OTHER = Entry("The click!", ("Bo Chen",), date=date(2024, 1, 9), category="CL", abstract="The language.")


def test_their_ids_are_equal_and_they_are_not() -> None:
    assert FIRST.id == OTHER.id
    assert FIRST != OTHER


def test_two_in_the_entries_of_a_workspace_are_a_problem(place: Path) -> None:
    assert FIRST.id in {entry.id for entry in read_labels(place / "labels").entries}
    (place / "labels/entries/other.txt").write_text("CLJan 9, 2024\nThe click!\tBo Chen\nThe language.\n")
    with pytest.raises(LabelsError) as caught:
        read_labels(place / "labels")
    first = place / "labels/entries/e.txt"
    assert str(caught.value).splitlines() == [
        f"{place}/labels/entries/other.txt:1: entry {OTHER.id} ('The click!') is already in {first}:1",
        f"{place}/labels: 1 problem; nothing was changed",
    ]


def test_a_row_of_one_counts_for_both(place: Path) -> None:
    model = load(place / "models/topics.safetensors")
    assert [[tag.topic.id for tag in tagged.tags] for tagged in model.tag([FIRST, OTHER])] == [["ctr"], ["ctr"]]
    rows = {FIRST.id: LabelRow(FIRST.id, FIRST.title, ("rag",))}
    by_hand = model.tag([FIRST, OTHER], rows)
    assert [[(tag.topic.id, tag.by) for tag in tagged.tags] for tagged in by_hand] == [[("rag", "hand")]] * 2
    state = start_session([FIRST, OTHER], read_taxonomy(place / "labels/topics.toml"), {}, model)
    assert state.entries == (FIRST,), "only the first one is asked about"


def test_an_edit_of_one_changes_the_row_of_the_other_and_adds_no_text(place: Path) -> None:
    folder = place / "labels"
    texts = {path: path.read_bytes() for path in (folder / "entries").iterdir()}
    (before,) = [row for row in read_rows(folder / "labels.csv") if row.id == FIRST.id]
    saved = LabelStore(folder).save(LabelEdit(OTHER, before, LabelRow(OTHER.id, OTHER.title, ("llm",))))
    assert not saved.added_text
    assert {path: path.read_bytes() for path in (folder / "entries").iterdir()} == texts
    labels = read_labels(folder)
    assert labels.rows[[entry.id for entry in labels.entries].index(FIRST.id)].topics == ("llm",)


def test_two_in_a_labelled_set_are_a_problem(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text("".join(json.dumps({"title": entry.title, "topics": []}) + "\n" for entry in (FIRST, OTHER)))
    with pytest.raises(LabelsError) as caught:
        read_labelled_set(str(file), None, read_taxonomy(place / "labels/topics.toml"))
    assert f"{file}:2: the title 'The click!' is already in {file}:1\n" in str(caught.value)
