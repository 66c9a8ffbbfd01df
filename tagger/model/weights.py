"""The weights of a model in compressed sparse rows, and their product with TF-IDF rows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SparseWeights", "compress_weights"]

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]

# With more topics, or with more cells in the full array, scipy's sparse product takes a fraction of numpy's time. That is
# worth its import.
_MAX_NUMPY_TOPICS, _MAX_NUMPY_CELLS = 63, 1 << 25


class SparseWeights:
    """Weights, (n_terms, n_topics), of which most may be 0.

    Those of term j are `values[starts[j]:starts[j + 1]]`, for the topics in `columns` at the same places.
    """

    def __init__(self, starts: Ints, columns: Ints, values: NDArray[np.floating[Any]], n_topics: int) -> None:
        self.starts, self.columns, self.values = starts.astype(np.int64), columns.astype(np.int64), values.astype(np.float64)
        self.shape = (len(starts) - 1, n_topics)

    @cached_property
    def full(self) -> Floats:
        """All weights, those that are 0 too: (n_terms, n_topics)."""
        full = np.zeros(self.shape)
        full[np.repeat(np.arange(len(full)), np.diff(self.starts)), self.columns] = self.values
        return full

    def of_topic(self, column: int, terms: Ints) -> Floats:
        """The weights of some terms for the topic of a column: (n,) for terms (n,)."""
        places = np.concatenate([np.arange(self.starts[term], self.starts[term + 1]) for term in terms] or [terms[:0]])
        owners = np.repeat(np.arange(len(terms)), np.diff(self.starts)[terms])
        is_topic = self.columns[places] == column
        weights = np.zeros(len(terms))
        weights[owners[is_topic]] = self.values[places[is_topic]]
        return weights

    def multiply(self, starts: Ints, terms: Ints, values: Floats) -> Floats:
        """Rows times the weights: (n_entries, n_topics).

        Args:
            starts: row i has `terms[starts[i]:starts[i + 1]]`, (n_entries + 1,).
            terms: (n_values,).
            values: of the same terms, (n_values,).
        """
        n_rows, (n_terms, n_topics) = len(starts) - 1, self.shape
        products = np.zeros((n_rows, n_topics))
        if products.size == 0 or len(terms) == 0:
            return products
        if n_topics <= _MAX_NUMPY_TOPICS and n_terms * n_topics <= _MAX_NUMPY_CELLS:
            shares = self.full.take(terms, axis=0)
            shares *= values[:, None]
            filled = np.flatnonzero(np.diff(starts))
            products[filled] = np.add.reduceat(shares, starts[filled], axis=0)
            return products
        from scipy.sparse import csr_array

        rows = csr_array((values, terms, starts), shape=(n_rows, n_terms))
        return np.asarray((rows @ csr_array((self.values, self.columns, self.starts), shape=self.shape)).toarray())


def compress_weights(full: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """A full array of weights, (n_terms, n_topics), as the three fields of a `Model` that hold them."""
    is_weight = full != 0
    return {
        "weight_starts": np.concatenate([[0], np.cumsum(is_weight.sum(axis=1))]).astype(np.uint64),
        "weight_topics": np.nonzero(is_weight)[1].astype(np.uint32),
        "weights": full[is_weight].astype(np.float32),
    }
