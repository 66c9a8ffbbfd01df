"""When two entries count as near-duplicates: they share half of their terms.

The share is the Jaccard similarity of two sets, |A and B| / |A or B|. For two entries it is computed exactly, from their
words. For many entries at once it is estimated by MinHash, from the terms of a vocabulary, in time linear in their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.text.normalize import entry_text
from tagger.text.tfidf import count_terms

__all__ = ["NEAR_DUPLICATE_JACCARD", "are_near_duplicates", "group_near_duplicate_texts", "group_near_duplicates"]

Ints = NDArray[np.int64]

NEAR_DUPLICATE_JACCARD = 0.5  # entries with this Jaccard similarity or more are near-duplicates

# MinHash values are compared in bands: entries with a Jaccard similarity of 0.6 have a band in common with 98% chance.
_N_BANDS, _BAND_SIZE = 16, 3


def are_near_duplicates(entry: Entry, other: Entry) -> bool:
    """Whether two entries are near-duplicates, by the words of their titles and abstracts."""
    words, other_words = (set(entry_text(each).casefold().split()) for each in (entry, other))
    return len(words & other_words) >= NEAR_DUPLICATE_JACCARD * len(words | other_words)


def group_near_duplicate_texts(texts: Sequence[str]) -> Ints:
    """The group of each text, as in `group_near_duplicates`, by all terms that the texts have: (n_texts,)."""
    chunks = list(count_terms(texts, build_vocabulary(texts, 1).vocabulary))
    sizes = np.concatenate([np.diff(chunk.starts) for chunk in chunks])
    return group_near_duplicates(np.concatenate([[0], np.cumsum(sizes)]), np.concatenate([chunk.terms for chunk in chunks]))


def group_near_duplicates(starts: NDArray[np.integer[Any]], terms: NDArray[np.integer[Any]]) -> Ints:
    """The group of each entry: near-duplicates share a group, and so do entries that a chain of near-duplicates joins.

    Source: A. Broder, "On the resemblance and containment of documents", 1997 (MinHash); J. Leskovec, A. Rajaraman and
    J. Ullman, "Mining of massive datasets", chapter 3 (bands).

    Args:
        starts: where the terms of each entry start, and where those of the last one end, (n_entries + 1,).
        terms: the terms of all entries, one entry after the other, each entry's in ascending order.

    Returns:
        The index of the first entry of the group, (n_entries,). An entry without a term is alone in its group.
    """
    n_entries = len(starts) - 1
    parents = np.arange(n_entries)
    with_terms = np.flatnonzero(np.diff(starts))
    if not len(with_terms):
        return parents
    signatures = _minhash_signatures(starts[with_terms], terms)
    for band in range(_N_BANDS):
        band_values = np.ascontiguousarray(signatures[:, band * _BAND_SIZE : (band + 1) * _BAND_SIZE])
        _, first, inverse = np.unique(band_values, axis=0, return_index=True, return_inverse=True)
        candidates = first[inverse.ravel()]  # for each entry the first one with the same values in the band
        jaccard = (signatures == signatures[candidates]).mean(axis=1)
        similar = jaccard >= NEAR_DUPLICATE_JACCARD
        for entry, candidate in zip(with_terms[similar].tolist(), with_terms[candidates[similar]].tolist(), strict=True):
            root, other_root = _find_root(parents, entry), _find_root(parents, candidate)
            parents[max(root, other_root)] = min(root, other_root)
    return np.array([_find_root(parents, entry) for entry in range(n_entries)])


def _minhash_signatures(starts: NDArray[np.integer[Any]], terms: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """The smallest of each entry's terms by each of several hash functions, (n_entries, n_functions)."""
    random = np.random.default_rng(0)
    factors = random.integers(1, 1 << 63, size=_N_BANDS * _BAND_SIZE, dtype=np.uint64) | np.uint64(1)
    numbers = terms.astype(np.uint64) + np.uint64(1)
    signatures = np.empty((len(starts), len(factors)), dtype=np.uint64)
    for n, factor in enumerate(factors):
        hashes = numbers * factor
        hashes ^= hashes >> np.uint64(32)
        signatures[:, n] = np.minimum.reduceat(hashes * factor, starts)
    return signatures


def _find_root(parents: Ints, entry: int) -> int:
    """The first entry of a group, in a forest where each entry points to a parent; the path to it is made shorter."""
    while parents[entry] != entry:
        parents[entry] = parents[parents[entry]]
        entry = int(parents[entry])
    return entry
