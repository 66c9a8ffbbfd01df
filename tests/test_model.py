from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tagger
from tagger import Entry, Model, ModelError, UsageError, load
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.decision import apply_thresholds
from tagger.model.model import in_rows
from tagger.model.sklearn_export import to_pipeline
from tagger.reports import tags as report
from tagger.taxonomy import Topic
from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.text.normalize import entry_text


@pytest.fixture(scope="module")
def model() -> Model:
    return load()


@pytest.fixture(scope="module")
def entries(labels: Labels) -> list[Entry]:
    odd = [
        Entry("推荐系统综述", abstract="点击率 预测"),
        Entry("?"),
        Entry("नमस्ते दुनिया"),
        Entry("Étude naïve", abstract="x" * 5000),
    ]
    return [*labels.entries[:250], *odd]


def test_saved_and_loaded_it_scores_the_same(model: Model, entries: list[Entry], tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert (again.scores(entries) == model.scores(entries)).all()
    assert again.to_bytes() == model.to_bytes()
    assert again.about == model.about
    assert again.topics == model.topics


def test_the_safetensors_library_reads_the_file(model: Model, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    model.save(tmp_path / "m.safetensors")
    arrays = load_file(tmp_path / "m.safetensors")
    assert (arrays["weights"] == model.weights).all()
    assert {name: str(array.dtype) for name, array in arrays.items()} == {
        "hashes": "uint64",
        "written": "uint8",
        "idf": "float32",
        "weight_starts": "uint64",
        "weight_topics": "uint32",
        "weights": "float32",
        "bias": "float64",
        "thresholds": "float64",
        "held_out": "uint8",
        "held_out_ids": "uint8",
    }


def test_the_exported_pipeline_gives_the_same_scores_and_tags(model: Model, entries: list[Entry]) -> None:
    pipeline = to_pipeline(model)
    texts = [entry_text(entry) for entry in entries]
    scores = np.stack([both[:, 1] for both in pipeline.predict_proba(texts)], axis=1)
    np.testing.assert_allclose(model.scores(entries), scores, atol=1e-6)
    assert (pipeline.predict(texts).astype(bool) == apply_thresholds(model.scores(entries), model.thresholds)).all()


def test_order_and_company_do_not_matter(model: Model, entries: list[Entry]) -> None:
    whole = model.scores(entries)
    np.testing.assert_allclose(model.scores(entries[::-1])[::-1], whole, atol=1e-12)
    np.testing.assert_allclose(np.concatenate([model.scores([entry]) for entry in entries[:20]]), whole[:20], atol=1e-12)
    assert model.scores([]).shape == (0, len(model.topics))
    assert model.tag([]) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.lists(st.floats(0, 1), min_size=2, max_size=2), st.floats(0, 1))
def test_a_higher_threshold_never_adds_a_tag(scores: list[float], cuts: list[float], more: float) -> None:
    block = np.array(scores).reshape(3, 2)
    low = apply_thresholds(block, np.array(cuts))
    high = apply_thresholds(block, np.array(cuts) + more)
    assert not (high & ~low).any()


def test_a_score_at_its_threshold_is_a_tag_and_a_child_brings_its_parent() -> None:
    topics = (Topic("a", "A"), Topic("b", "B", parent="a"))
    assert apply_thresholds(np.array([[0.1, 0.5]]), np.array([0.5, 0.5]), topics).tolist() == [[True, True]]


def test_shares_add_up_to_the_score(model: Model, entries: list[Entry]) -> None:
    scores = model.scores(entries[:5])
    for n, entry in enumerate(entries[:5]):
        for t, topic in enumerate(model.topics):
            total = sum(reason.share for reason in model.why(entry, topic.id)) + model.bias[t]
            assert 1 / (1 + np.exp(-total)) == pytest.approx(scores[n, t], abs=1e-9)


def test_tags_are_best_first_and_hand_labels_win(model: Model, labels: Labels) -> None:
    some = labels.entries[:50]
    for tagged in model.tag(some):
        found = [tag.score for tag in tagged.tags]
        assert found == sorted(found, key=lambda score: -(score or 0))
    hand = {
        some[0].id: LabelRow(some[0].id, some[0].title, ("rag", "new-topic")),
        some[1].id: LabelRow(some[1].id, some[1].title),
    }
    first, second, *_ = model.tag(some, hand)
    assert [(tag.topic.id, tag.topic.name, tag.score, tag.by) for tag in first.tags] == [
        ("rag", "Retrieval-augmented generation", None, "hand"),
        ("new-topic", "new-topic", None, "hand"),
    ]
    assert (second.tags, second.note) == ((), "labelled by hand as having no topic")


def test_an_entry_without_topics_says_why(model: Model) -> None:
    (nothing,) = model.tag([Entry("Żółć gęślą jaźń")])
    assert (nothing.tags, nothing.note) == ((), "no topic: no word of it is known")
    (strange,) = model.tag([Entry("Cheese of the Alps", abstract="Raclette, gruyere, fontina and tomme want cellars.")])
    assert strange.note is not None
    assert strange.note.startswith("unlike the labelled entries: ")
    near = replace(model, thresholds=np.full(len(model.topics), 1.1), about={})
    (below,) = near.tag([Entry("On language models", abstract="They are models of language.")])
    assert (
        below.note
        == f"no topic: nearest is Large language models, {near.scores([below.entry])[0, 1]:.2f} with the threshold at 1.10"
    )


def test_showing_some_topics_changes_no_score(model: Model, entries: list[Entry]) -> None:
    few = model.restricted_to(["llm", "ctr"])
    assert (few.scores(entries) == model.scores(entries)).all()
    for whole, part in zip(model.tag(entries), few.tag(entries), strict=True):
        assert [tag for tag in whole.tags if tag.topic.id in ("llm", "ctr")] == list(part.tags)
        assert part.tags or part.note
    with pytest.raises(UsageError, match="unknown topic 'crt'; this model has ctr, llm, debiasing"):
        model.restricted_to(["crt"])


def test_a_parent_is_there_whatever_is_shown() -> None:
    family = replace(
        small(),
        topics=(Topic("child", "Child", parent="top"), Topic("top", "Top")),
        **in_rows(np.array([[3, -3], [3, -3]])),
        bias=np.zeros(2),
        thresholds=np.array([0.5, 0.5]),
        hashes=build_vocabulary(["one two"], 1)[0].hashes[:2],
        held_out=np.zeros((0, 2), dtype=np.uint8),
    )
    text = Entry("one two")
    (tagged,) = family.tag([text])
    assert [tag.topic.id for tag in tagged.tags] == ["child", "top"]
    assert tagged.tags[0].score == tagged.tags[1].score, "what implies a topic is at most as likely"
    assert [tag.topic.id for tag in family.restricted_to(["top"]).tag([text])[0].tags] == ["top"]
    by_hand = {text.id: LabelRow(text.id, "one two", ("child",))}
    assert [tag.topic.id for tag in family.restricted_to(["top"]).tag([text], by_hand)[0].tags] == ["top"]


def small() -> Model:
    hashes = np.array([3, 9], dtype=np.uint64)
    return Model(
        topics=(Topic("a", "A"),),
        hashes=hashes,
        written=np.frombuffer(b"one\ntwo", dtype=np.uint8),
        idf=np.ones(2, dtype=np.float32),
        **in_rows(np.ones((2, 1))),
        bias=np.zeros(1),
        thresholds=np.array([0.5]),
        held_out=np.zeros((0, 1), dtype=np.uint8),
        held_out_ids=np.zeros((0, 8), dtype=np.uint8),
    )


def test_a_file_cut_off_anywhere_is_refused_with_one_line(tmp_path: Path) -> None:
    data = small().to_bytes()
    for length in range(len(data)):
        with pytest.raises(ModelError) as caught:
            Model.from_bytes(data[:length], "m")
        assert str(caught.value).startswith("m: ")
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="m: the file is torn: "):
        Model.from_bytes(data + b"x", "m")


