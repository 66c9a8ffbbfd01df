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
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

__all__ = [
    "NameEvidence",
    "TitleAuthors",
    "split_byline",
    "split_title_authors",
]


PARTICLES = frozenset(
    """
    van von der den de da do dos das del della di du la le los al el ul bin ibn ben bint ter ten tot zu zum zur af
    av y e i jr jr. sr sr. ii iii iv st st. bar abu vom dalla degli dello
    """.split()
)


# Words that a title holds in lower case and a name does not.
FUNCTION_WORDS = frozenset(
    """
    a an and are as at by can do does for from how in into is it its need not of on or our than that the their
    there these they through to toward towards under using via we what when where which who why with without your
    """.split()
)


_GROUP_WORDS = frozenset(
    """
    team group lab labs ai research project collaboration consortium network alliance
    """.split()
)


_INNER_CAPITAL = re.compile(r"(?:Mc|Mac|O['’]|D['’]|De|Di|Du|La|Le|Van|Von|Fitz|St)[A-Z]")


_ACRONYM = re.compile(r"[A-Z]{2,}[a-z]|[A-Z]s[A-Z]")  # the end of an acronym stuck to a name: LPMaria, MsMaria


_WORD = re.compile(r"\w+")


_REACH = 120  # a first author is never longer than this, so the work a line costs does not grow with its length


_THIN = 1.5  # a best candidate that leads by less is worth a warning


@dataclass(slots=True)
class NameEvidence:
    """What a whole listing says about its words and names; built once, then read for each entry."""

    words: set[str] = field(default_factory=set)  # lower-case words of all titles and abstracts
    pieces: set[str] = field(default_factory=set)  # their words with a capital past the first letter: OneRec, RLHF
    names: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    surnames: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, bylines: Iterable[tuple[str, bool]], abstracts: Iterable[str]) -> NameEvidence:
        """From (title and authors glued, whether "et al." followed) pairs, and the abstracts."""
        evidence = cls()
        for abstract in abstracts:
            for word in _WORD.findall(abstract):
                if word.islower():
                    evidence.words.add(word)
                elif not word[1:].islower():
                    evidence.pieces.add(word)
        for glued, et_al in bylines:
            for word in _WORD.findall(glued):
                if word.islower():
                    evidence.words.add(word)
                elif word.isupper() and len(word) > 1:
                    evidence.pieces.add(word)
            # "et al." follows exactly three names: the last two stand between commas. Else only the last one is sure.
            for name in glued.split(", ")[1:][-2 if et_al else -1 :]:
                parts = name.split()
                if 2 <= len(parts) <= 4 and _shape(name) > -1.5 and (et_al or not any(map(_glued_inside, parts))):
                    evidence.names.add(name)
                    evidence.given.add(parts[0])
                    evidence.surnames.add(parts[-1])
        return evidence


@dataclass(frozen=True, slots=True)
class TitleAuthors:
    """A title, its authors, and by how much this reading leads the next best one."""

    title: str
    authors: tuple[str, ...]
    lead: float

    @property
    def thin(self) -> bool:
        """Whether the evidence was too thin to be sure."""
        return self.lead < _THIN


def split_byline(line: str) -> tuple[str, bool, str | None]:
    """A title line as (title and authors glued, et al., affiliation)."""
    glued, dot, affiliation = line.rpartition(" · ")
    short = re.fullmatch(r"[\w.&-]{1,40}", affiliation)
    if dot and (_et_al(glued)[1] or short or (len(affiliation) <= 60 and _places(glued))):
        return *_et_al(glued), affiliation.strip()
    return *_et_al(line), None


def split_title_authors(glued: str, et_al: bool, abstract: str, evidence: NameEvidence) -> TitleAuthors:
    """The most likely title and authors of `glued`. No place to cut at all: everything is the title."""
    own = set(_WORD.findall(abstract))
    places = _places(glued) or _low_places(glued, own, evidence.words)
    own_lower = {word.lower() for word in own}
    scored = sorted(
        ((_score(glued, place, et_al, own, own_lower, evidence), place) for place in places), key=lambda at: (-at[0], -at[1])
    )
    if not scored:
        return TitleAuthors(glued, (), 0.0)
    (best, place), *others = scored
    # A reading that no evidence speaks for is as doubtful as one with a close rival.
    lead = min(best - others[0][0] if others else 9.0, best + 3)
    return TitleAuthors(glued[:place].rstrip(), tuple(glued[place:].split(", ")), lead)


def _et_al(text: str) -> tuple[str, bool]:
    stem = re.sub(r",?\s+et al\.?\s*$", "", text[-40:])
    return (text[:-40] + stem).strip(), len(stem) != len(text[-40:])


def _places(glued: str) -> list[int]:
    """Positions at which a first author may start: no space on either side, near the end of a comma's part."""
    places: list[int] = []
    end = len(glued)
    for _ in range(3):
        comma = glued.rfind(", ", 0, end)
        for at in range(max(comma + 2, end - _REACH, 1), end):
            before, after = glued[at - 1], glued[at]
            if glued.find(")", at, end) >= 0 and not 0 <= glued.find("(", at, end) < glued.find(")", at, end):
                continue
            if before.isspace() or not after.isalpha() or before in "-–—/\\:;,(['’“‘\"&+_@#{<|~·":
                continue
            if after.isupper() or after.istitle() or (not after.islower() and before.isascii()):
                places.append(at)
        if comma < 0:
            break
        end = comma
    return places


