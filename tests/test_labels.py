from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tagger import LabelsError, OutputError, Taxonomy, Topic
from tagger.atomic import write_whole
from tagger.labels.closure import label_arrays
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.table import LabelRow, read_rows, write_rows
from tagger.taxonomy import Gate, read_taxonomy

TAXONOMY = Taxonomy((Topic("a", "A"), Topic("b", "B", parent="a"), Topic("c", "C")))


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


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "expected one [[topic]] table for each topic"),
        ("[[topic]]\nid = 'a'\n", ":1: a topic needs 'name'"),
        ("\n[[topic]]\nid = 'A b'\nname = 'x'\n", ":2: expected an id of small letters, digits and dashes, found 'A b'"),
        (
            "[[topic]]\nid = 'a'\nname = 'x'\ncolour = 'red'\n",
            ":1: unknown key 'colour'; a topic has id, name, definition, parent, floor",
        ),
        ("[[topic]]\nid='a'\nname='x'\n[[topic]]\nid='a'\nname='y'\n", ":4: a second topic with the id 'a'"),
        ("[[topic]]\nid='a'\nname='x'\nparent='b'\n", ":1: the parent 'b' of topic 'a' is no topic"),
        ("[[topic]]\nid='a'\nname='x'\nparent='a'\n", ":1: topic 'a' is its own ancestor"),
        ("\n[[topic]\n", ":2: expected TOML:"),
        ("[[topic]]\nid = 3\nname = 'x'\n", ":1: expected text for 'id', found 3"),
        ("[[topic]]\nid='a'\nname='x'\nfloor=8\n", ":1: expected a number from 0 to 1 for 'floor', found 8"),
        ("[[topic]]\nid='a'\nname='x'\nfloor=true\n", ":1: expected a number from 0 to 1 for 'floor', found True"),
        ("gate=1\n[[topic]]\nid='a'\nname='x'\n", ":1: expected a table [gate] with calibration_error, found 1"),
        ("[[topic]]\nid='a'\nname='x'\n[gate]\nf1=1\n", ":4: unknown key 'f1'; [gate] has calibration_error"),
        (
            "[[topic]]\nid='a'\nname='x'\n[gate]\ncalibration_error=nan\n",
            ":4: expected a number from 0 to 1 for 'calibration_error', found nan",
        ),
    ],
)
def test_what_is_wrong_with_topics(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "topics.toml").write_text(text)
    with pytest.raises(LabelsError) as caught:
        read_taxonomy(tmp_path / "topics.toml")
    assert message in str(caught.value)


def test_floors_are_read_and_are_nothing_that_training_sees(workspace: Path) -> None:
    before, path = read_labels(workspace / "labels"), workspace / "labels" / "topics.toml"
    assert read_taxonomy(path).gate == Gate()
    path.write_text("[gate]\ncalibration_error = 0.2\n" + path.read_text() + "floor = 1\n")
    assert read_taxonomy(path).gate == Gate({before.topics[-1].id: 1.0}, 0.2)
    after = read_labels(workspace / "labels")
    assert (after.topics, after.hash()) == (before.topics, before.hash())


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


def test_a_child_implies_its_parent_and_unsure_is_not_no() -> None:
    yes, known = label_arrays(
        [LabelRow("1", "", ("b",)), LabelRow("2", "", ("c",), ("a",)), LabelRow("3", "", ("b",), ("a",))], TAXONOMY
    )
    assert yes.tolist() == [[True, True, False], [False, False, True], [True, True, False]]
    assert known.tolist() == [[True] * 3, [False, True, True], [True] * 3]


def test_the_hash_sees_what_training_sees(labels: Labels) -> None:
    from dataclasses import replace

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
    yes, known = labels.arrays()
    assert yes.shape == known.shape == (len(labels.entries), len(labels.topics))
    assert not (yes & ~known).any()
    column = [topic.id for topic in labels.topics].index("wind")
    assert np.flatnonzero(yes[:, column]).tolist() == [n for n, row in enumerate(labels.rows) if "wind" in row.topics]
