"""Splitting labelled entries for cross-validation: stratified for several labels at once, near-duplicates together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "stratified_folds",
]


Ints = NDArray[np.int64]


_BANDS, _ROWS = 16, 3  # of MinHash: two entries that share 60% of their terms meet in some band with 98% chance


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
