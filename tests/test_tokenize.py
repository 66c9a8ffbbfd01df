from __future__ import annotations

import numpy as np

from tagger.entry import Entry
from tagger.text.normalize import entry_text
from tagger.text.tokenize import tokenize


def term_texts(*texts: str) -> list[str]:
    return [tokens.term_text(n) for tokens in tokenize(texts) for n in range(len(tokens.term_hashes))]


def test_terms_are_words_of_two_characters_and_bigrams_inside_one_text() -> None:
    assert term_texts("A Red bus,", "x red") == ["red", "bus", "red", "red bus"]


def test_a_word_of_one_letter_that_takes_several_bytes_is_none() -> None:
    assert term_texts("é 荐 éa 推荐") == ["éa", "推荐", "éa 推荐"]


def test_a_hash_depends_on_the_term_alone() -> None:
    (tokens,) = tokenize(["internationalisation red bus", "bus", "red bus internationalisation"])
    hashes: dict[str, set[int]] = {}
    for n, term_hash in enumerate(tokens.term_hashes.tolist()):
        hashes.setdefault(tokens.term_text(n), set()).add(term_hash)
    assert all(len(of_term) == 1 for of_term in hashes.values())
    assert len(set.union(*hashes.values())) == len(hashes) == 6


def test_hashes_are_those_that_models_are_stored_with() -> None:
    (tokens,) = tokenize(["Click models"])
    assert tokens.term_hashes.tolist() == [8245031609595932021, 2948085986988232718, 10530733756553975334]


def test_a_chunk_ends_with_the_text_that_fills_it() -> None:
    assert [tokens.n_texts for tokens in tokenize(["abc", "de", "f"], chunk_characters=5)] == [2, 1]
    assert list(tokenize([])) == []


def test_every_term_knows_its_text() -> None:
    (tokens,) = tokenize(["red bus", "", "one two three"])
    assert tokens.term_rows.tolist() == [0, 0, 2, 2, 2, 0, 2, 2]
    assert np.diff(tokens.text_bounds).tolist() == [2, 0, 3]


def test_the_title_is_read_twice() -> None:
    assert entry_text(Entry("Title", abstract="Abstract")) == "Title\nTitle\nAbstract"
