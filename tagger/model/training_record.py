"""What training writes down about a model: what it was trained on, how, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PrecisionSupport", "TrainingRecord"]


@dataclass(frozen=True, slots=True)
class PrecisionSupport:
    """How far the labels support the precision that a topic asks for, by out-of-fold tags at its threshold."""

    goal: float
    lower_bound: float  # the lower 95% bound of the precision
    n_tags: int
    n_right: int  # of these
    n_lacking: int | None  # yes entries that are lacking; None if more of the same would not do

    @property
    def is_supported(self) -> bool:
        """Whether the labels support the goal."""
        return self.n_lacking == 0


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What the header of a model file says of its training. All of it may be missing, as in a model made by hand."""

    labels_hash: str | None = None
    n_entries: int | None = None  # labelled entries
    versions: Mapping[str, str] = field(default_factory=dict)  # by package
    settings: Mapping[str, Any] = field(default_factory=dict)  # as asked for; `Settings.from_header` reads them
    chosen_settings: Mapping[str, Any] = field(default_factory=dict)  # the same, with what training chose
    usual_known_share: float | None = None  # 95% of the labelled entries have at least this share of their words known
    precision: Mapping[str, PrecisionSupport] = field(default_factory=dict)  # by id, of topics that ask for one
    figures: dict[str, Any] = field(default_factory=dict)  # as `tagger.evaluation.figures` computes them
    other: Mapping[str, Any] = field(default_factory=dict)  # what else the header holds; it is kept and not read
