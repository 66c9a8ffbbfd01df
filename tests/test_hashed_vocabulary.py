from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagger.text.hashed_vocabulary import HashedVocabulary, build_vocabulary


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200, unique=True))
def test_every_term_is_found_and_nothing_else(numbers: list[int]) -> None:
    hashes = np.array(sorted(numbers), dtype=np.uint64)
    vocabulary = HashedVocabulary(hashes)
    assert vocabulary.find(hashes).tolist() == list(range(len(numbers)))
    others = np.setdiff1d(hashes + np.uint64(1), hashes)
    assert vocabulary.find(others).tolist() == [-1] * len(others)


def test_terms_that_want_the_same_slot_are_all_found() -> None:
    hashes = np.arange(1, 100, dtype=np.uint64)  # the top bits of all are 0
    assert HashedVocabulary(hashes).find(hashes[::-1].copy()).tolist() == list(range(98, -1, -1))


def test_terms_are_those_of_enough_texts_and_ordered_by_hash() -> None:
    built = build_vocabulary(["Click models click", "click models", "the rest"], 2)
    assert sorted(built.term_texts) == ["click", "click models", "models"]
    assert (np.diff(built.vocabulary.hashes.astype(object)) > 0).all()


def test_no_text_gives_no_term() -> None:
    built = build_vocabulary([], 1)
    assert (built.vocabulary.size, built.term_texts) == (0, [])
