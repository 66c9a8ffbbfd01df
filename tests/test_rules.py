"""What topics say of each other - parents, excludes, a maximum, a precision - holds in labels, training, tags and exports."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from taxonomies import FAMILY, assert_rules_hold, toml, with_at_most

from tagger import Entry, LabelsError, Model, Topic, load
from tagger.curation.label_errors import find_label_errors
from tagger.curation.marks import Mark, Marks, marks_from_row, row_from_marks, set_mark
from tagger.curation.session import start_session
from tagger.curation.session_keys import press_key
from tagger.evaluation.comparison import compare_models, topics_with_other_goals
from tagger.evaluation.labelled_sets import LabelledSet, evaluate_model, read_labelled_set
from tagger.labels.closure import find_contradictions
from tagger.labels.dataset import Labels, label_arrays, read_labels
from tagger.labels.reviewed import AuditAnswer, apply_answers
from tagger.labels.table import LabelRow, write_rows
from tagger.model.decision import (
    raise_to_descendants,
)
from tagger.model.explain import explain_entries
from tagger.model.sklearn_export import TopicClassifier, to_pipeline
from tagger.model.storage import model_from_bytes, model_to_bytes
from tagger.reports.card import describe_missed_goals, model_card
from tagger.reports.why import format_explanations
from tagger.taxonomy import Taxonomy
from tagger.text.normalize import entry_text
from tagger.training.settings import Settings
from tagger.training.trainer import train
from tagger.workspace.retrain import train_from_labels

Run = Callable[..., subprocess.CompletedProcess[str]]
FEW = Settings(n_folds=2)


# --- labels


@pytest.fixture
def folder(workspace: Path) -> Path:
    """The example's labels/ with a child of llm, a topic that excludes llm, and at most two topics an entry."""
    folder = workspace / "labels"
    text = (folder / "topics.toml").read_text()
    (folder / "topics.toml").write_text(text + toml("chat parent='llm'", "other excludes=['llm']") + "[entry]\nat_most=2\n")
    return folder


def test_rows_that_contradict_are_named_with_their_lines(run: Run, folder: Path) -> None:
    rows = list(read_labels(folder).rows)
    assert {topic.id for topic in read_labels(folder).topics} == {"recsys", "llm", "chat", "other"}
    rows[0] = replace(rows[0], topics=("chat", "other"), unsure=())
    rows[1] = replace(rows[1], topics=("recsys", "chat"), unsure=())
    rows[2] = replace(rows[2], topics=("chat",), unsure=("llm", "other"))
    write_rows(folder / "labels.csv", rows)
    done = run("tagger", "check", "--labels-only", cwd=folder.parent)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "labels/labels.csv:2: 3 topics, 1 of them implied; an entry has at most 2",
        "labels/labels.csv:2: topics 'chat' and 'other' exclude each other; take one of them away",
        "labels/labels.csv:3: 3 topics, 1 of them implied; an entry has at most 2",
    ]
    write_rows(folder / "labels.csv", [replace(row, topics=row.topics[:1]) for row in rows])
    done = run("tagger", "check", "--labels-only", cwd=folder.parent)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "labels/labels.csv:4: topic 'llm' is unsure, but 'chat' is yes and implies it; it counts as yes",
        "labels/labels.csv:4: topic 'other' is unsure, but 'chat' is yes and excludes it; it counts as no",
    ]


def test_the_hash_sees_the_rules(folder: Path) -> None:
    labels = read_labels(folder)
    taxonomy, topics = labels.taxonomy, labels.topics
    others = [
        replace(labels, taxonomy=other)
        for other in (
            replace(taxonomy, max_topics=3),
            replace(taxonomy, max_topics=None),
            replace(taxonomy, topics=(replace(topics[0], precision=0.9), *topics[1:])),
            replace(taxonomy, topics=(replace(topics[0], excludes=("llm",)), *topics[1:])),
        )
    ]
    assert len({labels.hash(), *(other.hash() for other in others)}) == 5


