from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from tagger.taxonomy import Taxonomy, Topic
from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.training.folds import stratified_folds
from tagger.training.labelled_counts import LabelledCounts, count_matrix
from tagger.training.search import C_GRID, common_threshold_f1, search_settings
from tagger.training.settings import SEARCHED_SETTINGS, Settings


def labelled_counts(texts: list[str], yes: np.ndarray) -> LabelledCounts:
    vocabulary, terms = build_vocabulary(texts, 2)
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"T{n}") for n in range(yes.shape[1])))
    is_bigram = np.array([" " in term for term in terms])
    return LabelledCounts.from_labels(count_matrix(texts, vocabulary).counts, is_bigram, yes, None, taxonomy)


def search(data: LabelledCounts, settings: Settings, has_many_topics: bool = False) -> Settings:
    fold = stratified_folds(data.yes, np.arange(data.n_entries), 3, 0)
    columns = np.arange(len(data.taxonomy.topics))
    return search_settings(data, columns, fold, settings, has_many_topics).settings


def texts_named_by(pattern: str, n_entries: int = 120) -> tuple[list[str], np.ndarray]:
    """Texts of random words, where a pattern of `yes` or `no` says which ones have the topic."""
    random = np.random.default_rng(0)
    yes = np.arange(n_entries) % 3 == 0
    texts = [
        " ".join([*(f"w{n}" for n in random.integers(30, size=8)), *pattern.format("yes" if has else "no").split()])
        for has in yes
    ]
    return texts, yes[:, None]


def test_nothing_is_left_open_and_what_is_given_stays() -> None:
    data = labelled_counts(*texts_named_by("{} topic"))
    chosen = search(data, SEARCHED_SETTINGS)
    assert chosen.C in C_GRID
    assert None not in astuple(replace(chosen, threshold_shrinkage=0.0))
    given = replace(SEARCHED_SETTINGS, C=5.0, use_bigrams=False, scale_exponent=0.0)
    assert search(data, given) == given


def test_many_topics_are_told_by_words_alone() -> None:
    data = labelled_counts(*texts_named_by("{} topic"))
    assert search(data, SEARCHED_SETTINGS, has_many_topics=True).use_bigrams is False


def test_bigrams_are_kept_where_only_they_tell_the_topic() -> None:
    random = np.random.default_rng(0)
    yes = np.arange(300) % 2 == 0
    texts = []
    for has in yes:
        order = ["red blue", "green black"] if has else ["red black", "green blue"]
        texts.append(" stop ".join([*random.permutation(order), *(f"w{n}" for n in random.integers(30, size=5))]))
    assert search(labelled_counts(texts, yes[:, None]), SEARCHED_SETTINGS).use_bigrams is True


def test_common_threshold_f1_by_hand() -> None:
    scores = [np.array([0.9, 0.8, 0.1]), np.array([0.7, 0.2, 0.1])]
    yes = [np.array([True, True, False]), np.array([False, True, False])]
    # The best common threshold is between 0.7 and 0.8 (F1 of 2 of 2, of 3: 0.8) or below 0.2 (3 of 4: 6/7): so below 0.2.
    assert common_threshold_f1(scores, yes) == pytest.approx((6 / 7 + (1 + 2 / 3) / 2) / 2)
    assert common_threshold_f1([np.ones(3)], [np.zeros(3, dtype=bool)]) == 0
