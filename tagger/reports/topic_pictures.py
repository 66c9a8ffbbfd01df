"""Pictures with a part for each topic: precision and recall, and how many labels there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation.figures import Interval, TopicFigures
from tagger.reports.figures import format_interval
from tagger.reports.svg import BLUE, ORANGE, Picture, add_axes, render_svg, shorten_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PlottedTopic", "plot_label_counts", "plot_precision_recall"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_MAX_TOPICS = 24  # drawn; of more topics half of them are the most frequent ones
_RECALLS = (0.5, 0.8, 0.9, 0.95)
_TABLE = {"average_precision": "average precision", "precision": "precision", "recall": "recall"}
_MAX_POINTS = 200  # of a curve, as many as can be told apart


@dataclass(frozen=True, slots=True)
class PlottedTopic:
    """What the pictures show of a topic."""

    name: str
    figures: TopicFigures
    learned: bool


@dataclass(frozen=True, slots=True)
class _Curve:
    """Each recall that a threshold can give, ascending, and the best precision with it: (n_points,) each.

    The last point is that of tagging everything. There is none where no entry has the topic.
    """

    recall: Floats
    precision: Floats


def plot_precision_recall(topics: Sequence[PlottedTopic], yes: Bools, labelled: Bools, scores: Floats) -> Picture:
    """The precision-recall curve of each topic.

    Args:
        topics: (n_topics,).
        yes: which topics apply, (n_entries, n_topics).
        labelled: which cells a person decided, (n_entries, n_topics).
        scores: out-of-fold scores, (n_entries, n_topics).
    """
    curves = [_trace_curve(yes[labelled[:, t], t], scores[labelled[:, t], t]) for t in range(len(topics))]

    def f1(topic: PlottedTopic) -> float:
        value = topic.figures.f1.value
        return float(value) if topic.learned and value is not None else 2.0  # there is nothing to see of the others

    text = (
        "Each curve runs through every threshold that a topic could have: recall is the share of its entries found, precision "
        "the share of its tags that are right. The dot is where the thresholds are, with 95% intervals."
    )
    panels = [
        render_svg(
            (2.1, 2.2),
            partial(_draw_curve, topic=topics[t], curve=curves[t]),
            f"precision-recall-{n}",
            f"{topics[t].name}: precision and recall",
            f"Average precision {format_interval(topics[t].figures.average_precision)}. At the thresholds: precision "
            f"{format_interval(topics[t].figures.precision)}, recall {format_interval(topics[t].figures.recall)}.",
        )
        for n, t in enumerate(_choose_topics(topics, f1))
    ]
    return Picture(
        "precision-recall",
        "Precision and recall of each topic",
        text + _describe_choice(topics, "lowest in F1"),
        tuple(panels),
        ("topic", "yes", *(f"precision at recall {recall:g}" for recall in _RECALLS), *_TABLE.values()),
        tuple(_precision_recall_row(topic, curve) for topic, curve in zip(topics, curves, strict=True)),
    )


def _precision_recall_row(topic: PlottedTopic, curve: _Curve) -> tuple[str, ...]:
    shown = topic.learned and len(curve.recall)
    at = [f"{curve.precision[curve.recall >= recall].max():.2f}" if shown else "-" for recall in _RECALLS]
    figures = (format_interval(getattr(topic.figures, name)) for name in _TABLE)
    return (topic.name, str(topic.figures.n_yes), *at, *figures)


def _trace_curve(yes: Bools, scores: Floats) -> _Curve:
    """The curve of a topic, from its labels and scores, (n_entries,) each."""
    from sklearn.metrics import precision_recall_curve

    if not yes.any():
        return _Curve(np.zeros(0), np.zeros(0))
    precision, recall, _ = precision_recall_curve(yes, scores)
    precision, recall = precision[-2::-1], recall[-2::-1]  # without the point (0, 1), which no score has
    _, first = np.unique(recall, return_index=True)  # more tags that find nothing more are no better
    first = np.append(first[recall[first] > 0], len(recall) - 1)
    return _Curve(recall[first], precision[first])


def _draw_curve(figure: Figure, topic: PlottedTopic, curve: _Curve) -> None:
    axes = add_axes(figure, "recall", "precision")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), aspect="equal")
    axes.set_xticklabels(("0", "0.5", "1"))
    axes.set_yticklabels(("0", "0.5", "1"))
    figure.suptitle(shorten_name(topic.name, 32), x=0.02, ha="left", fontsize=11, parse_math=False)
    n_yes = f"{topic.figures.n_yes} yes"
    if not topic.learned or not len(curve.recall):
        axes.text(0.06, 0.06, f"{n_yes}: not learned", fontsize=10.5)
        return
    # Between two points the precision is that of the later one, so that the area below is the average precision.
    shown = [*np.unique(np.linspace(0, len(curve.recall) - 2, _MAX_POINTS).round().astype(int)), -1]
    x, y = [0, *curve.recall[shown]], [curve.precision[0], *curve.precision[shown]]
    axes.fill_between(x, y, step="pre", color=BLUE, alpha=0.12, linewidth=0)
    axes.plot(x, y, drawstyle="steps-pre", color=BLUE, linewidth=1.6, gid="part-curve")
    axes.text(0.06, 0.06, f"{n_yes}, AP {topic.figures.average_precision.value:.2f}", fontsize=10.5)
    _draw_threshold(axes, topic.figures.precision, topic.figures.recall)


def _draw_threshold(axes: Axes, precision: Interval, recall: Interval) -> None:
    """A dot where the threshold is, and its intervals."""
    (p, p_low, p_high), (r, r_low, r_high) = precision.to_json(), recall.to_json()
    if p is None or r is None:
        return
    for x, y in (((r_low, r_high), (p, p)), ((r, r), (p_low, p_high))):
        axes.plot(np.array(x), np.array(y), color=ORANGE, linewidth=1.4, zorder=3, solid_capstyle="butt")
    axes.plot([r], [p], "o", color=ORANGE, markersize=5, zorder=4, clip_on=False, gid="part-threshold")


def plot_label_counts(topics: Sequence[PlottedTopic]) -> Picture:
    """How many labels each topic has."""
    shown = [topics[t] for t in _choose_topics(topics, lambda topic: topic.figures.n_yes)]
    title = "How many labels there are"
    text = (
        "Entries with a yes for each topic and, after it, those that a person left unsure; the others are a no."
        + _describe_choice(topics, "rarest")
    )
    size = (5.2, 0.9 + 0.29 * len(shown))
    panel = render_svg(size, partial(_draw_label_counts, topics=shown), "label-counts", title, text)
    rows = ((topic.name, topic.figures.n_yes, topic.figures.n_no, topic.figures.n_unsure) for topic in topics)
    table = tuple(tuple(map(str, row)) for row in rows)
    return Picture("label-counts", title, text, (panel,), ("topic", "yes", "no", "unsure"), table)


def _draw_label_counts(figure: Figure, topics: Sequence[PlottedTopic]) -> None:
    yes, unsure = np.array([(topic.figures.n_yes, topic.figures.n_unsure) for topic in topics]).T
    axes = add_axes(figure, "entries", "")
    heights = np.arange(len(topics))[::-1]
    axes.barh(heights, yes, height=0.62, color=BLUE, label="yes")
    axes.barh(heights, unsure, left=yes, height=0.62, color=BLUE, alpha=0.3, label="unsure")
    for height, n_yes, n_unsure in zip(heights, yes, unsure, strict=True):
        counts = f"{n_yes} + {n_unsure}" if n_unsure else f"{n_yes}"
        end = n_yes + n_unsure, height
        axes.annotate(counts, end, (4, 0), textcoords="offset points", va="center", fontsize=10)
    axes.set_yticks(heights, [shorten_name(topic.name, 34) for topic in topics], parse_math=False, fontsize=10.5)
    axes.set(ylim=(-0.7, len(topics) - 0.3), xlim=(0, max(1, (yes + unsure).max()) * 1.18))
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower right", frameon=False, fontsize=11)


def _choose_topics(topics: Sequence[PlottedTopic], rank: Callable[[PlottedTopic], float]) -> list[int]:
    """The columns of the topics to draw, the most frequent first; of too many, half of those drawn are the lowest by rank."""
    by_frequency = sorted(range(len(topics)), key=lambda t: (-topics[t].figures.n_yes, t))
    if len(by_frequency) <= _MAX_TOPICS:
        return by_frequency
    half = _MAX_TOPICS // 2
    others = sorted(by_frequency[half:], key=lambda t: (rank(topics[t]), t))
    return by_frequency[:half] + others[:half]


def _describe_choice(topics: Sequence[PlottedTopic], lowest: str) -> str:
    """Which topics are drawn, where it is not all of them."""
    if len(topics) <= _MAX_TOPICS:
        return ""
    half = _MAX_TOPICS // 2
    return (
        f" Of {len(topics)} topics the {half} most frequent are drawn, then the {half} {lowest} of the others. "
        "The table has all."
    )
