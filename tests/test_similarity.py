from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from tagger.entry import Entry
from tagger.text.normalize import entry_text
from tagger.text.similarity import cosine_rows, nearest_rows, shared_vocabulary, tfidf_rows

ENTRIES = [
    Entry("Click models of web search", abstract="Users click on results of search."),
    Entry("Models of clicks", abstract="Web search and its users."),
    Entry("Language models", abstract="Large language models for search."),
    Entry("Graph networks", abstract="Large graph networks."),
    Entry("Zebras"),
]


def test_cosines_equal_those_of_scikit_learn_where_every_word_is_known() -> None:
    texts = [entry_text(entry) for entry in ENTRIES[:3] * 2]  # every term is in two texts
    vocabulary, idf = shared_vocabulary(ENTRIES[:3] * 2)
    rows = tfidf_rows(ENTRIES[:3] * 2, vocabulary, idf)
    x = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit_transform(texts)
    np.testing.assert_allclose(list(cosine_rows(rows, rows, len(idf))), (x @ x.T).toarray(), atol=1e-12)


def test_unknown_words_make_a_row_shorter() -> None:
    vocabulary, idf = shared_vocabulary(ENTRIES)
    rows = tfidf_rows([Entry("search models"), Entry("search models zebra zoo")], vocabulary, idf)
    lengths = np.bincount(rows.rows, rows.values**2)
    assert lengths[0] == pytest.approx(1)
    assert lengths[1] < 1
    assert rows.n_words.tolist() == [4, 8]
    assert rows.n_known_words.tolist() == [4, 4]


def test_the_nearest_come_first_and_none_is_its_own() -> None:
    vocabulary, idf = shared_vocabulary(ENTRIES)
    rows = tfidf_rows(ENTRIES, vocabulary, idf)
    cosines, nearest = nearest_rows(rows, rows, len(idf), k=2)
    assert nearest[:4, 0].tolist() == [0, 1, 2, 3]
    assert (np.diff(cosines, axis=1) <= 0).all()
    cosines, nearest = nearest_rows(rows, rows, len(idf), k=9, skip_self=True)
    assert nearest.shape == (5, 4)
    assert nearest[0, 0] == 1
    assert all(n not in found for n, found in enumerate(nearest.tolist()))
    assert cosines[4].tolist() == [0, 0, 0, 0], "no term is shared"


def test_no_candidate_no_neighbour() -> None:
    vocabulary, idf = shared_vocabulary(ENTRIES)
    rows, nothing = tfidf_rows(ENTRIES, vocabulary, idf), tfidf_rows([], vocabulary, idf)
    assert [side.shape for side in nearest_rows(rows, nothing, len(idf))] == [(5, 0), (5, 0)]
    assert [side.shape for side in nearest_rows(nothing, rows, len(idf))] == [(0, 1), (0, 1)]
    one = tfidf_rows(ENTRIES[:1], vocabulary, idf)
    assert nearest_rows(one, one, len(idf), skip_self=True)[0].shape == (1, 0)
