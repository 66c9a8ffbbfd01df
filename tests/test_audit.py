"""Doubted labels, and what a person decides of them."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import draw_labels

from tagger import Entry, LabelsError, ListingError, Taxonomy, Topic
from tagger.atomic import write_whole
from tagger.curation.label_errors import LabelAudit, cross_validate_twice, find_label_errors, label_error_log_odds
from tagger.curation.label_oddities import InseparableTopics
from tagger.labels.confirmed import read_confirmed
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.reviewed import AuditAnswer, apply_answers, read_answers
from tagger.labels.table import LabelRow, read_rows
from tagger.reports.audit import audit_text, question_text
from tagger.text.normalize import entry_text
from tagger.training.settings import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]

FEW = Settings(n_folds=2, min_positives=2)


def turned(labels: Labels, cells: dict[int, str]) -> Labels:
    """The labels with a topic of some entries turned round."""
    rows = list(labels.rows)
    for n, topic in cells.items():
        there = set(rows[n].topics)
        rows[n] = replace(rows[n], topics=tuple(sorted(there ^ {topic})))
    return replace(labels, rows=tuple(rows))


@pytest.fixture(scope="module")
def found(frozen: Path) -> tuple[LabelAudit, set[tuple[str, str]]]:
    """An audit of 240 entries, and the labels among them that were made wrong."""
    labels = draw_labels(read_labels(frozen / "labels"), 240, seed=0, stray=0.1)
    topics = tuple(topic for topic in labels.topics if topic.id in ("storage", "forecast"))
    ids = {topic.id for topic in topics}
    rows = [
        replace(row, topics=tuple(id for id in row.topics if id in ids), unsure=tuple(id for id in row.unsure if id in ids))
        for row in labels.rows
    ]
    some = replace(labels, taxonomy=Taxonomy(topics), rows=tuple(rows))
    wanted = [n for n, row in enumerate(some.rows) if "storage" in row.topics][:4] + [
        n for n, row in enumerate(some.rows) if not row.topics
    ][:4]
    wrong = turned(some, dict.fromkeys(wanted, "storage"))
    return find_label_errors(wrong, Settings(n_folds=3), top=40), {(some.rows[n].id, "storage") for n in wanted}


def test_labels_made_wrong_are_doubted_first(found: tuple[LabelAudit, set[tuple[str, str]]]) -> None:
    audit, wrong = found
    named = [(suspect.entry.id, suspect.topic.id) for suspect in audit.suspects]
    assert wrong < set(named[:10])
    odds = [abs(np.log(suspect.score / (1 - suspect.score + 1e-9) + 1e-9)) for suspect in audit.suspects]
    assert odds == pytest.approx(sorted(odds, reverse=True), abs=0.1), "most doubtful first"
    for suspect in audit.suspects:
        assert suspect.label == ("no" if suspect.score > 0.5 else "yes")


def test_a_doubt_comes_with_words_and_entries_labelled_the_other_way(
    found: tuple[LabelAudit, set[tuple[str, str]]],
) -> None:
    audit, _ = found
    assert (audit.n_entries, audit.n_confirmed) == (240, 0)
    for suspect in audit.suspects:
        assert len(suspect.terms) <= 12
        for similar in suspect.similar:
            assert similar.entry.id != suspect.entry.id
            assert (suspect.topic.id in similar.labels.topics) == (suspect.label == "no")
            assert suspect.topic.id not in similar.labels.unsure
        for term in suspect.terms:
            for position in term.positions:
                assert getattr(suspect.entry, position.part)[position.start : position.end]


def suspect_cells(audit: LabelAudit) -> set[tuple[str, str]]:
    return {(suspect.entry.id, suspect.topic.id) for suspect in audit.suspects}


def test_unsure_cells_and_implied_ones_are_not_doubted(workspace: Path) -> None:
    some = read_labels(workspace / "labels")
    open = replace(
        some, rows=tuple(replace(row, topics=(), unsure=row.topics) if n < 3 else row for n, row in enumerate(some.rows))
    )
    cells = {(row.id, topic) for row in open.rows for topic in row.unsure}
    assert cells
    assert not cells & suspect_cells(find_label_errors(open, FEW))
    child = replace(some, taxonomy=Taxonomy((Topic("llm", "L", parent="recsys"), Topic("recsys", "R"))))
    implied = {(row.id, "recsys") for row in child.rows if "llm" in row.topics}
    assert not implied & suspect_cells(find_label_errors(child, FEW))


def test_scores_are_the_mean_of_two_and_of_a_topic_not_learned_none(workspace: Path) -> None:
    labels = read_labels(workspace / "labels")
    yes, known = labels.arrays()
    yes, known = np.c_[yes, np.zeros(len(yes), dtype=bool)], np.c_[known, np.ones(len(yes), dtype=bool)]
    taxonomy = Taxonomy((*labels.topics, Topic("none", "None")))
    told: list[tuple[int, int]] = []
    texts = [entry_text(entry) for entry in labels.entries]
    _, scores = cross_validate_twice(texts, yes, known, taxonomy, FEW, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 6) for n in range(1, 7)]
    assert np.isnan(scores[:, 2]).all()
    assert ((scores[:, :2] > 0) & (scores[:, :2] < 1)).all()
    odds = label_error_log_odds(scores, yes)
    assert np.array_equal(odds[:, :2] > 0, (scores[:, :2] > 0.5) != yes[:, :2])


def test_what_is_odd_besides(workspace: Path) -> None:
    labels = read_labels(workspace / "labels")
    entry, row = labels.entries[0], labels.rows[0]
    twin = Entry("Again: " + entry.title, abstract=entry.abstract)
    other = tuple(topic.id for topic in labels.topics if topic.id not in row.topics)
    taxonomy = Taxonomy((*labels.topics, Topic("never", "Never"), Topic("also", "Also")))
    rows = [replace(row, topics=(*row.topics, "also") if "llm" in row.topics else row.topics) for row in labels.rows]
    more = Labels(taxonomy, (*labels.entries, twin), (*rows, LabelRow(twin.id, twin.title, other)))
    audit = find_label_errors(more, FEW, top=0)
    (group,) = audit.duplicates
    assert {row.id for row in group.rows} == {row.id, twin.id}
    assert set(group.topics) == set(rows[0].topics) ^ set(other)
    assert audit.unused_topics == ("never",)
    n_llm = sum("llm" in row.topics for row in rows)
    assert InseparableTopics("also", "llm", n_llm, mutual="llm" not in other) in audit.inseparable_topics
    text = audit_text(audit, "table")
    assert f"near-duplicates that differ in {', '.join(group.topics)}: " in text
    assert "no entry has the topic never\n" in text


def test_too_few_to_audit(workspace: Path) -> None:
    labels = read_labels(workspace / "labels")
    few = replace(labels, entries=labels.entries[:5], rows=labels.rows[:5])
    with pytest.raises(LabelsError, match="nothing can be learned from 5 labelled entries: .*; label more"):
        find_label_errors(few, Settings())


def labels_of(folder: Path) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {row.id: (row.topics, row.unsure) for row in read_rows(folder / "labels.csv")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder labels/ with two rows."""
    (tmp_path / "topics.toml").write_text("".join(f"[[topic]]\nid = '{id}'\nname = '{id}'\n" for id in "cab"))
    (tmp_path / "labels.csv").write_text('id,title,topics,unsure\n1,"One, two",a,b\n2,Three,c;b,\n')
    return tmp_path


