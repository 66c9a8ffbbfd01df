"""The labels and the model of this repository: an edit of labels/ can turn these tests red, and no others."""

from __future__ import annotations

from pathlib import Path

from tagger import load, read_listing
from tagger.labels.dataset import Labels
from tagger.labels.table import read_rows, write_rows
from tagger.model.storage import model_to_bytes
from tagger.training.settings import Settings
from tagger.workspace.retrain import is_current


def test_the_shipped_labels_are_whole(shipped_labels: Labels) -> None:
    yes, labelled = shipped_labels.arrays()
    counts = dict(zip(shipped_labels.taxonomy.ids, (yes & labelled).sum(0).tolist(), strict=True))
    assert list(counts)[:4] == ["ctr", "llm", "debiasing", "click-model"]
    assert len(shipped_labels.entries) >= 900
    assert min(counts.values()) >= 50
    assert sum(not row.topics for row in shipped_labels.rows) >= 20
    assert shipped_labels.warnings == ()


def test_the_abstracts_are_neither_short_nor_long(shipped_labels: Labels) -> None:
    n_words = [len(entry.abstract.split()) for entry in shipped_labels.entries]
    assert min(n_words) >= 70
    assert max(n_words) <= 180


def test_the_rows_are_as_they_are_written(shipped_labels: Labels, root: Path, tmp_path: Path) -> None:
    table = root / "labels" / "labels.csv"
    assert [row.id for row in read_rows(table)] == [row.id for row in shipped_labels.rows], "sorted by id"
    write_rows(tmp_path / "labels.csv", reversed(read_rows(table)))
    assert (tmp_path / "labels.csv").read_bytes() == table.read_bytes(), "a diff shows only what a person changed"


def test_the_entries_are_about_other_papers_than_the_example(shipped_labels: Labels, root: Path) -> None:
    example = read_listing(root / "examples" / "new-listing.txt")
    assert not {entry.id for entry in shipped_labels.entries} & {entry.id for entry in example}


def test_the_shipped_file_saves_to_its_own_bytes(root: Path) -> None:
    path = root / "models/topics.safetensors"
    assert model_to_bytes(load(path)) == path.read_bytes()


def test_the_shipped_model_is_what_the_labels_give(shipped_labels: Labels, root: Path) -> None:
    assert is_current(load(root / "models" / "topics.safetensors"), shipped_labels, Settings())


def test_the_shipped_model_was_trained_with_the_defaults(root: Path) -> None:
    training = load(root / "models" / "topics.safetensors").training
    assert Settings.from_header(training.settings) == Settings() == Settings.from_header(training.chosen_settings)
