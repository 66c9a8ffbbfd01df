"""The report page: how good a workspace's model is, as one page of HTML that needs nothing else, no network and no script.

Nothing in it comes from a clock or a machine: the same labels and models give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tagger import DISTRIBUTION
from tagger.curation.learning_curve import CurvePoint, compute_learning_curve, count_curve_fits
from tagger.errors import ModelError, UsageError
from tagger.evaluation.comparison import compare_models
from tagger.evaluation.figures import (
    NARROW_INTERVAL,
    USABLE_YES_ENTRIES,
    Figures,
    TopicFigures,
    require_figures,
    yes_entries_needed,
)
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.model.storage import load
from tagger.reports.figures import OVERALL, format_interval
from tagger.reports.markup_text import strip_unprintable
from tagger.reports.pictures import plot_all
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.workspace.promotion import previous_model
from tagger.workspace.retrain import cross_validate_labels, is_current
from tagger.workspace.workspace import Workspace

__all__ = ["ReportData", "build_report", "evaluate_for_report", "render_report", "require_report_packages"]

_TILES = {
    "micro_f1": "F1 of all tags together",
    "macro_f1": "mean F1 of the topics",
    "precision_at_1": "share of entries with a tag whose best one is right",
    "calibration_error": "how far scores are from shares, on average; 0 is best",
}


class ReportData(NamedTuple):
    """What a report shows of some labels."""

    model: Model  # that the labels give
    out_of_fold: OutOfFold  # what its figures come from
    curve: Sequence[CurvePoint]  # the learning curve; empty for none


@dataclass(frozen=True, slots=True)
class _TopicRow:
    """A topic on the page."""

    name: str
    definition: str
    threshold: float | None  # None where the topic is not learned
    figures: TopicFigures
    lacking: str  # which entries a topic that is not learned has too few of, "yes" or "no"
    n_more: int  # yes entries that it needs


def build_report(
    workspace: Workspace,
    labels: Labels,
    with_curve: bool = True,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """The report, after a cross-validation of these labels as `tagger retrain` does it.

    Args:
        workspace: where the models are to compare with.
        labels: of the workspace.
        with_curve: whether to train on parts of the labels too, for a learning curve.
        n_jobs: processes to use; the report is the same.
        progress: called with the number of fits done and of all fits.

    Raises:
        UsageError: if matplotlib or Jinja2 is not installed.
        LabelsError: if there are too few labels to learn anything.
    """
    require_report_packages()
    return render_report(workspace, labels, *evaluate_for_report(labels, with_curve, n_jobs, progress))


def evaluate_for_report(
    labels: Labels,
    with_curve: bool = True,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ReportData:
    """What a report shows of these labels.

    Args:
        labels: what to learn.
        with_curve: whether to train on parts of the labels too, for a learning curve.
        n_jobs: processes to use; the result is the same.
        progress: called with the number of fits done and of all fits.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    settings = Settings()
    n_later = count_curve_fits(settings) if with_curve else 0
    model, out_of_fold = cross_validate_labels(labels, settings, n_jobs, lambda done, total: progress(done, total + n_later))
    if not with_curve:
        return ReportData(model, out_of_fold, ())
    n_before = settings.n_folds + 1

    def show(done: int, total: int) -> None:
        progress(n_before + done, n_before + total)

    return ReportData(model, out_of_fold, compute_learning_curve(labels, out_of_fold, settings, n_jobs, show))


def require_report_packages() -> None:
    """Check that what draws and writes the page is installed.

    Raises:
        UsageError: if it is not.
    """
    lacking = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if lacking:
        raise UsageError(f"a report needs {' and '.join(lacking)}, not installed here; pip install '{DISTRIBUTION}[review]'")


def render_report(
    workspace: Workspace, labels: Labels, model: Model, out_of_fold: OutOfFold, curve: Sequence[CurvePoint] = ()
) -> str:
    """The report of a cross-validation that is done.

    Args:
        workspace: where the models are to compare with.
        labels: of the workspace.
        model: that they give.
        out_of_fold: the scores that its figures come from.
        curve: the learning curve; empty for none.

    Raises:
        ModelError: if the model has no figures.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"interval": format_interval, "fixed": lambda figure: "-" if figure is None else f"{figure:.3f}"}
    template = environment.from_string((resources.files("tagger.reports") / "page.html").read_text(encoding="utf-8"))
    base, state = _choose_base(workspace, labels)
    figures = require_figures(model)
    pictures = plot_all(labels, model, out_of_fold, curve)
    page = template.render(
        training=model.training,
        state=state,
        overall=[(OVERALL[name], getattr(figures, name), text) for name, text in _TILES.items()],
        topics=_topic_rows(labels, model, figures),
        narrow=NARROW_INTERVAL,
        usable=USABLE_YES_ENTRIES,
        pictures=[(picture, [Markup(panel) for panel in picture.panels]) for picture in pictures],
        comparison=compare_models(base, model, labels) if base is not None else None,
        names={topic.id: topic.name for topic in labels.topics},
    )
    return strip_unprintable(page)


def _topic_rows(labels: Labels, model: Model, figures: Figures) -> list[_TopicRow]:
    rows = []
    for topic in labels.topics:
        of_topic = figures.topics[topic.id]
        lacking = "yes" if of_topic.n_yes < model.training.settings["min_yes"] else "no"
        n_more = yes_entries_needed(of_topic.n_yes, of_topic.f1)
        threshold = model.threshold_of(topic.id)
        rows.append(_TopicRow(topic.name, topic.definition, threshold, of_topic, lacking, n_more))
    return rows


def _choose_base(workspace: Workspace, labels: Labels) -> tuple[Model | None, str]:
    """The model to compare with, None for none, and what there is to say of the model that the workspace has.

    That is the previous model if the workspace's model is what the labels give.
    """
    in_place, previous = _load_or_none(workspace.model), _load_or_none(previous_model(workspace))
    name = workspace.model.relative_to(workspace.folder).as_posix()
    if in_place is None:
        return previous, f"{name} is not there, or cannot be read: 'tagger retrain' makes it."
    if is_current(in_place, labels, Settings()):
        return previous, f"{name} is what these labels give."
    return in_place, f"{name} is not what these labels give. The figures are those of the model that 'tagger retrain' makes."


def _load_or_none(path: Path) -> Model | None:
    try:
        return load(path)
    except ModelError:
        return None