def header_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def with_header(header: dict[str, Any], rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + rest


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda h: h.pop("__metadata__"),
            "m: not a tagger model: its header is not one that tagger writes; 'tagger retrain' makes",
        ),
        (lambda h: h["__metadata__"].update(tagger="{}"), "its header is not one that tagger writes"),
        (
            lambda h: h["__metadata__"].update(tagger='{"format": 3}'),
            "this is model format 3, and tagger knows 1 to 2; install a newer",
        ),
        (lambda h: h["__metadata__"].update(tagger='{"format": 1}'), "it does not have what format 1 has"),
        (lambda h: h["__metadata__"].update(tagger='{"format": 2}'), "its header names no topics"),
        (lambda h: h["__metadata__"].update(tagger='{"format": 2, "topics": [{"x": 1}]}'), "its header names no topics"),
        (
            lambda h: h["__metadata__"].update(tagger='{"format": 2, "topics": [{"id": "a", "name": null}]}'),
            "its header names no topics",
        ),
        (
            lambda h: h["__metadata__"].update(tagger='{"format": 2, "topics": [{"id": 1, "name": "x"}]}'),
            "its header names topics without an id of their own",
        ),
        (
            lambda h: h["__metadata__"].update(
                tagger='{"format": 2, "usual_share": "x", "topics": [{"id": "a", "name": "x"}]}'
            ),
            "its header's usual_share is no number",
        ),
        (
            lambda h: h["__metadata__"].update(tagger='{"format": 2, "topics": [{"id": "a", "name": "x"}]}'),
            "its header says of no number of topics that an entry has at least",
        ),
        (lambda h: h["weights"].update(shape=[1, 2]), "its array 'weights' is missing or of another kind"),
        (lambda h: h["idf"].update(shape=[1], data_offsets=[40, 44]), "its header describes no arrays"),
        (lambda h: h["weights"].update(shape=[-1, -2]), "its header describes no arrays"),
        (lambda h: h["weights"].update(dtype="I8"), "its header describes no arrays"),
        (lambda h: h["weights"].update(data_offsets=[0, 8]), "its header describes no arrays"),
        (lambda h: h.update(weights=3), "its header describes no arrays"),
        (lambda h: h.update(other=h.pop("weights")), "its array 'weights' is missing or of another kind"),
    ],
)
def test_a_foreign_header_is_refused_with_one_line(change: Any, message: str) -> None:
    header, rest = header_of(small().to_bytes())
    change(header)
    with pytest.raises(ModelError) as caught:
        Model.from_bytes(with_header(header, rest), "m")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + b"x" * 100, b"\x80\x04" * 50, b"\xff" * 8 + b"{" + b"x" * 99])
