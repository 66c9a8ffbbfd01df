"""What names of authors look like, and what a whole listing says about names and words.

The points are round numbers on the scale of `title_authors.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

__all__ = [
    "MAX_NAME_LENGTH",
    "WORD",
    "NameEvidence",
    "has_inner_capital",
    "is_among",
    "name_shape_points",
    "starts_like_surname",
]

MAX_NAME_LENGTH = 120
"""No name is longer. So the work that a line costs does not grow with its length."""

WORD = re.compile(r"\w+")

_PARTICLES = frozenset(
    """
    van von der den de da do dos das del della di du la le los al el ul bin ibn ben bint ter ten tot zu zum zur af
    av y e i jr jr. sr sr. ii iii iv st st. bar abu vom dalla degli dello
    """.split()
)

# Words that a title holds in lower case and a name does not.
_FUNCTION_WORDS = frozenset(
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

_SURNAME_START = re.compile(r"(?:Mc|Mac|O['’]|D['’]|De|Di|Du|La|Le|Van|Von|Fitz|St)[A-Z]")  # McCallum, O'Neil

_STUCK_ACRONYM = re.compile(r"[A-Z]{2,}[a-z]|[A-Z]s[A-Z]")  # the end of an acronym stuck to a name: LPMaria, MsMaria

_NO_NAME_POINTS = -20.0


@dataclass(slots=True)
class NameEvidence:
    """What a whole listing says about its words and names. It is collected once, then read for each entry.

    Attributes:
        words: the lower-case words of all titles and abstracts.
        mixed_words: their words with a capital past the first letter, such as OneRec and RLHF.
        names: the names that stand where no doubt is possible.
        given_names: the first words of these names.
        surnames: their last words.
    """

    words: set[str] = field(default_factory=set)
    mixed_words: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    given_names: set[str] = field(default_factory=set)
    surnames: set[str] = field(default_factory=set)

    @classmethod
    def collect(cls, bylines: Iterable[tuple[str, bool]], abstracts: Iterable[str]) -> NameEvidence:
        """The evidence of a listing.

        Args:
            bylines: title and authors in one piece, and whether "et al." followed.
            abstracts: of the entries.
        """
        evidence = cls()
        for abstract in abstracts:
            for word in WORD.findall(abstract):
                if word.islower():
                    evidence.words.add(word)
                elif not word[1:].islower():
                    evidence.mixed_words.add(word)
        for byline, et_al in bylines:
            for word in WORD.findall(byline):
                if word.islower():
                    evidence.words.add(word)
                elif word.isupper() and len(word) > 1:
                    evidence.mixed_words.add(word)
            evidence._add_certain_names(byline, et_al)
        return evidence

    def _add_certain_names(self, byline: str, et_al: bool) -> None:
        """Add the names between commas. The first name is glued to the title, so it is never among them.

        "et al." follows three names exactly. Without it only the last name is certain: a title may have commas too.
        """
        for name in byline.split(", ")[1:][-2 if et_al else -1 :]:
            parts = name.split()
            looks_like_name = 2 <= len(parts) <= 4 and name_shape_points(name) > -1.5
            if looks_like_name and (et_al or not any(map(has_inner_capital, parts))):
                self.names.add(name)
                self.given_names.add(parts[0])
                self.surnames.add(parts[-1])


def is_among(word: str, words: set[str]) -> bool:
    """Whether the word, its singular or its plural is among `words`."""
    return word in words or (word[:-1] if word.endswith("s") else word + "s") in words


def starts_like_surname(word: str) -> bool:
    """Whether a word begins as McCallum and O'Neil do, whose inner capital means nothing."""
    return _SURNAME_START.match(word) is not None


def has_inner_capital(part: str) -> bool:
    """Whether a capital follows a small letter, as in OneRec; McCallum does not count."""
    return any(before.islower() and after.isupper() for before, after in pairwise(part)) and not starts_like_surname(part)


@lru_cache(maxsize=4096)
def name_shape_points(name: str) -> float:
    """How much a text looks like a name: 0 for `Given Surname`, ever lower for stranger forms."""
    parts = name.split()
    if not parts or len(name) > MAX_NAME_LENGTH:
        return _NO_NAME_POINTS
    score = 0.0
    n_plain_parts = 0.0  # an initial counts as half a part
    for n, part in enumerate(parts):
        if n and part.lower() in _PARTICLES and not (part.islower() and part in _FUNCTION_WORDS):
            continue
        points, weight = _part_points(part, is_first=n == 0, is_last=n == len(parts) - 1)
        score += points
        n_plain_parts += weight
    if len(parts) == 1:
        score -= 3 if name.isascii() or name[0].isupper() else 0
    elif parts[-1].lower() in _GROUP_WORDS:
        score -= 0.5
    if n_plain_parts > 3:
        score -= 1.2 * (n_plain_parts - 3)
    elif n_plain_parts > 2:
        score -= 0.4
    return score


def _part_points(part: str, is_first: bool, is_last: bool) -> tuple[float, float]:
    """(points, weight as a plain part) of one word of a name that is no particle."""
    bare = part.rstrip(".")
    if part.islower() and part in _FUNCTION_WORDS:
        return -5, 0
    if any(letter.isdigit() for letter in part):
        return -4, 0
    if part[0] == "(" or part[-1] == ")":
        return -1, 0
    if not bare or not all(letter.isalpha() or letter in ".-'’‐‑`´" or not letter.isascii() for letter in part):
        return -6, 0
    if len(bare) == 1 and bare.isalpha():
        return -0.2, 0.5
    if bare[0].islower():
        return (-1 if is_last and not is_first else -2.5), 1
    if len(bare) > 1 and bare.isupper():
        return -0.8, 1
    if _STUCK_ACRONYM.match(bare):
        return -2, 1
    return (-0.7 if has_inner_capital(bare) else 0), 1
