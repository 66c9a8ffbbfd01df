from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tagger.model.decision import apply_thresholds
from tagger.model.log_odds import sigmoid
from tagger.taxonomy import Taxonomy, Topic
from tagger.training.out_of_fold import MIN_KEPT_SCORE, OutOfFoldScores
from tagger.training.thresholds import (
    Thresholds,
    apply_precision_goals,
    choose_thresholds,
    mean_of_micro_and_macro_f1,
    thresholds_under_constraints,
)
from tagger.training.topic_threshold import PrecisionGoal, best_f1_threshold

PART = np.arange(2000) % 5


def cells_of(scores: np.ndarray, yes: np.ndarray) -> OutOfFoldScores:
    return OutOfFoldScores.from_arrays(scores, yes, np.ones_like(yes))


def choose(
    scores: np.ndarray, yes: np.ndarray, threshold_shrinkage: float | None, every_entry_has_topic: bool = False
) -> Thresholds:
    return choose_thresholds(cells_of(scores, yes), yes.shape[1], PART, threshold_shrinkage, every_entry_has_topic)


def test_shrinkage_goes_from_own_thresholds_to_the_common_one() -> None:
    random = np.random.default_rng(0)
    yes = random.random((2000, 2)) < [0.3, 0.1]
    scores = sigmoid(random.normal(np.where(yes, [2.0, 0.0], [0.0, -3.0]), 1.0))
    own, shrunk, common = (choose(scores, yes, shrinkage).thresholds for shrinkage in (0.0, 50.0, np.inf))
    assert common[0] == common[1] == pytest.approx(best_f1_threshold(scores.ravel(), yes.ravel()))
    for t in range(2):
        assert own[t] == pytest.approx(best_f1_threshold(scores[:, t], yes[:, t]))
        assert min(own[t], common[t]) < shrunk[t] < max(own[t], common[t])
    moved = np.abs(shrunk - own) / np.abs(common - own)
    assert moved[1] > moved[0], "the rare topic moves more"


def test_at_the_shrinkage_both_thresholds_weigh_the_same() -> None:
    random = np.random.default_rng(1)
    yes = random.random((2000, 2)) < [0.3, 0.05]
    scores = sigmoid(random.normal(np.where(yes, [1.0, -1.0], [-1.0, -3.0]), 1.0))
    n_yes = float(yes[:, 1].sum())
    own, shrunk, common = (choose(scores, yes, shrinkage).thresholds[1] for shrinkage in (0.0, n_yes, np.inf))
    log_odds = [np.log(p / (1 - p)) for p in (own, shrunk, common)]
    assert log_odds[1] == pytest.approx((log_odds[0] + log_odds[2]) / 2)


def topics_with_different_thresholds() -> tuple[np.ndarray, np.ndarray]:
    """Each entry has one of two topics; one common threshold is wrong for both, and the better score is always right."""
    random = np.random.default_rng(2)
    yes = np.zeros((2000, 2), dtype=bool)
    yes[np.arange(2000), random.integers(2, size=2000)] = True
    noise = random.normal(0, 0.02, yes.shape)
    return np.clip(np.where(yes, 0.6, 0.3) + np.array([0.35, -0.25]) + noise, 0.02, 0.99), yes


def test_a_shrinkage_left_open_is_chosen_by_entries_that_thresholds_do_not_come_from() -> None:
    scores, yes = topics_with_different_thresholds()
    chosen = choose(scores, yes, None)
    assert chosen.threshold_shrinkage <= 300
    assert chosen.quality > 0.99
    assert choose(scores, yes, np.inf).quality < 0.9


def test_the_best_topic_is_tagged_in_any_case_if_that_is_better() -> None:
    scores, yes = topics_with_different_thresholds()
    shifts = np.random.default_rng(3).normal(0, 0.2, (2000, 1))  # both scores of an entry move together
    hard = np.clip(scores + shifts - np.array([0.3, -0.3]), 0.02, 0.99)
    assert choose(hard, yes, None, every_entry_has_topic=True).min_topics == 1
    assert choose(hard, yes, None, every_entry_has_topic=False).min_topics == 0


