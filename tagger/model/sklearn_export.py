"""The same tagger as a scikit-learn `Pipeline`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.multioutput import MultiOutputClassifier  # noqa: TID253 - a class to be pickled; only an export imports this module

from tagger.atomic import write_whole
from tagger.model.decision import apply_thresholds, raise_to_descendants
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = [
    "TopicClassifier",
    "save_pipeline",
    "to_pipeline",
]


class TopicClassifier(MultiOutputClassifier):  # type: ignore[misc]
    """A classifier for each topic; its scores and tags are those of `tagger.model.decision`."""

    def __init__(
        self,
        estimator: Any = None,
        *,
        taxonomy: Taxonomy = Taxonomy(),  # noqa: B008 - frozen
        thresholds: Sequence[float] = (),
        min_topics: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(estimator, n_jobs=n_jobs)
        self.taxonomy = taxonomy
        self.thresholds = thresholds
        self.min_topics = min_topics

    def predict_proba(self, x: Any) -> list[NDArray[np.float64]]:
        """For each topic (n_entries, 2), whose second column is the score."""
        return [np.stack([1 - scores, scores], axis=1) for scores in self._scores(x).T]

    def predict(self, x: Any) -> NDArray[np.int64]:
        """The tags, (n_entries, n_topics) of 0 and 1."""
        return apply_thresholds(self._scores(x), np.array(self.thresholds), self.taxonomy, self.min_topics).astype(np.int64)

    def _scores(self, x: Any) -> NDArray[np.float64]:
        own = np.stack([both[:, 1] for both in super().predict_proba(x)], axis=1)
        return raise_to_descendants(own, self.taxonomy)


def to_pipeline(model: Model) -> Pipeline:
    """A fitted pipeline that reads texts as `tagger.text.normalize.entry_text` makes them.

    Its `predict` gives the tags, (n_entries, n_topics) of 0 and 1 in the order of the model's topics; its `predict_proba` gives
    one (n_entries, 2) array a topic, whose second column is the score. It is made of scikit-learn's classes alone, but where
    a tag may depend on another one: its last step is then a `TopicClassifier`, so that who loads it needs tagger.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.pipeline import Pipeline

    vectorizer = TfidfVectorizer(
        preprocessor=str.casefold,
        token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(1, 2),
        sublinear_tf=True,
        vocabulary={term: n for n, term in enumerate(model.terms)},
    )
    vectorizer.idf_ = model.idf.astype(np.float64)
    if model.min_topics or model.taxonomy.has_constraints:
        cuts = model.thresholds.tolist()
        classifier = TopicClassifier(
            LogisticRegression(), taxonomy=model.taxonomy, thresholds=cuts, min_topics=model.min_topics
        )
    else:
        classifier = MultiOutputClassifier(LogisticRegression())
    classifier.estimators_ = []
    classifier.classes_ = []
    for t, threshold in enumerate(model.thresholds):
        linear = LogisticRegression()
        linear.coef_ = model.sparse_weights.full[:, t][None]
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
