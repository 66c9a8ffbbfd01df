from __future__ import annotations

import numpy as np

from tagger.entry import Entry
from tagger.text.near_duplicates import are_near_duplicates, group_near_duplicate_texts, group_near_duplicates

WORDS = [f"word{n}" for n in range(40)]


def made_up_texts(n_texts: int) -> list[str]:
    """Texts of 30 words each that have few words in common."""
    random = np.random.default_rng(0)
    return [" ".join(f"w{n}" for n in random.integers(100_000, size=30)) for _ in range(n_texts)]


def test_texts_that_differ_in_a_word_share_a_group() -> None:
    texts = made_up_texts(40)
    copy = texts[3].rsplit(" ", 1)[0] + " other"
    groups = group_near_duplicate_texts([*texts, copy, "", ""]).tolist()
    assert groups[40] == groups[3] == 3
    assert len(set(groups[:40])) == 40
    assert groups[41] != groups[42], "texts without words are not similar"


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    texts = [" ".join(WORDS[n : n + 30]) for n in (0, 5, 10)]
    assert group_near_duplicate_texts(texts).tolist() == [0, 0, 0]


def test_entries_without_terms_are_groups_of_their_own() -> None:
    assert group_near_duplicates(np.zeros(4, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == [0, 1, 2]


def test_half_of_the_words_is_enough() -> None:
    entry = Entry("One two three")
    assert are_near_duplicates(entry, Entry("three ONE two"))
    assert are_near_duplicates(Entry("one two"), Entry("one two three four")), "2 of 4"
    assert not are_near_duplicates(entry, Entry("one two four five")), "2 of 5"
    assert not are_near_duplicates(entry, Entry("one two three", abstract="four five six seven")), "3 of 7"
