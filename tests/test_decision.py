from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taxonomies import FAMILY, assert_rules_hold, many_topics, with_at_most

from tagger.model.decision import (
    apply_thresholds,
    blocking_topics,
    learned_topics,
    log_odds_margins,
    raise_to_descendants,
    reach_thresholds,
    scores_left_to_thresholds,
)
from tagger.taxonomy import Taxonomy, Topic

unit = st.floats(0, 1).map(lambda x: round(x, 1))  # so that ties are frequent
block = st.lists(st.lists(unit, min_size=6, max_size=6), min_size=1, max_size=5)
cuts_of = st.lists(unit, min_size=6, max_size=6)
most = st.sampled_from([None, 3, 4, 5])
fewest_of = st.sampled_from([0, 1])


@settings(max_examples=300)
@given(block, cuts_of, fewest_of, most)
def test_tags_never_break_a_rule(scores: Any, cuts: Any, min_topics: int, max_topics: int | None) -> None:
    scores = raise_to_descendants(np.array(scores), FAMILY)
    tagged = apply_thresholds(scores, np.array(cuts), with_at_most(max_topics), min_topics)
    assert_rules_hold(tagged, with_at_most(max_topics))
    wanted = scores >= np.array(cuts)
    assert (wanted.any(axis=1) <= tagged.any(axis=1)).all(), "where a topic is wanted one is tagged"
    if min_topics:
        assert ((scores > 0).any(axis=1) <= tagged.any(axis=1)).all()


@settings(max_examples=300)
@given(block, cuts_of, cuts_of, fewest_of, most)
def test_a_higher_threshold_adds_a_tag_only_in_the_place_of_another(
    scores: Any, cuts: Any, more: Any, min_topics: int, max_topics: int | None
) -> None:
    scores, cuts, more = raise_to_descendants(np.array(scores), FAMILY), np.array(cuts), np.array(more)
    low = apply_thresholds(scores, cuts, with_at_most(max_topics), min_topics)
    high = apply_thresholds(scores, cuts + more, with_at_most(max_topics), min_topics)
    added, gone = (high & ~low).any(axis=1), (low & ~high).any(axis=1)
    assert (added <= gone).all()
    parents = Taxonomy(tuple(replace(topic, excludes=()) for topic in FAMILY.topics))
    assert not (
        apply_thresholds(scores, cuts + more, parents, min_topics) & ~apply_thresholds(scores, cuts, parents, min_topics)
    ).any()


@given(block, cuts_of, fewest_of, most)
def test_neither_order_nor_company_matters(scores: Any, cuts: Any, min_topics: int, max_topics: int | None) -> None:
    scores = raise_to_descendants(np.array(scores), FAMILY)
    whole = apply_thresholds(scores, np.array(cuts), with_at_most(max_topics), min_topics)
    assert (apply_thresholds(scores[::-1], np.array(cuts), with_at_most(max_topics), min_topics)[::-1] == whole).all()
    alone = [apply_thresholds(row[None], np.array(cuts), with_at_most(max_topics), min_topics)[0] for row in scores]
    assert (np.array(alone) == whole).all()


def test_the_likelier_of_two_stays_with_what_it_implies() -> None:
    cuts = np.full(6, 0.5)
    scores = raise_to_descendants(
        np.array([[0.1, 0.1, 0.8, 0.7, 0.0, 0.0], [0.1, 0.1, 0.8, 0.9, 0.0, 0.6], [0.6, 0.5, 0.2, 0.6, 0.0, 0.7]]), FAMILY
    )
    shown = [
        "".join(topic.id for topic, there in zip(FAMILY.topics, row, strict=True) if there)
        for row in apply_thresholds(scores, cuts, FAMILY)
    ]
    assert shown == ["abc", "def", "aef"], "of equal scores the first topic stays, and a parent may stay without its child"
    assert apply_thresholds(scores[:1], cuts, with_at_most(3)).sum() == 3
    flat = Taxonomy(tuple(Topic(id, id) for id in "xyz"), max_topics=2)
    assert apply_thresholds(np.array([[0.6, 0.9, 0.7]]), cuts[:3], flat).tolist() == [[False, True, True]]
    tagged = apply_thresholds(scores[:1], cuts, FAMILY)[0]
    assert blocking_topics(3, tagged, FAMILY) == [0, 1, 2]
    assert blocking_topics(4, tagged, FAMILY) == [0, 1, 2]


def test_margins_are_in_log_odds() -> None:
    found = log_odds_margins(np.array([[0.5, 0.2, 0.0]]), np.array([0.2, 0.5, np.inf]))
    np.testing.assert_allclose(found, [[np.log(4), -np.log(4), -np.inf]])


inside = st.integers(1, 9).map(lambda n: n / 10)
some_scores = st.lists(st.lists(inside, min_size=6, max_size=6), min_size=1, max_size=5)
some_cuts = st.lists(inside, min_size=6, max_size=6)


