"""The same numbers as scikit-learn's, by another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from tagger import Entry
from tagger.text import tokenize
from tagger.text.hashed_vocabulary import HashedVocabulary, build_vocabulary
from tagger.text.normalize import entry_text
from tagger.text.tfidf import count_terms, tfidf_weights

ODD = [
    "",
    "  ",
    "a b c",
    "İstanbul ﬁne straße STRASSE ς Σ",
    "推荐 系统综述 研究 荐",
    "नमस्ते दुनिया",
    "x" * 300 + " " + "y" * 7 + " " + "z" * 8 + " " + "w" * 9,
    "日本語 テキスト 日",
    "emoji 😀 fun 😀😀 x😀y",
    "\0 nul\0byte word word word\0",
    "\ud800 lone \udfff surrogate",
    "naïve café “quoted” — dash Ünïted",
    "A1 b2 _x __ 3.14 10,000 snake_case",
    "word word word other word other",
    "Ⅻ ½ ² ೧೨೩ ٣",
    "zero\u200bwidth soft\u00adhyphen e\u0301 combining",
]


def sklearn_tfidf(texts: Sequence[str], min_df: int) -> tuple[TfidfVectorizer, Any]:
    vectorizer = TfidfVectorizer(
        preprocessor=str.casefold, token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 2), min_df=min_df, sublinear_tf=True
    )
    return vectorizer, vectorizer.fit_transform(texts)


def check_equal(texts: Sequence[str], min_df: int = 1) -> None:
    terms, written = build_vocabulary(texts, min_df)
    vectorizer, expected = sklearn_tfidf(texts, min_df)
    assert sorted(written) == sorted(vectorizer.vocabulary_)
    order = [vectorizer.vocabulary_[term] for term in written]
    rows = []
    for chunk in count_terms(texts, terms):
        values = tfidf_weights(chunk.starts, chunk.terms, chunk.counts, vectorizer.idf_[order])
        for start, end in zip(chunk.starts, chunk.starts[1:], strict=False):
            row = np.zeros(terms.size)
            row[chunk.terms[start:end]] = values[start:end]
            rows.append(row)
    np.testing.assert_allclose(np.array(rows), expected.toarray()[:, order], atol=1e-12)


def test_equal_to_scikit_learn_on_odd_texts() -> None:
    check_equal(ODD)


@pytest.mark.parametrize("min_df", [1, 2])
def test_equal_to_scikit_learn_on_the_labels(labels: Any, min_df: int) -> None:
    check_equal([entry_text(entry) for entry in labels.entries[:300]] + ODD, min_df)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_equal_to_scikit_learn_on_any_text(texts: list[str]) -> None:
    check_equal([*texts, "one common word"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="ab é日\0", max_size=12), min_size=1, max_size=6), st.integers(1, 30))
def test_the_size_of_a_chunk_does_not_matter(texts: list[str], size: int) -> None:
    terms, _ = build_vocabulary(texts, 1)

    def flat() -> list[list[int]]:
        return [
            sorted(zip(chunk.terms[a:b].tolist(), chunk.counts[a:b].tolist(), strict=True))
            for chunk in count_terms(texts, terms)
            for a, b in zip(chunk.starts, chunk.starts[1:], strict=False)
        ]

    whole = flat()
    before = tokenize._CHUNK
    try:
        tokenize._CHUNK = size
        assert flat() == whole
    finally:
        tokenize._CHUNK = before


def test_known_and_all_words_are_counted() -> None:
    terms, _ = build_vocabulary(["red green", "red green"], 2)
    (chunk,) = count_terms(["red blue red", "", "blue x"], terms)
    assert (chunk.known.tolist(), chunk.words.tolist()) == ([2, 0, 0], [3, 0, 1])


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200, unique=True))
def test_every_term_is_found_and_nothing_else(some: list[int]) -> None:
    hashes = np.array(sorted(some), dtype=np.uint64)
    terms = HashedVocabulary(hashes)
    assert terms.find(hashes).tolist() == list(range(len(some)))
    assert terms.find(np.setdiff1d(hashes + np.uint64(1), hashes)).tolist() == [-1] * len(
        np.setdiff1d(hashes + np.uint64(1), hashes)
    )


def test_terms_with_one_place_do_not_hide_each_other() -> None:
    hashes = np.arange(1, 100, dtype=np.uint64)  # all begin at the first place of the table
    assert HashedVocabulary(hashes).find(hashes[::-1].copy()).tolist() == list(range(98, -1, -1))


def test_no_text_and_no_term() -> None:
    terms, written = build_vocabulary([], 1)
    assert (terms.size, written) == (0, [])
    assert list(count_terms([], terms)) == []
    (chunk,) = count_terms(["some words"], terms)
    assert (chunk.starts.tolist(), chunk.words.tolist()) == ([0, 0], [2])


def test_the_title_counts_for_more() -> None:
    assert entry_text(Entry("Title", abstract="Abstract")) == "Title\nTitle\nAbstract"
