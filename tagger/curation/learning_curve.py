"""How good the model is by how many labels it learned from."""

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

__all__ = [
    "Point",
    "learning_curve",
    "n_fits",
]


Bools = NDArray[np.bool_]


Ints = NDArray[np.int64]


_SHARES = (1 / 8, 1 / 4, 1 / 2)  # of the entries outside a fold; all of them are in the cross-validation that is given


_ROUNDS = 500  # of the bootstrap, as for other figures


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve. Intervals are at 95%, over the entries that were tagged."""

    n_entries: int  # that each model learned from, on average over folds
    micro_f1: Interval
    macro_f1: Interval


def n_fits(settings: Settings) -> int:
    """How many models the curve takes."""
    return len(_SHARES) * settings.n_folds


def learning_curve(
    labels: Labels,
    held_out: OutOfFold,
    settings: Settings,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Point]:
    """Micro-F1 and macro-F1 of models that learned from an eighth, a quarter, half and all of the entries.

    For each fold of the cross-validation, models learn from nested samples of the entries outside it, thresholds and all,
    and tag the fold: so every point is about the same entries, and none was seen. A size at which some fold gives too few
    labels to learn from is left out.

    Args:
        labels: what to learn.
        held_out: the cross-validation of these labels; it is the last point.
        settings: those of that cross-validation.
        n_jobs: processes to use; the points are the same.
        progress: called with the number of fits done and of all fits.
    """
    from joblib import Parallel, delayed

    yes, known = labels.arrays()
    texts = [entry_text(entry) for entry in labels.entries]
    random = np.random.default_rng(settings.seed)
    folds = [np.flatnonzero(held_out.fold == k) for k in np.unique(held_out.fold)]
    outside = [random.permutation(np.setdiff1d(np.arange(len(texts)), fold)) for fold in folds]
    samples = [(share, k, others[: round(share * len(others))]) for share in _SHARES for k, others in enumerate(outside)]
    work = Parallel(n_jobs=limit_n_jobs(n_jobs, len(texts)), return_as="generator")(
        delayed(_tags)(
            [texts[n] for n in sample],
            yes[sample],
            known[sample],
            labels.taxonomy,
            settings,
            [texts[n] for n in folds[k]],
        )
        for _, k, sample in samples
    )
    tagged = {share: np.zeros_like(yes) for share in _SHARES}
    for done, ((share, k, _), tags) in enumerate(zip(samples, work, strict=True), start=1):
        if tags is None:
            tagged.pop(share, None)
        elif share in tagged:
            tagged[share][folds[k]] = tags
        progress(done, len(samples))
    sides = [*tagged.items(), (1.0, held_out.tagged)]
    sizes = [float(np.mean([round(share * len(others)) for others in outside])) for share, _ in sides]
    return [
        Point(round(size), *(_figure(figure, yes, known, tags) for figure in (metrics.micro_f1, metrics.macro_f1)))
        for size, (_, tags) in zip(sizes, sides, strict=True)
    ]


def _tags(
    texts: Sequence[str],
    yes: Bools,
    known: Bools,
    taxonomy: Taxonomy,
    settings: Settings,
    others: Sequence[str],
) -> Bools | None:
    """What a model of some entries tags in others, (n_others, n_topics); None where nothing can be learned."""
    try:
        model, _ = train(texts, yes, known, taxonomy, settings, cross_validate=False)
    except ValueError:
        return None
    return model.predict(model.score_texts(others))


def _figure(figure: Callable[[Bools, Bools, Bools], float], yes: Bools, known: Bools, tagged: Bools) -> Interval:
    def of(rows: Ints) -> float:
        return figure(yes[rows], known[rows], tagged[rows])

    return Interval(of(np.arange(len(yes))), *metrics.bootstrap_interval(of, len(yes), 0, _ROUNDS))
