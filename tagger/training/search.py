"""How settings that are left open are chosen: a search by out-of-fold scores, one setting after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.model.decision import reach_thresholds
from tagger.training.calibration import Calibration, fit_calibration
from tagger.training.fold_data import FoldData, out_of_fold_logits
from tagger.training.labelled_counts import LabelledCounts
from tagger.training.settings import Settings
from tagger.training.thresholds import mean_of_micro_and_macro_f1
from tagger.training.topic_threshold import best_f1_threshold

__all__ = ["SearchResult", "common_threshold_f1", "search_settings"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

C_GRID = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # values of C that are tried

_MIN_TOPICS, _MAX_TOPICS = 48, 400  # how many topics settings are chosen on

_MAX_FITTED_COUNTS = 1 << 26  # fewer topics than the maximum are used if these would need more counts in all

_N_SEARCH_FOLDS = 2  # as many of the folds are scored for each candidate

_N_BANDS = 10  # of topics, in `common_threshold_f1`


class SearchResult(NamedTuple):
    """Settings with nothing left open, and how out-of-fold logits with these settings become probabilities."""

    settings: Settings
    calibration: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Settings, and the out-of-fold logits that they give."""

    settings: Settings
    quality: float
    logits: list[Floats]  # an array for each topic of the sample
    yes: list[Bools]  # the labels of the same cells


def search_settings(data: LabelledCounts, columns: Ints, fold: Ints, settings: Settings, has_many_topics: bool) -> SearchResult:
    """Choose the settings that are None.

    Settings are compared on a sample of the topics, evenly spaced from the most to the least frequent one, by
    `common_threshold_f1`. The search starts from settings that suit few topics, or many, and takes a step if the gain is more
    than chance. With many topics, terms are words alone, because bigrams take five times the time and memory.

    Args:
        data: the entries.
        columns: the topics that can be learned.
        fold: the fold of each entry, (n_entries,).
        settings: those to start from.
        has_many_topics: whether to start from what suits many topics.
    """
    search = _SettingsSearch(data, columns, fold)
    best = search.evaluate(_starting_settings(settings, has_many_topics))
    noise = 0.15 / np.sqrt(max(1, sum(yes.sum() for yes in best.yes)))  # a smaller gain may be chance
    if settings.scale_exponent is None:
        best = search.better(best, replace(best.settings, scale_exponent=1.0 if has_many_topics else 0.5), noise)
    if settings.C is None:
        best = search.coordinate_search(best, (-2, 2, -1, 1) if has_many_topics else (-2, 2), noise / 2)
    if settings.use_bigrams is None and not has_many_topics:
        words_alone = search.evaluate(replace(best.settings, use_bigrams=False))
        if settings.C is None:
            words_alone = search.coordinate_search(words_alone, (-2,), 0.0)
        best = words_alone if words_alone.quality > best.quality + 2 * noise else best
    return SearchResult(best.settings, fit_calibration(best.logits, best.yes))


def _starting_settings(settings: Settings, has_many_topics: bool) -> Settings:
    return replace(
        settings,
        use_bigrams=not has_many_topics if settings.use_bigrams is None else settings.use_bigrams,
        C=1.0 if settings.C is None else settings.C,
        scale_exponent=(0.5 if has_many_topics else 1.0) if settings.scale_exponent is None else settings.scale_exponent,
    )


class _SettingsSearch:
    """Evaluates settings on the same topics and folds, each once."""

    def __init__(self, data: LabelledCounts, columns: Ints, fold: Ints) -> None:
        self._data = data
        self._fold = fold
        self._labels = [data.topic_labels(t) for t in _sample_topics(data, columns)]
        self._folds: dict[bool | None, list[FoldData]] = {}  # by whether bigrams are used
        self._qualities: dict[Settings, float] = {}

    def evaluate(self, settings: Settings) -> _Trial:
        """The out-of-fold logits with some settings, and how good they are."""
        if settings.use_bigrams not in self._folds:
            n_folds = min(_N_SEARCH_FOLDS, int(self._fold.max()) + 1)
            self._folds[settings.use_bigrams] = FoldData.of_folds(self._data, self._fold, range(n_folds), settings)
        logits, yes = [], []
        for labels in self._labels:
            topic_logits = out_of_fold_logits(self._folds[settings.use_bigrams], labels, settings)
            is_scored = labels.labelled & ~np.isnan(topic_logits)
            logits.append(topic_logits[is_scored])
            yes.append(labels.yes[is_scored])
        self._qualities[settings] = common_threshold_f1(logits, yes)
        return _Trial(settings, self._qualities[settings], logits, yes)

    def better(self, best: _Trial, candidate: Settings, margin: float) -> _Trial:
        """The candidate's trial if its quality is higher by more than a margin, else the best one so far."""
        if self._qualities.get(candidate, np.inf) <= best.quality + margin:
            return best  # it was tried before
        trial = self.evaluate(candidate)
        return trial if trial.quality > best.quality + margin else best

    def coordinate_search(self, best: _Trial, steps: Sequence[int], margin: float) -> _Trial:
        """The best trial along the grid of C: each step is repeated as long as it gains more than a margin."""
        for step in steps:
            while True:
                assert best.settings.C is not None
                place = C_GRID.index(best.settings.C) + step
                if not 0 <= place < len(C_GRID):
                    break
                trial = self.better(best, replace(best.settings, C=C_GRID[place]), margin)
                if trial is best:
                    break
                best = trial
        return best


def _sample_topics(data: LabelledCounts, columns: Ints) -> Ints:
    """Some of the topics, evenly spaced from the most to the least frequent one."""
    n_yes = np.diff(data.yes.indptr)[columns]
    most_frequent_first = columns[np.argsort(-n_yes, kind="stable")]
    n_affordable = _MAX_FITTED_COUNTS // max(1, data.counts.nnz)
    size = min(len(columns), _MAX_TOPICS, max(_MIN_TOPICS, n_affordable))
    places = np.linspace(0, len(most_frequent_first) - 1, size).astype(int)
    sample: Ints = most_frequent_first[np.unique(places)]
    return sample


def common_threshold_f1(scores: Sequence[Floats], yes: Sequence[Bools]) -> float:
    """The mean of micro-F1 and macro-F1 with one threshold for all topics, the one with the best micro-F1.

    Macro-F1 is here the mean over ten bands of topics that follow one another. Chance moves it less than the mean over topics
    with a handful of yes entries each.

    Args:
        scores: an array for each topic, the most frequent topic first.
        yes: an array for each topic, of the same lengths.
    """
    all_scores, all_yes = np.concatenate(scores), np.concatenate(yes)
    if not all_yes.any():
        return 0.0
    tagged = reach_thresholds(all_scores, np.array(best_f1_threshold(all_scores, all_yes)))
    n_topics = len(yes)
    bands = np.repeat(np.arange(n_topics) * min(_N_BANDS, n_topics) // n_topics, [len(topic_yes) for topic_yes in yes])
    masks = tagged & all_yes, tagged, all_yes
    return mean_of_micro_and_macro_f1(*(np.bincount(bands[mask], minlength=bands[-1] + 1) for mask in masks))
