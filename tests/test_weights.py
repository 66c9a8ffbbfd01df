"""Sparse weights against the full array."""

from __future__ import annotations

import numpy as np
import pytest

from tagger.model.weights import SparseWeights, compress_weights


def made_up(n_terms: int, n_topics: int) -> tuple[np.ndarray, SparseWeights]:
    random = np.random.default_rng(0)
    full = np.where(random.random((n_terms, n_topics)) < 0.3, random.normal(size=(n_terms, n_topics)), 0).astype(np.float32)
    arrays = compress_weights(full)
    return full, SparseWeights(arrays["weight_starts"], arrays["weight_topics"], arrays["weights"], n_topics)


@pytest.mark.parametrize("n_topics", [1, 5, 63, 64, 100])  # from 64 on scipy multiplies
def test_the_product_is_that_of_the_full_array(n_topics: int) -> None:
    full, weights = made_up(9, n_topics)
    rows = np.array([[0, 2, 0, 1, 0, 0, 0, 0, 3], [0] * 9, [1] * 9, [0] * 8 + [5]], dtype=float)
    starts, terms = np.array([0, 3, 3, 12, 13]), np.nonzero(rows)[1]
    assert (weights.full == full).all()
    np.testing.assert_allclose(weights.multiply(starts, terms, rows[rows != 0]), rows @ full, atol=1e-12)
    np.testing.assert_allclose(weights.of_topic(n_topics - 1, terms), full[terms, n_topics - 1])


def test_without_terms_topics_or_rows_the_product_is_empty_or_zero() -> None:
    _, weights = made_up(3, 2)
    nothing, no_values = np.zeros(0, dtype=np.int64), np.zeros(0)
    assert weights.multiply(np.array([0, 0]), nothing, no_values).tolist() == [[0, 0]]
    assert weights.multiply(np.array([0]), nothing, no_values).shape == (0, 2)
    assert weights.of_topic(0, nothing).shape == (0,)
    assert SparseWeights(np.array([0]), nothing, no_values, 2).full.shape == (0, 2)
