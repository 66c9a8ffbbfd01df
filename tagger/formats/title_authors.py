"""Where does the title end? In a pasted listing nothing stands between it and the first author.

Every place where two words may be glued is a candidate, and each piece of evidence adds to or takes from its score:

- the shape of the names that the place would give (given name, initials, particles, surname);
- whether the title would end in a word that the abstract, or any abstract of the listing, uses;
- whether the place would cut a word that the abstract or the title writes in one piece (`OneRec`, `RLHF`);
- names that stand elsewhere in the listing, between commas, where no doubt is possible.

The weights are round numbers on a scale where 3 is "would decide alone". They were set by reasoning about the forms
of names, and checked on listings of 2,000 and 1,950 real papers (`bench/reader.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tagger.formats.author_names import (
    MAX_NAME_LENGTH,
    WORD,
    NameEvidence,
    has_inner_capital,
    is_among,
    name_shape_points,
    starts_like_surname,
)

__all__ = ["TitleAuthors", "split_byline", "split_title_authors"]

_THIN_LEAD = 1.5  # a best candidate that leads by less is worth a warning

_LEAD_WITHOUT_RIVAL = 9.0

_NO_NAME_AFTER = "-–—/\\:;,(['’“‘\"&+_@#{<|~·"  # no first author starts after one of these


@dataclass(frozen=True, slots=True)
class TitleAuthors:
    """A title, its authors, and by how much this reading leads the next best one."""

    title: str
    authors: tuple[str, ...]
    lead: float

    @property
    def is_thin(self) -> bool:
        """Whether the evidence was too thin to be sure."""
        return self.lead < _THIN_LEAD


@dataclass(frozen=True, slots=True)
class _AbstractWords:
    """The words of one entry's abstract, as they are written and in lower case."""

    words: set[str]
    lower_words: set[str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A byline cut in two at a place where the first author may start."""

    byline: str
    place: int

    @property
    def title(self) -> str:
        return self.byline[: self.place]

    @property
    def authors(self) -> list[str]:
        return self.byline[self.place :].split(", ")


def split_byline(line: str) -> tuple[str, bool, str | None]:
    """A title line as (title and authors in one piece, whether "et al." follows, affiliation)."""
    byline, dot, affiliation = line.rpartition(" · ")
    is_short = re.fullmatch(r"[\w.&-]{1,40}", affiliation)
    if dot and (_split_et_al(byline)[1] or is_short or (len(affiliation) <= 60 and _find_places(byline))):
        return *_split_et_al(byline), affiliation.strip()
    return *_split_et_al(line), None


def split_title_authors(byline: str, et_al: bool, abstract: str, evidence: NameEvidence) -> TitleAuthors:
    """The most likely title and authors.

    Args:
        byline: title and authors in one piece. Without any place to cut it, all of it is the title.
        et_al: whether "et al." followed.
        abstract: of the same entry.
        evidence: of the whole listing.
    """
    words = set(WORD.findall(abstract))
    places = _find_places(byline) or _find_places_without_capitals(byline, words, evidence.words)
    abstract_words = _AbstractWords(words, {word.lower() for word in words})
    scores = [(_score(_Candidate(byline, place), et_al, abstract_words, evidence), place) for place in places]
    if not scores:
        return TitleAuthors(byline, (), 0.0)
    (best, place), *others = sorted(scores, reverse=True)  # of two that are equal, the later place
    # A reading that no evidence speaks for is as doubtful as one with a close rival.
    lead = min(best - others[0][0] if others else _LEAD_WITHOUT_RIVAL, best + 3)
    winner = _Candidate(byline, place)
    return TitleAuthors(winner.title.rstrip(), tuple(winner.authors), lead)


def _split_et_al(text: str) -> tuple[str, bool]:
    """(the text before a final "et al.", whether there was one)."""
    end = text[-40:]
    stem = re.sub(r",?\s+et al\.?\s*$", "", end)
    return (text[:-40] + stem).strip(), len(stem) != len(end)


def _find_places(byline: str) -> list[int]:
    """Where a first author may start, in one of the last three parts between commas."""
    places: list[int] = []
    end = len(byline)
    for _ in range(3):
        comma = byline.rfind(", ", 0, end)
        part = range(max(comma + 2, end - MAX_NAME_LENGTH, 1), end)
        capitals = (at for at in part if _may_start_name(byline[at - 1], byline[at]))
        places += [at for at in capitals if not _is_in_brackets(byline, at, end)]
        if comma < 0:
            break
        end = comma
    return places


def _may_start_name(before: str, first: str) -> bool:
    """Whether a letter may be the first of a name: a capital that is glued to what stands before."""
    if before.isspace() or not first.isalpha() or before in _NO_NAME_AFTER:
        return False
    # A script without capitals starts a name after ASCII, as in "Search张三".
    return first.isupper() or first.istitle() or (not first.islower() and before.isascii())


def _is_in_brackets(byline: str, at: int, end: int) -> bool:
    """Whether a bracket that was opened before a place is closed after it."""
    closing = byline.find(")", at, end)
    return closing >= 0 and not 0 <= byline.find("(", at, end) < closing


def _find_places_without_capitals(byline: str, abstract_words: set[str], listing_words: set[str]) -> list[int]:
    """As `_find_places`, for a first author without a capital: after a known word that is glued to an unknown one."""

    def is_known(word: str) -> bool:
        return word in abstract_words or word.lower() in listing_words

    return [
        at
        for token in re.finditer(r"(?<![^\W\d_])[^\W\d_]{5,60}(?![^\W\d_])", byline)
        if not is_known(token[0])
        for at in range(token.start() + 4, token.end())
        if is_known(byline[token.start() : at])
    ][-10:]


def _score(candidate: _Candidate, et_al: bool, abstract: _AbstractWords, evidence: NameEvidence) -> float:
    """How likely the title ends at this place."""
    authors = candidate.authors
    score = sum(map(name_shape_points, authors))
    if et_al and len(authors) != 3:
        score -= 3  # "et al." follows three names
    for points in chain(
        _title_points(candidate.title, abstract, evidence),
        _cut_points(candidate, abstract, evidence),
        _first_author_points(candidate.title, authors[0], abstract, evidence),
    ):
        score += points
    return score


def _title_points(title: str, abstract: _AbstractWords, evidence: NameEvidence) -> Iterator[float]:
    """What the end of the title says."""
    words = WORD.findall(title[-MAX_NAME_LENGTH:])
    last = words[-1] if words else ""
    if len(last) == 1:
        yield 0 if last.isdigit() or not last.isascii() else -2
    elif last in abstract.words or last.lower() in abstract.lower_words:
        yield 3
    elif is_among(last.lower(), evidence.words):
        yield 2
    # A title with a known word glued to a capital runs past the true place: "... AgentsJie".
    if any(_is_glued(word, abstract, evidence) for word in words):
        yield -3
    # One that ends in an unheard-of word such as OneRec likely does too: an abstract names what its title names.
    is_unheard_of = last not in abstract.words and last not in evidence.mixed_words
    if abstract.words and is_unheard_of and has_inner_capital(last):
        yield -1.5
    if title[-1] in "?!.":
        yield 1


def _cut_points(candidate: _Candidate, abstract: _AbstractWords, evidence: NameEvidence) -> Iterator[float]:
    """Whether a word that is written in one piece elsewhere stands across the place."""
    byline, place = candidate.byline, candidate.place
    left = right = place
    while left > 0 and byline[left - 1].isalnum() and place - left < MAX_NAME_LENGTH:
        left -= 1
    while right < len(byline) and byline[right].isalnum() and right - place < MAX_NAME_LENGTH:
        right += 1
    starts = [at for at in range(left, place) if at == left or byline[at].isupper() or byline[at].isdigit()]
    ends = [at for at in range(place + 1, right + 1) if at == right or byline[at].isupper()]
    if any(
        (piece := byline[start:end]) in abstract.words
        or is_among(piece, evidence.mixed_words)
        or piece in evidence.given_names
        or piece in evidence.surnames
        for start in starts[-8:]
        for end in ends[:8]
    ):
        yield -6


def _first_author_points(title: str, author: str, abstract: _AbstractWords, evidence: NameEvidence) -> Iterator[float]:
    """What the name of the first author says."""
    parts = author.split()
    given_name = parts[0]
    # A name with a known word glued to a capital begins too early: "Rise Urban ScenariosMaria".
    if any(_is_glued(part, abstract, evidence) for part in parts):
        yield -3
    if author in evidence.names:
        yield 5
    else:
        if given_name in evidence.given_names:
            yield 1.5
        if len(parts) > 1 and parts[-1] in evidence.surnames:
            yield 0.7
    is_named = author in abstract.words or given_name in abstract.words or given_name in evidence.given_names
    if given_name.lower() in evidence.words and not is_named:
        yield -1
    if title[-1].isupper() and len(given_name) > 1 and given_name[1].isupper():
        yield -1


def _is_glued(word: str, abstract: _AbstractWords, evidence: NameEvidence) -> bool:
    """Whether this looks like a word of the title with the start of a name glued to it."""
    if word in abstract.words or word in evidence.mixed_words or word.isupper() or starts_like_surname(word):
        return False
    return any(is_among(word[:at].lower(), evidence.words) for at in range(2, min(len(word), 30)) if word[at].isupper())
