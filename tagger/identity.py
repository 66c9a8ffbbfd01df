"""When two entries are the same work: their titles have the same letters and digits, and so the same id."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b

from tagger.whitespace import normalize_whitespace

__all__ = ["ID_LENGTH", "entry_id"]

ID_LENGTH = 8  # letters of an id
_ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread


def entry_id(title: str) -> str:
    """Eight letters and digits made from a title: the same whatever its case, spacing and punctuation.

    >>> entry_id("Deep Interest Network"), entry_id("deep  interest-network!")
    ('s12qsv0r', 's12qsv0r')
    """
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", title).casefold())) or normalize_whitespace(title)
    number = int.from_bytes(blake2b(letters.encode("utf-8", "surrogatepass"), digest_size=5).digest())
    return "".join(_ID_LETTERS[number >> shift & 31] for shift in range(5 * (ID_LENGTH - 1), -1, -5))