def test_labels_of_elsewhere_are_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text(
        "".join(
            json.dumps({"title": title, "topics": topics}) + "\n" for title, topics in (("One", ["c"]), ("Two", ["b", "f"]))
        )
    )
    with pytest.raises(LabelsError) as caught:
        read_labelled_set(str(file), None, with_at_most(2))
    assert str(caught.value).splitlines() == [
        f"{file}:1: 3 topics, 2 of them implied; an entry has at most 2",
        f"{file}:2: topics 'b' and 'f' exclude each other; take one of them away",
        f"{file}:2: 4 topics, 2 of them implied; an entry has at most 2",
        f"{file}: cannot be evaluated",
    ]
    other = Taxonomy((*FAMILY.topics[:5], Topic("f", "F")))
    assert [row.topics for row in read_labelled_set(str(file), None, other).rows] == [("c",), ("b", "f")]


def test_a_decision_that_would_contradict_is_refused(folder: Path) -> None:
    row = next(row for row in read_labels(folder).rows if row.topics == ("llm",))
    before = (folder / "labels.csv").read_bytes()
    with pytest.raises(LabelsError) as caught:
        apply_answers(folder, [AuditAnswer(row.id, "other", "no", "accept", 7)], "d.jsonl")
    assert str(caught.value).splitlines() == [
        f"d.jsonl:7: other of {row.id} as yes: topics 'llm' and 'other' exclude each other; take one of them away",
        f"{folder}: nothing was changed",
    ]
    assert (folder / "labels.csv").read_bytes() == before
    assert apply_answers(
        folder, [AuditAnswer(row.id, "other", "no", "accept"), AuditAnswer(row.id, "llm", "yes", "accept")]
    ) == (2, 0)


def test_what_follows_from_a_label_is_not_doubted(folder: Path) -> None:
    labels = read_labels(folder)
    rows = tuple(replace(row, topics=("chat",)) if "llm" in row.topics else row for row in labels.rows)
    audit = find_label_errors(replace(labels, rows=rows), FEW)
    of_chat = {row.id for row in rows if row.topics == ("chat",)}
    assert not [each for each in audit.suspects if each.entry.id in of_chat and each.topic.id in ("llm", "other")]


# --- labelling


def test_marks_follow_each_other_and_too_many_are_not_saved(tiny: Path) -> None:
    state = start_session([Entry("Nothing")], with_at_most(3), {}, load(tiny))

    def marks(keys: str) -> str:
        nonlocal state
        for key in keys:
            state, decision = press_key(state, key)
            assert decision is None
        return "".join({Mark.no: "n", Mark.yes: "y", Mark.unsure: "?"}[mark] for mark in state.marks(0))

    assert marks("3") == "yyynnn"
    assert marks("4") == "nnnynn", "what excludes it and all that implies that is no"
    assert marks("2") == "yynnnn"
    assert marks("6") == "ynnnyy"
    assert marks("3") == "yyynyn", "e stays when f goes"
    state, decision = press_key(state, "enter")
    assert decision is None
    assert state.message == "not saved: 4 topics; an entry has at most 3"
    assert state.current == 0
    assert marks("5") == "yyyn?n"
    assert marks("4") == "nnny?n"
    state, decision = press_key(state, "enter")
    assert decision is not None
    assert decision.after == LabelRow(state.entries[0].id, "Nothing", ("d",), ("e",))


def test_an_unsure_topic_beside_an_excluded_yes_makes_that_unsure_too(tiny: Path) -> None:
    state = start_session([Entry("Nothing")], FAMILY, {}, load(tiny))
    for key in "144":
        state, _ = press_key(state, key)
    assert state.marks(0)[:4] == (Mark.no, Mark.no, Mark.no, Mark.unsure)
    for key in "1":
        state, _ = press_key(state, key)
    assert state.marks(0)[:4] == (Mark.yes, Mark.no, Mark.no, Mark.no)


marks_of_row = st.lists(st.integers(0, 5), max_size=8)


