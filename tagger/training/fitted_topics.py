"""What is fitted for each topic apart from all others: its classifier, its calibration, its out-of-fold logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.model.log_odds import sigmoid
from tagger.training.calibration import SigmoidParameters
from tagger.training.classifier import LinearClassifier
from tagger.training.fold_data import FoldData, out_of_fold_logits
from tagger.training.labelled_counts import LabelledCounts
from tagger.training.out_of_fold import MIN_KEPT_SCORE, OutOfFoldScores
from tagger.training.search import SearchResult

__all__ = ["FittedTopic", "FittedTopics", "fit_topics"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MAX_CHUNK = 32  # topics that a process fits at once

_DROPPED_SHARE = 1e-3  # of the sum of a topic's squared weights, smallest weights first


@dataclass(frozen=True, slots=True, eq=False)
class FittedTopic:
    """A topic's classifier and calibration, and the out-of-fold logits that a threshold may meet."""

    column: int
    terms: Ints  # (n_weights,) columns of the counts
    weights: Floats  # (n_weights,)
    bias: float
    calibration: SigmoidParameters
    entries: Ints  # (n_cells,)
    logits: Floats  # (n_cells,)
    yes: Bools  # (n_cells,)
    labelled: Bools  # (n_cells,) which of them a person decided


@dataclass(frozen=True, slots=True, eq=False)
class FittedTopics:
    """All topics that could be learned, and the inverse document frequency that their rows have."""

    topics: list[FittedTopic]
    idf: Floats  # (n_terms,), 0 for a term that is not used

    @property
    def columns(self) -> Ints:
        """The column of each topic: (n_learned,)."""
        return np.array([topic.column for topic in self.topics])

    @property
    def n_weights(self) -> list[int]:
        """How many weights each topic has: (n_learned,)."""
        return [len(topic.weights) for topic in self.topics]

    def out_of_fold_scores(self, calibrations: Sequence[SigmoidParameters]) -> OutOfFoldScores:
        """The out-of-fold scores, given the calibration of each topic."""
        n_cells = [len(topic.logits) for topic in self.topics]
        slopes = np.repeat([calibration.slope for calibration in calibrations], n_cells)
        offsets = np.repeat([calibration.offset for calibration in calibrations], n_cells)
        return OutOfFoldScores(
            topics=np.repeat(self.columns, n_cells),
            entries=np.concatenate([topic.entries for topic in self.topics]),
            scores=sigmoid(np.concatenate([topic.logits for topic in self.topics]) * slopes + offsets),
            yes=np.concatenate([topic.yes for topic in self.topics]),
            labelled=np.concatenate([topic.labelled for topic in self.topics]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _TopicFitter:
    """Fits topics. All that it holds is the same for every topic, and is sent to the processes that fit them."""

    data: LabelledCounts
    folds: list[FoldData]
    all_entries: FoldData
    chosen: SearchResult
    drop_weights: bool  # whether weights that hardly matter are dropped

    def fit_chunk(self, columns: Ints) -> list[FittedTopic]:
        """Fit some topics, one after the other."""
        return [self._fit(int(column)) for column in columns]

    def _fit(self, column: int) -> FittedTopic:
        labels = self.data.topic_labels(column)
        settings, all_topics = self.chosen.settings, self.chosen.calibration
        logits = out_of_fold_logits(self.folds, labels, settings)
        is_scored = ~np.isnan(logits)
        is_usable = is_scored & labels.labelled
        calibration = all_topics.fit_topic(logits[is_usable], labels.yes[is_usable])
        log_odds = np.maximum(calibration.log_odds(logits), all_topics.common.log_odds(logits))
        # A score without a label may still exclude another topic, or raise an ancestor.
        is_relevant = is_scored if self.data.taxonomy.has_constraints else is_usable
        cells = np.flatnonzero(is_relevant & ((log_odds > np.log(MIN_KEPT_SCORE)) | labels.yes))
        classifier = self.all_entries.fit(labels, settings)
        assert classifier is not None
        used = self._used_weights(classifier)
        return FittedTopic(
            column,
            self.all_entries.terms[used],
            classifier.weights[used],
            classifier.bias,
            calibration,
            cells,
            logits[cells],
            labels.yes[cells],
            labels.labelled[cells],
        )

    def _used_weights(self, classifier: LinearClassifier) -> Ints:
        return _significant_weights(classifier.weights) if self.drop_weights else np.flatnonzero(classifier.weights)


def fit_topics(
    columns: Ints, data: LabelledCounts, fold: Ints, chosen: SearchResult, drop_weights: bool, n_jobs: int
) -> FittedTopics:
    """Fit each of some topics: to the entries outside each fold, and to all entries.

    Args:
        columns: of the topics.
        data: the entries.
        fold: the fold of each entry, (n_entries,).
        chosen: settings with nothing left open, and the calibration of all topics together.
        drop_weights: whether weights that hardly matter are dropped.
        n_jobs: processes to use; the result is the same.
    """
    from joblib import Parallel, delayed

    folds = FoldData.of_folds(data, fold, range(int(fold.max()) + 1), chosen.settings)
    all_entries = FoldData.of_all_entries(data, chosen.settings)
    fitter = _TopicFitter(data, folds, all_entries, chosen, drop_weights)
    # Small enough for all processes to have their share, large enough that starting a chunk does not matter.
    size = max(1, min(_MAX_CHUNK, len(columns) // (4 * n_jobs) + 1))
    chunks = [columns[n : n + size] for n in range(0, len(columns), size)]
    work = Parallel(n_jobs=n_jobs)(delayed(fitter.fit_chunk)(chunk) for chunk in chunks)
    idf = np.zeros(data.counts.shape[1])
    idf[all_entries.terms] = all_entries.idf
    return FittedTopics([topic for chunk in work for topic in chunk], idf)


def _significant_weights(weights: Floats) -> Ints:
    """The weights that hold all but a thousandth of the sum of squares, as indexes in ascending order."""
    squares = weights * weights
    order = np.argsort(squares, kind="stable")
    n_dropped = np.searchsorted(np.cumsum(squares[order]), _DROPPED_SHARE * squares.sum())
    return np.sort(order[n_dropped:])
