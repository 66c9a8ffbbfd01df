"""The text that a model reads of an entry."""

from __future__ import annotations

from tagger.entry import Entry

__all__ = ["TITLE_WEIGHT", "entry_text"]

TITLE_WEIGHT = 2  # how many times the title is read


def entry_text(entry: Entry) -> str:
    """The text that a model reads of an entry: its title, `TITLE_WEIGHT` times, and its abstract, a line each."""
    return "\n".join([entry.title] * TITLE_WEIGHT + [entry.abstract])
