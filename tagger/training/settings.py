"""What training depends on besides the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    pass

__all__ = [
    "SEARCHED_SETTINGS",
    "Settings",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settings:
    """What training depends on besides the labels.

    The defaults suit paper listings; docs/model.md says how they were chosen. For other texts `SEARCHED_SETTINGS` leaves
    those that matter open: one that is None is chosen in training, by out-of-fold scores.
    """

    min_df: int = 2  # a term must stand in this many entries
    pairs: bool | None = True  # whether pairs of neighbouring words are terms too
    c: float | None = 1.0  # inverse strength of the L2 penalty
    power: float | None = 1.0  # of the log-count ratios that scale the features of each topic
    smoothing: float = 0.1  # of these ratios
    shrink: float | None = 300.0  # yes entries at which a topic's own threshold counts as much as the common one
    min_yes: int = 5  # with fewer yes or fewer no entries a topic is not learned
    n_folds: int = 5
    seed: int = 0


SEARCHED_SETTINGS = Settings(pairs=None, c=None, power=None, shrink=None)
