"""Out-of-fold scores -> probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.model.log_odds import sigmoid

__all__ = [
    "Calibration",
    "fit_calibration",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


PRIOR_STRENGTHS = (1.0, 10.0, 100.0, 1000.0, 1e6)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How out-of-fold logits become probabilities: the slope and offset of all topics together, and how far to trust them."""

    centre: Floats  # (slope, offset)
    precision: float  # of a normal prior around them

    def of(self, logits: Floats, yes: Bools) -> Floats:
        """(slope, offset) of a topic: the sigmoid of its logits, so changed, is a probability."""
        return _fit_platt(logits, yes, self.centre, self.precision) if yes.any() else self.centre


def fit_calibration(logits: Sequence[Floats], yes: Sequence[Bools]) -> Calibration:
    """The calibration of some topics' out-of-fold logits, an array a topic.

    The precision of the prior is that with which the logits of every second entry say most of the others': little where
    topics have many yes entries each, much where they have a handful.
    """
    centre = _fit_platt(np.concatenate(logits), np.concatenate(yes), np.array([1.0, 0.0]), 1e-3)
    losses = []
    for precision in PRIOR_STRENGTHS:
        one = Calibration(centre, precision)
        losses.append(
            sum(
                _log_loss(some[1 - k :: 2], side[1 - k :: 2], one.of(some[k::2], side[k::2]))
                for some, side in zip(logits, yes, strict=True)
                for k in (0, 1)
            )
        )
    return Calibration(centre, PRIOR_STRENGTHS[int(np.argmin(losses))])


def _fit_platt(logits: Floats, yes: Bools, centre: Floats, precision: float) -> Floats:
    """(slope, offset) by Platt's method: a logistic regression on the logits, with his corrected targets.

    The two are drawn to `centre` by a normal prior with that precision. Found by Newton's method.

    Source: J. Platt, "Probabilistic outputs for support vector machines", 1999; the prior is ours.
    """
    n_yes = yes.sum()
    target = np.where(yes, (n_yes + 1) / (n_yes + 2), 1 / (len(yes) - n_yes + 2))
    x = np.stack([logits, np.ones(len(logits))], axis=1)
    at = centre.copy()
    for _ in range(50):
        p = sigmoid(x @ at)
        gradient = x.T @ (p - target) + precision * (at - centre)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + precision * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        at -= step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return np.array([max(at[0], 0.1), at[1]])


def _log_loss(logits: Floats, yes: Bools, at: Floats) -> float:
    """The negative log-likelihood."""
    return float(np.logaddexp(0, np.where(yes, -1, 1) * (logits * at[0] + at[1])).sum())
