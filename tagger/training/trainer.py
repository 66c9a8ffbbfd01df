"""From texts and labels to a `Model`.

`train` is the front. One function fits: `_fit`. Cross-validation calls it for each outer fold, with the entries outside that
fold. So figures come from entries that nothing of the model has seen: neither weights, nor calibration, nor thresholds, nor
the choice of settings. Inside, `_fit` makes folds of its own, and the scores that choose settings, calibration and thresholds
come from these.

Time and memory grow with the number of topics, but not with topics times entries. Labels are sparse, each topic is fitted
apart from the others, only those out-of-fold scores are kept that a threshold may meet, and weights that hardly matter are
dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.identity import ID_LENGTH
from tagger.model.decision import apply_thresholds, raise_to_descendants
from tagger.model.log_odds import sigmoid
from tagger.model.model import Model
from tagger.model.training_record import TrainingRecord
from tagger.taxonomy import Taxonomy
from tagger.text.hashed_vocabulary import BuiltVocabulary, build_vocabulary
from tagger.text.near_duplicates import group_near_duplicates
from tagger.training.calibration import Calibration, SigmoidParameters
from tagger.training.classifier import tfidf_matrix
from tagger.training.fitted_topics import FittedTopics, fit_topics
from tagger.training.folds import stratified_folds
from tagger.training.labelled_counts import LabelledCounts, TermCountMatrix, count_matrix
from tagger.training.out_of_fold import OutOfFold, raise_cells_to_descendants
from tagger.training.search import search_settings
from tagger.training.settings import Settings
from tagger.training.thresholds import Thresholds, choose_thresholds, thresholds_under_constraints
from tagger.training.topic_threshold import PrecisionGoal

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["TrainingResult", "train"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Progress = Callable[[int, int], None]

MANY_TOPICS = 64  # from which on three inner folds serve instead of five, and weights that hardly matter are dropped


class TrainingResult(NamedTuple):
    """A model, and what cross-validation said of the entries that it was trained on."""

    model: Model  # without `out_of_fold_tags`, for these are about particular entries
    out_of_fold: OutOfFold  # of no entries if there was no cross-validation


def train(
    texts: Sequence[str],
    yes: Bools | csr_array,
    labelled: Bools | None,
    taxonomy: Taxonomy,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    n_jobs: int = 1,
    progress: Progress = lambda done, total: None,
    cross_validate: bool = True,
) -> TrainingResult:
    """Fit a model, and cross-validate the way it is fitted.

    Args:
        texts: what the model reads of each entry, (n_entries,).
        yes: which topics apply, (n_entries, n_topics); an array, or a sparse one where there are many topics.
        labelled: which cells of `yes` a person decided; the others are left out of fitting and of figures. None for all.
        taxonomy: the topics, (n_topics,). What a label implies because topics imply or exclude each other, as in
            `implied_labels`, is added to `yes` and `labelled` where it is missing.
        settings: see `Settings`.
        n_jobs: processes to use; the result is the same.
        progress: called with the number of fits done and of all fits.
        cross_validate: whether to find out how good the model is; the model is the same without.

    Raises:
        ValueError: if there is nothing to learn from.
    """
    vocabulary = build_vocabulary(texts, settings.min_df)
    matrix = count_matrix(texts, vocabulary.vocabulary)
    is_bigram = np.array([" " in term for term in vocabulary.term_texts], dtype=bool)
    data = LabelledCounts.from_labels(matrix.counts, is_bigram, yes, labelled, taxonomy)
    groups = group_near_duplicates(matrix.counts.indptr, matrix.counts.indices)
    learned = data.learnable_topics(settings.min_positives)
    if not learned.any():
        raise ValueError(f"no topic has {settings.min_positives} entries with a yes, and as many with a no")
    if len(np.unique(groups)) < 2 * settings.n_folds:
        raise ValueError(f"fewer than {2 * settings.n_folds} of them are distinct")
    if cross_validate:
        fitted, out_of_fold = _fit_and_cross_validate(data, learned, groups, settings, n_jobs, progress)
    else:
        fitted, out_of_fold = _fit(data, learned, settings, n_jobs), OutOfFold.empty(len(taxonomy.topics))
        progress(1, 1)
    return TrainingResult(_build_model(fitted, vocabulary, matrix, data, settings), out_of_fold)


@dataclass(frozen=True, slots=True, eq=False)
class _FittedModel:
    """All that is learned from some entries."""

    settings: Settings  # with what was chosen
    idf: Floats  # (n_terms,), 0 for a term that is not used
    weights: csr_array  # (n_terms, n_topics)
    bias: Floats  # (n_topics,), minus infinity for a topic that is not learned
    thresholds: Floats  # (n_topics,), infinity for a topic that is not learned
    min_topics: int
    precision_goals: dict[str, PrecisionGoal]  # by id, of topics that ask for a precision

    def score(self, counts: csr_array, taxonomy: Taxonomy) -> Floats:
        """The scores of entries, (n_entries, n_topics)."""
        logits = (tfidf_matrix(counts, self.idf) @ self.weights).toarray() + self.bias
        return raise_to_descendants(sigmoid(logits), taxonomy)


def _fit_and_cross_validate(
    data: LabelledCounts, learned: Bools, groups: Ints, settings: Settings, n_jobs: int, progress: Progress
) -> tuple[_FittedModel, OutOfFold]:
    """The fit to all entries, and what fits to all entries outside a fold say of the entries in the fold."""
    from joblib import Parallel, delayed

    fold = stratified_folds(data.yes, groups, settings.n_folds, settings.seed)
    parts = [np.arange(data.n_entries), *(np.flatnonzero(fold != k) for k in range(settings.n_folds))]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit)(data.select(part), learned, settings, 1) for part in parts
    )
    fits: list[_FittedModel] = []
    for fitted in work:
        fits.append(fitted)
        progress(len(fits), len(parts))
    scores, tagged = np.zeros(data.yes.shape), np.zeros(data.yes.shape, dtype=bool)
    for k, fitted in enumerate(fits[1:]):
        entries = np.flatnonzero(fold == k)
        scores[entries] = fitted.score(data.counts[entries], data.taxonomy)
        tagged[entries] = apply_thresholds(scores[entries], fitted.thresholds, data.taxonomy, fitted.min_topics)
    return fits[0], OutOfFold(scores, tagged, fold)


def _fit(data: LabelledCounts, learned: Bools, settings: Settings, n_jobs: int) -> _FittedModel:
    """Settings, weights, calibration and thresholds from these entries alone.

    Args:
        data: the entries.
        learned: the topics that may be learned, (n_topics,); one without a yes or without a no here is not.
        settings: those that are None are chosen.
        n_jobs: processes to use; the result is the same.
    """
    from threadpoolctl import threadpool_limits

    # Several threads add numbers in an order that differs each time; one thread gives the same bytes on any number of cores.
    with threadpool_limits(limits=1):
        return _fit_single_threaded(data, learned, settings, n_jobs)


def _fit_single_threaded(data: LabelledCounts, learned: Bools, settings: Settings, n_jobs: int) -> _FittedModel:
    columns = np.flatnonzero(learned & data.learnable_topics(1))
    has_many_topics = len(columns) >= MANY_TOPICS
    n_folds = min(3, settings.n_folds) if has_many_topics else settings.n_folds
    # Near-duplicates may be in different folds here, unlike in cross-validation. Where entries have near-duplicates, new
    # entries will have them too, and thresholds found without them would be too low.
    fold = stratified_folds(data.yes, np.arange(data.n_entries), n_folds, settings.seed + 1)
    chosen = search_settings(data, columns, fold, settings, has_many_topics)
    fitted = fit_topics(columns, data, fold, chosen, has_many_topics, n_jobs)
    decision = _choose_decision(fitted, data, chosen.calibration, settings)
    chosen_settings = replace(chosen.settings, threshold_shrinkage=decision.thresholds.threshold_shrinkage)
    return _assemble(fitted, decision, chosen_settings)


@dataclass(frozen=True, slots=True, eq=False)
class _Decision:
    """How the logits of topics become tags."""

    calibrations: list[SigmoidParameters]  # of each learned topic
    thresholds: Thresholds
    precision_goals: dict[str, PrecisionGoal]


def _choose_decision(fitted: FittedTopics, data: LabelledCounts, calibration: Calibration, settings: Settings) -> _Decision:
    """Calibration and thresholds by out-of-fold scores: with own calibrations or the common one, whichever is better."""
    n_topics = len(data.taxonomy.topics)
    part = np.random.default_rng(settings.seed).permutation(data.n_entries) % settings.n_folds
    decisions = []
    for calibrations in ([topic.calibration for topic in fitted.topics], [calibration.common] * len(fitted.topics)):
        cells = fitted.out_of_fold_scores(calibrations)
        if data.taxonomy.has_constraints:
            cells = raise_cells_to_descendants(cells, data.n_entries, data.taxonomy, data.topic_labels)
        thresholds, precision_goals = thresholds_under_constraints(
            cells,
            data.taxonomy,
            lambda cells: choose_thresholds(cells, n_topics, part, settings.threshold_shrinkage, data.every_entry_has_topic),
        )
        decisions.append(_Decision(calibrations, thresholds, precision_goals))
    return max(decisions, key=lambda decision: decision.thresholds.quality)


def _assemble(fitted: FittedTopics, decision: _Decision, settings: Settings) -> _FittedModel:
    """One model from what was fitted for each topic. Calibration is multiplied into weights and bias."""
    from scipy.sparse import csr_array

    slopes = np.array([calibration.slope for calibration in decision.calibrations])
    offsets = np.array([calibration.offset for calibration in decision.calibrations])
    thresholds = decision.thresholds.thresholds
    bias = np.full(len(thresholds), -np.inf)
    bias[fitted.columns] = np.array([topic.bias for topic in fitted.topics]) * slopes + offsets
    weights = np.concatenate([topic.weights for topic in fitted.topics]) * np.repeat(slopes, fitted.n_weights)
    cells = np.concatenate([topic.terms for topic in fitted.topics]), np.repeat(fitted.columns, fitted.n_weights)
    return _FittedModel(
        settings=settings,
        idf=fitted.idf,
        weights=csr_array((weights, cells), shape=(len(fitted.idf), len(bias))),
        bias=bias,
        thresholds=np.where(np.isinf(bias), np.inf, thresholds),
        min_topics=decision.thresholds.min_topics,
        precision_goals=decision.precision_goals,
    )


def _build_model(
    fitted: _FittedModel, vocabulary: BuiltVocabulary, matrix: TermCountMatrix, data: LabelledCounts, settings: Settings
) -> Model:
    """The model as it is stored: terms without a weight are left out, and numbers are rounded to what a file holds."""
    used = np.flatnonzero(np.diff(fitted.weights.indptr))
    weights = fitted.weights[used]
    return Model(
        taxonomy=data.taxonomy,
        hashes=vocabulary.vocabulary.hashes[used],
        vocabulary_text=np.frombuffer("\n".join(vocabulary.term_texts[n] for n in used).encode(), dtype=np.uint8),
        idf=fitted.idf[used].astype(np.float32),
        weight_starts=weights.indptr.astype(np.uint64),
        weight_topics=weights.indices.astype(np.uint32),
        weights=weights.data.astype(np.float32),
        bias=np.round(fitted.bias, 7),
        thresholds=np.round(fitted.thresholds, 7),
        out_of_fold_tags=np.zeros((0, len(data.taxonomy.topics)), dtype=np.uint8),
        out_of_fold_ids=np.zeros((0, ID_LENGTH), dtype=np.uint8),
        min_topics=fitted.min_topics,
        training=TrainingRecord(
            settings=settings.to_header(),
            chosen_settings=fitted.settings.to_header(),
            usual_known_share=_usual_known_share(matrix, data.is_bigram, settings.min_df),
            precision={id: goal.support() for id, goal in fitted.precision_goals.items()},
        ),
    )


def _usual_known_share(matrix: TermCountMatrix, is_bigram: Bools, min_df: int) -> float:
    """The 5% quantile of the share of an entry's words that other entries make known. Less than that is unusual."""
    df = np.bincount(matrix.counts.indices, minlength=len(is_bigram))
    known_by_others = np.flatnonzero(~is_bigram & (df > min_df))
    n_known = matrix.counts[:, known_by_others].sum(axis=1)
    return round(float(np.quantile(n_known / np.maximum(matrix.n_words, 1), 0.05)), 4)
