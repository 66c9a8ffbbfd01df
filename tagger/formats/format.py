"""`Format`: what a form of entries or tags looks like, and how it is read and written. `registry.py` lists them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tagger.entry import Entry
from tagger.formats.listing import Listing
from tagger.tags import Tagged
from tagger.taxonomy import Topic

__all__ = ["BinaryFormat", "EntryLabels", "Format", "ListingFormat", "Requirement", "TaggedRow", "TextFormat", "WriteOptions"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How tagged entries are written.

    Attributes:
        scored_topics: the topics whose scores every entry shows, which its results must have; None for none.
        digits: of the scores of tags, in forms that programs read.
        width: columns of the terminal; None for plain text.
    """

    scored_topics: tuple[Topic, ...] | None = None
    digits: int = 4
    width: int | None = None


class Requirement(NamedTuple):
    """A package that a form needs, and the extra of the distribution that brings it."""

    package: str
    extra: str


class TaggedRow(NamedTuple):
    """An entry with its topics, as an output has them."""

    id: str
    title: str
    topics: tuple[str, ...]


class EntryLabels(NamedTuple):
    """What a person said of an entry of a labelled set: ids of topics that apply, and of topics left open."""

    topics: tuple[str, ...]
    unsure: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Format(ABC):
    """A form of output for tagged entries.

    Attributes:
        name: as `--format` has it.
        title: as the documentation calls it.
        ending: of the files that a batch writes.
        endings: those by which a file is known to be in this form, in lower case; none where another form has them.
        media_types: those that stand for it in HTTP.
        read_tags: text -> (line, row) for each entry, the row None where a line holds no id, title and topics; None where tags
            are not read back from this form.
        names_listings: whether each entry says which listing it is from, so that one file can hold those of many.
        shows_scores: whether there is a place for the scores of all topics.
        shows_reasons: whether there is a place for the words that spoke for and against a topic.
        needs: what must be installed to write it; None for nothing.
    """

    name: str
    title: str
    ending: str
    endings: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    read_tags: Callable[[str], Iterator[tuple[int, TaggedRow | None]]] | None = None
    names_listings: bool = False
    shows_scores: bool = True
    shows_reasons: bool = True
    needs: Requirement | None = None

    @abstractmethod
    def write_bytes(self, results: Sequence[Tagged], options: WriteOptions) -> bytes:
        """The bytes of a file with these tagged entries."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BinaryFormat(Format):
    """A form that is no text, and so never goes to a terminal."""

    encode: Callable[[Sequence[Tagged], WriteOptions], bytes]

    def write_bytes(self, results: Sequence[Tagged], options: WriteOptions) -> bytes:
        """The bytes of a file with these tagged entries."""
        return self.encode(results, options)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TextFormat(Format):
    """A form that is text; `write` gives it."""

    write: Callable[[Sequence[Tagged], WriteOptions], str]

    def write_bytes(self, results: Sequence[Tagged], options: WriteOptions) -> bytes:
        """The bytes of a file with these tagged entries, in UTF-8."""
        return self.write(results, options).encode()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ListingFormat(TextFormat):
    """A form in which listings are read, too.

    Attributes:
        looks_like: whether text is in this form, by its beginning.
        read: (text, its name, the year of dates without one) -> entries, problems and warnings.
        write_entries: entries -> text that `read` turns back into equal entries, where `can_hold` is true of each.
        can_hold: whether nothing of an entry is lost in this form.
        append_entry: (text, entry) -> the text with one more entry at its end.
        remove_entry: (text, id) -> the text without the entry that has this id; empty where it was the only one.
        read_entry_labels: text -> for each entry what a person said of it, or what is wrong with that; None where the form
            has no place for labels.
    """

    looks_like: Callable[[str], bool]
    read: Callable[[str, str, int | None], Listing]
    write_entries: Callable[[Sequence[Entry]], str]
    can_hold: Callable[[Entry], bool]
    append_entry: Callable[[str, Entry], str]
    remove_entry: Callable[[str, str], str]
    read_entry_labels: Callable[[str], Iterator[EntryLabels | str]] | None = None
