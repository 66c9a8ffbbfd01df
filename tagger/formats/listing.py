"""`Listing`: what reading a file returns."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.entry import Entry
from tagger.errors import ListingError, Problem
from tagger.formats.plain_text import count_noun

__all__ = ["Listing"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries that were read, the lines that were not understood, and what deserves a second look."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def require_entries(self) -> tuple[Entry, ...]:
        """The entries, where everything was understood.

        Raises:
            ListingError: with every problem, if there is one.
        """
        if self.problems:
            n_read = count_noun(len(self.entries), "entry", "entries")
            n_places = count_noun(len(self.problems), "place", "places")
            raise ListingError(f"{n_read} read, {n_places} not understood; correct what is named above", self.problems)
        return self.entries
