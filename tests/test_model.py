from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tagger
from tagger import Entry, Model, UsageError, load
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.decision import apply_thresholds
from tagger.model.explain import add_reasons
from tagger.model.storage import model_from_bytes, model_to_bytes
from tagger.model.training_record import TrainingRecord
from tagger.model.weights import compress_weights
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.text.normalize import entry_text


@pytest.fixture(scope="module")
def entries(labels: Labels) -> list[Entry]:
    odd = [
        Entry("推荐系统综述", abstract="点击率 预测"),
        Entry("?"),
        Entry("नमस्ते दुनिया"),
        Entry("Étude naïve", abstract="x" * 5000),
    ]
    return [*labels.entries[:250], *odd]


def test_equal_models_are_equal_and_hash_alike(model: Model) -> None:
    again = model_from_bytes(model_to_bytes(model), "m")
    assert again == model
    assert hash(again) == hash(model)
    assert {model: 1}[again] == 1
    assert model != "a model"
    for change in (
        {"weights": model.weights * 2},
        {"idf": model.idf.astype(np.float64)},
        {"bias": model.bias[:3]},
        {"taxonomy": replace(model.taxonomy, max_topics=1)},
        {"taxonomy": Taxonomy(model.topics[:3])},
        {"training": TrainingRecord()},
        {"shown_topics": ("ctr",)},
    ):
        assert replace(model, **change) != model


def test_a_pickled_model_is_no_larger_than_its_arrays(model: Model, entries: list[Entry]) -> None:
    data = model_to_bytes(model)
    fresh, model = len(pickle.dumps(model_from_bytes(data, "m"))), model_from_bytes(data, "m")
    model.tag(entries)
    model.why(entries[0], "wind")
    assert len(model.terms) == len(model.hashes)
    data = pickle.dumps(model)
    assert len(data) == fresh < 1.1 * len(model_to_bytes(model))
    again = pickle.loads(data)
    assert again == model
    assert (again.scores(entries[:20]) == model.scores(entries[:20])).all()


def test_results_can_be_compared_and_pickled(model: Model, entries: list[Entry]) -> None:
    first, again = (add_reasons(model, model.tag(entries[:5], all_scores=True)) for _ in range(2))
    assert first == again == pickle.loads(pickle.dumps(first))
    assert first != model.tag(entries[:5])
    assert first != add_reasons(model, model.tag(entries[1:6], all_scores=True))


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
    taxonomy = Taxonomy((Topic("a", "A"), Topic("b", "B", parent="a")))
    assert apply_thresholds(np.array([[0.1, 0.5]]), np.array([0.5, 0.5]), taxonomy).tolist() == [[True, True]]


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
        some[0].id: LabelRow(some[0].id, some[0].title, ("storage", "new-topic")),
        some[1].id: LabelRow(some[1].id, some[1].title),
    }
    first, second, *_ = model.tag(some, hand)
    assert [(tag.topic.id, tag.topic.name, tag.score, tag.by) for tag in first.tags] == [
        ("storage", "Storage", None, "hand"),
        ("new-topic", "new-topic", None, "hand"),
    ]
    assert (second.tags, second.note) == ((), "labelled by hand as having no topic")


def test_an_entry_without_topics_says_why(tiny: Path) -> None:
    model = load(tiny)
    (nothing,) = model.tag([Entry("Żółć gęślą jaźń")])
    assert (nothing.tags, nothing.note) == ((), "no topic: no word of it is known")
    (strange,) = model.tag([Entry("Cheese of the Alps", abstract="Raclette, gruyere, fontina and tomme want cellars.")])
    assert strange.note == "unlike the labelled entries: 13% of its words are known, and no topic is near its threshold"
    (below,) = replace(model, thresholds=np.array([1.1, 1.1, np.inf])).tag([Entry("Language", abstract="Language.")])
    assert below.note == "no topic: nearest is Large language models, 0.88 with the threshold at 1.10"


def test_a_model_that_learned_nothing_says_so(tiny: Path) -> None:
    model = load(tiny).restricted_to(["rag"])
    (tagged,) = model.tag([Entry("Language")])
    assert (tagged.tags, tagged.note, tagged.nearest) == ((), "no topic: the model has learned none of them", None)


def test_a_note_has_more_digits_where_two_would_show_no_difference(tiny: Path) -> None:
    model = replace(load(tiny), thresholds=np.array([0.5, 0.881, np.inf]))
    (tagged,) = model.tag([Entry("Language")])
    assert tagged.note == "no topic: nearest is Large language models, 0.8808 with the threshold at 0.8810"


