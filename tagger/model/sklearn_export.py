"""The same tagger as a scikit-learn `Pipeline`, for those who want one.

The file that `save_pipeline` writes is a pickle: loading it runs code, so it is only to be loaded from people you trust. It
needs the versions of scikit-learn and tagger that wrote it. It names classes by the modules that they are in: those of
scikit-learn and numpy, and at most one of tagger's, by its public name `tagger.TopicClassifier`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.multioutput import MultiOutputClassifier  # noqa: TID253 - a class to be pickled; only an export imports this module

from tagger.atomic import write_whole
from tagger.model.decision import apply_thresholds, raise_to_descendants
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy, Topic

if TYPE_CHECKING:
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.pipeline import Pipeline

__all__ = ["TopicClassifier", "save_pipeline", "to_pipeline"]

_NEVER = 2.0  # a threshold that no score reaches


class TopicClassifier(MultiOutputClassifier):  # type: ignore[misc]
    """A classifier for each topic, whose tags obey what topics say of each other, as `Model.predict` does.

    Its parameters are plain data, so that a pickle of it names no other class of tagger.

    Args:
        estimator: what fits one topic.
        topics: a mapping for each topic, (n_topics,), as in topics.toml: its `id`, and perhaps its `parent` and `excludes`.
        thresholds: (n_topics,).
        min_topics: 1 to tag the best topic of an entry in any case.
        max_topics: how many topics an entry has at most; None for any number.
        n_jobs: processes that fit topics.
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        topics: Sequence[Mapping[str, Any]] = (),
        thresholds: Sequence[float] = (),
        min_topics: int = 0,
        max_topics: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(estimator, n_jobs=n_jobs)
        self.topics = topics
        self.thresholds = thresholds
        self.min_topics = min_topics
        self.max_topics = max_topics

    def predict_proba(self, X: Any) -> list[NDArray[np.float64]]:  # noqa: N803 - scikit-learn's name
        """For each topic (n_entries, 2), whose second column is the score."""
        return [np.stack([1 - scores, scores], axis=1) for scores in self._scores(X, self._taxonomy()).T]

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """The tags, (n_entries, n_topics) of 0 and 1."""
        taxonomy = self._taxonomy()
        tags = apply_thresholds(self._scores(X, taxonomy), np.array(self.thresholds), taxonomy, self.min_topics)
        return tags.astype(np.int64)

    def _scores(self, X: Any, taxonomy: Taxonomy) -> NDArray[np.float64]:  # noqa: N803
        scores = np.stack([of_topic[:, 1] for of_topic in super().predict_proba(X)], axis=1)
        return raise_to_descendants(scores, taxonomy)

    def _taxonomy(self) -> Taxonomy:
        topics = (Topic(**{"name": topic["id"], **topic}) for topic in self.topics)
        return Taxonomy(tuple(topics), self.max_topics)


# A pickle names a class by its module. This is the public one, which stays when the class moves.
TopicClassifier.__module__ = "tagger"


def to_pipeline(model: Model) -> Pipeline:
    """A fitted pipeline that reads texts as `tagger.entry_text` makes them.

    Its `predict` gives the tags, (n_entries, n_topics) of 0 and 1 in the order of the model's topics. Its `predict_proba` gives
    an array (n_entries, 2) for each topic, whose second column is the score. The pipeline is made of scikit-learn's classes
    alone, unless a tag may depend on another one. Its last step is then a `TopicClassifier`.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    vectorizer = TfidfVectorizer(
        preprocessor=str.casefold,
        token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(1, 2),
        sublinear_tf=True,
        vocabulary={term: n for n, term in enumerate(model.terms)},
    )
    vectorizer.idf_ = model.idf.astype(np.float64)
    if model.taxonomy.has_constraints or model.min_topics:
        classifier = TopicClassifier(
            LogisticRegression(),
            topics=[{"id": topic.id, "parent": topic.parent, "excludes": list(topic.excludes)} for topic in model.topics],
            thresholds=model.thresholds.tolist(),
            min_topics=model.min_topics,
            max_topics=model.taxonomy.max_topics,
        )
    else:
        classifier = MultiOutputClassifier(LogisticRegression())
    classifier.estimators_ = [_fitted_estimator(model, column) for column in range(len(model.topics))]
    classifier.classes_ = [estimator.classes_ for estimator in classifier.estimators_]
    return Pipeline([("tfidf", vectorizer), ("topics", classifier)])


def _fitted_estimator(model: Model, column: int) -> FixedThresholdClassifier:
    """The classifier of one topic, with the attributes that fitting would give it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import FixedThresholdClassifier

    linear = LogisticRegression()
    linear.coef_ = model.sparse_weights.full[:, column][None]
    linear.intercept_ = model.bias[column : column + 1]
    linear.classes_ = np.array([0, 1])
    linear.n_features_in_ = len(model.hashes)
    threshold = min(float(model.thresholds[column]), _NEVER)
    fixed = FixedThresholdClassifier(linear, threshold=threshold, response_method="predict_proba")
    fixed.estimator_ = linear
    return fixed


def save_pipeline(model: Model, path: Path) -> None:
    """Write the pipeline with joblib, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    import joblib

    buffer = io.BytesIO()
    joblib.dump(to_pipeline(model), buffer)
    write_whole(path, buffer.getvalue())
