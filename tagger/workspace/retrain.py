"""From the labels of a workspace to a model with its figures, compared with the model before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import tagger
from tagger.errors import LabelsError
from tagger.evaluation.comparison import Comparison, compare_models, topics_with_other_goals
from tagger.evaluation.figures import compute_figures, require_figures
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.text.normalize import entry_text
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.training.trainer import train

__all__ = [
    "Retraining",
    "cross_validate_labels",
    "describe_not_learned",
    "is_current",
    "limit_n_jobs",
    "retrain_model",
    "train_from_labels",
]

_PARALLEL_ENTRIES = 200  # labelled entries; with fewer, starting processes takes longer than fitting


def is_current(model: Model | None, labels: Labels, settings: Settings) -> bool:
    """Whether a model is what these labels and settings give. Its header says of which labels and settings it was made."""
    return (
        model is not None
        and model.training.labels_hash == labels.hash()
        and model.training.settings == settings.to_header()
        and model.training.versions.get("tagger") == tagger.__version__
    )


def limit_n_jobs(n_jobs: int, n_entries: int) -> int:
    """How many of some processes are worth starting to learn from so many entries."""
    return n_jobs if n_entries >= _PARALLEL_ENTRIES else 1


@dataclass(frozen=True, slots=True, eq=False)
class Retraining:
    """A new model beside the one that it is to replace."""

    model: Model
    comparison: Comparison | None  # with the old model; None where there is none, or nothing to compare
    not_compared: tuple[str, ...]  # ids of topics that ask for another precision than in the old model


def retrain_model(
    old: Model | None,
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Retraining:
    """Train a model from labels, and compare it with the old one.

    Args:
        old: the model to compare with; None for none.
        labels: what to learn.
        settings: see `Settings`.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    new = train_from_labels(labels, settings, n_jobs, progress)
    if old is None:
        return Retraining(new, None, ())
    return Retraining(new, compare_models(old, new, labels), tuple(topics_with_other_goals(old, new)))


def train_from_labels(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Model:
    """The model that these labels give, with its figures in `training`. See `cross_validate_labels`."""
    return cross_validate_labels(labels, settings, n_jobs, progress)[0]


def cross_validate_labels(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Model, OutOfFold]:
    """The model that these labels give, with its figures in `training`, and the out-of-fold scores that they come from.

    Args:
        labels: what to learn.
        settings: see `Settings`.
        n_jobs: processes to use where there are enough labels. The model is the same for any number.
        progress: called with the number of fits done and of all fits.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    import sklearn

    yes, labelled = labels.arrays()
    try:
        model, out_of_fold = train(
            [entry_text(entry) for entry in labels.entries],
            yes,
            labelled,
            labels.taxonomy,
            settings,
            limit_n_jobs(n_jobs, len(labels.entries)),
            progress,
        )
    except ValueError as error:
        raise LabelsError(f"nothing can be learned from {len(labels.entries)} labelled entries: {error}; label more") from None
    ids = b"".join(entry.id.encode() for entry in labels.entries)
    model = replace(
        model,
        out_of_fold_tags=out_of_fold.tagged.astype(np.uint8),
        out_of_fold_ids=np.frombuffer(ids, dtype=np.uint8).reshape(len(labels.entries), -1),
        training=replace(
            model.training,
            labels_hash=labels.hash(),
            n_entries=len(labels.entries),
            versions={"tagger": tagger.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
            figures=compute_figures(
                yes, labelled, out_of_fold.scores, out_of_fold.tagged, labels.topics, settings.seed
            ).to_json(),
        ),
    )
    return model, out_of_fold


def describe_not_learned(model: Model, at_least: int) -> list[str]:
    """A sentence for each topic that a model could not learn.

    Args:
        model: with its figures.
        at_least: yes entries, and no entries, that a topic needs.

    Raises:
        ModelError: if the model has no figures.
    """
    figures = require_figures(model)
    lines = []
    for topic in model.topics:
        if not model.is_learned(topic.id):
            n_yes, n_no = figures.topics[topic.id].n_yes, figures.topics[topic.id].n_no
            n, label = (n_yes, "yes") if n_yes < at_least else (n_no, "no")
            lines.append(f"{topic.name}: only {n} {label} entries, so it is not tagged; label more")
    return lines
