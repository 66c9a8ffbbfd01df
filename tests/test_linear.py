from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from tagger.training import classifier as linear
from tagger.training.classifier import DesignMatrix, feature_scale, fit_topic


def drawn(n_entries: int, n_terms: int, seed: int = 0) -> tuple[csr_array, np.ndarray]:
    """Rows of length 1, and a topic that some of their terms speak for."""
    random = np.random.default_rng(seed)
    x = csr_array(random_array((n_entries, n_terms), density=0.1, rng=random, data_sampler=lambda size: random.random(size)))
    x.data += 0.1
    x = csr_array(x.multiply(1 / np.sqrt(x.power(2).sum(axis=1) + 1e-12)[:, None]))  # some rows may be empty
    speaks = np.where(np.arange(n_terms) < n_terms // 10, 1.0, 0.0)
    return x, x @ speaks > np.quantile(x @ speaks, 0.97)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_scaled_rows_have_a_mean_square_length_of_1(power: float) -> None:
    x, yes = drawn(5000, 60)
    scale = feature_scale(DesignMatrix.of(x), yes, power, 0.1)
    assert (scale * scale * (x.power(2).sum(axis=0) / 5000)).sum() == pytest.approx(1.0)
    if power:
        assert scale[:6].mean() > 1.2 * scale[6:].mean(), "terms that tell something are cheap to use"


def test_the_hardest_of_many_no_entries_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    x, yes = drawn(4000, 100)
    rows = DesignMatrix.of(x)
    weights, bias = fit_topic(rows, yes, 1.0, 0.5, 0.1)
    monkeypatch.setattr(linear, "MAX_NEGATIVES", 1200)
    some, other_bias = fit_topic(rows, yes, 1.0, 0.5, 0.1)
    one, other = x @ weights + bias, x @ some + other_bias
    assert np.corrcoef(one, other)[0, 1] > 0.98
    assert np.abs(one - other).mean() < 0.1 * one.std()
