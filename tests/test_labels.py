from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger import Entry, LabelsError, OutputError, Taxonomy, Topic
from tagger.atomic import write_whole
from tagger.labels.confirmed import check_confirmed
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.reviewed import AuditAnswer
from tagger.labels.store import LabelEdit
from tagger.labels.table import LabelRow, read_rows, write_rows


def test_all_problems_are_reported_at_once_with_file_and_line(workspace: Path) -> None:
    folder = workspace / "labels"
    rows = read_rows(folder / "labels.csv")
    listing = folder / "entries" / "example.txt"
    text = listing.read_text()
    first = text.split("\n\n")[0]
    (folder / "entries" / "more.txt").write_text(
        first + "\n\nnonsense 2023-01-01\n\n" + "IRJun 9, 2023\nA New OneAnn Lee\nAbout it.\n"
    )
    lines = (folder / "labels.csv").read_text().splitlines()
    lines[1] = f"{rows[0].id},{rows[0].title.replace(',', '')},recsis;llm,llm"
    lines += [lines[2], "zzzzzzzz,Nobody wrote this,,", "one,two,three"]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    n = len(lines) - 1
    with pytest.raises(LabelsError) as caught:
        read_labels(folder)
    text = str(caught.value).replace(str(folder), "labels")
    for expected in (
        "labels/labels.csv:2: unknown topic 'recsis'; did you mean 'recsys'?",
        "labels/labels.csv:2: topic 'llm' is both yes and unsure",
        f"labels/labels.csv:{n - 1}: a second row for '{rows[1].id}'; the first one is in line 3",
        f"labels/labels.csv:{n}: the title 'Nobody wrote this' has the id ",
        f"labels/labels.csv:{n}: no entry in labels/entries has the id 'zzzzzzzz' ('Nobody wrote this'); add it or",
        "labels/entries/more.txt:1: entry ",
        f"labels/labels.csv:{n + 1}: expected 4 cells, found 3",
        "labels/entries/more.txt:5: line 5 was not understood: found 'nonsense 2023-01-01'",
        "labels/entries/more.txt:7: no row in labels/labels.csv; add this one with its topics: ",
        "problems; nothing was changed",
    ):
        assert expected in text, text


