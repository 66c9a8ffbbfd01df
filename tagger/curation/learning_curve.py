"""How good the model is, by how many labels it learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation import metrics
from tagger.evaluation.figures import Interval
from tagger.labels.dataset import Labels
from tagger.taxonomy import Taxonomy
from tagger.text.normalize import entry_text
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.training.trainer import train
from tagger.workspace.retrain import limit_n_jobs

__all__ = ["CurvePoint", "compute_learning_curve", "count_curve_fits"]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_SHARES = (1 / 8, 1 / 4, 1 / 2)  # of the entries outside a fold; the cross-validation itself has learned from all of them
_ROUNDS = 500  # of the bootstrap, as for other figures


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One point of the curve. Intervals are at 95%, over the entries that were tagged; nothing is rounded."""

    n_entries: int  # that each model learned from, on average over folds
    micro_f1: Interval
    macro_f1: Interval


def count_curve_fits(settings: Settings) -> int:
    """How many models must be fitted for the curve."""
    return len(_SHARES) * settings.n_folds


def compute_learning_curve(
    labels: Labels,
    out_of_fold: OutOfFold,
    settings: Settings,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[CurvePoint]:
    """Micro-F1 and macro-F1 of models that learned from an eighth, a quarter, half and all of the entries.

    For each fold of the cross-validation, models learn from nested samples of the entries outside it, their thresholds too,
    and tag the fold. So every point is about the same entries, and no model had seen the entries that it tags. A size is left
    out if the sample of some fold has too few labels to learn from.

    Args:
        labels: what to learn.
        out_of_fold: the cross-validation of these labels; it is the last point.
        settings: those of that cross-validation.
        n_jobs: processes to use; the points are the same.
        progress: called with the number of fits done and of all fits.
    """
    from joblib import Parallel, delayed

    yes, labelled = labels.arrays()
    texts = [entry_text(entry) for entry in labels.entries]
    random = np.random.default_rng(settings.seed)
    folds = [np.flatnonzero(out_of_fold.fold == k) for k in np.unique(out_of_fold.fold)]
    outside = [random.permutation(np.setdiff1d(np.arange(len(texts)), fold)) for fold in folds]
    samples = [(share, k, entries[: round(share * len(entries))]) for share in _SHARES for k, entries in enumerate(outside)]
    fits = Parallel(n_jobs=limit_n_jobs(n_jobs, len(texts)), return_as="generator")(
        delayed(_train_and_tag)(
            [texts[n] for n in sample],
            yes[sample],
            labelled[sample],
            labels.taxonomy,
            settings,
            [texts[n] for n in folds[k]],
        )
        for _, k, sample in samples
    )
    tagged = {share: np.zeros_like(yes) for share in _SHARES}
    for n_done, ((share, k, _), tags) in enumerate(zip(samples, fits, strict=True), start=1):
        if tags is None:
            tagged.pop(share, None)
        elif share in tagged:
            tagged[share][folds[k]] = tags
        progress(n_done, len(samples))
    tagged[1.0] = out_of_fold.tagged
    return [
        CurvePoint(
            round(float(np.mean([round(share * len(entries)) for entries in outside]))),
            _figure_with_interval(metrics.micro_f1, yes, labelled, tags),
            _figure_with_interval(metrics.macro_f1, yes, labelled, tags),
        )
        for share, tags in tagged.items()
    ]


def _train_and_tag(
    texts: Sequence[str],
    yes: Bools,
    labelled: Bools,
    taxonomy: Taxonomy,
    settings: Settings,
    others: Sequence[str],
) -> Bools | None:
    """What a model of some entries tags in others, (n_others, n_topics); None where nothing can be learned."""
    try:
        model, _ = train(texts, yes, labelled, taxonomy, settings, cross_validate=False)
    except ValueError:
        return None
    return model.predict(model.score_texts(others))


def _figure_with_interval(
    figure: Callable[[Bools, Bools, Bools], float], yes: Bools, labelled: Bools, tagged: Bools
) -> Interval:
    def of_entries(rows: Ints) -> float:
        return figure(yes[rows], labelled[rows], tagged[rows])

    low, high = metrics.bootstrap_interval(of_entries, len(yes), 0, _ROUNDS)
    return Interval(of_entries(np.arange(len(yes))), low, high)
