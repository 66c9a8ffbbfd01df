"""The same tagger as a scikit-learn `Pipeline`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tagger.files import write_whole
from tagger.model import Model

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["save_pipeline", "to_pipeline"]


def to_pipeline(model: Model) -> Pipeline:
    """A fitted pipeline that reads texts as `tagger.features.text_of` makes them.

    Its `predict` gives the tags, (n_entries, n_topics) of 0 and 1 in the order of the model's topics (parents that are
    only implied aside); its `predict_proba` gives one (n_entries, 2) array a topic, whose second column is the score.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.multioutput import MultiOutputClassifier
    from sklearn.pipeline import Pipeline

    vectorizer = TfidfVectorizer(
        preprocessor=str.casefold,
        token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(1, 2),
        sublinear_tf=True,
        vocabulary={term: n for n, term in enumerate(model.terms)},
    )
    vectorizer.idf_ = model.idf.astype(np.float64)
    classifier = MultiOutputClassifier(LogisticRegression())
    classifier.estimators_ = []
    classifier.classes_ = []
    for t, threshold in enumerate(model.thresholds):
        linear = LogisticRegression()
        linear.coef_ = model.full_weights[:, t][None]
        linear.intercept_ = model.bias[t : t + 1]
        linear.classes_ = np.array([0, 1])
        linear.n_features_in_ = len(model.hashes)
        # a score is never above 1, so a threshold of 2 is one that is never reached
        fixed = FixedThresholdClassifier(linear, threshold=min(float(threshold), 2.0), response_method="predict_proba")
        fixed.estimator_ = linear
        classifier.estimators_.append(fixed)
        classifier.classes_.append(linear.classes_)
    return Pipeline([("tfidf", vectorizer), ("topics", classifier)])


def save_pipeline(model: Model, path: Path) -> None:
    """Write the pipeline with joblib, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    import joblib

    buffer = io.BytesIO()
    joblib.dump(to_pipeline(model), buffer)
    write_whole(path, buffer.getvalue())
