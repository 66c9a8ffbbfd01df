"""What training depends on besides the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SEARCHED_SETTINGS", "Settings"]

# Model format 2 stores settings under these names. Files keep them, so they do not follow the names of the fields.
_HEADER_NAMES = {
    "min_df": "min_df",
    "use_bigrams": "pairs",
    "C": "c",
    "scale_exponent": "power",
    "log_ratio_smoothing": "smoothing",
    "threshold_shrinkage": "shrink",
    "min_positives": "min_yes",
    "n_folds": "n_folds",
    "seed": "seed",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What training depends on besides the labels.

    The defaults suit paper listings; docs/model.md says how they were chosen. `SEARCHED_SETTINGS` suits other texts: a
    setting that is None there is chosen in training, by out-of-fold scores.
    """

    min_df: int = 2  # a term is used if this many entries have it
    use_bigrams: bool | None = True  # whether pairs of neighbouring words are terms too
    C: float | None = 1.0  # the inverse strength of the L2 penalty
    scale_exponent: float | None = 1.0  # of the log-count ratios that scale the features of each topic
    log_ratio_smoothing: float = 0.1  # what is added to both sides of these ratios
    threshold_shrinkage: float | None = 300.0  # yes entries at which a topic's own threshold weighs as much as the common one
    min_positives: int = 5  # a topic with fewer yes entries, or fewer no entries, is not learned
    n_folds: int = 5
    seed: int = 0

    def to_header(self) -> dict[str, Any]:
        """The settings as the header of a model file has them: under the names of model format 2."""
        return {name: getattr(self, field) for field, name in _HEADER_NAMES.items()}

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> Settings:
        """Settings from the header of a model file.

        Raises:
            KeyError: if the header lacks one of the settings.

        >>> Settings.from_header(Settings(C=2.0).to_header()) == Settings(C=2.0)
        True
        """
        return cls(**{field: header[name] for field, name in _HEADER_NAMES.items()})


SEARCHED_SETTINGS = Settings(use_bigrams=None, C=None, scale_exponent=None, threshold_shrinkage=None)
