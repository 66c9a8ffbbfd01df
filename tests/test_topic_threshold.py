from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from tagger.training.topic_threshold import best_f1_threshold, precision_bound, threshold_for_precision


def f1(tagged: np.ndarray, yes: np.ndarray) -> float:
    return float(2 * (tagged & yes).sum() / max(1, tagged.sum() + yes.sum()))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best(cells: list[tuple[float, bool]]) -> None:
    scores, yes = (np.array(column) for column in zip(*cells, strict=True))
    best = f1(scores >= best_f1_threshold(scores, yes), yes)
    assert best == pytest.approx(max(f1(scores >= threshold, yes) for threshold in scores))


def test_the_threshold_is_halfway_between_two_scores() -> None:
    scores, yes = np.array([0.2, 0.9, 0.8, 0.5]), np.array([False, True, True, False])
    assert best_f1_threshold(scores, yes) == pytest.approx(0.65)
    assert best_f1_threshold(np.array([0.3, 0.3]), np.array([True, False])) == 0.3, "equal scores stay together"


def test_yes_entries_without_a_score_lower_the_threshold() -> None:
    scores, yes = np.array([0.9, 0.8, 0.5, 0.4]), np.array([True, False, False, True])
    assert best_f1_threshold(scores, yes) == pytest.approx(0.85)  # F1 is 2/3 with 1 of 1, and with 2 of 4
    assert best_f1_threshold(scores, yes, n_yes=10) == pytest.approx(0.4)


def test_between_scores_that_are_nearly_equal_the_higher_one_is_the_threshold() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1.0))
    assert best_f1_threshold(np.array([high, low]), np.array([True, False])) == high


def test_the_bound_is_the_exact_one() -> None:
    tags = np.array([1, 10, 29, 100, 100, 7])
    right = np.array([1, 9, 29, 95, 0, 3])
    expected = np.nan_to_num(beta.ppf(0.05, right, tags - right + 1))
    np.testing.assert_allclose(precision_bound(right, tags), expected, atol=1e-12)
    random = np.random.default_rng(0)
    for p in (0.8, 0.9, 0.95):
        assert (precision_bound(random.binomial(60, p, 4000), np.full(4000, 60)) <= p).mean() >= 0.94


CELLS = st.lists(st.tuples(st.integers(1, 9).map(lambda n: n / 10), st.booleans()), min_size=1, max_size=60)


@given(CELLS, st.sampled_from([0.3, 0.5, 0.7]))
def test_the_lowest_threshold_that_reaches_the_goal(cells: list[tuple[float, bool]], goal: float) -> None:
    scores, yes = (np.array(column) for column in zip(*cells, strict=True))
    found = threshold_for_precision(scores, yes, goal, int(yes.sum()))
    bounds = {
        cut: float(precision_bound(yes[scores >= cut].sum(), (scores >= cut).sum())) for cut in sorted({*scores.tolist()})
    }
    reaching = [cut for cut, bound in bounds.items() if bound >= goal]
    assert found.is_supported == bool(reaching)
    assert found.lower_bound == pytest.approx(bounds[min(reaching)] if reaching else max(bounds.values()))
    above = scores >= found.threshold
    assert (found.n_tags, found.n_right) == (above.sum(), yes[above].sum())
    assert found.lower_bound == pytest.approx(float(precision_bound(found.n_right, found.n_tags)))
    higher = threshold_for_precision(scores, yes, min(0.99, goal + 0.2), int(yes.sum()))
    assert higher.threshold >= found.threshold or not higher.is_supported, "a higher goal is a higher threshold"
    assert (found.n_lacking == 0) == found.is_supported


def test_a_lucky_few_do_not_reach_the_goal() -> None:
    scores = np.linspace(0.99, 0.5, 20)
    found = threshold_for_precision(scores, np.ones(20, dtype=bool), 0.9, 20)
    assert (found.is_supported, found.n_tags, found.n_right) == (False, 20, 20)
    assert found.n_lacking == 9, "29 of 29 reach it"
    assert threshold_for_precision(np.linspace(0.99, 0.5, 29), np.ones(29, dtype=bool), 0.9, 29).n_lacking == 0


def test_how_many_labels_are_lacking() -> None:
    scores = np.repeat([0.9, 0.2], [60, 40])
    yes = np.arange(100) < 56  # of the best 60, 56 are right
    found = threshold_for_precision(scores, yes, 0.9, 56)
    assert (found.n_tags, found.n_right, found.is_supported) == (60, 56, False)
    assert found.n_lacking is not None
    enough = (56 + found.n_lacking) / 56
    assert precision_bound(56 * enough, 60 * enough) >= 0.9
    enough = (56 + found.n_lacking - 2) / 56
    assert precision_bound(56 * enough, 60 * enough) < 0.9
    assert threshold_for_precision(scores, yes, 0.95, 56).n_lacking is None, "no threshold is so precise"
