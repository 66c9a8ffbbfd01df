"""The figures of a model, and the comparison of two: their types, their JSON, and many topics."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagger import Entry, Model, ModelError, Taxonomy, Topic, load
from tagger.evaluation.comparison import Comparison, F1Figures, MovedTopic, compare_models
from tagger.evaluation.figures import (
    UNDEFINED,
    Figures,
    Interval,
    TopicFigures,
    compute_figures,
    read_f1,
    read_figures,
    require_figures,
    yes_entries_needed,
)
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow

FIGURES = Figures(
    n_entries=9,
    micro_f1=Interval(0.5, 0.25, 0.75),
    macro_f1=Interval(0.4, 0.2, 0.6),
    calibration_error=Interval(0.1, 0.05, 0.2),
    precision_at_1=UNDEFINED,
    topics={"a": TopicFigures(4, 3, 2, Interval(1.0, 0.5, 1.0), Interval(0.5, 0.1, 0.9), Interval(0.6, 0.3, 0.8), UNDEFINED)},
)
# As the headers of model files have them, and as reports in JSON do.
WRITTEN = (
    '{"n_entries": 9, "micro_f1": [0.5, 0.25, 0.75], "macro_f1": [0.4, 0.2, 0.6], "calibration_error": [0.1, 0.05, 0.2], '
    '"first_precision": [null, null, null], "topics": {"a": {"yes": 4, "no": 3, "unsure": 2, "precision": [1.0, 0.5, 1.0], '
    '"recall": [0.5, 0.1, 0.9], "f1": [0.6, 0.3, 0.8], "average_precision": [null, null, null]}}}'
)


def test_figures_are_written_as_headers_have_them_and_read_back() -> None:
    assert json.dumps(FIGURES.to_json()) == WRITTEN
    assert Figures.from_json(json.loads(WRITTEN)) == FIGURES


def test_results_equal_their_copies_and_survive_pickling() -> None:
    f1 = F1Figures(FIGURES.micro_f1, FIGURES.macro_f1, {"a": FIGURES.topics["a"].f1})
    for result in (FIGURES, f1, Comparison(9, 0.5, {"a": 1.0}, f1, f1), MovedTopic("a", 0.25, 0.75)):
        assert pickle.loads(pickle.dumps(result)) == result
    assert replace(FIGURES, n_entries=8) != FIGURES


def test_an_interval_is_rounded_and_what_is_not_a_number_is_none() -> None:
    assert Interval.rounded(0.123456, float("nan"), 1.0) == Interval(0.1235, None, 1.0)
    assert (UNDEFINED.width, Interval(0.5, 0.25, 0.75).width) == (None, 0.5)


@pytest.mark.parametrize(
    "n_yes, f1, n_more",
    [
        (100, Interval(0.85, 0.8, 0.9), 0),
        (100, Interval(0.8, 0.7, 0.9), 300),
        (5, UNDEFINED, 15),
        (5, Interval(1.0, 1.0, 1.0), 15),
        (20, UNDEFINED, 0),
    ],
)
def test_how_many_yes_entries_a_topic_needs(n_yes: int, f1: Interval, n_more: int) -> None:
    assert yes_entries_needed(n_yes, f1) == n_more


def with_figures(model: Model, figures: Any) -> Model:
    return replace(model, training=replace(model.training, figures=figures))


@pytest.mark.parametrize(
    "figures", [{}, {"n_entries": 9}, {**FIGURES.to_json(), "topics": 3}, {**FIGURES.to_json(), "micro_f1": [1]}]
)
def test_a_header_without_all_figures_has_none(tiny: Path, figures: Any) -> None:
    model = with_figures(load(tiny), figures)
    assert read_figures(model) is None
    assert read_f1(model, "b") is None
    with pytest.raises(ModelError, match=r"^the model file has no figures of a cross-validation; 'tagger retrain' makes one"):
        require_figures(model)


def test_the_figures_of_a_header_are_read(tiny: Path) -> None:
    model = with_figures(load(tiny), FIGURES.to_json())
    assert read_figures(model) == require_figures(model) == FIGURES
    assert (read_f1(model, "a"), read_f1(model, "b")) == (Interval(0.6, 0.3, 0.8), None)


def draw_cells(n_entries: int, n_topics: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, which of them a person decided, and scores that say something of them: (n_entries, n_topics) each."""
    random = np.random.default_rng(0)
    yes = random.random((n_entries, n_topics)) < 0.4
    labelled = yes | (random.random(yes.shape) < 0.95)
    return yes, labelled, np.clip(0.6 * yes + 0.5 * random.random(yes.shape), 0, 1)