def test_without_a_yes_there_is_nothing_to_choose() -> None:
    nothing = choose_thresholds(cells_of(np.full((4, 2), 0.5), np.zeros((4, 2), dtype=bool)), 2, np.arange(4) % 2, None, True)
    assert (nothing.thresholds == 0.5).all()
    assert (nothing.threshold_shrinkage, nothing.min_topics, nothing.quality) == (0.0, 0, 0.0)


def test_mean_of_micro_and_macro_f1_by_hand() -> None:
    n_right, n_tagged, n_yes = np.array([3, 0, 0]), np.array([4, 1, 0]), np.array([4, 1, 0])
    # Micro-F1 is 6 / 10. F1 of the topics is 6 / 8 and 0; the third has no yes.
    assert mean_of_micro_and_macro_f1(n_right, n_tagged, n_yes) == pytest.approx((0.6 + 0.375) / 2)


def best_own_thresholds(cells: OutOfFoldScores) -> Thresholds:
    own = [best_f1_threshold(cells.scores[cells.topics == t], cells.yes[cells.topics == t]) for t in range(2)]
    return Thresholds(np.array(own), 0.0, 0, 0.0)


def test_thresholds_are_chosen_by_the_cells_that_they_decide() -> None:
    """Topic y is right wherever it is tagged alone; beside x, which excludes it and is likelier, it never is."""
    x, y = Topic("x", "X"), Topic("y", "Y", excludes=("x",))
    n_entries = [30, 30, 40]  # with both scores high, with that of y alone, with neither
    scores = np.repeat([[0.9, 0.6], [0.1, 0.5], [0.1, 0.05]], n_entries, axis=0)
    yes = np.repeat([[True, False], [False, True], [False, False]], n_entries, axis=0)
    cells = cells_of(scores, yes)
    chosen, _ = thresholds_under_constraints(cells, Taxonomy((x, y)), best_own_thresholds)
    assert (apply_thresholds(scores, chosen.thresholds, Taxonomy((x, y))) == yes).all()

    def goal_of_y(*topics: Topic) -> PrecisionGoal:
        wanted = Taxonomy(tuple(replace(topic, precision=0.9) for topic in topics))
        return thresholds_under_constraints(cells, wanted, best_own_thresholds)[1]["y"]

    assert goal_of_y(x, y).is_supported
    assert not goal_of_y(x, replace(y, excludes=())).is_supported


def test_only_topics_that_ask_for_a_precision_have_another_threshold() -> None:
    cells = OutOfFoldScores(
        topics=np.array([0, 0, 1, 1]),
        entries=np.array([0, 1, 0, 1]),
        scores=np.array([0.9, MIN_KEPT_SCORE / 2, 0.8, 0.2]),
        yes=np.array([True, True, True, False]),
        labelled=np.ones(4, dtype=bool),
    )
    before = Thresholds(np.full(3, 0.4), 1.0, 0, 0.7)
    taxonomy = Taxonomy((Topic("a", "A", precision=0.01), Topic("b", "B"), Topic("c", "C", precision=0.5)))
    after, goals = apply_precision_goals(before, cells, taxonomy)
    assert after.thresholds.tolist() == [0.9, 0.4, 0.4]
    assert list(goals) == ["a"], "the third topic is not learned"
    near_0 = replace(cells, topics=np.zeros(4, dtype=int), scores=np.full(4, MIN_KEPT_SCORE / 2))
    after, goals = apply_precision_goals(before, near_0, taxonomy)
    assert after.thresholds.tolist() == [0.4, 0.4, 0.4]
    assert (goals["a"].is_supported, goals["a"].n_tags, goals["a"].n_lacking) == (False, 0, None)
