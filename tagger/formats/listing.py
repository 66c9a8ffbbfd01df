"""What a reader returns."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.entry import Entry
from tagger.errors import ListingError, Problem

__all__ = [
    "Listing",
]


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries that were read, the lines that were not understood, and what deserves a second look."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def all(self) -> tuple[Entry, ...]:
        """The entries, where everything was understood.

        Raises:
            ListingError: with every problem, if there is one.
        """
        if self.problems:
            read, wrong = len(self.entries), len(self.problems)
            raise ListingError(
                f"{read} {'entry' if read == 1 else 'entries'} read, "
                f"{wrong} {'place' if wrong == 1 else 'places'} not understood; correct what is named above",
                self.problems,
            )
        return self.entries
