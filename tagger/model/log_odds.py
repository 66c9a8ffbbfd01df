"""Probabilities to log-odds, and back."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["logit", "sigmoid"]

Floats = NDArray[np.float64]


def logit(probabilities: Floats, margin: float = 1e-9) -> Floats:
    """The log-odds log(p / (1 - p)) of probabilities of any shape; NaN stays NaN.

    Args:
        probabilities: from 0 to 1.
        margin: how far from 0 and from 1 they are kept, so that no log-odds are infinite.

    >>> logit(np.array([0.5, 0.8])).round(3)
    array([0.   , 1.386])
    """
    p = np.clip(probabilities, margin, 1 - margin)
    return np.asarray(np.log(p / (1 - p)))


@overload
def sigmoid(log_odds: float) -> float: ...


@overload
def sigmoid(log_odds: Floats) -> Floats: ...


def sigmoid(log_odds: float | Floats) -> float | Floats:
    """The probability 1 / (1 + exp(-x)) for log-odds of any shape: the inverse of `logit`.

    >>> sigmoid(np.array([-np.inf, 0.0]))
    array([0. , 0.5])
    """
    with np.errstate(over="ignore"):  # exp is infinite below about -709, which gives the right probability: 0
        probabilities: float | Floats = 1 / (1 + np.exp(-log_odds))
    return probabilities
