"""Figures of a model -> text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns, count_noun
from tagger.model.model import Model

if TYPE_CHECKING:
    import pandas as pd


__all__ = [
    "BARS",
    "OVERALL",
    "comparison_text",
    "figures_frame",
    "figures_text",
    "format_interval",
    "frame_text",
]


OVERALL = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "calibration_error": "calibration error",
    "first_precision": "first tag right",
}


_FIGURES = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "average precision"}


def figures_frame(figures: dict[str, Any], model: Model) -> pd.DataFrame:
    """Figures as a table: a row a topic and one for each figure over all topics; value, lower and upper as columns."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for topic, threshold in zip(model.topics, model.thresholds, strict=True):
        found = figures["topics"][topic.id]
        row: dict[str, Any] = {"topic": topic.id, "yes": found["yes"], "unsure": found["unsure"]}
        for name in _FIGURES:
            row |= dict(zip((name, f"{name} low", f"{name} high"), found[name], strict=True))
        rows.append(row | {"threshold": None if threshold == float("inf") else round(float(threshold), 4)})
    for name in OVERALL:
        value, low, high = figures[name]
        rows.append({"topic": name, "value": value, "value low": low, "value high": high})
    frame = pd.DataFrame(rows)
    return frame.astype({"yes": "Int64", "unsure": "Int64"})


def figures_text(
    figures: dict[str, Any], model: Model, form: str = "table", shown: Sequence[str] = tuple(_FIGURES), bars: bool = False
) -> str:
    """Figures in one of the forms table, jsonl, csv, markdown; markdown may have a bar for the F1 of each topic."""
    if form in ("csv", "jsonl"):
        return frame_text(figures_frame(figures, model), form)
    header = ["topic", "yes", *(_FIGURES[name] for name in shown), "threshold"]
    rows = []
    for topic, threshold in zip(model.topics, model.thresholds, strict=True):
        found = figures["topics"][topic.id]
        cut = "too few" if threshold == float("inf") else f"{threshold:.2f}"
        name = escape_markdown(topic.name) if form == "markdown" else topic.name
        rows.append([name, str(found["yes"]), *(format_interval(found[name]) for name in shown), cut])
        if bars:
            rows[-1].insert(1, _bar(found["f1"]))
    if bars:
        header.insert(1, "")
    overall = [f"{label} {format_interval(figures[name])}" for name, label in OVERALL.items()]
    if form == "markdown":
        return markdown_table(header, rows) + "\n" + "".join(f"- {line}\n" for line in overall)
    return align_columns(header, rows) + "\n" + "".join(line + "\n" for line in overall)


BARS = "The bars show F1 from 0 to 1: █ up to the lower end of its interval, ▒ from there to the upper end."


_CELLS = 20  # of a bar


def _bar(sides: Sequence[float | None]) -> str:
    """An interval from 0 to 1 as text, which hosts show that take no picture in a summary.

    >>> _bar([0.8, 0.72, 0.86])
    '`██████████████▒▒▒░░░`'
    """
    _, low, high = sides
    if low is None or high is None:
        return ""
    full, upto = round(low * _CELLS), round(high * _CELLS)
    return f"`{'█' * full}{'▒' * (upto - full)}{'░' * (_CELLS - upto)}`"


def frame_text(frame: pd.DataFrame, form: str) -> str:
    """A table of pandas as csv or jsonl."""
    if form == "csv":
        return str(frame.to_csv(index=False, lineterminator="\n"))
    return str(frame.to_json(orient="records", lines=True, force_ascii=False))


def format_interval(sides: Sequence[float | None]) -> str:
    """A figure with its interval.

    >>> format_interval([0.9, 0.85, 0.94]), format_interval([None, None, None])
    ('0.90 (0.85-0.94)', '-')
    """
    value, low, high = sides
    if value is None:
        return "-"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f}-{high:.2f})"


def comparison_text(old: dict[str, Any], new: dict[str, Any], p_worse: float, n_compared: int) -> str:
    """What retraining changed against the model that was there: topics that moved, and whether chance explains it."""
    lines = [
        f"against the model that was there, over {count_noun(n_compared, 'entry', 'entries')} "
        f"(chance of a loss like this if they were equal: p = {p_worse:.2f}):"
    ]
    lines += [
        f"  {OVERALL[name]} {old[name][0]:.3f} -> {new[name][0]:.3f} ({new[name][0] - old[name][0]:+.3f})"
        for name in ("micro_f1", "macro_f1")
        if old[name][0] is not None and new[name][0] is not None
    ]
    moved: list[tuple[float, str]] = []
    for id, found in new["topics"].items():
        before, after = old["topics"].get(id, {"f1": [None]})["f1"][0], found["f1"][0]
        if before is not None and after is not None and abs(after - before) >= 0.005:
            moved.append((abs(after - before), f"  {id} F1 {before:.3f} -> {after:.3f} ({after - before:+.3f})"))
    lines += [line for _, line in sorted(moved, key=lambda pair: (-pair[0], pair[1]))]
    return "\n".join(lines) + "\n"
