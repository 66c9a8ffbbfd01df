from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.model.log_odds import sigmoid
from tagger.training.calibration import Calibration, fit_calibration
from tagger.training.thresholds import FLOOR, OutOfFoldScores, best_f1_threshold, choose_thresholds, mean_f1

RANDOM = np.random.default_rng(0)


def cells(scores: np.ndarray, yes: np.ndarray) -> OutOfFoldScores:
    topics, entries = np.nonzero(((scores > FLOOR) | yes).T)
    return OutOfFoldScores(topics, entries, scores[entries, topics], yes[entries, topics])


def f1(tagged: np.ndarray, yes: np.ndarray) -> float:
    return float(2 * (tagged & yes).sum() / max(1, tagged.sum() + yes.sum()))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_no_cut_is_better_than_the_best(pairs: list[tuple[float, bool]]) -> None:
    scores, yes = (np.array(side) for side in zip(*pairs, strict=True))
    found = f1(scores >= best_f1_threshold(scores, yes), yes)
    assert found == pytest.approx(max(f1(scores >= cut, yes) for cut in scores)) or not yes.any()


def test_yes_entries_without_a_score_lower_the_cut() -> None:
    scores, yes = np.array([0.9, 0.8, 0.5, 0.4]), np.array([True, False, False, True])
    assert best_f1_threshold(scores, yes) == pytest.approx(0.85) or f1(
        scores >= best_f1_threshold(scores, yes), yes
    ) == pytest.approx(2 / 3)
    assert best_f1_threshold(scores, yes, n_yes=10) == pytest.approx(0.4)


def drawn_by_lot(n_entries: int = 4000, slopes: tuple[float, ...] = (1.0, 3.0), offset: float = -1.0) -> tuple[list, list]:
    logits = [RANDOM.normal(-1, 2, n_entries) for _ in slopes]
    return logits, [RANDOM.random(n_entries) < sigmoid(slope * z + offset) for slope, z in zip(slopes, logits, strict=True)]


def test_calibration_finds_the_slope_of_each_topic_that_has_the_entries() -> None:
    logits, yes = drawn_by_lot()
    found = fit_calibration(logits, yes)
    assert found.of(logits[0], yes[0])[0] == pytest.approx(1.0, abs=0.15)
    assert found.of(logits[1], yes[1])[0] == pytest.approx(3.0, abs=0.4)


def test_a_topic_with_few_entries_is_drawn_to_the_others() -> None:
    centre = np.array([2.0, -1.0])
    few = np.array([0.1, -0.2, -0.3]), np.array([True, False, False])
    far, near = (np.abs(Calibration(centre, precision).of(*few) - centre).max() for precision in (1.0, 1000.0))
    assert near < far / 10
    assert (Calibration(centre, 1.0).of(few[0], np.zeros(3, dtype=bool)) == centre).all()


def test_shrinkage_goes_from_own_cuts_to_the_common_one() -> None:
    yes = RANDOM.random((2000, 2)) < [0.3, 0.02]
    scores = sigmoid(RANDOM.normal(np.where(yes, [1.0, -1.0], [-1.0, -3.0]), 1.0))
    part = np.arange(2000) % 5
    own, some, one = (
        choose_thresholds(cells(scores, yes), 2, part, shrink, False).thresholds for shrink in (0.0, 50.0, np.inf)
    )
    assert one[0] == one[1] == pytest.approx(best_f1_threshold(scores.ravel(), yes.ravel()))
    for t in range(2):
        assert own[t] == pytest.approx(best_f1_threshold(scores[:, t], yes[:, t]))
        assert min(own[t], one[t]) <= some[t] <= max(own[t], one[t])
    assert abs(some[1] - one[1]) / abs(own[1] - one[1]) < abs(some[0] - one[0]) / abs(own[0] - one[0]), (
        "the rare one moves more"
    )


def test_what_is_open_is_chosen_by_the_other_half() -> None:
    """Here one cut is wrong for both topics, so that own cuts win; and the best topic is always right."""
    yes = np.zeros((2000, 2), dtype=bool)
    yes[np.arange(2000), RANDOM.integers(2, size=2000)] = True
    scores = np.clip(np.where(yes, 0.6, 0.3) + np.array([0.35, -0.25]) + RANDOM.normal(0, 0.02, yes.shape), 0.02, 0.99)
    part = np.arange(2000) % 5
    found = choose_thresholds(cells(scores, yes), 2, part, None, every=False)
    assert found.threshold_shrinkage <= 300
    assert found.quality > 0.99
    wrong = choose_thresholds(cells(scores, yes), 2, part, np.inf, every=False)
    assert wrong.quality < 0.9
    hard = np.clip(
        scores + RANDOM.normal(0, 0.2, (2000, 1)) - np.array([0.3, -0.3]), 0.02, 0.99
    )  # all of an entry's move together
    assert choose_thresholds(cells(hard, yes), 2, part, None, every=True).min_topics == 1


def test_no_yes_no_threshold_to_find() -> None:
    nothing = choose_thresholds(cells(np.full((4, 2), 0.5), np.zeros((4, 2), dtype=bool)), 2, np.arange(4) % 2, None, True)
    assert (nothing.thresholds == 0.5).all()
    assert mean_f1([np.ones(3)], [np.zeros(3, dtype=bool)]) == 0