def left_to(scores: Any, cuts: Any, taxonomy: Taxonomy, min_topics: int) -> Any:
    entries, columns = (side.ravel() for side in np.indices(scores.shape))
    left = scores_left_to_thresholds(entries, columns, scores.ravel(), np.array(cuts), taxonomy, min_topics)
    return left.reshape(scores.shape)


@settings(max_examples=200)
@given(some_scores, some_cuts, fewest_of, most)
def test_what_is_left_to_thresholds_gives_the_same_tags(
    scores: Any, cuts: Any, min_topics: int, max_topics: int | None
) -> None:
    scores = raise_to_descendants(np.array(scores), FAMILY)
    left = left_to(scores, cuts, with_at_most(max_topics), min_topics)
    tagged = (left > 0) & (left >= np.array(cuts))
    if min_topics:
        tagged[np.arange(len(scores)), scores.argmax(axis=1)] = True
    assert (tagged == apply_thresholds(scores, np.array(cuts), with_at_most(max_topics), min_topics)).all()


@settings(max_examples=200)
@given(some_scores, some_cuts, inside, st.integers(0, 5), most)
def test_another_threshold_for_a_topic_meets_what_was_left_to_it(
    scores: Any, cuts: Any, other: float, t: int, max_topics: int | None
) -> None:
    topics = tuple(replace(topic, parent=None) for topic in FAMILY.topics)  # with parents it does not hold for a few cases
    flat = Taxonomy(topics, max_topics)
    left = left_to(np.array(scores), cuts, flat, 0)[:, t]
    cuts[t] = other
    assert (((left > 0) & (left >= other)) == apply_thresholds(np.array(scores), np.array(cuts), flat)[:, t]).all()


def test_a_score_at_its_threshold_is_high_enough() -> None:
    reached = reach_thresholds(np.array([[0.2, 0.5, 1.0], [0.3, 0.4, 1.0]]), np.array([0.3, 0.5, np.inf]))
    assert reached.tolist() == [[False, True, False], [True, False, False]]
    assert learned_topics(np.array([0.0, 1.0, np.inf])).tolist() == [True, True, False]


def some_scores_of_many(taxonomy: Taxonomy, n_entries: int) -> Any:
    """Scores in steps of 0.05, so that ties are frequent; of each entry a few topics are likely."""
    random = np.random.default_rng(n_entries)
    scores = random.beta(0.3, 6.0, (n_entries, len(taxonomy.ids)))
    likely = random.integers(len(taxonomy.ids), size=(n_entries, 12))
    np.put_along_axis(scores, likely, random.uniform(0.3, 1.0, likely.shape), axis=1)
    return raise_to_descendants((scores * 20).round() / 20, taxonomy)


def tags_one_by_one(scores: Any, thresholds: Any, taxonomy: Taxonomy, min_topics: int) -> set[str]:
    """The tags of one entry, by the rules as the page on labels has them."""
    order = sorted(range(len(scores)), key=lambda column: (-scores[column], column))
    wanted = [taxonomy.ids[column] for column in order if scores[column] >= thresholds[column]]
    if min_topics and scores[order[0]] > 0:
        wanted = [taxonomy.ids[order[0]], *wanted]
    tags: set[str] = set()
    for id in wanted:
        more = {*tags, id, *taxonomy.ancestors[id]}
        if not tags & taxonomy.incompatible[id] and (taxonomy.max_topics is None or len(more) <= taxonomy.max_topics):
            tags = more
    return tags


@pytest.mark.parametrize("max_topics", [None, 5])
@pytest.mark.parametrize("min_topics", [0, 1])
def test_the_tags_of_hundreds_of_topics_break_no_rule(max_topics: int | None, min_topics: int) -> None:
    taxonomy = many_topics(100, max_topics)
    scores, thresholds = some_scores_of_many(taxonomy, 300), np.random.default_rng(1).uniform(0.3, 0.6, 600)
    thresholds[::50] = np.inf
    scores[:10] /= 10  # so that these want no topic
    tagged = apply_thresholds(scores, thresholds, taxonomy, min_topics)
    assert_rules_hold(tagged, taxonomy)
    assert tagged[:10].any() == bool(min_topics)
    assert ((scores >= thresholds) & ~tagged).any(axis=1).sum() > 50, "many entries want topics that cannot stand together"
    for row, entry_scores in zip(tagged, scores, strict=True):
        tags = tags_one_by_one(entry_scores.tolist(), thresholds, taxonomy, min_topics)
        assert {taxonomy.ids[column] for column in np.flatnonzero(row)} == tags


@pytest.mark.parametrize("max_topics", [None, 5])
def test_what_is_left_to_the_thresholds_of_hundreds_of_topics_gives_the_same_tags(max_topics: int | None) -> None:
    taxonomy = many_topics(100, max_topics)
    scores, thresholds = some_scores_of_many(taxonomy, 100), np.full(600, 0.45)
    left = left_to(scores, thresholds, taxonomy, 0)
    tagged = (left > 0) & (left >= thresholds)
    assert (tagged == apply_thresholds(scores, thresholds, taxonomy)).all()
