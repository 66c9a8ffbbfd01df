"""Splitting labelled entries for cross-validation: stratified for several labels at once, near-duplicates together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["near_duplicates", "stratified_folds"]

Ints = NDArray[np.int64]

_BANDS, _ROWS = 16, 3  # of MinHash: two entries that share 60% of their terms meet in some band with 98% chance
_ALIKE = 0.5  # share of MinHash values two entries have in common, from which on they count as near-duplicates


def near_duplicates(starts: NDArray[np.integer[Any]], terms: NDArray[np.integer[Any]]) -> Ints:
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
            a, b = _root(group, one), _root(group, other)
            group[max(a, b)] = min(a, b)
    return np.array([_root(group, n) for n in range(n_entries)])


def _root(group: Ints, n: int) -> int:
    """The first entry of a group, in a forest of pointers towards it that is flattened on the way."""
    while group[n] != n:
        group[n] = group[group[n]]
        n = int(group[n])
    return n


def stratified_folds(yes: Any, groups: Ints, n_folds: int, seed: int) -> Ints:
    """The fold of each entry, (n_entries,): every topic is spread over the folds as evenly as may be, no group is cut.

    Iterative stratification: of the topics, the one with the fewest yes entries left goes first; each of its groups goes
    to the fold that still wants most of that topic, then to the one that wants most entries, then by lot.

    Source: Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011.

    Args:
        yes: (n_entries, n_topics), an array or a sparse one.
        groups: (n_entries,), entries of one group stay together.
        n_folds: how many folds.
        seed: of the lots.
    """
    from scipy.sparse import csr_array

    random = np.random.default_rng(seed)
    names, member = np.unique(groups, return_inverse=True)
    sizes = np.bincount(member)
    of_group = csr_array((np.ones(len(groups)), (member, np.arange(len(groups)))))
    held = csr_array(of_group @ csr_array(yes, dtype=float))  # yes entries by group and topic
    by_topic = held.tocsc()
    by_topic.sort_indices()
    left = np.asarray(held.sum(axis=0)).ravel()
    wanted = np.tile(left / n_folds, (n_folds, 1))
    room = np.full(n_folds, sizes.sum() / n_folds)
    fold = np.full(len(names), -1)

    def place(group: int, topic: int | None) -> None:
        wish = wanted[:, topic] if topic is not None else room
        best = np.flatnonzero(np.isclose(wish, wish.max()))
        best = best[np.isclose(room[best], room[best].max())]
        chosen = int(random.choice(best))
        fold[group] = chosen
        part = slice(held.indptr[group], held.indptr[group + 1])
        wanted[chosen, held.indices[part]] -= held.data[part]
        left[held.indices[part]] -= held.data[part]
        room[chosen] -= sizes[group]

    while (left > 0).any():
        topic = int(np.where(left > 0, left, np.inf).argmin())
        having = by_topic.indices[by_topic.indptr[topic] : by_topic.indptr[topic + 1]]
        for group in random.permutation(having[fold[having] < 0]):
            place(int(group), topic)
    for group in random.permutation(np.flatnonzero(fold < 0)):
        place(int(group), None)
    return fold[member]
