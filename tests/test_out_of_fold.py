from __future__ import annotations

import pickle

import numpy as np

from tagger.model.decision import raise_to_descendants
from tagger.taxonomy import Taxonomy, Topic
from tagger.training.out_of_fold import OutOfFold, OutOfFoldScores, TopicLabels, raise_cells_to_descendants

# c implies b, which implies a; f implies e.
FAMILY = Taxonomy(
    (
        Topic("a", "A"),
        Topic("b", "B", parent="a"),
        Topic("c", "C", parent="b"),
        Topic("d", "D"),
        Topic("e", "E"),
        Topic("f", "F", parent="e"),
    )
)


def test_a_parent_is_at_least_as_likely_as_its_children_in_cells_too() -> None:
    random = np.random.default_rng(0)
    scores = random.random((40, 6)).round(2)
    labelled = random.random((40, 6)) >= 0.2
    yes = (random.random((40, 6)) < 0.3) & labelled
    is_kept = (scores > 0.3) | yes
    topics, entries = np.nonzero(is_kept.T)
    cells = OutOfFoldScores(topics, entries, scores[entries, topics], yes[entries, topics], labelled[entries, topics])
    raised = raise_cells_to_descendants(cells, 40, FAMILY, lambda t: TopicLabels(yes[:, t], labelled[:, t]))
    full = np.zeros((40, 6))
    full[raised.entries, raised.topics] = raised.scores
    assert (full == raise_to_descendants(np.where(is_kept, scores, 0.0), FAMILY)).all()
    assert (raised.labelled == labelled[raised.entries, raised.topics]).all()
    assert (raised.yes == yes[raised.entries, raised.topics]).all()
    assert (np.diff(raised.topics) >= 0).all()
    assert len(raised.scores) > is_kept.sum(), "a parent has cells that only its children had"


def test_a_topic_that_is_not_learned_stays_without_cells() -> None:
    only_c = OutOfFoldScores(*(np.array([value]) for value in (2, 0, 0.9, True, True)))
    labels = TopicLabels(np.array([True]), np.array([True]))
    assert raise_cells_to_descendants(only_c, 1, FAMILY, lambda t: labels).topics.tolist() == [2]


def test_cells_of_arrays_are_ordered_by_topic_and_leave_out_what_no_threshold_meets() -> None:
    scores = np.array([[0.5, 0.001], [0.002, 0.7], [0.9, 0.8]])
    yes = np.array([[False, True], [False, False], [True, True]])
    labelled = np.array([[True, True], [True, True], [True, False]])
    cells = OutOfFoldScores.from_arrays(scores, yes, labelled)
    assert list(zip(cells.topics.tolist(), cells.entries.tolist(), strict=True)) == [(0, 0), (0, 2), (1, 0), (1, 1)]
    assert cells.scores.tolist() == [0.5, 0.9, 0.001, 0.7]
    assert cells.yes.tolist() == [False, True, True, False]
    assert [cells.scores[own].tolist() for own in cells.topic_slices(3)] == [[0.5, 0.9], [0.001, 0.7], []]


def test_out_of_fold_results_can_be_compared_and_pickled() -> None:
    result = OutOfFold(np.array([[0.2, 0.9]]), np.array([[False, True]]), np.array([0]))
    copy = pickle.loads(pickle.dumps(result))
    assert result == result
    assert result != copy, "arrays make no single answer, so only a result itself is equal to it"
    assert (copy.scores == result.scores).all()
    assert (copy.tagged == result.tagged).all()
    assert (copy.fold == result.fold).all()
