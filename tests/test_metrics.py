from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from tagger.evaluation import metrics

# The example of scikit-learn's user guide for f1_score with several labels, written as columns.
YES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)
TAGGED = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=bool)
ALL = np.ones_like(YES)


def test_worked_example() -> None:
    # https://scikit-learn.org: f1_score([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]) macro 0.26..., micro 0.33..., [0.8, 0, 0]
    assert metrics.f1(metrics.count_cells(YES, ALL, TAGGED).sum(0)).tolist() == [0.8, 0, 0]
    assert metrics.macro_f1(YES, ALL, TAGGED) == pytest.approx(0.8 / 3)
    assert metrics.micro_f1(YES, ALL, TAGGED) == pytest.approx(1 / 3)


@given(st.data())
def test_equal_to_scikit_learn(data: Any) -> None:
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(2, 4)))
    yes, tagged = data.draw(arrays(bool, shape)), data.draw(arrays(bool, shape))
    scores = data.draw(arrays(float, shape, elements=st.sampled_from([0.0, 0.1, 0.5, 0.9])))
    labelled = np.ones(shape, dtype=bool)
    counts = metrics.count_cells(yes, labelled, tagged).sum(0)
    for ours, theirs, is_defined in (
        (metrics.precision(counts), precision_score, tagged.any(0)),
        (metrics.recall(counts), recall_score, yes.any(0)),
        (metrics.f1(counts), f1_score, yes.any(0) | tagged.any(0)),
    ):
        assert np.isnan(ours[~is_defined]).all()
        if is_defined.any():
            expected = theirs(yes, tagged, average=None, zero_division=0.0)
            np.testing.assert_allclose(ours[is_defined], expected[is_defined])
    if (yes | tagged).any():
        assert metrics.micro_f1(yes, labelled, tagged) == pytest.approx(
            f1_score(yes, tagged, average="micro", zero_division=0.0)
        )
        expected = f1_score(yes, tagged, average="macro", labels=np.flatnonzero(yes.any(0) | tagged.any(0)), zero_division=0.0)
        assert metrics.macro_f1(yes, labelled, tagged) == pytest.approx(expected)
    for t in np.flatnonzero(yes.any(0)):
        assert metrics.average_precision(yes, labelled, scores)[t] == pytest.approx(
            average_precision_score(yes[:, t], scores[:, t])
        )


def test_cells_that_nobody_decided_count_for_nothing() -> None:
    yes = np.array([[True, True], [False, True]])
    tagged = np.array([[True, False], [True, True]])
    labelled = np.array([[True, False], [False, True]])
    assert metrics.micro_f1(yes, labelled, tagged) == 1
    assert metrics.micro_f1(yes, np.ones_like(labelled), tagged) == pytest.approx(2 / 3)
    assert metrics.calibration_error(yes, labelled, np.array([[1.0, 0.0], [1.0, 1.0]])) == 0


def test_end_cases() -> None:
    nothing = np.zeros((3, 1), dtype=bool)
    everything = ~nothing
    assert np.isnan(metrics.micro_f1(nothing, everything, nothing))
    assert np.isnan(metrics.macro_f1(nothing, everything, nothing))
    assert metrics.micro_f1(everything, everything, nothing) == 0
    assert np.isnan(metrics.precision(metrics.count_cells(everything, everything, nothing).sum(0)))[0]
    assert np.isnan(metrics.average_precision(nothing, everything, np.zeros((3, 1))))[0]
    assert np.isnan(metrics.calibration_error(nothing, nothing, np.zeros((3, 1))))
    assert np.isnan(metrics.precision_at_1(nothing, everything, np.zeros((3, 1)), nothing))
    assert np.isnan(metrics.bootstrap_interval(lambda rows: float("nan"), 3)[0])


def test_first_precision_looks_at_the_best_tag_alone() -> None:
    yes = np.array([[True, False], [True, False], [True, True], [False, False]])
    tagged = np.array([[True, True], [True, True], [False, False], [False, False]])
    scores = np.array([[0.9, 0.8], [0.8, 0.9], [0.1, 0.1], [0.0, 0.0]])
    assert metrics.precision_at_1(yes, np.ones_like(yes), scores, tagged) == 0.5


def test_wilson_interval_of_a_published_example() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I: 81/263 and 0/20, method 3
    low, high = metrics.wilson_interval(np.array([81.0, 0.0]), np.array([263.0, 20.0]))
    assert low.round(4).tolist() == [0.2553, 0.0]
    assert high.round(4).tolist() == [0.3662, 0.1611]