@given(marks_of_row)
def test_whatever_the_keys_a_row_means_what_the_screen_said(keys: list[int]) -> None:
    made: Marks = (Mark.no,) * 6
    for n, t in enumerate(keys):
        made = set_mark(made, t, (Mark.yes, Mark.unsure, Mark.no)[n % 3], FAMILY)
        row = row_from_marks(Entry("x"), made, FAMILY, None)
        assert marks_from_row(row, FAMILY) == made
        assert find_contradictions(row, FAMILY) == []


# --- in training


def named_texts(taxonomy: Taxonomy, n_entries: int, seed: int = 0) -> tuple[list[str], Any]:
    """Texts that name the topics that they have, with what these imply, among words that mean nothing."""
    random = np.random.default_rng(seed)
    ids = taxonomy.ids
    texts, said = [], []
    for _ in range(n_entries):
        mine: list[str] = []
        for t in random.permutation(len(ids))[: random.integers(4)]:
            if not any(ids[t] in taxonomy.incompatible[other] for other in mine):
                mine.append(ids[t])
        words = [f"noise{n}" for n in random.integers(200, size=15)]
        words += [f"{id}word{random.integers(2)}" for id in mine if random.random() < 0.9]
        texts.append(" ".join(random.permutation(words)))
        said.append([id in mine for id in ids])
    return texts, np.array(said)


def test_a_small_family_from_end_to_end() -> None:
    texts, said = named_texts(FAMILY, 400)
    rows = [
        LabelRow(str(n), "", tuple(topic.id for topic, there in zip(FAMILY.topics, row, strict=True) if there))
        for n, row in enumerate(said)
    ]
    yes, known = label_arrays(rows, FAMILY)
    assert yes.sum() > said.sum()
    limited = with_at_most(4)
    model, held_out = train(texts, yes, known, limited)
    assert_rules_hold(held_out.tagged, limited)
    assert (held_out.scores == raise_to_descendants(held_out.scores, FAMILY)).all()
    right = (held_out.tagged == yes).all(axis=1).mean()
    assert right > 0.6
    free = Taxonomy(tuple(Topic(topic.id, topic.name) for topic in FAMILY.topics))
    _, other = train(texts, yes, known, free)
    assert right > (other.tagged == yes).all(axis=1).mean(), "what topics say of each other helps where it is true"

    own, _ = train(texts, said, None, limited, cross_validate=False)
    assert model_to_bytes(own) == model_to_bytes(model), "what follows from a label is added in training"
    sparse, _ = train(texts, csr_array(said), None, limited, cross_validate=False)
    assert model_to_bytes(sparse) == model_to_bytes(model)

    again = model_from_bytes(model_to_bytes(model), "m")
    assert again.taxonomy == limited
    fresh = named_texts(FAMILY, 200, seed=1)[0]
    scores = model.score_texts(fresh)
    tagged = again.predict(scores)
    assert_rules_hold(tagged, limited)
    entries = [Entry(text) for text in fresh]
    by_tag = again.tag(entries)
    of_entries = again.predict(again.scores(entries))
    assert [{tag.topic.id for tag in one.tags} for one in by_tag] == [
        {topic.id for topic, there in zip(FAMILY.topics, row, strict=True) if there} for row in of_entries
    ]
    pipeline = to_pipeline(again)
    assert isinstance(pipeline[-1], TopicClassifier)
    assert (pipeline.predict(fresh) == tagged).all()
    np.testing.assert_allclose(np.stack([both[:, 1] for both in pipeline.predict_proba(fresh)], axis=1), scores, atol=1e-6)
    proposed = start_session(entries, limited, {}, again).proposed
    assert [[mark == Mark.yes for mark in marks] for marks in proposed] == of_entries.tolist()
    rows_of = [LabelRow(entry.id, entry.title) for entry in entries]
    assert evaluate_model(again, LabelledSet(tuple(entries), tuple(rows_of))).figures.topics["a"].precision.value == 0.0


