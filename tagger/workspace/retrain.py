"""Labels of a workspace -> a model with its figures, and the comparison with the model that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import tagger
from tagger.errors import LabelsError
from tagger.evaluation.figures import compute_figures, require_figures
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.text.normalize import entry_text
from tagger.training.settings import Settings
from tagger.training.trainer import OutOfFold, train

__all__ = [
    "cross_validate_labels",
    "describe_not_learned",
    "is_current",
    "jobs_for",
    "train_from_labels",
]


_MANY = 200  # labelled entries: with fewer, starting processes takes longer than fitting


def is_current(model: Model | None, labels: Labels, settings: Settings) -> bool:
    """Whether a model is what these labels and settings give, by what its header says of them and of its maker."""
    return (
        model is not None
        and model.about.get("labels_hash") == labels.hash()
        and model.about.get("settings") == settings.to_header()
        and model.about.get("versions", {}).get("tagger") == tagger.__version__
    )


def jobs_for(labels: Labels, n_jobs: int) -> int:
    """How many of the processes allowed are worth starting."""
    return n_jobs if len(labels.entries) >= _MANY else 1


def train_from_labels(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Model:
    """The model that these labels give, with its figures in `about`; see `cross_validate_labels`."""
    return cross_validate_labels(labels, settings, n_jobs, progress)[0]


def cross_validate_labels(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Model, OutOfFold]:
    """The model that these labels give, with its figures in `about`, and the out-of-fold scores that they come from.

    Args:
        labels: what to learn.
        settings: see `Settings`.
        n_jobs: processes to use, where there are enough labels for them to be worth it; the model is the same.
        progress: called with the number of fits done and of all fits.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    import sklearn

    yes, known = labels.arrays()
    try:
        model, held_out = train(
            [entry_text(entry) for entry in labels.entries],
            yes,
            known,
            labels.taxonomy,
            settings,
            jobs_for(labels, n_jobs),
            progress,
        )
    except ValueError as error:
        raise LabelsError(f"nothing can be learned from {len(labels.entries)} labelled entries: {error}; label more") from None
    ids = b"".join(entry.id.encode() for entry in labels.entries)
    model = replace(
        model,
        out_of_fold_tags=held_out.tagged.astype(np.uint8),
        out_of_fold_ids=np.frombuffer(ids, dtype=np.uint8).reshape(len(labels.entries), -1),
        about={
            "labels_hash": labels.hash(),
            "n_entries": len(labels.entries),
            "versions": {"tagger": tagger.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
            **model.about,
            "figures": compute_figures(yes, known, held_out.scores, held_out.tagged, labels.topics, settings.seed).to_json(),
        },
    )
    return model, held_out


def describe_not_learned(model: Model, at_least: int) -> list[str]:
    """A sentence for each topic that a model could not learn, for want of so many yes or no entries."""
    figures = require_figures(model)
    lines = []
    for topic, threshold in zip(model.topics, model.thresholds, strict=True):
        if threshold == float("inf"):
            n_yes, n_no = figures.topics[topic.id].n_yes, figures.topics[topic.id].n_no
            n, label = (n_yes, "yes") if n_yes < at_least else (n_no, "no")
            lines.append(f"{topic.name}: only {n} {label} entries, so it is not tagged; label more")
    return lines