def test_f1_interval_holds_f1_and_is_not_a_point_where_all_is_right() -> None:
    c = metrics.ConfusionCounts(np.array([10.0, 8.0]), np.array([0.0, 2.0]), np.array([0.0, 3.0]))
    low, high = metrics.f1_interval(c)
    assert (low < metrics.f1(c)).all()
    assert (metrics.f1(c) <= high + 1e-12).all()
    assert low[0] < 0.9


def test_calibration_error_by_hand() -> None:
    yes = np.array([[True], [False], [True], [True]])
    scores = np.array([[0.85], [0.85], [0.15], [0.15]])
    # two bins of two: |0.85 - 0.5| and |0.15 - 1|
    assert metrics.calibration_error(yes, np.ones_like(yes), scores) == pytest.approx((0.35 + 0.85) / 2)


def test_reliability_equals_the_calibration_curve_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores = random.random((300, 2))
    scores[(scores > 0.3) & (scores < 0.4)] = 0.45  # a bin without a cell
    yes = random.random(scores.shape) < scores
    labelled = random.random(scores.shape) < 0.9
    n_cells, score_sums, n_yes = metrics.reliability(yes, labelled, scores)
    share, mean = calibration_curve(yes[labelled], scores[labelled], n_bins=10)
    filled = n_cells > 0
    assert n_cells.sum() == labelled.sum()
    assert not filled[3]
    np.testing.assert_allclose(n_yes[filled] / n_cells[filled], share)
    np.testing.assert_allclose(score_sums[filled] / n_cells[filled], mean)


def test_a_score_of_1_is_in_the_last_bin() -> None:
    n_cells = metrics.reliability(np.array([[True, True]]), np.array([[True, True]]), np.array([[1.0, 0.95]])).n_cells
    assert n_cells.tolist() == [0.0] * 9 + [2.0]


def test_wilson_interval_equals_that_of_scipy() -> None:
    for successes, trials in ((0, 5), (1, 7), (40, 41), (9, 9)):
        expected = binomtest(successes, trials).proportion_ci(method="wilson")
        low, high = metrics.wilson_interval(np.array(float(successes)), np.array(float(trials)))
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_bootstrap_depends_on_the_seed_alone() -> None:
    values = np.arange(50.0)

    def mean(rows: Any) -> float:
        return float(values[rows].mean())

    assert metrics.bootstrap_interval(mean, 50, seed=1) == metrics.bootstrap_interval(mean, 50, seed=1)
    low, high = metrics.bootstrap_interval(mean, 50, seed=1)
    assert low < 24.5 < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 50**0.5, rel=0.1)


def test_paired_test_sees_a_loss_and_only_a_loss() -> None:
    random = np.random.default_rng(0)
    yes = random.random((200, 4)) < 0.3
    labelled = np.ones_like(yes)
    good = yes ^ (random.random(yes.shape) < 0.02)
    bad = yes ^ (random.random(yes.shape) < 0.15)
    assert metrics.paired_randomization_test(yes, labelled, good, bad) < 0.001
    assert metrics.paired_randomization_test(yes, labelled, bad, good) > 0.99
    assert metrics.paired_randomization_test(yes, labelled, good, good) == 1
    nothing = np.zeros_like(yes)
    assert metrics.paired_randomization_test(nothing, labelled, nothing, nothing) == 1


def test_paired_test_rejects_as_often_as_its_level_says_where_nothing_differs() -> None:
    p = []
    for seed in range(1000):
        random = np.random.default_rng(seed)
        yes = random.random((60, 3)) < 0.3
        one, other = (yes ^ (random.random(yes.shape) < 0.1) for _ in range(2))
        p.append(metrics.paired_randomization_test(yes, np.ones_like(yes), one, other, rounds=199))
    # A binomial share of 1000 with a chance of 0.05 is between these with 99.7% chance.
    assert 0.03 < np.mean(np.array(p) <= 0.05) < 0.07


def test_paired_test_depends_on_the_seed_alone_and_counts_rounds_beyond_a_thousand() -> None:
    random = np.random.default_rng(1)
    yes = random.random((40, 2)) < 0.3
    one, other = (yes ^ (random.random(yes.shape) < 0.2) for _ in range(2))

    def p(**options: int) -> float:
        return metrics.paired_randomization_test(yes, np.ones_like(yes), one, other, **options)

    assert p(seed=3, rounds=2500) == p(seed=3, rounds=2500)
    assert round(p(rounds=2500) * 2501, 9).is_integer()
    assert p(rounds=2500) == pytest.approx(p(rounds=20_000), abs=0.03)