def test_decisions_are_written_back_and_can_be_taken_back(folder: Path) -> None:
    before = (folder / "labels.csv").read_text()
    assert apply_answers(folder, [AuditAnswer("1", "c", "no", "accept"), AuditAnswer("2", "b", "yes", "accept")]) == (2, 0)
    assert labels_of(folder) == {"1": (("c", "a"), ("b",)), "2": (("c",), ())}
    assert (folder / "confirmed.csv").read_text() == 'id,title,topic,label\n1,"One, two",c,yes\n2,Three,b,no\n'
    assert apply_answers(folder, [AuditAnswer("1", "a", "yes", "reject")]) == (0, 1)
    assert apply_answers(folder, [AuditAnswer("2", "c", "yes", "unsure")]) == (1, 0)
    assert labels_of(folder)["2"] == ((), ("c",))
    assert read_confirmed(folder) == {("1", "c"): "yes", ("2", "b"): "no", ("1", "a"): "yes"}
    undone = [AuditAnswer("1", "c", "no", "undo"), AuditAnswer("2", "b", "yes", "undo"), AuditAnswer("2", "c", "yes", "undo")]
    assert apply_answers(folder, [*undone, AuditAnswer("1", "a", "yes", "undo")]) == (3, 1)
    assert (folder / "labels.csv").read_text() == before
    assert read_confirmed(folder) == {}


def test_a_decision_that_was_written_before_changes_nothing(folder: Path) -> None:
    decisions = [
        AuditAnswer("1", "c", "no", "accept"),
        AuditAnswer("1", "a", "yes", "unsure"),
        AuditAnswer("2", "a", "no", "reject"),
    ]
    assert apply_answers(folder, decisions) == (2, 1)
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert apply_answers(folder, decisions) == (0, 3)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == after


