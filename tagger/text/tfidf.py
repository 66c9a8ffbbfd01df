r"""Term counts of texts and their TF-IDF, as compressed sparse rows, with numpy alone.

The numbers equal those of scikit-learn's `TfidfVectorizer(token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 2))` to
rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.tokenize import tokenize

__all__ = [
    "TermCounts",
    "count_terms",
    "tfidf_weights",
]


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Term counts of some texts in compressed sparse rows: row i is `terms[starts[i]:starts[i + 1]]`, ascending.

    `known` and `words` count, for each text, the words that are in the vocabulary and all words.
    """

    starts: NDArray[np.signedinteger[Any]]  # (n_entries + 1,)
    terms: NDArray[np.integer[Any]]  # (n_counts,)
    counts: NDArray[np.int64]  # (n_counts,)
    known: NDArray[np.int64]  # (n_entries,)
    words: NDArray[np.int64]  # (n_entries,)


def count_terms(texts: Iterable[str], terms: HashedVocabulary) -> Iterator[TermCounts]:
    """Count the terms of each text: one `TermCounts` for each chunk of texts, in order."""
    bits = max(1, (terms.size - 1).bit_length())
    for words in tokenize(texts):
        found = terms.find(np.concatenate([words.hashes, words.pairs]))
        hit = np.flatnonzero(found >= 0)
        # One number for a text and a term, so that sorting brings equal ones together.
        kind = np.dtype(np.int32 if words.n_texts << bits < 1 << 31 else np.int64)  # half the width sorts faster
        rows = np.concatenate([words.rows, words.rows.take(words.lefts)]).astype(kind)
        keys: NDArray[np.signedinteger[Any]] = (rows.take(hit) << bits) | found.take(hit)
        keys.sort()
        new = np.flatnonzero(np.diff(keys, prepend=keys.dtype.type(-1)))
        first = keys.take(new)
        yield TermCounts(
            starts=np.searchsorted(first, np.arange(words.n_texts + 1).astype(kind) << bits),
            terms=first & ((1 << bits) - 1),
            counts=np.diff(new, append=len(keys)),
            known=np.diff(np.searchsorted(hit, words.bounds)),
            words=np.diff(words.bounds),
        )


def tfidf_weights(
    starts: NDArray[np.integer[Any]],
    terms: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    idf: NDArray[np.float64],
) -> NDArray[np.float64]:
    """TF-IDF of compressed sparse rows as in `TermCounts`: (1 + ln count) idf, each row scaled to length 1.

    A term whose idf is 0 counts for nothing. Returns (n_counts,).
    """
    damped = 1.0 + np.log(np.arange(1, counts.max(initial=0) + 1))  # fewer counts are distinct than there are
    values = damped.take(counts - 1) * idf.take(terms)
    n_texts = len(starts) - 1
    rows = np.repeat(np.arange(n_texts), np.diff(starts))
    lengths = np.sqrt(np.bincount(rows, weights=values * values, minlength=n_texts))
    lengths[lengths == 0] = 1.0
    return values / lengths.take(rows)
