"""From texts and labels to a `Model`.

One function fits: `_fit`. Cross-validation calls it for each outer fold with the entries outside that fold, so figures
come from entries that neither the weights, nor the calibration, nor the thresholds, nor the choice of settings have seen.
Inside, `_fit` does the same once more: the scores that choose settings and set calibration and thresholds come from folds
of its own.

Time and memory grow with the number of topics, never with its product with the number of entries: labels are sparse, each
topic is fitted apart from the others, of its out-of-fold scores only those are kept that a threshold may meet, and weights
that do not matter are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tagger.labels.closure import implied_labels_sparse
from tagger.model.decision import apply_thresholds, raise_to_descendants
from tagger.model.log_odds import sigmoid
from tagger.model.model import Model
from tagger.model.training_record import PrecisionSupport, TrainingRecord
from tagger.taxonomy import Taxonomy
from tagger.text.hashed_vocabulary import HashedVocabulary, build_vocabulary
from tagger.text.near_duplicates import group_near_duplicates
from tagger.text.tfidf import count_terms
from tagger.training.calibration import Calibration, fit_calibration
from tagger.training.classifier import DesignMatrix, fit_topic, inverse_document_frequency, tfidf_matrix
from tagger.training.folds import stratified_folds
from tagger.training.settings import Settings
from tagger.training.thresholds import (
    FLOOR,
    OutOfFoldScores,
    PrecisionGoal,
    choose_thresholds,
    mean_f1,
    raise_cells_to_descendants,
    thresholds_under_constraints,
)

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

__all__ = [
    "OutOfFold",
    "train",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


_C: tuple[float | None, ...] = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


_FEWEST, _MOST = 48, 400  # topics that settings are chosen on: as many as


_WORK = 1 << 26  # counts can be fitted to at one setting


_MANY = 64  # topics from which on three folds serve instead of five, and weights that do not matter are dropped


_DROPPED = 1e-3  # share of a topic's squared weights that may be, smallest first


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What cross-validation said of each labelled entry, by a model that had not seen it."""

    scores: Floats  # (n_entries, n_topics)
    tagged: Bools  # (n_entries, n_topics)
    fold: Ints  # (n_entries,): which entries were scored by the same model


@dataclass(frozen=True, slots=True)
class _LabelledCounts:
    """Entries as training sees them."""

    counts: csr_array  # (n_entries, n_terms)
    pairs: Bools  # (n_terms,): which terms are pairs of words
    yes: csc_array  # (n_entries, n_topics) of bool, False where unsure
    unsure: csc_array  # (n_entries, n_topics) of bool
    taxonomy: Taxonomy

    def some(self, rows: Ints) -> _LabelledCounts:
        return replace(self, counts=self.counts[rows], yes=self.yes[rows], unsure=self.unsure[rows])

    def topic(self, t: int) -> tuple[Bools, Bools]:
        """Which entries have the topic, and of which it is known: (n_entries,) each."""
        n_entries = self.yes.shape[0]
        yes, known = np.zeros(n_entries, dtype=bool), np.ones(n_entries, dtype=bool)
        yes[self.yes.indices[self.yes.indptr[t] : self.yes.indptr[t + 1]]] = True
        known[self.unsure.indices[self.unsure.indptr[t] : self.unsure.indptr[t + 1]]] = False
        return yes, known

    def learnable(self, at_least: int) -> Bools:
        """The topics with that many yes and that many no entries, (n_topics,)."""
        n_yes = np.diff(self.yes.indptr)
        learnable: Bools = np.minimum(n_yes, self.yes.shape[0] - np.diff(self.unsure.indptr) - n_yes) >= at_least
        return learnable


