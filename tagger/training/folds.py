"""How labelled entries are cut into folds for cross-validation: every topic spread evenly, no group of entries separated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["stratified_folds"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def stratified_folds(yes: Any, groups: Ints, n_folds: int, seed: int) -> Ints:
    """The fold of each entry, (n_entries,): every topic is spread over the folds as evenly as possible.

    Iterative stratification. The topic with the fewest yes entries left goes first. Each of its groups goes to the fold that
    still needs most yes entries of the topic; if several do, to the one that needs most entries; then one is drawn at random.

    Source: K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011.

    Args:
        yes: which topics apply, (n_entries, n_topics), as an array or a sparse one.
        groups: entries with the same number stay in one fold, (n_entries,).
        n_folds: how many folds.
        seed: of the random draws.
    """
    from scipy.sparse import csr_array

    _, group_of = np.unique(groups, return_inverse=True)
    members = csr_array((np.ones(len(groups)), (group_of, np.arange(len(groups)))))
    group_yes = csr_array(members @ csr_array(yes, dtype=float))
    return _Stratification(group_yes, np.bincount(group_of), n_folds, seed).place_groups()[group_of]


class _Stratification:
    """Groups of entries on their way into folds."""

    def __init__(self, group_yes: csr_array, sizes: Ints, n_folds: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._group_yes = group_yes  # (n_groups, n_topics) yes entries
        self._sizes = sizes  # (n_groups,)
        self._n_yes_left: Floats = np.asarray(group_yes.sum(axis=0)).ravel()  # (n_topics,) in groups that have no fold yet
        self._yes_needed = np.tile(self._n_yes_left / n_folds, (n_folds, 1))  # (n_folds, n_topics)
        self._entries_needed = np.full(n_folds, sizes.sum() / n_folds)
        self._fold = np.full(len(sizes), -1)

    def place_groups(self) -> Ints:
        """The fold of each group, (n_groups,)."""
        groups_by_topic = self._group_yes.tocsc()
        groups_by_topic.sort_indices()
        while (self._n_yes_left > 0).any():
            topic = int(np.where(self._n_yes_left > 0, self._n_yes_left, np.inf).argmin())
            groups = groups_by_topic.indices[groups_by_topic.indptr[topic] : groups_by_topic.indptr[topic + 1]]
            for group in self._random.permutation(groups[self._fold[groups] < 0]):
                self._place(int(group), self._yes_needed[:, topic])
        for group in self._random.permutation(np.flatnonzero(self._fold < 0)):
            self._place(int(group), self._entries_needed)
        return self._fold

    def _place(self, group: int, needed: Floats) -> None:
        """Put a group into the fold that needs it most."""
        neediest = np.flatnonzero(np.isclose(needed, needed.max()))
        entries_needed = self._entries_needed[neediest]
        neediest = neediest[np.isclose(entries_needed, entries_needed.max())]
        fold = int(self._random.choice(neediest))
        self._fold[group] = fold
        cells = slice(self._group_yes.indptr[group], self._group_yes.indptr[group + 1])
        topics, n_yes = self._group_yes.indices[cells], self._group_yes.data[cells]
        self._yes_needed[fold, topics] -= n_yes
        self._n_yes_left[topics] -= n_yes
        self._entries_needed[fold] -= self._sizes[group]