@pytest.mark.slow
def test_many_topics_obey_too() -> None:
    """The way of 64 topics and more: ten families of a parent, five children and a topic that excludes the parent."""
    topics = tuple(
        topic
        for n in range(10)
        for topic in (
            Topic(f"p{n}", f"P{n}"),
            *(Topic(f"c{n}x{m}", f"C{n}x{m}", parent=f"p{n}") for m in range(5)),
            Topic(f"x{n}", f"X{n}", excludes=(f"p{n}",)),
        )
    )
    taxonomy = Taxonomy(topics, max_topics=5)
    texts, said = named_texts(taxonomy, 1500)
    settings = Settings(min_positives=3)
    model, held_out = train(texts, csr_array(said), None, taxonomy, settings)
    assert_rules_hold(held_out.tagged, taxonomy)
    dense, _ = train(texts, said, np.ones_like(said), taxonomy, settings, n_jobs=2, cross_validate=False)
    assert model_to_bytes(dense) == model_to_bytes(model)
    fresh, there = named_texts(taxonomy, 300, seed=1)
    tagged = model.predict(model.score_texts(fresh))
    assert_rules_hold(tagged, taxonomy)
    yes, _ = label_arrays([LabelRow("", "", tuple(topics[t].id for t in np.flatnonzero(row))) for row in there], taxonomy)
    assert 2 * (yes & tagged).sum() / (yes.sum() + tagged.sum()) > 0.8


def test_a_maximum_that_no_entry_reaches_changes_no_bit(labels: Labels) -> None:
    texts = [entry_text(entry) for entry in labels.entries[:200]]
    yes, known = labels.arrays()
    taxonomy = Taxonomy((labels.topics[1], labels.topics[3]))
    arrays = texts, yes[:200, [1, 3]], known[:200, [1, 3]]
    one, _ = train(*arrays, taxonomy, cross_validate=False)
    other, _ = train(*arrays, replace(taxonomy, max_topics=2), cross_validate=False)
    assert model_to_bytes(one) == model_to_bytes(replace(other, taxonomy=taxonomy))


# --- a precision


def asking(labels: Labels, **goals: float) -> Labels:
    topics = tuple(replace(topic, precision=goals.get(topic.id)) for topic in labels.topics)
    return replace(labels, taxonomy=Taxonomy(topics))


@pytest.fixture(scope="module")
def asked(labels: Labels) -> tuple[Labels, Model]:
    wanted = asking(labels, forecast=0.5, solar=0.7)
    return wanted, train_from_labels(wanted, Settings(), 1)


def test_retraining_says_what_labels_do_not_support(asked: tuple[Labels, Model]) -> None:
    wanted, model = asked
    found = model.training.precision
    assert found["forecast"].lower_bound >= 0.5
    assert found["solar"].lower_bound < 0.7
    assert model_from_bytes(model_to_bytes(model), "m").topics == wanted.topics
    n_yes = model.training.figures["topics"]["solar"]["yes"]
    (line,) = describe_missed_goals(model)
    assert line == (
        f"Solar power: {n_yes} yes entries do not support a precision of 0.7, {found['solar'].lower_bound:.3f} at most; "
        f"its threshold is the one for that; at least about {found['solar'].n_lacking} more yes entries like these would do"
    )
    text = model_card(model)
    assert "## Precision asked for\n" in text
    assert f"| Solar power | 0.7 | {found['solar'].lower_bound:.3f} |" in text
    no_more = replace(model, training=replace(model.training, precision={"solar": replace(found["solar"], n_lacking=None)}))
    assert "more of the same would not do" in describe_missed_goals(no_more)[0]
    assert "more of the same would not do" in model_card(no_more)


def test_a_topic_that_asks_for_another_precision_is_not_compared(asked: tuple[Labels, Model]) -> None:
    wanted, model = asked
    before = replace(model, taxonomy=asking(wanted).taxonomy)
    assert topics_with_other_goals(before, model) == ["solar", "forecast"]
    assert topics_with_other_goals(model, model) == []
    found = compare_models(before, model, wanted)
    assert found is not None
    assert set(found.p_topics) == {topic.id for topic in wanted.topics} - {"forecast", "solar"}


