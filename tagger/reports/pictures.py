"""Pictures of a model's quality, from the out-of-fold scores of a retraining."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from tagger import DISTRIBUTION
from tagger.curation.learning_curve import CurvePoint
from tagger.errors import UsageError
from tagger.evaluation.figures import require_figures
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.reports.markup_text import strip_unprintable
from tagger.reports.score_pictures import plot_learning_curve, plot_reliability
from tagger.reports.svg import Picture
from tagger.reports.topic_pictures import PlottedTopic, plot_label_counts, plot_precision_recall
from tagger.training.out_of_fold import OutOfFold

__all__ = ["plot_all", "plot_model"]


def plot_model(labels: Labels, model: Model, out_of_fold: OutOfFold, curve: Sequence[CurvePoint] = ()) -> dict[str, str]:
    """By name, each picture as one SVG, to be kept in a file or shown as an image. See `plot_all`."""
    return {picture.name: picture.svg for picture in plot_all(labels, model, out_of_fold, curve)}


def plot_all(labels: Labels, model: Model, out_of_fold: OutOfFold, curve: Sequence[CurvePoint] = ()) -> list[Picture]:
    """Precision-recall curves, a reliability diagram, the learning curve if it has two points, and how many labels there are.

    Args:
        labels: of the entries in `out_of_fold`.
        model: the model that these labels give, with its figures.
        out_of_fold: scores and tags, from `cross_validate_labels`.
        curve: from `compute_learning_curve`.

    Raises:
        UsageError: if matplotlib is not installed.
        ModelError: if the model has no figures.
    """
    if find_spec("matplotlib") is None:
        raise UsageError(f"pictures need matplotlib, which is not installed; pip install '{DISTRIBUTION}[review]'")
    yes, labelled = labels.arrays()
    figures = require_figures(model)
    topics = [
        PlottedTopic(strip_unprintable(topic.name), figures.topics[topic.id], model.is_learned(topic.id))
        for topic in labels.topics
    ]
    pictures = [
        plot_precision_recall(topics, yes, labelled, out_of_fold.scores),
        plot_reliability(yes, labelled, out_of_fold.scores),
    ]
    if len(curve) > 1:
        pictures.append(plot_learning_curve(curve))
    return [*pictures, plot_label_counts(topics)]
