"""The figures of a model on labelled entries that it has not seen: one dict, which feeds every report."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation import metrics
from tagger.taxonomy import Topic

__all__ = [
    "NARROW_INTERVAL",
    "USABLE_YES_ENTRIES",
    "compute_figures",
    "round_figures",
    "with_bootstrap_interval",
    "yes_entries_needed",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


NARROW_INTERVAL = 0.1  # the width of an interval of F1 from which on a topic needs no more labels


USABLE_YES_ENTRIES = 20  # yes entries that make a usable topic


def compute_figures(
    yes: Bools, known: Bools, scores: Floats, tagged: Bools, topics: Sequence[Topic], seed: int = 0
) -> dict[str, Any]:
    """Figures, each as [value, lower, upper] of a 95% interval, with None where it is not defined.

    Precision and recall have Wilson intervals, a topic's F1 has Wilson's mapped (`f1_interval`), the others have
    percentile intervals of a bootstrap over entries.

    Args:
        yes: which topics apply, (n_entries, n_topics).
        known: which cells a person decided; the others count for nothing.
        scores: of entries that the model has not seen, (n_entries, n_topics).
        tagged: what was decided from the scores, (n_entries, n_topics).
        topics: (n_topics,).
        seed: of the bootstrap.
    """
    cells = metrics.count_cells(yes, known, tagged)
    total = cells.sum(0)
    columns = {
        "precision": (metrics.precision(total), *metrics.wilson_interval(total.tp, total.tp + total.fp)),
        "recall": (metrics.recall(total), *metrics.wilson_interval(total.tp, total.tp + total.fn)),
        "f1": (metrics.f1(total), *metrics.f1_interval(total)),
    }
    per_topic = {
        topic.id: {
            "yes": int((yes & known)[:, t].sum()),
            "no": int((~yes & known)[:, t].sum()),
            "unsure": int((~known)[:, t].sum()),
            **{name: round_figures(*(side[t] for side in sides)) for name, sides in columns.items()},
            "average_precision": with_bootstrap_interval(
                lambda rows, t=t: float(
                    metrics.average_precision(yes[rows, t : t + 1], known[rows, t : t + 1], scores[rows, t : t + 1])[0]
                ),
                len(yes),
                seed,
                rounds=200,
            ),
        }
        for t, topic in enumerate(topics)
    }
    return {
        "n_entries": len(yes),
        "micro_f1": with_bootstrap_interval(
            lambda rows: metrics.micro_f1(yes[rows], known[rows], tagged[rows]), len(yes), seed
        ),
        "macro_f1": with_bootstrap_interval(
            lambda rows: metrics.macro_f1(yes[rows], known[rows], tagged[rows]), len(yes), seed
        ),
        "calibration_error": with_bootstrap_interval(
            lambda rows: metrics.calibration_error(yes[rows], known[rows], scores[rows]), len(yes), seed
        ),
        "first_precision": with_bootstrap_interval(
            lambda rows: metrics.precision_at_1(yes[rows], known[rows], scores[rows], tagged[rows]), len(yes), seed
        ),
        "topics": per_topic,
    }


def yes_entries_needed(n_yes: int, f1: Sequence[float | None]) -> int:
    """About how many more yes entries a topic needs until there are enough and the interval of its F1 is narrow.

    An interval is half as wide with four times as many, if F1 stays.

    Args:
        n_yes: how many it has.
        f1: its F1 as (value, lower, upper), None where it is not known.

    >>> yes_entries_needed(100, [0.85, 0.8, 0.9]), yes_entries_needed(100, [0.8, 0.7, 0.9])
    (0, 300)
    >>> yes_entries_needed(5, [None, None, None])
    15
    """
    _, low, high = f1
    wanted = 0 if low is None or high is None else ceil(round(n_yes * ((high - low) / NARROW_INTERVAL) ** 2, 6))
    return max(0, USABLE_YES_ENTRIES - n_yes, wanted - n_yes)


def with_bootstrap_interval(figure: Any, n_entries: int, seed: int, rounds: int = 500) -> list[float | None]:
    """A figure of some rows, over all of them, and its percentile interval of a bootstrap over entries."""
    value = figure(np.arange(n_entries))
    return round_figures(value, *metrics.bootstrap_interval(figure, n_entries, seed, rounds))


def round_figures(*values: float) -> list[float | None]:
    """Figures to four digits, with None where one is not defined."""
    return [None if np.isnan(value) else round(float(value), 4) for value in values]