def test_no_such_labels(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="topics.toml: cannot be read: No such file or directory; 'tagger init DIR' makes"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "expected the columns id,title,topics,unsure, found nothing"),
        ("id,title\n", "expected the columns id,title,topics,unsure, found id,title"),
        ('id,title,topics,unsure\nx,"y', "expected a CSV table: unexpected end of data"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(LabelsError, match=message):
        read_rows(tmp_path / "labels.csv")


def test_writing_sorts_and_reads_back(tmp_path: Path, frozen: Path) -> None:
    path = tmp_path / "labels.csv"
    write_rows(path, [LabelRow("b", 'With "quotes", commas', ("x", "y")), LabelRow("a", "Plain", (), ("x",))])
    assert path.read_text() == 'id,title,topics,unsure\na,Plain,,x\nb,"With ""quotes"", commas",x;y,\n'
    table = frozen / "labels" / "labels.csv"
    write_rows(path, reversed(read_rows(table)))
    assert path.read_bytes() == table.read_bytes()


def test_the_hash_sees_what_training_sees(labels: Labels) -> None:
    rows = list(labels.rows)
    rows[0] = replace(rows[0], topics=(), unsure=("solar",))
    assert replace(labels, rows=tuple(rows)).hash() != labels.hash()
    assert replace(labels, rows=tuple(replace(row, line=7) for row in labels.rows)).hash() == labels.hash()


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="file: cannot be written: No space left on device"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        write_whole(tmp_path / "no" / "file", "x")


def test_array_order_is_that_of_the_topics(labels: Labels) -> None:
    yes, labelled = labels.arrays()
    assert yes.shape == labelled.shape == (len(labels.entries), len(labels.topics))
    assert not (yes & ~labelled).any()
    column = [topic.id for topic in labels.topics].index("wind")
    assert np.flatnonzero(yes[:, column]).tolist() == [n for n, row in enumerate(labels.rows) if "wind" in row.topics]


def test_rows_are_equal_where_they_say_the_same() -> None:
    row = LabelRow("s12qsv0r", "Deep Interest Network", ("ctr",), ("llm",), line=3)
    assert replace(row, line=9) == row
    assert hash(replace(row, line=9)) == hash(row)
    for change in ({"id": "x"}, {"title": "deep interest network"}, {"topics": ()}, {"unsure": ("ctr",)}):
        assert replace(row, **change) != row
    again = pickle.loads(pickle.dumps(row))
    assert (again, again.line) == (row, 3)


def test_one_label_of_a_row_changes_and_the_others_stay_in_order() -> None:
    taxonomy = Taxonomy(tuple(Topic(id, id) for id in "abc"))
    row = LabelRow("1", "One", ("gone", "c"), ("a",), line=4)
    assert [row.label_of(topic) for topic in ("c", "a", "b")] == ["yes", "unsure", "no"]
    assert row.with_label("b", "yes", taxonomy) == LabelRow("1", "One", ("b", "c", "gone"), ("a",))
    assert row.with_label("a", "yes", taxonomy) == LabelRow("1", "One", ("a", "c", "gone"), ())
    assert row.with_label("c", "unsure", taxonomy) == LabelRow("1", "One", ("gone",), ("a", "c"))
    assert row.with_label("c", "no", taxonomy) == LabelRow("1", "One", ("gone",), ("a",))
    assert row.with_label("c", "no", taxonomy).line == 4


@pytest.mark.parametrize("label", ["yes", "no", "unsure"])
def test_a_label_that_was_set_is_the_label_of_the_row(label: str) -> None:
    taxonomy = Taxonomy(tuple(Topic(id, id) for id in "abc"))
    changed = LabelRow("1", "One", ("c",), ("a",)).with_label("c", label, taxonomy)
    assert changed.label_of("c") == label
    assert changed.with_label("c", "yes", taxonomy) == LabelRow("1", "One", ("c",), ("a",))


def test_an_edit_and_its_inverse() -> None:
    entry = Entry("Deep Interest Network")
    before, after = LabelRow(entry.id, entry.title), LabelRow(entry.id, entry.title, ("ctr",))
    edit = LabelEdit(entry, before, after)
    assert edit.inverse(added_text=False) == LabelEdit(entry, after, before)
    assert edit.inverse(added_text=True).inverse(added_text=False) == edit
    assert pickle.loads(pickle.dumps(edit)) == edit
    assert hash(replace(edit)) == hash(edit)


def test_labels_are_a_value(labels: Labels) -> None:
    again = pickle.loads(pickle.dumps(labels))
    assert again == labels
    assert hash(again) == hash(labels)
    assert again.hash() == labels.hash()
    assert replace(labels, rows=labels.rows[::-1]) != labels
    assert replace(labels, taxonomy=replace(labels.taxonomy, max_topics=3)) != labels


@pytest.mark.parametrize("answer, label", [("accept", "no"), ("reject", "yes"), ("unsure", "unsure"), ("undo", "yes")])
def test_the_label_after_an_answer(answer: str, label: str) -> None:
    found = AuditAnswer("1", "ctr", "yes", answer)
    assert found.new_label == label
    assert pickle.loads(pickle.dumps(found)) == found


def test_what_is_wrong_with_confirmed_labels(place: Path) -> None:
    labels = read_labels(place / "labels")
    row = labels.rows[0]
    path = place / "labels/confirmed.csv"
    assert check_confirmed(place / "labels", labels) == []
    good = f"{row.id},{row.title},ctr,yes\n"
    path.write_text(f"id,title,topic,label\n{good}\nnone,Nothing,crt,no\n{good}{row.id},{row.title},llm,no\n")
    known = "known: ctr, llm, rag"
    assert [str(problem) for problem in check_confirmed(place / "labels", labels)] == [
        f"{path}:4: no labelled entry has the id 'none' ('Nothing'); delete the row",
        f"{path}:4: unknown topic 'crt'; correct it or delete the row; {known}",
        f"{path}:5: a second row for 'ctr' of {row.id!r}; the first one is in line 2",
    ]


def test_problems_of_all_files_of_a_folder_are_reported_together(place: Path) -> None:
    folder = place / "labels"
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace("llm,ctr", "llm;llm;nosuch,ctr"))
    (folder / "entries/broken.txt").write_bytes(b"\xff\n")
    line = next(n for n, text in enumerate(table.read_text().splitlines(), 1) if "nosuch" in text)
    with pytest.raises(LabelsError) as caught:
        read_labels(folder)
    broken, twice, unknown, total = str(caught.value).splitlines()
    assert broken.startswith(f"{folder}/entries/broken.txt:1: expected UTF-8")
    assert (twice, unknown) == (
        f"{table}:{line}: topic 'llm' stands twice",
        f"{table}:{line}: unknown topic 'nosuch'; known: ctr, llm, rag",
    )
    assert total == f"{folder}: 3 problems; nothing was changed"
    (folder / "topics.toml").write_text("[[topic]]\nid = 'A B'\nname = 'x'\n")
    with pytest.raises(LabelsError) as caught:
        read_labels(folder)
    assert str(caught.value).splitlines()[1:] == [
        f"{folder}/topics.toml:1: expected an id of small letters, digits and dashes, found 'A B'",
        f"{folder}: 2 problems; nothing was changed",
    ], "without topics no label is checked"