def test_another_kind_of_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="m: not a tagger model: it does not begin like a safetensors file"):
        Model.from_bytes(data, "m")


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight_starts": np.array([0, 2], dtype=np.uint64)},
        {"weight_starts": np.array([1, 1, 2], dtype=np.uint64)},
        {"weight_starts": np.array([0, 3, 2], dtype=np.uint64)},
        {"weight_starts": np.array([0, 1, 1], dtype=np.uint64)},
        {"weight_topics": np.array([0, 1], dtype=np.uint32)},
    ],
)
def test_weights_out_of_place_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="its weights are not in rows of terms and columns of topics"):
        Model.from_bytes(replace(small(), **wrong).to_bytes(), "m")


def test_a_model_of_format_1_is_read() -> None:
    """All weights stood in it, also those that were 0."""
    new = small()
    header, rest = header_of(new.to_bytes())
    about = json.loads(header["__metadata__"]["tagger"])
    del about["fewest"]
    header["__metadata__"]["tagger"] = json.dumps({**about, "format": 1})
    start, end = header["weights"]["data_offsets"]
    header["weights"]["shape"] = [2, 1]
    offset = 0
    parts = []
    for name in ("hashes", "bias", "thresholds", "idf", "weights", "held_out", "held_out_ids", "written"):
        start, end = header[name]["data_offsets"]
        header[name]["data_offsets"] = [offset, offset + end - start]
        offset += end - start
        parts.append(rest[start:end])
    del header["weight_starts"], header["weight_topics"]
    old = Model.from_bytes(with_header(header, b"".join(parts)), "m")
    assert old.to_bytes() == new.to_bytes()


def test_many_topics_score_as_a_full_array_does(model: Model, entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    """The way that a model of thousands of topics goes, block by block."""
    full = model.scores(entries)
    monkeypatch.setattr("tagger.model.model._DENSE", 0)
    monkeypatch.setattr("tagger.model.model._BLOCK", 100)
    again = replace(model)
    assert max(len(block) for block in again.iterate_scores(entry_text(entry) for entry in entries)) == 7
    np.testing.assert_allclose(again.scores(entries), full, rtol=1e-12)
    assert again.tag(entries) == model.tag(entries)


def test_the_best_topic_is_tagged_in_any_case_where_the_model_says_so() -> None:
    scores, cuts = np.array([[0.1, 0.2], [0.6, 0.1], [0.0, 0.0]]), np.array([0.5, 0.5])
    assert apply_thresholds(scores, cuts).tolist() == [[False, False], [True, False], [False, False]]
    assert apply_thresholds(scores, cuts, min_topics=1).tolist() == [[False, True], [True, False], [False, False]]


def test_weights_that_are_no_numbers_are_refused() -> None:
    broken = replace(small(), weights=np.full(2, np.nan, dtype=np.float32))
    with pytest.raises(ModelError, match="it holds weights that are no numbers"):
        Model.from_bytes(broken.to_bytes(), "m")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_loads_or_is_refused(data: Any) -> None:
    damaged = bytearray(small().to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Model.from_bytes(bytes(damaged), "m")
    except ModelError:
        return
    for form in ("table", "jsonl", "csv", "markdown"):
        report.format_tagged(
            found.tag([Entry("one two"), Entry("?")], all_scores=True), found, form, explain=form != "csv", all_scores=True
        )


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model can be read: No such file or directory; 'tagger retrain' makes one"):
        load(tmp_path / "none")


def test_the_three_lines_of_python_in_the_readme_work(root: Path) -> None:
    model = tagger.load()
    tags = [tagged.tags for tagged in model.tag(tagger.read_listing(root / "examples/new-listing.txt"))]
    assert tags[0][0].topic.id == "ctr"
