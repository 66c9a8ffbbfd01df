"""`Entry`: one paper of a listing. Whitespace is normalised here and nowhere else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

from tagger.source import Source

__all__ = ["Entry", "entry_id", "normalize_whitespace"]

_ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread
_ID_LENGTH = 8
_ET_AL = re.compile(r"(?:^|\s)et al\.?$")
# Control and format characters count as spaces: none of them may reach a terminal or split a line.
_CONTROLS = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), 0x200B, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF], " "
)


def normalize_whitespace(text: str) -> str:
    """The text with each run of white space and control characters made one space, and none at the ends."""
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_CONTROLS).encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written
    return " ".join(text.split())


def entry_id(title: str) -> str:
    """Eight letters and digits made from a title: the same whatever its case, spacing and punctuation.

    >>> entry_id("Deep Interest Network"), entry_id("deep  interest-network!")
    ('s12qsv0r', 's12qsv0r')
    """
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", title).casefold())) or normalize_whitespace(title)
    number = int.from_bytes(blake2b(letters.encode("utf-8", "surrogatepass"), digest_size=5).digest())
    return "".join(_ID_LETTERS[number >> shift & 31] for shift in range(5 * (_ID_LENGTH - 1), -1, -5))


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper. Equal when all but `source` is equal.

    `authors` are those that the listing names; `et_al` says that there are more (an "et al." after the last name is
    taken as that). A comma inside a name becomes a space, since commas stand between names. `source` is where
    the entry was read.

    Raises:
        ValueError: if the title is empty.
    """

    title: str
    authors: tuple[str, ...] = ()
    et_al: bool = False
    date: date | None = None
    category: str | None = None
    code: bool = False
    affiliation: str | None = None
    abstract: str = ""
    source: Source | None = field(default=None, compare=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "title", normalize_whitespace(self.title))
        put(self, "authors", _names(self.authors))
        while self.authors and (match := _ET_AL.search(self.authors[-1])):
            put(self, "authors", _names([*self.authors[:-1], self.authors[-1][: match.start()]]))
            put(self, "et_al", True)
        put(self, "et_al", self.et_al and bool(self.authors))
        put(self, "category", normalize_whitespace(self.category or "") or None)
        put(self, "affiliation", normalize_whitespace(self.affiliation or "") or None)
        put(self, "abstract", normalize_whitespace(self.abstract))
        put(self, "id", entry_id(self.title))
        if not self.title:
            raise ValueError("an entry needs a title; this one is empty")


def _names(authors: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in (normalize_whitespace(author.replace(",", " ")) for author in authors) if name)
