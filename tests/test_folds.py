from __future__ import annotations

import numpy as np

from tagger.labels.dataset import Labels
from tagger.training.folds import stratified_folds


def test_every_topic_is_spread_evenly_and_no_group_is_cut(labels: Labels) -> None:
    yes, known = labels.arrays()
    yes = yes & known
    groups = np.arange(len(yes)) // 2
    fold = stratified_folds(yes, groups, 5, 0)
    assert all(len(set(fold[groups == group])) == 1 for group in set(groups))
    per_fold = np.array([yes[fold == k].sum(0) for k in range(5)])
    even = yes.sum(0) / 5
    assert (np.abs(per_fold - even) <= np.maximum(3, 0.35 * even)).all()
    assert np.ptp(np.bincount(fold)) <= 0.1 * len(yes)


def test_the_seed_decides_and_nothing_else(labels: Labels) -> None:
    yes, _ = labels.arrays()
    groups = np.arange(len(yes))
    one = stratified_folds(yes, groups, 5, 3)
    assert (one == stratified_folds(yes, groups, 5, 3)).all()
    assert (one != stratified_folds(yes, groups, 5, 4)).any()


def test_rare_topics_reach_as_many_folds_as_they_can() -> None:
    yes = np.zeros((50, 2), dtype=bool)
    yes[:3, 0] = yes[5:45, 1] = True
    fold = stratified_folds(yes, np.arange(50), 5, 0)
    assert len(set(fold[:3])) == 3
    assert sorted(np.bincount(fold)) == [10] * 5