@pytest.mark.slow
def test_more_than_five_hundred_topics_each_have_the_figures_that_they_have_alone() -> None:
    yes, labelled, scores = draw_cells(12, 520)
    topics = [Topic(f"t{n}", f"Topic {n}") for n in range(520)]
    figures = compute_figures(yes, labelled, scores, scores > 0.5, topics)
    assert list(figures.topics) == [topic.id for topic in topics]
    for t in (0, 1, 255, 256, 519):
        alone = compute_figures(yes[:, [t]], labelled[:, [t]], scores[:, [t]], scores[:, [t]] > 0.5, [topics[t]])
        assert figures.topics[f"t{t}"] == alone.topics[f"t{t}"]
        of_topic = figures.topics[f"t{t}"]
        assert (of_topic.n_yes, of_topic.n_no) == (yes[:, t].sum(), (~yes & labelled)[:, t].sum())
        assert of_topic.n_yes + of_topic.n_no + of_topic.n_unsure == 12
    assert Figures.from_json(json.loads(json.dumps(figures.to_json()))) == figures


def compare_with_one_topic_lost(model: Model, n_topics: int, lost: int) -> Comparison:
    """A model that was right everywhere against one that lost all tags of one topic, on forty entries."""
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"Topic {n}") for n in range(n_topics)))
    entries = tuple(Entry(f"Entry {n}") for n in range(40))
    rows = tuple(LabelRow(entry.id, entry.title, taxonomy.ids if n % 2 == 0 else ()) for n, entry in enumerate(entries))
    tags = np.zeros((40, n_topics), dtype=np.uint8)
    tags[::2] = 1
    ids = np.frombuffer("".join(entry.id for entry in entries).encode(), dtype=np.uint8).reshape(40, -1)
    old = replace(model, taxonomy=taxonomy, out_of_fold_tags=tags, out_of_fold_ids=ids)
    tags = tags.copy()
    tags[:, lost] = 0
    comparison = compare_models(old, replace(old, out_of_fold_tags=tags), Labels(taxonomy, entries, rows))
    assert comparison is not None
    return comparison


def test_of_five_hundred_topics_the_one_that_is_worse_is_named(tiny: Path) -> None:
    comparison = compare_with_one_topic_lost(load(tiny), 500, 300)
    assert comparison.worse_topics == ["t300"]
    assert comparison.moved_topics == [MovedTopic("t300", 1.0, 0.0)]
    assert {p for topic, p in comparison.p_topics.items() if topic != "t300"} == {1.0}
    assert (comparison.old.macro_f1.value, comparison.new.macro_f1.value) == (1.0, round(499 / 500, 4))


def test_of_more_than_five_hundred_topics_no_single_one_can_be_found_worse(tiny: Path) -> None:
    """The least p that 10,000 rounds can give is 1 / 10,001, and Holm multiplies it by the number of topics."""
    comparison = compare_with_one_topic_lost(load(tiny), 520, 300)
    assert comparison.p_topics["t300"] == pytest.approx(520 / 10_001)
    assert comparison.worse_topics == []
    assert comparison.worse, "all topics together can"
    assert comparison.moved_topics == [MovedTopic("t300", 1.0, 0.0)]
