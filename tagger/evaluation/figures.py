"""The figures of a model on labelled entries that it has not seen. Every report takes them from here.

`Interval`, `TopicFigures` and `Figures` know how they stand in JSON, which is also how the header of a model file has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import ModelError
from tagger.evaluation import metrics
from tagger.taxonomy import Topic

if TYPE_CHECKING:
    from tagger.model.model import Model

__all__ = [
    "NARROW_INTERVAL",
    "UNDEFINED",
    "USABLE_YES_ENTRIES",
    "Figures",
    "Interval",
    "TopicFigures",
    "compute_figures",
    "read_f1",
    "read_figures",
    "require_figures",
    "with_bootstrap_interval",
    "yes_entries_needed",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NARROW_INTERVAL = 0.1  # a topic whose F1 has an interval of this width needs no more labels
USABLE_YES_ENTRIES = 20  # yes entries that make a usable topic
_TOPIC_ROUNDS = 200  # of the bootstrap for a figure of one topic


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95% interval. Each of the three is None where it is not defined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def rounded(cls, value: float, low: float, high: float) -> Interval:
        """A figure to four digits; what is not a number becomes None."""
        return cls(*(None if isnan(number) else round(float(number), 4) for number in (value, low, high)))

    @classmethod
    def from_json(cls, numbers: Sequence[float | None]) -> Interval:
        """The figure that a list [value, lower, upper] stands for."""
        value, low, high = numbers
        return cls(value, low, high)

    def to_json(self) -> list[float | None]:
        """The figure as a list [value, lower, upper]."""
        return [self.value, self.low, self.high]

    @property
    def width(self) -> float | None:
        """How wide the interval is."""
        return None if self.low is None or self.high is None else self.high - self.low


UNDEFINED = Interval()


@dataclass(frozen=True, slots=True)
class TopicFigures:
    """The figures of one topic, and how many entries people labelled with it."""

    n_yes: int
    n_no: int
    n_unsure: int
    precision: Interval
    recall: Interval
    f1: Interval
    average_precision: Interval

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TopicFigures:
        """The figures that `to_json` gave."""
        return cls(
            n_yes=record["yes"],
            n_no=record["no"],
            n_unsure=record["unsure"],
            precision=Interval.from_json(record["precision"]),
            recall=Interval.from_json(record["recall"]),
            f1=Interval.from_json(record["f1"]),
            average_precision=Interval.from_json(record["average_precision"]),
        )

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        return {
            "yes": self.n_yes,
            "no": self.n_no,
            "unsure": self.n_unsure,
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
            "f1": self.f1.to_json(),
            "average_precision": self.average_precision.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a model: those of all topics together, and those of each one by its id."""

    n_entries: int
    micro_f1: Interval
    macro_f1: Interval
    calibration_error: Interval
    precision_at_1: Interval
    topics: Mapping[str, TopicFigures]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Figures:
        """The figures that `to_json` gave."""
        return cls(
            n_entries=record["n_entries"],
            micro_f1=Interval.from_json(record["micro_f1"]),
            macro_f1=Interval.from_json(record["macro_f1"]),
            calibration_error=Interval.from_json(record["calibration_error"]),
            precision_at_1=Interval.from_json(record["first_precision"]),
            topics={id: TopicFigures.from_json(topic) for id, topic in record["topics"].items()},
        )

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON and the header of a model file have them."""
        return {
            "n_entries": self.n_entries,
            "micro_f1": self.micro_f1.to_json(),
            "macro_f1": self.macro_f1.to_json(),
            "calibration_error": self.calibration_error.to_json(),
            "first_precision": self.precision_at_1.to_json(),
            "topics": {id: topic.to_json() for id, topic in self.topics.items()},
        }


def compute_figures(
    yes: Bools, labelled: Bools, scores: Floats, tagged: Bools, topics: Sequence[Topic], seed: int = 0
) -> Figures:
    """The figures of some tags and scores by what people said.

    Precision and recall have Wilson intervals, the F1 of a topic has Wilson's mapped (`metrics.f1_interval`). The others
    have percentile intervals of a bootstrap over entries.

    Args:
        yes: which topics apply, (n_entries, n_topics).
        labelled: which cells a person decided, (n_entries, n_topics); the others count for nothing.
        scores: of entries that the model has not seen, (n_entries, n_topics).
        tagged: what was decided from the scores, (n_entries, n_topics).
        topics: (n_topics,).
        seed: of the bootstrap.
    """

    def bootstrap(figure: Callable[[Ints], float]) -> Interval:
        return with_bootstrap_interval(figure, len(yes), seed)

    return Figures(
        n_entries=len(yes),
        micro_f1=bootstrap(lambda rows: metrics.micro_f1(yes[rows], labelled[rows], tagged[rows])),
        macro_f1=bootstrap(lambda rows: metrics.macro_f1(yes[rows], labelled[rows], tagged[rows])),
        calibration_error=bootstrap(lambda rows: metrics.calibration_error(yes[rows], labelled[rows], scores[rows])),
        precision_at_1=bootstrap(lambda rows: metrics.precision_at_1(yes[rows], labelled[rows], scores[rows], tagged[rows])),
        topics=_compute_topic_figures(yes, labelled, scores, tagged, topics, seed),
    )


def _compute_topic_figures(
    yes: Bools, labelled: Bools, scores: Floats, tagged: Bools, topics: Sequence[Topic], seed: int
) -> dict[str, TopicFigures]:
    counts = metrics.count_cells(yes, labelled, tagged).sum(0)
    precision = _intervals(metrics.precision(counts), metrics.wilson_interval(counts.tp, counts.tp + counts.fp))
    recall = _intervals(metrics.recall(counts), metrics.wilson_interval(counts.tp, counts.tp + counts.fn))
    f1 = _intervals(metrics.f1(counts), metrics.f1_interval(counts))
    n_yes, n_no, n_unsure = (cells.sum(0).tolist() for cells in (yes & labelled, ~yes & labelled, ~labelled))

    def average_precision(t: int) -> Interval:
        def of_entries(rows: Ints) -> float:
            column = slice(t, t + 1)
            return float(metrics.average_precision(yes[rows, column], labelled[rows, column], scores[rows, column])[0])

        return with_bootstrap_interval(of_entries, len(yes), seed, _TOPIC_ROUNDS)

    return {
        topic.id: TopicFigures(n_yes[t], n_no[t], n_unsure[t], precision[t], recall[t], f1[t], average_precision(t))
        for t, topic in enumerate(topics)
    }


def _intervals(values: Floats, bounds: tuple[Floats, Floats]) -> list[Interval]:
    return [Interval.rounded(*row) for row in zip(values, *bounds, strict=True)]


def with_bootstrap_interval(figure: Callable[[Ints], float], n_entries: int, seed: int, rounds: int = 500) -> Interval:
    """A figure over all entries, with the percentile interval of a bootstrap over entries.

    Args:
        figure: the figure of the entries at some indices.
        n_entries: how many there are.
        seed: of the bootstrap.
        rounds: of the bootstrap.
    """
    return Interval.rounded(figure(np.arange(n_entries)), *metrics.bootstrap_interval(figure, n_entries, seed, rounds))


def yes_entries_needed(n_yes: int, f1: Interval) -> int:
    """About how many more yes entries a topic needs until there are enough and the interval of its F1 is narrow.

    An interval is half as wide with four times as many entries, if F1 stays.

    Args:
        n_yes: how many it has.
        f1: its F1.

    >>> yes_entries_needed(100, Interval(0.85, 0.8, 0.9)), yes_entries_needed(100, Interval(0.8, 0.7, 0.9))
    (0, 300)
    >>> yes_entries_needed(5, UNDEFINED)
    15
    """
    n_wanted = 0 if f1.width is None else ceil(round(n_yes * (f1.width / NARROW_INTERVAL) ** 2, 6))
    return max(0, USABLE_YES_ENTRIES - n_yes, n_wanted - n_yes)


def read_figures(model: Model) -> Figures | None:
    """The figures in the header of a model; None where it has none that can be read."""
    try:
        return Figures.from_json(model.training.figures)
    except (KeyError, TypeError, ValueError, AttributeError):  # anybody can write a header
        return None


def require_figures(model: Model) -> Figures:
    """As `read_figures`, where nothing can be said without them.

    Raises:
        ModelError: if the header has none.
    """
    figures = read_figures(model)
    if figures is None:
        raise ModelError("the model file has no figures of a cross-validation; 'tagger retrain' makes one that has")
    return figures


def read_f1(model: Model, topic: str) -> Interval | None:
    """The F1 of a topic in the header of a model; None where the header does not have all of it."""
    value: Any = model.training.figures
    for key in ("topics", topic, "f1"):
        value = value.get(key) if isinstance(value, dict) else None
    is_interval = isinstance(value, list) and len(value) == 3 and all(isinstance(number, (int, float)) for number in value)
    return Interval.from_json(value) if is_interval else None
