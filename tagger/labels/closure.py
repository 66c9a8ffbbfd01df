"""What labels imply: the labels that follow from others because topics imply or exclude each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from tagger.labels.table import LabelRow
from tagger.taxonomy import Taxonomy

if TYPE_CHECKING:
    from scipy.sparse import csc_array

__all__ = ["find_contradictions", "implied_labels", "implied_labels_sparse"]


def implied_labels(row: LabelRow, taxonomy: Taxonomy) -> tuple[dict[str, None], dict[str, None]]:
    """(yes, unsure): the topics of a row that apply and those that are left open, with all that they imply.

    - The ancestors of a yes are yes.
    - The ancestors of an unsure topic are unsure, unless they are yes.
    - What is incompatible with a yes is a no, even if the row calls it unsure.

    Returns:
        Ids of topics, each once, in the order of the row. An unknown topic implies nothing.
    """
    ancestors, incompatible = taxonomy.ancestors, taxonomy.incompatible
    yes = dict.fromkeys(up for topic in row.topics for up in (topic, *ancestors.get(topic, ())))
    no = {other for topic in row.topics for other in incompatible.get(topic, ())}
    unsure = dict.fromkeys(up for topic in row.unsure if topic not in no for up in (topic, *ancestors.get(topic, ())))
    return yes, {topic: None for topic in unsure if topic not in yes and topic not in no}


def implied_labels_sparse(yes: csc_array, unsure: csc_array, taxonomy: Taxonomy) -> tuple[csc_array, csc_array]:
    """As `implied_labels`, for all entries at once: (yes, unsure), (n_entries, n_topics) each."""
    import numpy as np
    from scipy.sparse import coo_array, csc_array

    n_topics = len(taxonomy.topics)

    def related(cells: csc_array, others: Mapping[int, Collection[int]]) -> csc_array:
        """For each cell, the cells of the same entry in the other columns of its topic."""
        pairs = [(column, other) for column, group in others.items() for other in group]
        if not pairs:
            return csc_array(cells.shape, dtype=bool)
        rows, columns = zip(*pairs, strict=True)
        relation = coo_array((np.ones(len(pairs), dtype=np.int32), (rows, columns)), shape=(n_topics, n_topics))
        return csc_array(cells.astype(np.int32) @ relation.tocsc(), dtype=bool)

    def without(cells: csc_array, others: csc_array) -> csc_array:
        left = csc_array(cells > others)
        left.sort_indices()
        return left

    if not taxonomy.ancestor_columns and not taxonomy.incompatible_columns:
        return yes, unsure
    no = related(yes, taxonomy.incompatible_columns)
    yes = csc_array(yes + related(yes, taxonomy.ancestor_columns))
    unsure = without(unsure, no)
    unsure = without(without(csc_array(unsure + related(unsure, taxonomy.ancestor_columns)), no), yes)
    yes.sort_indices()
    return yes, unsure


def find_contradictions(row: LabelRow, taxonomy: Taxonomy) -> list[str]:
    """What is wrong with a row: topics that exclude each other, or, with those that are implied, too many topics."""
    messages = [
        f"topics {topic!r} and {other!r} exclude each other; take one of them away"
        for n, topic in enumerate(row.topics)
        for other in row.topics[n + 1 :]
        if other in taxonomy.incompatible.get(topic, ())
    ]
    yes, _ = implied_labels(row, taxonomy)
    if taxonomy.max_topics is not None and len(yes) > taxonomy.max_topics:
        n_implied = len(yes) - len(set(row.topics))
        implied = f", {n_implied} of them implied" if n_implied else ""
        messages.append(f"{len(yes)} topics{implied}; an entry has at most {taxonomy.max_topics}")
    return messages