def test_hand_labels_that_are_not_shown_leave_a_note(tiny: Path) -> None:
    entry = Entry("Language")
    row = LabelRow(entry.id, entry.title, ("llm",))
    (tagged,) = load(tiny).restricted_to(["ctr"]).tag([entry], {entry.id: row})
    assert (tagged.tags, tagged.note, tagged.by) == ((), "labelled by hand as having no such topic", "hand")


def test_showing_some_topics_changes_no_score(model: Model, entries: list[Entry]) -> None:
    few = model.restricted_to(["wind", "solar"])
    assert (few.scores(entries) == model.scores(entries)).all()
    for whole, part in zip(model.tag(entries), few.tag(entries), strict=True):
        assert [tag for tag in whole.tags if tag.topic.id in ("wind", "solar")] == list(part.tags)
        assert bool(part.tags) != bool(part.note)
    with pytest.raises(UsageError, match="unknown topic 'crt'; this model has solar, wind, forecast"):
        model.restricted_to(["crt"])


def test_a_parent_is_there_whatever_is_shown() -> None:
    family = replace(
        small(),
        taxonomy=Taxonomy((Topic("child", "Child", parent="top"), Topic("top", "Top"))),
        **compress_weights(np.array([[3, -3], [3, -3]])),
        bias=np.zeros(2),
        thresholds=np.array([0.5, 0.5]),
        hashes=build_vocabulary(["one two"], 1)[0].hashes[:2],
        out_of_fold_tags=np.zeros((0, 2), dtype=np.uint8),
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
        taxonomy=Taxonomy((Topic("a", "A"),)),
        hashes=hashes,
        vocabulary_text=np.frombuffer(b"one\ntwo", dtype=np.uint8),
        idf=np.ones(2, dtype=np.float32),
        **compress_weights(np.ones((2, 1))),
        bias=np.zeros(1),
        thresholds=np.array([0.5]),
        out_of_fold_tags=np.zeros((0, 1), dtype=np.uint8),
        out_of_fold_ids=np.zeros((0, 8), dtype=np.uint8),
    )


def test_many_topics_score_as_a_few_do(model: Model, entries: list[Entry]) -> None:
    """From 64 topics on scipy multiplies; four topics 17 times side by side are 68."""
    topics = tuple(replace(topic, id=f"{topic.id}{n}") for n in range(17) for topic in model.topics)
    many = replace(
        model,
        taxonomy=Taxonomy(topics),
        **compress_weights(np.tile(model.sparse_weights.full, 17)),
        bias=np.tile(model.bias, 17),
        thresholds=np.tile(model.thresholds, 17),
    )
    np.testing.assert_allclose(many.scores(entries), np.tile(model.scores(entries), 17), rtol=1e-12)
    for of_many, of_few in zip(many.tag(entries), model.tag(entries), strict=True):
        ids = {tag.topic.id for tag in of_few.tags}
        assert {tag.topic.id for tag in of_many.tags} == {f"{id}{n}" for id in ids for n in range(17)}


def test_blocks_join_to_the_scores_of_all(model: Model, entries: list[Entry]) -> None:
    texts = [entry_text(entry) for entry in entries]
    blocks = list(model.iterate_scores(texts, block_scores=100))
    assert {len(block) for block in blocks} <= set(range(1, 100 // len(model.topics) + 1))
    np.testing.assert_allclose(np.concatenate(blocks), model.score_texts(texts), rtol=1e-12)
    assert [len(block) for block in model.iterate_scores(texts[:3], block_scores=1)] == [1, 1, 1]


def test_the_best_topic_is_tagged_in_any_case_where_the_model_says_so() -> None:
    scores, cuts = np.array([[0.1, 0.2], [0.6, 0.1], [0.0, 0.0]]), np.array([0.5, 0.5])
    assert apply_thresholds(scores, cuts).tolist() == [[False, False], [True, False], [False, False]]
    assert apply_thresholds(scores, cuts, min_topics=1).tolist() == [[False, True], [True, False], [False, False]]


def test_the_three_lines_of_python_in_the_readme_work(root: Path) -> None:
    model = tagger.load()
    tags = [tagged.tags for tagged in model.tag(tagger.read_listing(root / "examples/new-listing.txt"))]
    assert tags[0][0].topic.id == "ctr"
