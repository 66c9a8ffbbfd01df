"""What labels imply: the cells that follow from a label because topics imply or exclude each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from tagger.labels.table import LabelRow
from tagger.taxonomy import Topic, ancestors, incompatible_topics

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


def label_arrays(rows: Sequence[LabelRow], topics: Sequence[Topic]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(Y, known) of what some rows mean, each (n_entries, n_topics); see `implied_labels`."""
    import numpy as np

    column = {topic.id: n for n, topic in enumerate(topics)}
    above, against = ancestors(topics), incompatible_topics(topics)
    yes = np.zeros((len(rows), len(topics)), dtype=bool)
    known = np.ones((len(rows), len(topics)), dtype=bool)
    for n, row in enumerate(rows):
        has, unsure = implied_labels(row, above, against)
        yes[n, [column[topic] for topic in has]] = True
        known[n, [column[topic] for topic in unsure]] = False
    return yes, known


def implied_labels(
    row: LabelRow, above: Mapping[str, Sequence[str]], against: Mapping[str, Collection[str]]
) -> tuple[dict[str, None], dict[str, None]]:
    """The topics that a row says yes to and those that it leaves open, with what follows from them.

    A topic is at least what those are that imply it, a yes being more than an unsure one and that more than a no: so a yes
    makes its ancestors yes, and an unsure topic leaves them open where they are not. A yes makes a no of what it excludes,
    and of what implies that, even where the row calls it unsure.

    Args:
        row: what a person said.
        above: as `ancestors`.
        against: as `incompatible_topics`.

    Returns:
        Ids of topics, each once, in the order of the row; a topic that is unknown is taken as it is.
    """
    yes = dict.fromkeys(up for topic in row.topics for up in (topic, *above.get(topic, ())))
    out = {other for topic in row.topics for other in against.get(topic, ())}
    unsure = dict.fromkeys(up for topic in row.unsure if topic not in out for up in (topic, *above.get(topic, ())))
    return yes, {topic: None for topic in unsure if topic not in yes and topic not in out}


def implied_labels_sparse(yes: csc_array, unsure: csc_array, topics: Sequence[Topic]) -> tuple[csc_array, csc_array]:
    """As `implied_labels`, for sparse arrays: the cells that are yes, and those left open, (n_entries, n_topics) each."""
    import numpy as np
    from scipy.sparse import coo_array, csc_array

    column = {topic.id: n for n, topic in enumerate(topics)}
    n_topics = len(topics)

    def follows(said: csc_array, others: Mapping[str, Collection[str]]) -> csc_array:
        """Which cells are among the others of one that was said."""
        pairs = [(column[id], column[other]) for id, some in others.items() for other in some]
        if not pairs:
            return csc_array(said.shape, dtype=bool)
        rows, columns = zip(*pairs, strict=True)
        step = coo_array((np.ones(len(pairs), dtype=np.int32), (rows, columns)), shape=(n_topics, n_topics))
        return csc_array(said.astype(np.int32) @ step.tocsc(), dtype=bool)

    def less(some: csc_array, others: csc_array) -> csc_array:
        left = csc_array(some > others)
        left.sort_indices()
        return left

    above, against = ancestors(topics), incompatible_topics(topics)
    if not any(above.values()) and not any(against.values()):
        return yes, unsure
    out = follows(yes, against)
    yes = csc_array(yes + follows(yes, above))
    open_ = less(unsure, out)
    open_ = less(less(csc_array(open_ + follows(open_, above)), out), yes)
    yes.sort_indices()
    return yes, open_


def find_contradictions(
    row: LabelRow, above: Mapping[str, Sequence[str]], against: Mapping[str, Collection[str]], max_topics: int | None
) -> list[str]:
    """What cannot be in a row: topics that exclude each other, or more topics than an entry may have; see `implied_labels`."""
    messages = [
        f"topics {one!r} and {other!r} exclude each other; take one of them away"
        for n, one in enumerate(row.topics)
        for other in row.topics[n + 1 :]
        if other in against.get(one, ())
    ]
    yes, _ = implied_labels(row, above, against)
    if max_topics is not None and len(yes) > max_topics:
        implied = len(yes) - len(set(row.topics))
        messages.append(
            f"{len(yes)} topics{f', {implied} of them implied' if implied else ''}; an entry has at most {max_topics}"
        )
    return messages
