from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, f1_score

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


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_equal_to_scikit_learn(data: Any) -> None:
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(2, 4)))
    yes, tagged = data.draw(arrays(bool, shape)), data.draw(arrays(bool, shape))
    scores = data.draw(arrays(float, shape, elements=st.sampled_from([0.0, 0.1, 0.5, 0.9])))
    known = np.ones(shape, dtype=bool)
    defined = yes.any(0) | tagged.any(0)
    if defined.any():
        expected = f1_score(yes, tagged, average=None, zero_division=0.0)
        np.testing.assert_allclose(
            metrics.f1(metrics.count_cells(yes, known, tagged).sum(0))[defined], np.atleast_1d(expected)[defined]
        )
        assert metrics.micro_f1(yes, known, tagged) == pytest.approx(f1_score(yes.ravel(), tagged.ravel(), zero_division=0.0))
    for t in np.flatnonzero(yes.any(0)):
        assert metrics.average_precision(yes, known, scores)[t] == pytest.approx(
            average_precision_score(yes[:, t], scores[:, t])
        )


def test_cells_that_nobody_decided_count_for_nothing() -> None:
    yes = np.array([[True, True], [False, True]])
    tagged = np.array([[True, False], [True, True]])
    known = np.array([[True, False], [False, True]])
    assert metrics.micro_f1(yes, known, tagged) == 1
    assert metrics.micro_f1(yes, np.ones_like(known), tagged) == pytest.approx(2 / 3)
    assert metrics.calibration_error(yes, known, np.array([[1.0, 0.0], [1.0, 1.0]])) == 0


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
    c = metrics.Counts(np.array([10.0, 8.0]), np.array([0.0, 2.0]), np.array([0.0, 3.0]))
    low, high = metrics.f1_interval(c)
    assert (low < metrics.f1(c)).all()
    assert (metrics.f1(c) <= high + 1e-12).all()
    assert low[0] < 0.9


def test_calibration_error_by_hand() -> None:
    yes = np.array([[True], [False], [True], [True]])
    scores = np.array([[0.85], [0.85], [0.15], [0.15]])
    # two bins of two: |0.85 - 0.5| and |0.15 - 1|
    assert metrics.calibration_error(yes, np.ones_like(yes), scores) == pytest.approx((0.35 + 0.85) / 2)


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
    known = np.ones_like(yes)
    good = yes ^ (random.random(yes.shape) < 0.02)
    bad = yes ^ (random.random(yes.shape) < 0.15)
    assert metrics.paired_randomization_test(yes, known, good, bad) < 0.001
    assert metrics.paired_randomization_test(yes, known, bad, good) > 0.99
    assert metrics.paired_randomization_test(yes, known, good, good) == 1
    nothing = np.zeros_like(yes)
    assert metrics.paired_randomization_test(nothing, known, nothing, nothing) == 1


def test_paired_test_is_level_where_nothing_differs() -> None:
    found = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        yes = random.random((60, 3)) < 0.3
        one, other = (yes ^ (random.random(yes.shape) < 0.1) for _ in range(2))
        found.append(metrics.paired_randomization_test(yes, np.ones_like(yes), one, other, rounds=300))
    assert np.mean(np.array(found) < 0.05) < 0.15
