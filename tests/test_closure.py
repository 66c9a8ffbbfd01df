from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array
from taxonomies import FAMILY, many_topics

from tagger.labels.closure import implied_labels_sparse
from tagger.labels.dataset import label_arrays
from tagger.labels.table import LabelRow
from tagger.taxonomy import Taxonomy, Topic


def test_a_child_implies_its_parent_and_unsure_is_not_no() -> None:
    taxonomy = Taxonomy((Topic("a", "A"), Topic("b", "B", parent="a"), Topic("c", "C")))
    rows = [LabelRow("1", "", ("b",)), LabelRow("2", "", ("c",), ("a",)), LabelRow("3", "", ("b",), ("a",))]
    yes, labelled = label_arrays(rows, taxonomy)
    assert yes.tolist() == [[True, True, False], [False, False, True], [True, True, False]]
    assert labelled.tolist() == [[True] * 3, [False, True, True], [True] * 3]


def test_what_follows_from_labels() -> None:
    rows = [
        LabelRow("1", "", ("c",)),
        LabelRow("2", "", ("b",), ("a", "d", "f")),
        LabelRow("3", "", (), ("c", "d")),
        LabelRow("4", "", ("f",), ("c", "e")),
        LabelRow("5", "", ("a", "e")),
    ]
    yes, labelled = label_arrays(rows, FAMILY)
    shown = [
        "".join("y" if y else "n" if k else "?" for y, k in zip(*both, strict=True)) for both in zip(yes, labelled, strict=True)
    ]
    assert shown == ["yyynnn", "yynnnn", "????nn", "nnnnyy", "ynnnyn"]


three = st.lists(st.lists(st.sampled_from("ny?"), min_size=6, max_size=6), min_size=1, max_size=8)


@given(three)
def test_sparse_labels_follow_as_rows_do(said: list[list[str]]) -> None:
    rows = [
        LabelRow(str(n), "", *(tuple(id for id, mark in zip(FAMILY.ids, row, strict=True) if mark == which) for which in "y?"))
        for n, row in enumerate(said)
    ]
    yes, labelled = label_arrays(rows, FAMILY)
    cells = np.array(said)
    found, left = implied_labels_sparse(csc_array(cells == "y"), csc_array(cells == "?"), FAMILY)
    assert (found.toarray() == yes).all()
    assert (left.toarray() == ~labelled).all()
    again = implied_labels_sparse(found, left, FAMILY)
    assert all((one != other).nnz == 0 for one, other in zip(again, (found, left), strict=True)), "nothing more follows"


def test_hundreds_of_topics_follow_in_both_ways() -> None:
    taxonomy = many_topics(100)
    random = np.random.default_rng(0)
    marks = random.choice(["n", "y", "?"], p=[0.98, 0.01, 0.01], size=(40, 600))
    rows = [
        LabelRow(str(n), "", *(tuple(taxonomy.ids[t] for t in np.flatnonzero(row == mark)) for mark in "y?"))
        for n, row in enumerate(marks)
    ]
    yes, labelled = label_arrays(rows, taxonomy)
    assert yes.sum() > (marks == "y").sum(), "parents follow"
    assert (~labelled & (marks == "?")).sum() < (marks == "?").sum(), "some unsure topics are decided by others"
    sparse_yes, sparse_unsure = implied_labels_sparse(csc_array(marks == "y"), csc_array(marks == "?"), taxonomy)
    assert (sparse_yes.toarray() == yes).all()
    assert (sparse_unsure.toarray() == ~labelled).all()
