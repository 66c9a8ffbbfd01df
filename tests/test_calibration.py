from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration

from tagger.model.log_odds import sigmoid
from tagger.training.calibration import PRIOR_STRENGTHS, Calibration, SigmoidParameters, fit_calibration, fit_platt

COMMON = SigmoidParameters(2.0, -1.0)


def draw_topics(n_entries: int, slopes: tuple[float, ...], seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The logits of topics, and labels that these logits calibrate with known slopes and an offset of -1."""
    random = np.random.default_rng(seed)
    logits = [random.normal(-1, 2, n_entries) for _ in slopes]
    return logits, [random.random(n_entries) < sigmoid(slope * z - 1.0) for slope, z in zip(slopes, logits, strict=True)]


@pytest.mark.parametrize("slope, offset, n_entries", [(1.0, -1.0, 300), (3.0, 0.5, 80), (0.4, -2.0, 1000), (1.5, -3.0, 200)])
def test_without_a_prior_the_fit_is_that_of_scikit_learn(slope: float, offset: float, n_entries: int) -> None:
    random = np.random.default_rng(n_entries)
    logits = random.normal(0, 2, n_entries)
    yes = random.random(n_entries) < sigmoid(slope * logits + offset)
    fitted = fit_platt(logits, yes, SigmoidParameters(1.0, 0.0), 1e-9)
    theirs = _SigmoidCalibration().fit(logits, yes)
    np.testing.assert_allclose((fitted.slope, fitted.offset), (-theirs.a_, -theirs.b_), rtol=1e-3)
    np.testing.assert_allclose(sigmoid(fitted.log_odds(logits)), theirs.predict(logits), atol=1e-4)


def test_the_slope_of_each_topic_is_found_if_it_has_the_entries() -> None:
    logits, yes = draw_topics(4000, (1.0, 3.0))
    calibration = fit_calibration(logits, yes)
    assert calibration.fit_topic(logits[0], yes[0]).slope == pytest.approx(1.0, abs=0.15)
    assert calibration.fit_topic(logits[1], yes[1]).slope == pytest.approx(3.0, abs=0.4)


def test_the_prior_is_strong_where_topics_are_alike_and_weak_where_they_differ() -> None:
    assert fit_calibration(*draw_topics(60, (1.0,) * 30)).prior_strength >= 100
    assert fit_calibration(*draw_topics(4000, (0.5, 4.0))).prior_strength <= 10


def test_a_topic_with_few_entries_stays_near_the_others() -> None:
    logits, yes = np.array([0.1, -0.2, -0.3]), np.array([True, False, False])

    def distance(prior_strength: float) -> float:
        fitted = Calibration(COMMON, prior_strength).fit_topic(logits, yes)
        return max(abs(fitted.slope - COMMON.slope), abs(fitted.offset - COMMON.offset))

    assert distance(1000.0) < distance(1.0) / 10
    distances = [distance(strength) for strength in PRIOR_STRENGTHS]
    assert all(nearer < further for further, nearer in pairwise(distances))
    assert Calibration(COMMON, 1.0).fit_topic(logits, np.zeros(3, dtype=bool)) == COMMON


def test_a_higher_logit_never_has_a_lower_probability() -> None:
    logits = np.linspace(-2, 2, 50)
    assert fit_platt(logits, logits < 0, SigmoidParameters(1.0, 0.0), 1e-3).slope == 0.1
