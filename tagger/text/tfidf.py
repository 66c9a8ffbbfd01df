r"""Term counts of texts and their TF-IDF, as compressed sparse rows.

The numbers equal those of scikit-learn's `TfidfVectorizer(token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 2),
sublinear_tf=True)` to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.tokenize import CHUNK_CHARACTERS, Tokens, tokenize

__all__ = ["TermCounts", "count_terms", "tfidf_weights"]


@dataclass(frozen=True, slots=True, eq=False)
class TermCounts:
    """Term counts of some texts in compressed sparse rows: row i is `terms[starts[i]:starts[i + 1]]`, ascending."""

    starts: NDArray[np.signedinteger[Any]]  # (n_texts + 1,)
    terms: NDArray[np.integer[Any]]  # (n_counts,) indexes in the vocabulary
    counts: NDArray[np.int64]  # (n_counts,)
    n_known_words: NDArray[np.int64]  # (n_texts,) words that are in the vocabulary
    n_words: NDArray[np.int64]  # (n_texts,) all words


def count_terms(
    texts: Iterable[str], vocabulary: HashedVocabulary, chunk_characters: int = CHUNK_CHARACTERS
) -> Iterator[TermCounts]:
    """Count the terms of each text: one `TermCounts` for each chunk of texts, in order.

    Args:
        texts: any number of texts; they are read as chunks are asked for.
        vocabulary: the terms to count.
        chunk_characters: see `tokenize`; the counts are the same for any.
    """
    for tokens in tokenize(texts, chunk_characters):
        yield _count_chunk(tokens, vocabulary)


def _count_chunk(tokens: Tokens, vocabulary: HashedVocabulary) -> TermCounts:
    n_bits = max(1, (vocabulary.size - 1).bit_length())
    terms = vocabulary.find(tokens.term_hashes)
    known = np.flatnonzero(terms >= 0)
    # Text and term make one number, the text in its high bits: so sorting brings equal ones together, in order of texts.
    kind = np.dtype(np.int32 if tokens.n_texts << n_bits < 1 << 31 else np.int64)  # half the width sorts faster
    keys: NDArray[np.signedinteger[Any]] = (tokens.term_rows.astype(kind).take(known) << n_bits) | terms.take(known)
    keys.sort()
    first_of_run = np.flatnonzero(np.diff(keys, prepend=keys.dtype.type(-1)))
    distinct = keys.take(first_of_run)
    return TermCounts(
        starts=np.searchsorted(distinct, np.arange(tokens.n_texts + 1).astype(kind) << n_bits),
        terms=distinct & ((1 << n_bits) - 1),
        counts=np.diff(first_of_run, append=len(keys)),
        n_known_words=np.diff(np.searchsorted(known, tokens.text_bounds)),
        n_words=np.diff(tokens.text_bounds),
    )


def tfidf_weights(
    starts: NDArray[np.integer[Any]],
    terms: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    idf: NDArray[np.float64],
) -> NDArray[np.float64]:
    """TF-IDF of compressed sparse rows: (1 + ln count) idf, each row scaled to length 1.

    Args:
        starts: as in `TermCounts`, (n_texts + 1,).
        terms: as in `TermCounts`, (n_counts,).
        counts: as in `TermCounts`, (n_counts,).
        idf: the inverse document frequency of each term, (n_terms,); a term with 0 counts for nothing.

    Returns:
        (n_counts,). All are 0 in a row whose terms count for nothing.
    """
    damped = 1.0 + np.log(np.arange(1, counts.max(initial=0) + 1))  # a table, because few counts are distinct
    values = damped.take(counts - 1) * idf.take(terms)
    n_texts = len(starts) - 1
    rows = np.repeat(np.arange(n_texts), np.diff(starts))
    lengths = np.sqrt(np.bincount(rows, weights=values * values, minlength=n_texts))
    lengths[lengths == 0] = 1.0
    return values / lengths.take(rows)
