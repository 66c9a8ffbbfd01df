"""`Entry`: one paper of a listing, with its identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tagger.identity import entry_id
from tagger.source import Source
from tagger.whitespace import normalize_whitespace

__all__ = ["Entry", "FrozenMapping"]

_OPTIONAL_TEXTS = ("category", "affiliation", "doi", "arxiv", "pmid", "url", "key", "venue")
_ET_AL = re.compile(r"(?:^|\s)et al\.?$")


class FrozenMapping(Mapping[str, Any]):
    """A mapping that cannot be changed, can be hashed and can be pickled. It equals a dict with the same content."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items))  # a value may be a list, which has no hash; equal mappings have equal keys

    def __repr__(self) -> str:
        return repr(self._items)


_NO_EXTRA = FrozenMapping()


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper. Two entries are equal when all but `source` is equal.

    Attributes:
        title: never empty.
        authors: those that the listing names. A comma inside a name becomes a space, since commas stand between names.
        et_al: whether there are more authors. An "et al." after the last name is taken as that.
        date: of publication.
        category: as the listing has it, such as "IR" or "eess.IV".
        code: whether the listing says that there is code.
        affiliation: of the authors.
        abstract: empty where there is none.
        source: where the entry was read.
        doi: the identifier that a publisher gave the work, such as "10.1145/3219819.3219823".
        arxiv: its number on arXiv, such as "1706.06978".
        pmid: its number in PubMed.
        url: where it can be read.
        key: the id that the source of the entry gave it, such as a BibTeX key.
        venue: the journal or conference.
        keywords: as the authors or the source gave them.
        extra: what else the source says, by the source's own names.
        id: made from the title; see `entry_id`.

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
    doi: str | None = field(default=None, kw_only=True)
    arxiv: str | None = field(default=None, kw_only=True)
    pmid: str | None = field(default=None, kw_only=True)
    url: str | None = field(default=None, kw_only=True)
    key: str | None = field(default=None, kw_only=True)
    venue: str | None = field(default=None, kw_only=True)
    keywords: tuple[str, ...] = field(default=(), kw_only=True)
    extra: Mapping[str, Any] = field(default=_NO_EXTRA, kw_only=True)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "title", normalize_whitespace(self.title))
        put(self, "authors", _names(self.authors))
        while self.authors and (match := _ET_AL.search(self.authors[-1])):
            put(self, "authors", _names([*self.authors[:-1], self.authors[-1][: match.start()]]))
            put(self, "et_al", True)
        put(self, "et_al", self.et_al and bool(self.authors))
        for name in _OPTIONAL_TEXTS:
            if (text := getattr(self, name)) is not None:
                put(self, name, normalize_whitespace(text) or None)
        put(self, "keywords", tuple(word for word in map(normalize_whitespace, self.keywords) if word))
        put(self, "extra", FrozenMapping(self.extra) if self.extra else _NO_EXTRA)
        put(self, "abstract", normalize_whitespace(self.abstract))
        put(self, "id", entry_id(self.title))
        if not self.title:
            raise ValueError("an entry needs a title; this one is empty")


def _names(authors: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in (normalize_whitespace(author.replace(",", " ")) for author in authors) if name)
