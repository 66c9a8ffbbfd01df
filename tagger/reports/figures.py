"""Figures of a model -> text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tagger.evaluation.comparison import Comparison
from tagger.evaluation.figures import Figures, Interval, TopicFigures
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns, count_noun
from tagger.model.model import Model

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BARS", "OVERALL", "comparison_text", "figures_frame", "figures_text", "format_interval", "frame_text"]

OVERALL = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "calibration_error": "calibration error",
    "precision_at_1": "first tag right",
}

_OF_A_TOPIC = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "average precision"}
BARS = "The bars show F1 from 0 to 1: █ up to the lower end of its interval, ▒ from there to the upper end."
_BAR_LENGTH = 20


def figures_frame(figures: Figures, model: Model) -> pd.DataFrame:
    """Figures as a table: a row a topic and one for each figure over all topics; value, lower and upper as columns."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for topic in model.topics:
        of_topic, threshold = figures.topics[topic.id], model.threshold_of(topic.id)
        row: dict[str, Any] = {"topic": topic.id, "yes": of_topic.n_yes, "unsure": of_topic.n_unsure}
        for name in _OF_A_TOPIC:
            row |= dict(zip((name, f"{name} low", f"{name} high"), getattr(of_topic, name).to_json(), strict=True))
        rows.append(row | {"threshold": None if threshold is None else round(threshold, 4)})
    for name, numbers in figures.to_json().items():
        if name not in ("n_entries", "topics"):
            rows.append({"topic": name} | dict(zip(("value", "value low", "value high"), numbers, strict=True)))
    frame = pd.DataFrame(rows)
    return frame.astype({"yes": "Int64", "unsure": "Int64"})


def figures_text(
    figures: Figures, model: Model, form: str = "table", shown: Sequence[str] = tuple(_OF_A_TOPIC), bars: bool = False
) -> str:
    """Figures in one of the forms table, jsonl, csv, markdown.

    Args:
        figures: of the model.
        model: whose topics and thresholds are shown.
        form: the form.
        shown: the figures of each topic in a table and in Markdown.
        bars: whether the F1 of each topic has a bar, in Markdown.
    """
    if form in ("csv", "jsonl"):
        return frame_text(figures_frame(figures, model), form)
    header = ["topic", "yes", *(_OF_A_TOPIC[name] for name in shown), "threshold"]
    rows = [
        _topic_cells(topic.name, figures.topics[topic.id], model.threshold_of(topic.id), form, shown) for topic in model.topics
    ]
    if bars:
        header.insert(1, "")
        for topic, row in zip(model.topics, rows, strict=True):
            row.insert(1, _draw_bar(figures.topics[topic.id].f1))
    overall = [f"{label} {format_interval(getattr(figures, name))}" for name, label in OVERALL.items()]
    if form == "markdown":
        return markdown_table(header, rows) + "\n" + "".join(f"- {line}\n" for line in overall)
    return align_columns(header, rows) + "\n" + "".join(line + "\n" for line in overall)


def _topic_cells(name: str, figures: TopicFigures, threshold: float | None, form: str, shown: Sequence[str]) -> list[str]:
    return [
        escape_markdown(name) if form == "markdown" else name,
        str(figures.n_yes),
        *(format_interval(getattr(figures, figure)) for figure in shown),
        "too few" if threshold is None else f"{threshold:.2f}",
    ]


def _draw_bar(interval: Interval) -> str:
    """An interval from 0 to 1 as text, for a host that shows no picture in a summary.

    >>> _draw_bar(Interval(0.8, 0.72, 0.86))
    '`██████████████▒▒▒░░░`'
    """
    if interval.low is None or interval.high is None:
        return ""
    low, high = round(interval.low * _BAR_LENGTH), round(interval.high * _BAR_LENGTH)
    return f"`{'█' * low}{'▒' * (high - low)}{'░' * (_BAR_LENGTH - high)}`"


def frame_text(frame: pd.DataFrame, form: str) -> str:
    """A table of pandas as csv or jsonl."""
    if form == "csv":
        return str(frame.to_csv(index=False, lineterminator="\n"))
    return str(frame.to_json(orient="records", lines=True, force_ascii=False))


def format_interval(interval: Interval) -> str:
    """A figure with its interval.

    >>> format_interval(Interval(0.9, 0.85, 0.94)), format_interval(Interval())
    ('0.90 (0.85-0.94)', '-')
    """
    if interval.value is None:
        return "-"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} ({interval.low:.2f}-{interval.high:.2f})"


def comparison_text(comparison: Comparison) -> str:
    """What a retraining changed against the model before: topics that moved, and whether chance explains it."""
    lines = [
        f"against the model that was there, over {count_noun(comparison.n_entries, 'entry', 'entries')} "
        f"(chance of a loss like this if they were equal: p = {comparison.p_worse:.2f}):"
    ]
    for name in ("micro_f1", "macro_f1"):
        old, new = getattr(comparison.old, name).value, getattr(comparison.new, name).value
        if old is not None and new is not None:
            lines.append(f"  {OVERALL[name]} {old:.3f} -> {new:.3f} ({new - old:+.3f})")
    lines += [f"  {moved.id} F1 {moved.old:.3f} -> {moved.new:.3f} ({moved.change:+.3f})" for moved in comparison.moved_topics]
    return "\n".join(lines) + "\n"
