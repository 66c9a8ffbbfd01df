"""What a model must reach: it is not worse than the base, and its figures keep the limits of labels/topics.toml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tagger.ci.changed_rows import ChangedRow, describe_changed_rows
from tagger.ci.check import Check
from tagger.errors import Problem
from tagger.evaluation.comparison import Comparison, compare_models, topics_with_other_goals
from tagger.evaluation.figures import Figures
from tagger.formats.plain_text import count_noun
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.source import Source
from tagger.taxonomy import Gate
from tagger.workspace.workspace import Workspace

__all__ = ["check_base", "check_calibration", "check_floors"]


def check_base(
    workspace: Workspace, model: Model, base: Model | None, labels: Labels, changed: Sequence[ChangedRow] | None
) -> Check:
    """No topic is significantly worse than in the base, nor are all topics together.

    Args:
        workspace: what the messages are about.
        model: the model to check.
        base: the model to compare it with; None for none.
        labels: by which both are judged.
        changed: the rows that differ from the base's labels. Cells that differ count for neither model. None if that is not
            known.
    """
    if base is None:
        return Check("base", "skipped", "no model to compare with")
    source = Source(str(workspace.labels / "topics.toml"))
    warnings = tuple(Problem(source, message) for message in _describe_not_compared(model, base, labels))
    disputed = {row.id: row.topics for row in changed or () if row.in_both}
    comparison = compare_models(base, model, labels, disputed)
    if comparison is None:
        return Check("base", "skipped", "the base has no topic to compare", warnings=warnings)
    losses = list(_describe_losses(comparison))
    if losses:
        hint, rows = describe_changed_rows(changed, comparison.worse_topics)
        return Check("base", "failed", f"significantly worse than the base: {', '.join(losses)}{hint}", rows, warnings)
    n_topics = count_noun(len(comparison.p_topics), "topic", "topics")
    least = min(comparison.p_worse, *comparison.p_topics.values())
    message = f"none of {n_topics} significantly worse (least p = {least:.2f})"
    return Check("base", "ok", message, warnings=warnings)


def _describe_not_compared(model: Model, base: Model, labels: Labels) -> Iterator[str]:
    for topic in base.topics:
        if topic.id not in labels.taxonomy.column:
            yield f"the base's topic {topic.id!r} is gone; it is not compared"
    for id in topics_with_other_goals(base, model):
        yield f"topic {id!r} asks for another precision than the base's; it is not compared"


def _describe_losses(comparison: Comparison) -> Iterator[str]:
    """In what the new model is significantly worse: all topics together, then single ones."""
    if comparison.worse:
        old, new = comparison.old.micro_f1.value, comparison.new.micro_f1.value
        yield f"all topics together micro-F1 {_figure_text(old)} -> {_figure_text(new)} (p = {comparison.p_worse:.4f})"
    for topic in comparison.worse_topics:
        old, new = comparison.old.topics[topic].value, comparison.new.topics[topic].value
        yield f"{topic} F1 {_figure_text(old)} -> {_figure_text(new)} (p = {comparison.p_topics[topic]:.4f})"


def check_floors(figures: Figures, gate: Gate, changed: Sequence[ChangedRow] | None) -> Check:
    """The F1 of each topic, by cross-validation, reaches the floor that labels/topics.toml sets."""
    if not gate.floors:
        return Check("floors", "skipped", "no topic of labels/topics.toml has one")
    f1 = {topic: figures.topics[topic].f1.value for topic in gate.floors}
    too_low = {topic: floor for topic, floor in gate.floors.items() if (value := f1[topic]) is None or value < floor}
    if too_low:
        below = (f"{topic} F1 {_figure_text(f1[topic])} is below its floor {floor:g}" for topic, floor in too_low.items())
        hint, rows = describe_changed_rows(changed, too_low)
        return Check("floors", "failed", ", ".join(below) + hint, rows)
    n = len(gate.floors)
    return Check("floors", "ok", f"{n} {'topic reaches its floor' if n == 1 else 'topics reach their floors'}")


def check_calibration(figures: Figures, gate: Gate) -> Check:
    """The calibration error, by cross-validation, is at most the limit that labels/topics.toml sets."""
    error, limit = figures.calibration_error.value, gate.calibration_error
    if limit is None:
        return Check("calibration", "skipped", "labels/topics.toml sets no limit")
    if error is None or error > limit:
        return Check("calibration", "failed", f"calibration error {_figure_text(error)} is above its limit {limit:g}")
    return Check("calibration", "ok", f"calibration error {_figure_text(error)}, limit {limit:g}")


def _figure_text(figure: float | None) -> str:
    return "undefined" if figure is None else f"{figure:.3f}"