@dataclass(frozen=True, slots=True)
class _FoldPart:
    """The entries inside a fold's complement as rows to fit to, and those of the fold to be scored."""

    terms: Ints  # the columns of the counts that are used
    idf: Floats  # (n_used,)
    fitted: Ints  # entries
    rows: DesignMatrix
    scored: Ints  # entries
    x: csr_array  # (n_scored, n_used)

    @classmethod
    def of(cls, counts: csr_array, terms: Ints, fitted: Ints, scored: Ints, min_df: int) -> _FoldPart:
        inside = counts[fitted][:, terms]
        idf = inverse_document_frequency(inside, min_df)
        used = np.flatnonzero(idf).astype(np.int32)
        idf = idf[used]
        return cls(
            terms[used],
            idf,
            fitted,
            DesignMatrix.of(tfidf_matrix(inside[:, used], idf)),
            scored,
            tfidf_matrix(counts[scored][:, terms[used]], idf),
        )

    def fit(self, yes: Bools, known: Bools, settings: Settings) -> tuple[Floats, float] | None:
        """Weights of the used terms and bias; None where one side has no entry here."""
        yes, known = yes[self.fitted], known[self.fitted]
        if not yes.any() or (yes | ~known).all():
            return None
        rows, side = self.rows, yes
        if not known.all():
            rows, side = DesignMatrix.of(rows.x[np.flatnonzero(known)]), yes[known]
        assert settings.C is not None
        assert settings.scale_exponent is not None
        return fit_topic(rows, side, settings.C, settings.scale_exponent, settings.log_ratio_smoothing)


@dataclass(frozen=True, slots=True)
class _Fitted:
    settings: Settings  # with what was chosen
    idf: Floats  # (n_terms,), 0 for a term that is not used
    weights: csr_array  # (n_terms, n_topics)
    bias: Floats  # (n_topics,)
    thresholds: Floats  # (n_topics,)
    min_topics: int
    precise: dict[str, PrecisionGoal]  # by id, of topics that ask for a precision


def train(
    texts: Sequence[str],
    yes: Bools | csr_array,
    known: Bools | None,
    taxonomy: Taxonomy,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cross_validate: bool = True,
) -> tuple[Model, OutOfFold]:
    """Fit a model, and cross-validate the way it is fitted.

    Args:
        texts: what the model reads of each entry, (n_entries,).
        yes: which topics apply, (n_entries, n_topics); an array or, where topics are many, a sparse one.
        known: which cells of `yes` a person decided; the others are left out of fitting and of figures. None for all.
        taxonomy: the topics, (n_topics,). What follows from a label because they imply or exclude each other, as
            `implied_labels` has it, is added to `yes` and `known` where it is not there.
        settings: see `Settings`.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.
        cross_validate: whether to find out how good the model is; it is the same model without.

    Returns:
        The model, without what concerns particular entries (`held_out`), and what cross-validation said (of no entries,
        without).

    Raises:
        ValueError: if there is nothing to learn from.
    """
    from joblib import Parallel, delayed
    from scipy.sparse import csc_array

    terms, written = build_vocabulary(texts, settings.min_df)
    counts, words = _count_matrix(texts, terms)
    labelled = _LabelledCounts(
        counts,
        np.array([" " in term for term in written], dtype=bool),
        *implied_labels_sparse(
            csc_array(yes, dtype=bool) if known is None else csc_array(yes & known),
            csc_array(yes.shape, dtype=bool) if known is None else csc_array(~known),
            taxonomy,
        ),
        taxonomy,
    )
    groups = group_near_duplicates(counts.indptr, counts.indices)
    learned = labelled.learnable(settings.min_positives)
    if not learned.any():
        raise ValueError(f"no topic has {settings.min_positives} entries with a yes, and as many with a no")
    if len(np.unique(groups)) < 2 * settings.n_folds:
        raise ValueError(f"fewer than {2 * settings.n_folds} of them are distinct")
    everything = np.arange(len(texts))
    if not cross_validate:
        final = _fit(labelled, learned, settings, n_jobs)
        progress(1, 1)
        none = np.zeros((0, len(taxonomy.topics)))
        held_out = OutOfFold(none, none.astype(bool), np.zeros(0, dtype=np.int64))
    else:
        fold = stratified_folds(labelled.yes, groups, settings.n_folds, settings.seed)
        parts = [everything, *(np.flatnonzero(fold != k) for k in range(settings.n_folds))]
        work = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_fit)(labelled.some(part), learned, settings, 1) for part in parts
        )
        fits: list[_Fitted] = []
        for fitted in work:
            fits.append(fitted)
            progress(len(fits), len(parts))
        final = fits[0]
        scores, tagged = np.zeros(yes.shape), np.zeros(yes.shape, dtype=bool)
        for k, fitted in enumerate(fits[1:]):
            out = np.flatnonzero(fold == k)
            own = sigmoid((tfidf_matrix(counts[out], fitted.idf) @ fitted.weights).toarray() + fitted.bias)
            scores[out] = raise_to_descendants(own, taxonomy)
            tagged[out] = apply_thresholds(scores[out], fitted.thresholds, taxonomy, fitted.min_topics)
        held_out = OutOfFold(scores, tagged, fold)
    used = np.flatnonzero(np.diff(final.weights.indptr))
    kept = final.weights[used]
    model = Model(
        taxonomy=taxonomy,
        hashes=terms.hashes[used],
        vocabulary_text=np.frombuffer("\n".join(written[n] for n in used).encode(), dtype=np.uint8),
        idf=final.idf[used].astype(np.float32),
        weight_starts=kept.indptr.astype(np.uint64),
        weight_topics=kept.indices.astype(np.uint32),
        weights=kept.data.astype(np.float32),
        bias=np.round(final.bias, 7),
        thresholds=np.round(final.thresholds, 7),
        out_of_fold_tags=np.zeros((0, len(taxonomy.topics)), dtype=np.uint8),
        out_of_fold_ids=np.zeros((0, 8), dtype=np.uint8),
        min_topics=final.min_topics,
        training=TrainingRecord(
            settings=settings.to_header(),
            chosen_settings=final.settings.to_header(),
            usual_known_share=_usual_known_share(counts, words, labelled.pairs, settings),
            precision={id: _precision_support(goal) for id, goal in final.precise.items()},
        ),
    )
    return model, held_out