def _low_places(glued: str, own: set[str], words: set[str]) -> list[int]:
    """As `_places`, for a first author without a capital: after a known word that is glued to an unknown one."""

    def known(word: str) -> bool:
        return word in own or word.lower() in words

    return [
        at
        for token in re.finditer(r"(?<![^\W\d_])[^\W\d_]{5,60}(?![^\W\d_])", glued)
        if not known(token[0])
        for at in range(token.start() + 4, token.end())
        if known(glued[token.start() : at])
    ][-10:]


def _score(glued: str, place: int, et_al: bool, own: set[str], own_lower: set[str], evidence: NameEvidence) -> float:
    title, authors = glued[:place], glued[place:].split(", ")
    score = sum(_shape(name) for name in authors)
    if et_al and len(authors) != 3:
        score -= 3

    # The title's last word.
    words = _WORD.findall(title[-_REACH:])
    last = words[-1] if words else ""
    if len(last) == 1:
        score -= 0 if last.isdigit() or not last.isascii() else 2
    elif last in own or last.lower() in own_lower:
        score += 3
    elif _known(last.lower(), evidence.words):
        score += 2
    # A title with a known word glued to a capital has swallowed the true place: "... AgentsJie".
    # A name with one has begun too early: "Rise Urban ScenariosMaria".
    score -= 3 * any(_swallowed(word, own, evidence) for word in words)
    # And one that ends in an unheard-of CamelCase word, likely: an abstract names what its title names.
    score -= 1.5 * bool(own and last not in own and last not in evidence.pieces and _glued_inside(last))
    if title[-1] in "?!.":
        score += 1

    # A word that is written in one piece elsewhere is not cut.
    score -= 6 * _cuts(glued, place, own, evidence)

    # The first author.
    first = authors[0]
    parts = first.split()
    score -= 3 * any(_swallowed(part, own, evidence) for part in parts)
    if first in evidence.names:
        score += 5
    else:
        score += 1.5 * (parts[0] in evidence.given)
        score += 0.7 * (len(parts) > 1 and parts[-1] in evidence.surnames)
    if parts[0].lower() in evidence.words and parts[0] not in evidence.given and not (first in own or parts[0] in own):
        score -= 1
    if title[-1].isupper() and (len(parts[0]) > 1 and parts[0][1].isupper()):
        score -= 1
    return score


def _cuts(glued: str, place: int, own: set[str], evidence: NameEvidence) -> bool:
    """Whether a word that the abstract or a name elsewhere writes in one piece stands across `place`."""
    left = right = place
    while left > 0 and (glued[left - 1].isalnum()) and place - left < _REACH:
        left -= 1
    while right < len(glued) and glued[right].isalnum() and right - place < _REACH:
        right += 1
    starts = [at for at in range(left, place) if at == left or glued[at].isupper() or glued[at].isdigit()]
    ends = [at for at in range(place + 1, right + 1) if at == right or glued[at].isupper()]
    return any(
        (piece := glued[start:end]) in own
        or _known(piece, evidence.pieces)
        or piece in evidence.given
        or piece in evidence.surnames
        for start in starts[-8:]
        for end in ends[:8]
    )


def _swallowed(word: str, own: set[str], evidence: NameEvidence) -> bool:
    """Whether this looks like a word of the title with the start of a name stuck to it."""
    if word in own or word in evidence.pieces or word.isupper() or _INNER_CAPITAL.match(word):
        return False
    return any(_known(word[:at].lower(), evidence.words) for at in range(2, min(len(word), 30)) if word[at].isupper())


def _known(word: str, words: set[str]) -> bool:
    """Whether the word, or its singular or plural, is among `words`."""
    return word in words or (word[:-1] if word.endswith("s") else word + "s") in words


def _glued_inside(part: str) -> bool:
    return any(a.islower() and b.isupper() for a, b in pairwise(part)) and not _INNER_CAPITAL.match(part)


@lru_cache(maxsize=4096)
def _shape(name: str) -> float:
    """How unlike a name this is: 0 for `Given Surname`, ever lower for stranger forms."""
    if len(name) > _REACH:
        return -20.0
    parts = name.split()
    if not parts:
        return -20.0
    score = 0.0
    plain = 0.0
    for n, part in enumerate(parts):
        bare = part.rstrip(".")
        if part.lower() in FUNCTION_WORDS and part.islower():
            score -= 5
        elif n and part.lower() in PARTICLES:
            continue
        elif any(c.isdigit() for c in part):
            score -= 4
        elif part[0] == "(" or part[-1] == ")":
            score -= 1
        elif not bare or not all(c.isalpha() or c in ".-'’‐‑`´" or not c.isascii() for c in part):
            score -= 6
        elif len(bare) == 1 and bare.isalpha():
            score -= 0.2
            plain += 0.5
        elif bare[0].islower():
            score -= 1 if n == len(parts) - 1 and n else 2.5
            plain += 1
        else:
            plain += 1
            if len(bare) > 1 and bare.isupper():
                score -= 0.8
            elif _ACRONYM.match(bare):
                score -= 2
            elif _glued_inside(bare):
                score -= 0.7
    if len(parts) == 1:
        score -= 3 if name.isascii() or name[0].isupper() else 0
    elif parts[-1].lower() in _GROUP_WORDS:
        score -= 0.5
    if plain > 3:
        score -= 1.2 * (plain - 3)
    elif plain > 2:
        score -= 0.4
    return score
