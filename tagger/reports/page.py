"""A report on a workspace's labels and model, as one page of HTML that needs nothing else: no network, no script.

Nothing in it comes from a clock or a machine: the same labels and models give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from importlib.util import find_spec
from typing import Any

from tagger import DISTRIBUTION
from tagger.curation.learning_curve import Point, learning_curve, n_fits
from tagger.errors import ModelError, UsageError
from tagger.evaluation.comparison import compare_models
from tagger.evaluation.figures import NARROW_INTERVAL, USABLE_YES_ENTRIES, Figures, require_figures, yes_entries_needed
from tagger.formats.plain_text import strip_unprintable
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.model.storage import load
from tagger.reports.figures import OVERALL, format_interval
from tagger.reports.pictures import plot_all
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.workspace.promotion import previous_model
from tagger.workspace.retrain import cross_validate_labels, is_current
from tagger.workspace.workspace import Workspace

__all__ = [
    "build_report",
    "evaluate_for_report",
    "need_extra",
    "render_report",
]


def build_report(
    place: Workspace,
    labels: Labels,
    with_curve: bool = True,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """The report, after a cross-validation of these labels as `tagger retrain` does it.

    Args:
        place: where the models are to compare with.
        labels: of the workspace.
        with_curve: whether to train on parts of the labels too, for a learning curve.
        n_jobs: processes to use; the report is the same.
        progress: called with the number of fits done and of all fits.

    Raises:
        UsageError: if matplotlib or Jinja2 is not installed.
        LabelsError: if there are too few labels to learn anything.
    """
    need_extra()
    return render_report(place, labels, *evaluate_for_report(labels, with_curve, n_jobs, progress))


def evaluate_for_report(
    labels: Labels,
    with_curve: bool = True,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Model, OutOfFold, Sequence[Point]]:
    """What a report shows: the model that labels give, its out-of-fold scores, and the learning curve, empty for none.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    settings = Settings()
    n_curve = n_fits(settings) if with_curve else 0
    model, held_out = cross_validate_labels(labels, settings, n_jobs, lambda done, total: progress(done, total + n_curve))
    if not with_curve:
        return model, held_out, ()
    before = settings.n_folds + 1
    told = lambda done, total: progress(before + done, before + total)  # noqa: E731
    return model, held_out, learning_curve(labels, held_out, settings, n_jobs, told)


def need_extra() -> None:
    """Whether what draws and writes the page is there.

    Raises:
        UsageError: if not.
    """
    lacking = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if lacking:
        raise UsageError(f"a report needs {' and '.join(lacking)}, not installed here; pip install '{DISTRIBUTION}[review]'")


def render_report(place: Workspace, labels: Labels, model: Model, held_out: OutOfFold, curve: Sequence[Point] = ()) -> str:
    """The report of a cross-validation that is done.

    Args:
        place: where the models are to compare with.
        labels: of the workspace.
        model: what they give.
        held_out: the out-of-fold scores that its figures come from.
        curve: the learning curve; empty for none.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"interval": format_interval, "fixed": lambda figure: "-" if figure is None else f"{figure:.3f}"}
    template = environment.from_string((resources.files("tagger.reports") / "page.html").read_text(encoding="utf-8"))
    before, state = _before(place, labels)
    comparison = compare_models(before, model, labels) if before is not None else None
    figures = require_figures(model)
    shown = plot_all(labels, model, held_out, curve)
    return strip_unprintable(
        template.render(
            training=model.training,
            state=state,
            overall=[(name, getattr(figures, key), text) for key, (name, text) in _TILES.items()],
            topics=_topics(labels, model, figures),
            narrow=NARROW_INTERVAL,
            usable=USABLE_YES_ENTRIES,
            pictures=[(picture, [Markup(panel) for panel in picture.panels]) for picture in shown],
            comparison=comparison,
            names={topic.id: topic.name for topic in labels.topics},
        )
    )


_TILES = {
    "micro_f1": (OVERALL["micro_f1"], "F1 of all tags together"),
    "macro_f1": (OVERALL["macro_f1"], "mean F1 of the topics"),
    "precision_at_1": (OVERALL["precision_at_1"], "share of entries with a tag whose best one is right"),
    "calibration_error": (OVERALL["calibration_error"], "how far scores are from shares, on average; 0 is best"),
}


def _topics(labels: Labels, model: Model, figures: Figures) -> list[dict[str, Any]]:
    """A row a topic: its name, figures, threshold (None where it is not learned) and how many more labels it needs."""
    rows = []
    for topic in labels.topics:
        of_topic = figures.topics[topic.id]
        rows.append(
            {
                "name": topic.name,
                "definition": topic.definition,
                "threshold": model.threshold_of(topic.id),
                "figures": of_topic,
                "lacking": "yes" if of_topic.n_yes < model.training.settings["min_yes"] else "no",
                "n_more": yes_entries_needed(of_topic.n_yes, of_topic.f1),
            }
        )
    return rows


def _before(place: Workspace, labels: Labels) -> tuple[Model | None, str]:
    """The model to compare with, and what there is to say of the one that the workspace has."""
    there, older = _loaded(place, "model"), _loaded(place, "previous")
    name = place.model.relative_to(place.folder).as_posix()
    if there is None:
        return older, f"{name} is not there, or cannot be read: 'tagger retrain' makes it."
    if is_current(there, labels, Settings()):
        return older, f"{name} is what these labels give."
    return there, f"{name} is not what these labels give. The figures are those of the model that 'tagger retrain' makes."


def _loaded(place: Workspace, which: str) -> Model | None:
    try:
        return load(place.model if which == "model" else previous_model(place))
    except ModelError:
        return None