def test_a_label_that_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    before = (folder / "labels.csv").read_bytes()
    decisions = [
        AuditAnswer("1", "c", "no", "accept", 1),
        AuditAnswer("2", "b", "no", "reject", 2),
        AuditAnswer("3", "b", "no", "accept", 3),
        AuditAnswer("1", "x", "no", "accept", 4),
    ]
    with pytest.raises(LabelsError) as caught:
        apply_answers(folder, decisions, "d.jsonl")
    assert str(caught.value).splitlines() == [
        "d.jsonl:2: b of 2 was no when it was doubted and is yes now; run 'tagger audit' again",
        "d.jsonl:3: no entry has the id '3'",
        "d.jsonl:4: unknown topic 'x'; known: c, a, b",
        f"{folder}: nothing was changed",
    ]
    assert (folder / "labels.csv").read_bytes() == before
    assert not (folder / "confirmed.csv").exists()


def test_what_was_confirmed_counts_until_the_label_changes(workspace: Path) -> None:
    labels = read_labels(workspace / "labels")
    wrong = turned(labels, {0: "llm", 5: "recsys"})
    audit = find_label_errors(wrong, FEW)
    assert audit.n_suspects == len(audit.suspects)
    first = audit.suspects[0]
    cell = (first.entry.id, first.topic.id)
    again = find_label_errors(wrong, FEW, {cell: first.label})
    assert (again.n_confirmed, again.suspects) == (1, audit.suspects[1:])
    assert find_label_errors(wrong, FEW, {cell: "no" if first.label == "yes" else "yes"}) == audit


@pytest.mark.parametrize(
    "line, message",
    [
        ("nonsense", "d.jsonl:1: expected one JSON object a line"),
        ("[]", "d.jsonl:1: expected an object with id, topic, label and decision"),
        ('{"id": "1", "topic": "a", "label": "maybe"}', "d.jsonl:1: expected yes or no under 'label', found 'maybe'"),
        (
            '{"id": "1", "topic": "a", "label": [], "decision": "accept"}',
            "d.jsonl:1: expected yes or no under 'label', found []",
        ),
        (
            '{"id": "1", "topic": "a", "label": "no", "decision": "keep"}',
            "d.jsonl:1: expected accept, reject, unsure or null under 'decision', found 'keep'",
        ),
    ],
)
def test_what_is_no_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d.jsonl").write_text(line + "\n")
    with pytest.raises(ListingError, match=re.escape(message)):
        read_answers("d.jsonl")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "confirmed.csv:1: expected the columns id,title,topic,label, found nothing"),
        ("id,title,topic,label\n1,x,a,perhaps\n", "confirmed.csv:2: expected id,title,topic,label with the label yes or no"),
        ('id,title,topic,label\n1,"x', "confirmed.csv:2: expected a CSV table: unexpected end of data"),
    ],
)
def test_a_table_of_confirmed_labels_that_is_none(folder: Path, text: str, message: str) -> None:
    write_whole(folder / "confirmed.csv", text)
    with pytest.raises(LabelsError, match=re.escape(message)):
        read_confirmed(folder)


def test_a_script_decides(run: Run, workspace: Path) -> None:
    table = workspace / "labels/labels.csv"
    apply_answers(workspace / "labels", [AuditAnswer(read_rows(table)[5].id, "recsys", label_of(table, 5, "recsys"), "accept")])
    (workspace / "labels/confirmed.csv").unlink()
    done = run("tagger", "audit", "-f", "jsonl", cwd=workspace)
    assert (done.stderr, done.returncode) == ("", 0)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records
    assert {record["decision"] for record in records} == {None}
    untouched = table.read_text()
    (workspace / "d.jsonl").write_text(done.stdout)
    assert run("tagger", "audit", "--apply", "d.jsonl", cwd=workspace).stderr == "0 labels changed, 0 left as they are\n"
    assert table.read_text() == untouched
    records[0]["decision"] = "accept"
    lines = "".join(json.dumps(record) + "\n" for record in records)
    done = run("tagger", "audit", "--apply", "-", cwd=workspace, stdin=lines)
    assert (done.stdout, done.stderr) == ("", "1 label changed, 0 left as they are; 'tagger retrain' learns from them\n")
    labels = read_labels(workspace / "labels")
    row = next(row for row in labels.rows if row.id == records[0]["id"])
    assert (records[0]["topic"] in row.topics) == (records[0]["label"] == "no")
    again = run("tagger", "audit", "-f", "jsonl", cwd=workspace).stdout
    cells = [(record["id"], record["topic"]) for record in map(json.loads, again.splitlines())]
    assert (records[0]["id"], records[0]["topic"]) not in cells


