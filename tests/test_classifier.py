from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer

from tagger.training import classifier
from tagger.training.classifier import (
    DesignMatrix,
    feature_scale,
    fit_topic,
    inverse_document_frequency,
    make_estimator,
    scale_columns,
    tfidf_matrix,
)


def draw_rows(n_entries: int, n_terms: int, seed: int = 0) -> tuple[csr_array, np.ndarray]:
    """Rows of length 1, and a topic that a tenth of the terms speak for."""
    random = np.random.default_rng(seed)
    x = csr_array(np.where(random.random((n_entries, n_terms)) < 0.1, 0.1 + random.random((n_entries, n_terms)), 0.0))
    x = csr_array(x.multiply(1 / np.sqrt(x.power(2).sum(axis=1) + 1e-12)[:, None]))  # some rows may be empty
    sums = x @ np.where(np.arange(n_terms) < n_terms // 10, 1.0, 0.0)
    return x, sums > np.quantile(sums, 0.97)


@pytest.mark.parametrize("scale_exponent", [0.0, 0.5, 1.0])
def test_scaled_rows_have_a_mean_square_length_of_1(scale_exponent: float) -> None:
    x, yes = draw_rows(5000, 60)
    scale = feature_scale(DesignMatrix.from_matrix(x), yes, scale_exponent, 0.1)
    assert (scale * scale * (x.power(2).sum(axis=0) / 5000)).sum() == pytest.approx(1.0)
    if scale_exponent:
        assert scale[:6].mean() > 1.2 * scale[6:].mean(), "terms that tell something are cheap to use"
    else:
        assert np.ptp(scale) == 0


def test_the_scale_is_the_log_count_ratio() -> None:
    x = csr_array(np.array([[0.6, 0.8, 0.0], [0.0, 0.6, 0.8], [0.0, 1.0, 0.0]]))
    yes = np.array([True, False, False])
    scale = feature_scale(DesignMatrix.from_matrix(x), yes, 1.0, 0.1)
    p, q = np.array([0.7, 0.9, 0.1]), np.array([0.1, 1.7, 0.9])
    ratios = np.abs(np.log((p / p.sum()) / (q / q.sum())))
    np.testing.assert_allclose(scale / scale[0], ratios / ratios[0])


def test_weights_are_those_of_the_estimator_on_scaled_rows() -> None:
    x, yes = draw_rows(500, 40)
    design = DesignMatrix.from_matrix(x)
    scale = feature_scale(design, yes, 1.0, 0.1)
    fitted = make_estimator(2.0).fit(scale_columns(x, scale), yes)
    np.testing.assert_allclose(
        fit_topic(design, yes, 2.0, 1.0, 0.1).logits(x), fitted.decision_function(scale_columns(x, scale)), atol=1e-12
    )


def test_the_nearest_of_many_no_entries_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    x, yes = draw_rows(4000, 100)
    design = DesignMatrix.from_matrix(x)
    logits = fit_topic(design, yes, 1.0, 0.5, 0.1).logits(x)
    monkeypatch.setattr(classifier, "MAX_NEGATIVES", 1200)
    sampled_logits = fit_topic(design, yes, 1.0, 0.5, 0.1).logits(x)
    assert (logits != sampled_logits).any()
    assert np.corrcoef(logits, sampled_logits)[0, 1] > 0.98
    assert np.abs(logits - sampled_logits).mean() < 0.1 * logits.std()


def test_tfidf_is_that_of_scikit_learn() -> None:
    counts = csr_array(np.array([[2, 0, 1], [0, 3, 1], [0, 1, 0]]))
    idf = inverse_document_frequency(counts, 1)
    theirs = TfidfTransformer(sublinear_tf=True).fit(counts)
    np.testing.assert_allclose(idf, theirs.idf_)
    np.testing.assert_allclose(tfidf_matrix(counts, idf).toarray(), theirs.transform(counts).toarray())
    assert inverse_document_frequency(counts, 2)[0] == 0, "one entry has the term"
