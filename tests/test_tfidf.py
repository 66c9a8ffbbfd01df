"""Term counts and TF-IDF: the same numbers as scikit-learn's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.text.normalize import entry_text
from tagger.text.tfidf import count_terms, tfidf_weights

ODD_TEXTS = [
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
    vocabulary, terms = build_vocabulary(texts, min_df)
    vectorizer, expected = sklearn_tfidf(texts, min_df)
    assert sorted(terms) == sorted(vectorizer.vocabulary_)
    columns = [vectorizer.vocabulary_[term] for term in terms]
    rows = []
    for chunk in count_terms(texts, vocabulary):
        values = tfidf_weights(chunk.starts, chunk.terms, chunk.counts, vectorizer.idf_[columns])
        for start, end in zip(chunk.starts, chunk.starts[1:], strict=False):
            row = np.zeros(vocabulary.size)
            row[chunk.terms[start:end]] = values[start:end]
            rows.append(row)
    np.testing.assert_allclose(np.array(rows), expected.toarray()[:, columns], atol=1e-12)


def test_equal_to_scikit_learn_on_odd_texts() -> None:
    check_equal(ODD_TEXTS)


@pytest.mark.parametrize("min_df", [1, 2])
def test_equal_to_scikit_learn_on_the_labels(labels: Any, min_df: int) -> None:
    check_equal([entry_text(entry) for entry in labels.entries[:300]] + ODD_TEXTS, min_df)


@settings(max_examples=200)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_equal_to_scikit_learn_on_any_text(texts: list[str]) -> None:
    check_equal([*texts, "one common word"])


@settings(max_examples=50)
@given(st.lists(st.text(alphabet="ab é日\0", max_size=12), min_size=1, max_size=6), st.integers(1, 30))
def test_the_size_of_a_chunk_does_not_matter(texts: list[str], size: int) -> None:
    vocabulary = build_vocabulary(texts, 1).vocabulary

    def count_rows(**options: int) -> list[list[tuple[int, int]]]:
        return [
            list(zip(chunk.terms[start:end].tolist(), chunk.counts[start:end].tolist(), strict=True))
            for chunk in count_terms(texts, vocabulary, **options)
            for start, end in zip(chunk.starts, chunk.starts[1:], strict=False)
        ]

    assert count_rows(chunk_characters=size) == count_rows()


def test_known_and_all_words_are_counted() -> None:
    vocabulary = build_vocabulary(["red green", "red green"], 2).vocabulary
    (chunk,) = count_terms(["red blue red", "", "blue x"], vocabulary)
    assert (chunk.n_known_words.tolist(), chunk.n_words.tolist()) == ([2, 0, 0], [3, 0, 1])


def test_no_text_has_no_counts_and_no_term_is_counted_without_a_vocabulary() -> None:
    vocabulary = build_vocabulary([], 1).vocabulary
    assert list(count_terms([], vocabulary)) == []
    (chunk,) = count_terms(["some words"], vocabulary)
    assert (chunk.starts.tolist(), chunk.n_words.tolist()) == ([0, 0], [2])