def label_of(table: Path, n: int, topic: str) -> str:
    return "yes" if topic in read_rows(table)[n].topics else "no"


def test_an_audit_equals_its_copy_and_survives_pickling(found: tuple[LabelAudit, set[tuple[str, str]]]) -> None:
    audit, _ = found
    assert pickle.loads(pickle.dumps(audit)) == audit
    assert replace(audit, n_labels=0) != audit


def test_forms(found: tuple[LabelAudit, set[tuple[str, str]]]) -> None:
    audit = replace(found[0], duplicates=(), unused_topics=(), inseparable_topics=())
    first = audit.suspects[0]
    lines = audit_text(replace(audit, suspects=(first,)), "table").splitlines()
    assert lines[0] == (
        f"{audit.n_suspects} of {audit.n_labels} labels of 240 entries are not what their out-of-fold score says; "
        "the most doubtful one"
    )
    assert lines[2] == f"{first.entry.id}  {first.entry.title}"
    assert lines[3].startswith(f"          {first.topic.id}: labelled {first.label}, score {first.score:.2f}; ")
    markdown = audit_text(replace(audit, suspects=(first,)), "markdown")
    assert "| topic | label | score | entry | words | labelled the other way |\n" in markdown
    records = [json.loads(line) for line in audit_text(audit, "jsonl").splitlines()]
    assert [{**record, "terms": [term["term"] for term in record["terms"]], "similar": 0} for record in records] == [
        {
            "id": suspect.entry.id,
            "title": suspect.entry.title,
            "abstract": suspect.entry.abstract,
            "topic": suspect.topic.id,
            "name": suspect.topic.name,
            "label": suspect.label,
            "score": suspect.score,
            "terms": [term.term for term in suspect.terms],
            "similar": 0,
            "decision": None,
        }
        for suspect in audit.suspects
    ]
    nearest = first.similar[0]
    assert records[0]["similar"][0] == {
        "id": nearest.labels.id,
        "title": nearest.labels.title,
        "topics": list(nearest.labels.topics),
        "unsure": list(nearest.labels.unsure),
        "likeness": nearest.similarity,
    }
    shown = question_text(first, "1 of 9", 80)
    assert "\x1b[" in shown
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in shown.splitlines()) <= 80
    assert len(shown.splitlines()) <= 22, "with the keys under it, it fits a terminal of 24 lines"


@pytest.mark.slow
def test_in_a_terminal_each_key_is_on_disk_when_it_is_pressed(workspace: Path) -> None:
    folder = workspace / "labels"
    for n in (0, 5, 9):
        apply_answers(
            folder,
            [AuditAnswer(read_rows(folder / "labels.csv")[n].id, "llm", label_of(folder / "labels.csv", n, "llm"), "accept")],
        )
    (folder / "confirmed.csv").unlink()
    before = (folder / "labels.csv").read_text()
    screen = Terminal([str(Path(sys.executable).parent / "tagger"), "audit"], workspace)
    first = screen.until("q: quit ")
    assert re.search(r"1 of \d+", first)
    assert (folder / "labels.csv").read_text() == before
    screen.press("a")
    screen.until("q: quit ")
    assert (folder / "labels.csv").read_text() != before
    assert len(read_confirmed(folder)) == 1
    screen.press("b")
    screen.until("q: quit ")
    assert (folder / "labels.csv").read_text() == before
    assert read_confirmed(folder) == {}
    screen.press("x")
    screen.until("q: quit ")
    screen.press("r")
    screen.until("q: quit ")
    assert (folder / "labels.csv").read_text() == before
    assert len(read_confirmed(folder)) == 1
    screen.press("q")
    assert "0 labels changed, 1 left as they are" in screen.rest()


class Terminal:
    """A command in a terminal of 80x24."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "CI", "NO_COLOR")}
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, env={**environment, "TERM": "xterm"}
        )
        os.close(slave)

    def until(self, text: str) -> str:
        seen = b""
        while text.encode() not in seen:
            assert select.select([self.master], [], [], 60)[0], seen.decode()
            seen += os.read(self.master, 65536)
        return seen.decode()

    def press(self, key: str) -> None:
        end = time.monotonic() + 30
        while termios.tcgetattr(self.master)[3] & termios.ICANON:  # what is typed before a key is waited for is dropped
            assert time.monotonic() < end
            time.sleep(0.01)
        os.write(self.master, key.encode())

    def rest(self) -> str:
        seen = b""
        try:
            while more := os.read(self.master, 65536):
                seen += more
        except OSError:  # the other end is closed
            pass
        assert self.process.wait() == 0
        os.close(self.master)
        return seen.decode()
