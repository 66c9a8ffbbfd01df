"""The threshold of one topic from its out-of-fold scores: for the best F1, or for a precision that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.model.training_record import PrecisionSupport

__all__ = ["PrecisionGoal", "best_f1_threshold", "precision_bound", "threshold_for_precision"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MAX_GROWTH = 100  # times as many labels as there are: a goal that these would not reach is called out of reach


def best_f1_threshold(scores: Floats, yes: Bools, n_yes: int | None = None) -> float:
    """The threshold with the best F1: halfway between two scores that follow one another.

    Args:
        scores: (n_cells,), at least one.
        yes: (n_cells,).
        n_yes: how many yes entries there are, if not all of them are among the cells.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(yes[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + max(1, hits[-1] if n_yes is None else n_yes))
    f1[:-1][ranked[:-1] == ranked[1:]] = -1  # a threshold cannot separate equal scores
    return _halfway_to_next(ranked, int(f1.argmax()))


@dataclass(frozen=True, slots=True)
class PrecisionGoal:
    """The threshold for a precision that was asked for, and how far labels support it."""

    threshold: float
    goal: float
    lower_bound: float  # the lower 95% bound of the precision of out-of-fold tags at the threshold
    n_tags: int  # out-of-fold tags at the threshold
    n_right: int  # how many of them are right
    n_lacking: int | None  # yes entries that are missing for the goal; None if more labels like these would not do

    @property
    def is_supported(self) -> bool:
        """Whether the bound reaches the goal."""
        return self.lower_bound >= self.goal

    def support(self) -> PrecisionSupport:
        """What a model keeps of it."""
        return PrecisionSupport(self.goal, round(self.lower_bound, 4), self.n_tags, self.n_right, self.n_lacking)


def precision_bound(n_right: Any, n_tags: Any) -> Any:
    """The one-sided lower 95% bound of a precision: with 95% chance, the precision of such tags is not below it.

    Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26, 1934. The bound is exact. Wilson's, taken one-sided, holds less often than it says where nearly all tags are
    right.

    Args:
        n_right: how many tags are right; any shape.
        n_tags: of how many, at least 1; the same shape.

    >>> [round(float(precision_bound(n, n)), 3) for n in (28, 29)]
    [0.899, 0.902]
    """
    from scipy.special import betaincinv

    n_right, n_tags = np.asarray(n_right, dtype=float), np.asarray(n_tags, dtype=float)
    return np.where(n_right > 0, betaincinv(np.maximum(n_right, 1e-9), n_tags - n_right + 1, 0.05), 0.0)


def threshold_for_precision(scores: Floats, yes: Bools, goal: float, n_yes: int) -> PrecisionGoal:
    """The lowest threshold at which the lower 95% bound of the precision reaches the goal.

    If no threshold reaches it, the one with the highest bound. The bound is right for each threshold alone. Where many
    thresholds are tried, the lowest that reaches the goal is a little too good, because chance helped it.

    `n_lacking` assumes that more labels keep the precision of each threshold, and its number of tags for each yes entry.
    It is the smallest number over the thresholds whose precision is above the goal.

    Args:
        scores: out-of-fold, (n_cells,), at least one.
        yes: (n_cells,).
        goal: the precision asked for.
        n_yes: yes entries of the topic.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    n_right, n_tags = np.cumsum(yes[order]), np.arange(1, len(ranked) + 1)
    is_possible = np.append(ranked[1:] < ranked[:-1], True)  # a threshold cannot separate equal scores
    bounds = np.where(is_possible, precision_bound(n_right, n_tags), -1.0)
    reaching = np.flatnonzero(bounds >= goal)
    best = int(reaching[-1]) if len(reaching) else int(bounds.argmax())
    return PrecisionGoal(
        threshold=_halfway_to_next(ranked, best),
        goal=goal,
        lower_bound=float(bounds[best]),
        n_tags=int(n_tags[best]),
        n_right=int(n_right[best]),
        n_lacking=0 if len(reaching) else _missing_yes_entries(n_right[is_possible], n_tags[is_possible], goal, n_yes),
    )


def _missing_yes_entries(n_right: Ints, n_tags: Ints, goal: float, n_yes: int) -> int | None:
    """How many more yes entries bring the bound of some threshold to the goal, at the precision that it has."""
    is_better = n_right > goal * n_tags
    precision, tags = n_right[is_better] / n_tags[is_better], n_tags[is_better].astype(float)
    low, high = tags.copy(), _MAX_GROWTH * tags
    reachable = precision_bound(precision * high, high) >= goal
    if not reachable.any():
        return None
    for _ in range(30):  # bisection: `high` is always enough, `low` is not
        middle = (low + high) / 2
        is_enough = precision_bound(precision * middle, middle) >= goal
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return max(1, int(np.ceil(n_yes * (high / tags - 1)[reachable].min() - 1e-6)))


def _halfway_to_next(ranked: Floats, place: int) -> float:
    """Halfway from a score to the next lower one, if there is one; `ranked` goes down."""
    following = ranked[min(place + 1, len(ranked) - 1)]
    middle = (ranked[place] + following) / 2
    return float(middle if middle > following else ranked[place])  # between nearly equal scores, halfway rounds to the lower