def test_retrain_and_ci_say_so(run: Run, workspace: Path) -> None:
    assert run("tagger", "retrain", cwd=workspace).returncode == 0
    path = workspace / "labels/topics.toml"
    path.write_text(path.read_text().replace('id = "llm"', 'id = "llm"\nprecision = 0.9'))
    done = run("tagger", "ci", "--retrain", "--workspace", workspace)
    said = "do not support a precision of 0.9"
    assert f"{path}: Large language models: " in done.stdout
    assert said in done.stdout
    assert f"{path}: topic 'llm' asks for another precision than the base's; it is not compared" in done.stdout
    done = run("tagger", "retrain", "--force", cwd=workspace)
    assert done.returncode == 0
    assert said in done.stderr
    assert "| Large language models | 0.9 | " in (workspace / "models/topics.md").read_text()
    done = run("tagger", "topics", cwd=workspace)
    assert done.stdout.splitlines()[0].split() == ["id", "name", "precision", "yes", "unsure", "threshold", "definition"]


# --- what people are told


def two(max_topics: int | None = None) -> Model:
    """A model in which each topic stands for a word of its own."""
    from tagger.model.weights import compress_weights
    from tagger.text.hashed_vocabulary import build_vocabulary

    terms, written = build_vocabulary(["click", "language", "the"], 1)
    weights = {"click": (4, 0), "language": (0, 5), "the": (0, 0)}
    topics = Topic("ctr", "CTR prediction"), Topic("llm", "Language", excludes=("ctr",) if max_topics is None else ())
    return Model(
        taxonomy=Taxonomy(topics, max_topics),
        hashes=terms.hashes,
        vocabulary_text=np.frombuffer("\n".join(written).encode(), dtype=np.uint8),
        idf=np.ones(3, dtype=np.float32),
        **compress_weights(np.array([weights[term] for term in written])),
        bias=np.array([-1.0, -1.0]),
        thresholds=np.array([0.5, 0.5]),
        out_of_fold_tags=np.zeros((0, 2), dtype=np.uint8),
        out_of_fold_ids=np.zeros((0, 8), dtype=np.uint8),
    )


@pytest.mark.parametrize("max_topics", [None, 1])
def test_a_topic_that_gives_way_says_to_what(max_topics: int | None) -> None:
    model, entry = two(max_topics), Entry("Click language")
    (tagged,) = model.tag([entry])
    assert [tag.topic.id for tag in tagged.tags] == ["llm"]
    (some,) = model.restricted_to(["ctr"]).tag([entry])
    assert (some.tags, some.note) == ((), "no such topic: CTR prediction gives way to Language")
    (found,) = explain_entries(model, [entry])
    assert {explained.topic.id: (explained.tagged, explained.gives_way_to) for explained in found.topics} == {
        "llm": (True, ()),
        "ctr": (False, ("llm",)),
    }
    assert "CTR prediction: not tagged beside llm, score 0.86, threshold 0.50" in format_explanations([found], "text")


def test_a_person_may_say_more_than_the_machine() -> None:
    entry = Entry("Click language")
    (tagged,) = two(1).tag([entry], {entry.id: LabelRow(entry.id, entry.title, ("ctr", "llm"))})
    assert [(tag.topic.id, tag.by) for tag in tagged.tags] == [("ctr", "hand"), ("llm", "hand")]


def test_a_model_without_rules_says_nothing_of_them() -> None:
    plain = replace(two(), taxonomy=Taxonomy((Topic("ctr", "CTR prediction"), Topic("llm", "Language"))))
    header = model_to_bytes(plain)[:2000]
    assert b"at_most" not in header
    assert b"excludes" not in header
    assert b"precision" not in header
    ruled = model_to_bytes(two(2))
    assert model_from_bytes(ruled, "m").taxonomy.max_topics == 2
    assert model_to_bytes(model_from_bytes(ruled, "m")) == ruled
    assert not isinstance(to_pipeline(plain)[-1], TopicClassifier)
