"""What labels imply: the cells that follow from a label because topics imply or exclude each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from tagger.labels.table import LabelRow
from tagger.taxonomy import Taxonomy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csc_array

__all__ = [
    "find_contradictions",
    "implied_labels",
    "implied_labels_sparse",
    "label_arrays",
]


def label_arrays(rows: Sequence[LabelRow], taxonomy: Taxonomy) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(Y, labelled) of what some rows mean, each (n_entries, n_topics); see `implied_labels`."""
    import numpy as np

    shape = (len(rows), len(taxonomy.topics))
    yes, labelled = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    for n, row in enumerate(rows):
        has, unsure = implied_labels(row, taxonomy)
        yes[n, [taxonomy.column[topic] for topic in has]] = True
        labelled[n, [taxonomy.column[topic] for topic in unsure]] = False
    return yes, labelled


def implied_labels(row: LabelRow, taxonomy: Taxonomy) -> tuple[dict[str, None], dict[str, None]]:
    """The topics that a row says yes to and those that it leaves open, with what follows from them.

    A topic is at least what those are that imply it, a yes being more than an unsure one and that more than a no: so a yes
    makes its ancestors yes, and an unsure topic leaves them open where they are not. A yes makes a no of what it excludes,
    and of what implies that, even where the row calls it unsure.

    Returns:
        Ids of topics, each once, in the order of the row; a topic that is unknown is taken as it is.
    """
    ancestors, incompatible = taxonomy.ancestors, taxonomy.incompatible
    yes = dict.fromkeys(up for topic in row.topics for up in (topic, *ancestors.get(topic, ())))
    no = {other for topic in row.topics for other in incompatible.get(topic, ())}
    unsure = dict.fromkeys(up for topic in row.unsure if topic not in no for up in (topic, *ancestors.get(topic, ())))
    return yes, {topic: None for topic in unsure if topic not in yes and topic not in no}


def implied_labels_sparse(yes: csc_array, unsure: csc_array, taxonomy: Taxonomy) -> tuple[csc_array, csc_array]:
    """As `implied_labels`, for sparse arrays: the cells that are yes, and those left open, (n_entries, n_topics) each."""
    import numpy as np
    from scipy.sparse import coo_array, csc_array

    n_topics = len(taxonomy.topics)

    def follows(said: csc_array, others: Mapping[int, Collection[int]]) -> csc_array:
        """Which cells are among the others of one that was said."""
        pairs = [(column, other) for column, group in others.items() for other in group]
        if not pairs:
            return csc_array(said.shape, dtype=bool)
        rows, columns = zip(*pairs, strict=True)
        step = coo_array((np.ones(len(pairs), dtype=np.int32), (rows, columns)), shape=(n_topics, n_topics))
        return csc_array(said.astype(np.int32) @ step.tocsc(), dtype=bool)

    def less(some: csc_array, others: csc_array) -> csc_array:
        left = csc_array(some > others)
        left.sort_indices()
        return left

    if not taxonomy.ancestor_columns and not taxonomy.incompatible_columns:
        return yes, unsure
    no = follows(yes, taxonomy.incompatible_columns)
    yes = csc_array(yes + follows(yes, taxonomy.ancestor_columns))
    open_ = less(unsure, no)
    open_ = less(less(csc_array(open_ + follows(open_, taxonomy.ancestor_columns)), no), yes)
    yes.sort_indices()
    return yes, open_


def find_contradictions(row: LabelRow, taxonomy: Taxonomy) -> list[str]:
    """What cannot be in a row: topics that exclude each other, or more topics than an entry may have; see `implied_labels`."""
    messages = [
        f"topics {one!r} and {other!r} exclude each other; take one of them away"
        for n, one in enumerate(row.topics)
        for other in row.topics[n + 1 :]
        if other in taxonomy.incompatible.get(one, ())
    ]
    yes, _ = implied_labels(row, taxonomy)
    if taxonomy.max_topics is not None and len(yes) > taxonomy.max_topics:
        implied = len(yes) - len(set(row.topics))
        messages.append(
            f"{len(yes)} topics{f', {implied} of them implied' if implied else ''}; an entry has at most {taxonomy.max_topics}"
        )
    return messages
