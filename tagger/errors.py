"""The errors that tagger raises. Each says what was found, what was wanted, where, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tagger.source import Source

__all__ = ["ExitStatus", "LabelsError", "ListingError", "ModelError", "OutputError", "Problem", "TaggerError", "UsageError"]


class ExitStatus(IntEnum):
    """What the exit status of a command means."""

    DONE = 0
    REFUSED = 1  # a check or a gate said no
    BAD_INPUT = 2  # a flag, a file or a disk; every `TaggerError` ends so
    INTERRUPTED = 130


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One thing that is wrong in a file: where it stands and what to do about it."""

    source: Source
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


class TaggerError(Exception):
    """Base of all errors that a file, a flag or a disk can cause. Its text is meant to be printed as it is."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.problems), super().__str__()])


class ListingError(TaggerError):
    """A listing or a JSON Lines file could not be read in full."""


class LabelsError(TaggerError):
    """The folder labels/ contradicts itself; `problems` holds every contradiction found."""


class ModelError(TaggerError):
    """A model file is missing, torn, foreign or of another format."""


class UsageError(TaggerError):
    """An argument is outside what is allowed."""


class OutputError(TaggerError):
    """A result could not be written."""
