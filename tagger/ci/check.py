"""`Check`: one thing that a pipeline's run checks."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.errors import Problem

__all__ = ["Check"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    name: str
    state: str  # "ok", "failed": the gate says no, "error": bad input, or "skipped"
    message: str
    problems: tuple[Problem, ...] = ()  # the lines that it is about
    warnings: tuple[Problem, ...] = ()  # they stop nothing
