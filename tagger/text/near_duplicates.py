"""When two entries count as near-duplicates: they share half of their terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "group_near_duplicates",
]


Ints = NDArray[np.int64]


_BANDS, _ROWS = 16, 3  # of MinHash: two entries that share 60% of their terms meet in some band with 98% chance


_ALIKE = 0.5  # share of MinHash values two entries have in common, from which on they count as near-duplicates


def group_near_duplicates(starts: NDArray[np.integer[Any]], terms: NDArray[np.integer[Any]]) -> Ints:
    """The group of each entry, (n_entries,): entries with half of their terms in common share a group.

    MinHash signatures, cut into bands to find candidates, so the time is linear in the number of entries.

    Source: A. Broder, "On the resemblance and containment of documents", 1997; banding after Leskovec, Rajaraman and
    Ullman, "Mining of massive datasets", chapter 3.

    Args:
        starts: where each entry's terms begin, and where the last one's end, (n_entries + 1,).
        terms: the terms of all entries, entry after entry, ascending.
    """
    n_entries = len(starts) - 1
    group = np.arange(n_entries)
    filled = np.flatnonzero(np.diff(starts))
    if not len(filled):
        return group
    random = np.random.default_rng(0)
    factors = random.integers(1, 1 << 63, size=_BANDS * _ROWS, dtype=np.uint64) | np.uint64(1)
    numbers = terms.astype(np.uint64) + np.uint64(1)
    signature = np.empty((len(filled), len(factors)), dtype=np.uint64)
    for n, factor in enumerate(factors):
        values = numbers * factor
        values ^= values >> np.uint64(32)
        signature[:, n] = np.minimum.reduceat(values * factor, starts[filled])
    for band in range(_BANDS):
        rows = np.ascontiguousarray(signature[:, band * _ROWS : (band + 1) * _ROWS])
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        first_like = first[inverse.ravel()]
        alike = (signature == signature[first_like]).mean(axis=1) >= _ALIKE
        for one, other in zip(filled[alike].tolist(), filled[first_like[alike]].tolist(), strict=True):
            a, b = _find_root(group, one), _find_root(group, other)
            group[max(a, b)] = min(a, b)
    return np.array([_find_root(group, n) for n in range(n_entries)])


def _find_root(group: Ints, n: int) -> int:
    """The first entry of a group, in a forest of pointers towards it that is flattened on the way."""
    while group[n] != n:
        group[n] = group[group[n]]
        n = int(group[n])
    return n
