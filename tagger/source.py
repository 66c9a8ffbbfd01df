"""`Source`: where something was read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Source"]


@dataclass(frozen=True, order=True, slots=True)
class Source:
    """A place in a file. Lines count from 1; line 0 stands for the file as a whole.

    >>> str(Source("new-listing.txt", 4)), str(Source("new-listing.txt"))
    ('new-listing.txt:4', 'new-listing.txt')
    """

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path