def _precision_support(goal: PrecisionGoal) -> PrecisionSupport:
    return PrecisionSupport(goal.goal, round(goal.bound, 4), goal.tags, goal.right, goal.more)


def _fit(labelled: _LabelledCounts, learned: Bools, settings: Settings, n_jobs: int) -> _Fitted:
    """Settings, weights, calibration and thresholds from these entries alone."""
    from threadpoolctl import threadpool_limits

    # Sums that several threads share come out otherwise each time; one thread gives the same bytes on any number of cores.
    with threadpool_limits(limits=1):
        return _fit_single_threaded(labelled, learned, settings, n_jobs)


def _fit_single_threaded(labelled: _LabelledCounts, learned: Bools, settings: Settings, n_jobs: int) -> _Fitted:
    from joblib import Parallel, delayed
    from scipy.sparse import csr_array

    n_entries, n_topics = labelled.yes.shape
    n_terms = labelled.counts.shape[1]
    which = np.flatnonzero(learned & labelled.learnable(1))
    many = len(which) >= _MANY
    n_folds = min(3, settings.n_folds) if many else settings.n_folds
    # Near-duplicates are not kept together here, as they are for figures: where entries have them, new entries will too, and
    # thresholds found without them would be too low.
    fold = stratified_folds(labelled.yes, np.arange(n_entries), n_folds, settings.seed + 1)
    settings, common = _search_settings(labelled, which, fold, settings, many)

    terms = _term_columns(labelled, settings)
    everything = np.arange(n_entries)
    parts = [_fold_part(labelled, terms, fold, k, settings) for k in range(n_folds)]
    parts.append(_FoldPart.of(labelled.counts, terms, everything, everything[:0], settings.min_df))
    # Small enough for all processes to have their share, large enough not to matter.
    size = max(1, min(32, len(which) // (4 * n_jobs) + 1))
    work = Parallel(n_jobs=n_jobs)(
        delayed(_fit_topics)(which[n : n + size], labelled, parts, settings, common, many) for n in range(0, len(which), size)
    )
    fits = [topic for chunk in work for topic in chunk]

    part = np.random.default_rng(settings.seed).permutation(n_entries) % settings.n_folds
    every = bool((np.bincount(labelled.yes.indices, minlength=n_entries) > 0).all())
    n_cells = [len(topic.entries) for topic in fits]
    logits = np.concatenate([topic.logits for topic in fits])
    found = []
    for own in (True, False):
        at = np.array([topic.calibration if own else common.centre for topic in fits])
        known = np.concatenate([topic.known for topic in fits])
        cells = OutOfFoldScores(
            np.repeat(which, n_cells),
            np.concatenate([topic.entries for topic in fits]),
            sigmoid(logits * np.repeat(at[:, 0], n_cells) + np.repeat(at[:, 1], n_cells)),
            np.concatenate([topic.yes for topic in fits]),
        )
        if labelled.taxonomy.has_constraints:
            cells, known = raise_cells_to_descendants(cells, known, n_entries, labelled.taxonomy, labelled.topic)
        found.append(
            (
                at,
                *thresholds_under_constraints(
                    cells,
                    known,
                    labelled.taxonomy,
                    lambda some: choose_thresholds(some, n_topics, part, settings.threshold_shrinkage, every),
                ),
            )
        )
    at, cut, precise = max(found, key=lambda one: one[1].quality)

    bias = np.full(n_topics, -np.inf)
    bias[which] = np.array([topic.bias for topic in fits]) * at[:, 0] + at[:, 1]
    lengths = [len(topic.terms) for topic in fits]
    weights = csr_array(
        (
            np.concatenate([topic.weights * slope for topic, slope in zip(fits, at[:, 0], strict=True)]),
            (np.concatenate([topic.terms for topic in fits]), np.repeat(which, lengths)),
        ),
        shape=(n_terms, n_topics),
    )
    cut.thresholds[np.isinf(bias)] = np.inf
    idf = np.zeros(n_terms)
    idf[parts[-1].terms] = parts[-1].idf
    return _Fitted(
        replace(settings, threshold_shrinkage=cut.threshold_shrinkage),
        idf,
        weights,
        bias,
        cut.thresholds,
        cut.min_topics,
        precise,
    )


@dataclass(frozen=True, slots=True)
class _FittedTopic:
    """A topic's weights and bias, its calibration, and the out-of-fold logits that matter for thresholds."""

    terms: Ints
    weights: Floats
    bias: float
    calibration: Floats  # (slope, offset)
    entries: Ints
    logits: Floats
    yes: Bools
    known: Bools  # which of them a person decided


def _fit_topics(
    which: Ints, labelled: _LabelledCounts, parts: list[_FoldPart], settings: Settings, common: Calibration, many: bool
) -> list[_FittedTopic]:
    found = []
    for t in which:
        yes, known = labelled.topic(t)
        logits = _out_of_fold(parts[:-1], yes, known, settings)
        there = known & ~np.isnan(logits)
        final = parts[-1].fit(yes, known, settings)
        assert final is not None
        kept = _significant_weights(final[0]) if many else np.flatnonzero(final[0])
        own = common.of(logits[there], yes[there])
        likely = np.maximum(logits * own[0] + own[1], logits * common.centre[0] + common.centre[1]) > np.log(FLOOR)
        # A score that no label stands beside still rules other topics out, or raises them.
        cells = np.flatnonzero((~np.isnan(logits) if labelled.taxonomy.has_constraints else there) & (likely | yes))
        own_cells = logits[cells], yes[cells], known[cells]
        found.append(_FittedTopic(parts[-1].terms[kept], final[0][kept], final[1], own, cells, *own_cells))
    return found


def _out_of_fold(parts: list[_FoldPart], yes: Bools, known: Bools, settings: Settings) -> Floats:
    """Scores of entries that the fit has not seen, (n_entries,), not a number where there are none."""
    logits = np.full(len(yes), np.nan)
    for part in parts:
        if (fitted := part.fit(yes, known, settings)) is not None:
            logits[part.scored] = part.x @ fitted[0] + fitted[1]
    return logits


def _significant_weights(weights: Floats) -> Ints:
    """Those that hold all but a thousandth of the squares."""
    squares = weights * weights
    order = np.argsort(squares, kind="stable")
    dropped = np.searchsorted(np.cumsum(squares[order]), _DROPPED * squares.sum())
    return np.sort(order[dropped:])


def _search_settings(
    labelled: _LabelledCounts, which: Ints, fold: Ints, settings: Settings, many: bool
) -> tuple[Settings, Calibration]:
    """Settings with nothing left open, and what makes their scores probabilities.

    Chosen on a sample of the topics, evenly spaced from the most to the least frequent, by the mean of micro-F1 and macro-F1
    of out-of-fold scores with one cut for all. The search begins where few topics do well, or many, and moves for a gain
    that is more than chance. Where topics are many, terms are words alone: pairs take five times the time and memory.
    """
    n_yes = np.diff(labelled.yes.indptr)[which]
    often = which[np.argsort(-n_yes, kind="stable")]
    size = min(len(which), _MOST, max(_FEWEST, _WORK // max(1, labelled.counts.nnz)))
    sample = often[np.unique(np.linspace(0, len(often) - 1, size).astype(int))]
    n_parts = min(2, int(fold.max()) + 1)
    sides = [labelled.topic(t) for t in sample]
    parts: dict[bool | None, list[_FoldPart]] = {}
    tried: dict[Settings, float] = {}
    held: dict[Settings, tuple[list[Floats], list[Bools]]] = {}  # logits and labels, of settings still in the running

    def quality(one: Settings) -> float:
        if one not in tried:
            if one.use_bigrams not in parts:
                terms = _term_columns(labelled, one)
                parts[one.use_bigrams] = [_fold_part(labelled, terms, fold, k, one) for k in range(n_parts)]
            logits, yes = [], []
            for side, known in sides:
                found = _out_of_fold(parts[one.use_bigrams], side, known, one)
                there = known & ~np.isnan(found)
                logits.append(found[there])
                yes.append(side[there])
            tried[one], held[one] = mean_f1(logits, yes), (logits, yes)
        return tried[one]

    def better(best: Settings, other: Settings, margin: float) -> Settings:
        chosen, left = (other, best) if quality(other) > quality(best) + margin else (best, other)
        held.pop(left, None)
        return chosen

    def climbed(best: Settings, steps: Sequence[int], margin: float) -> Settings:
        for step in steps if settings.C is None else ():
            at = _C.index(best.C) + step
            while 0 <= at < len(_C) and (higher := better(best, replace(best, C=_C[at]), margin)) != best:
                best, at = higher, at + step
        return best

    best = replace(
        settings,
        use_bigrams=not many if settings.use_bigrams is None else settings.use_bigrams,
        C=1.0 if settings.C is None else settings.C,
        scale_exponent=(0.5 if many else 1.0) if settings.scale_exponent is None else settings.scale_exponent,
    )
    quality(best)
    chance = 0.15 / np.sqrt(max(1, sum(side.sum() for side in held[best][1])))
    if settings.scale_exponent is None:
        best = better(best, replace(best, scale_exponent=1.0 if many else 0.5), chance)
    best = climbed(best, (-2, 2, -1, 1) if many else (-2, 2), chance / 2)
    if settings.use_bigrams is None and not many:
        best = better(best, climbed(replace(best, use_bigrams=False), (-2,), 0.0), 2 * chance)
    return best, fit_calibration(*held[best])


def _term_columns(labelled: _LabelledCounts, settings: Settings) -> Ints:
    """The columns of the counts that are words, or pairs too."""
    return np.flatnonzero(~labelled.pairs | bool(settings.use_bigrams)).astype(np.int32)


def _fold_part(labelled: _LabelledCounts, terms: Ints, fold: Ints, k: int, settings: Settings) -> _FoldPart:
    return _FoldPart.of(labelled.counts, terms, np.flatnonzero(fold != k), np.flatnonzero(fold == k), settings.min_df)


def _usual_known_share(counts: csr_array, words: Ints, pairs: Bools, settings: Settings) -> float:
    """The share of an entry's words that other entries make known, at the 5% quantile: less than that is unusual."""
    df = np.bincount(counts.indices, minlength=len(pairs))
    known = counts[:, np.flatnonzero(~pairs & (df > settings.min_df))].sum(axis=1)
    return round(float(np.quantile(known / np.maximum(words, 1), 0.05)), 4)


def _count_matrix(texts: Sequence[str], terms: HashedVocabulary) -> tuple[csr_array, Ints]:
    """The counts of each term, (n_entries, n_terms), and of all words, (n_entries,)."""
    from scipy.sparse import csr_array, vstack

    chunks = list(count_terms(texts, terms))
    parts = [
        # scikit-learn takes 32-bit indices only
        csr_array(
            (chunk.counts, chunk.terms.astype(np.int32), chunk.starts.astype(np.int32)),
            shape=(len(chunk.starts) - 1, terms.size),
        )
        for chunk in chunks
    ]
    return csr_array(vstack(parts)), np.concatenate([chunk.n_words for chunk in chunks])
