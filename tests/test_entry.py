from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger import Entry
from tagger.identity import entry_id
from tagger.source import Source
from tagger.whitespace import normalize_whitespace


def test_white_space_and_controls_are_normalised_once() -> None:
    entry = Entry(" A\ttitle\x1b[31m\n red ", ("  Ann\u2028Lee ", "", "King, Jr."), abstract="one\r\ntwo\x00three\u202e")
    assert (entry.title, entry.authors, entry.abstract) == ("A title [31m red", ("Ann Lee", "King Jr."), "one two three")


def test_et_al_in_the_last_name_is_taken_as_that() -> None:
    assert Entry("T", ("Ann Lee et al.",)) == Entry("T", ("Ann Lee",), et_al=True)
    assert Entry("T", (), et_al=True) == Entry("T")


def test_source_does_not_count_for_equality() -> None:
    assert Entry("T", source=Source("a", 1)) == Entry("T", source=Source("b", 9))
    assert Entry("T", date=date(2020, 1, 1)) != Entry("T", date=date(2020, 1, 2))


@pytest.mark.parametrize("title", ["", " \n", "\x00"])
def test_an_entry_needs_a_title(title: str) -> None:
    with pytest.raises(ValueError, match="an entry needs a title; this one is empty"):
        Entry(title)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Wide & Deep Learning", "wide deep LEARNING"),
        ("Re-ranking: a survey", "Reranking — A Survey"),
        ("STRASSE", "straße"),
        ("ﬁne tuning", "fine-tuning"),
    ],
)
def test_id_ignores_case_spacing_and_punctuation(one: str, other: str) -> None:
    assert entry_id(one) == entry_id(other)


def test_id_differs_where_letters_do() -> None:
    assert len({entry_id(title) for title in ("DIN", "DIEN", "???", "!!!", "深度", "深度学习")}) == 6


@given(st.text())
def test_id_is_eight_letters_that_can_be_typed(title: str) -> None:
    found = entry_id(title)
    assert len(found) == 8
    assert set(found) <= set("0123456789abcdefghjkmnpqrstvwxyz")


@given(st.text())
def test_squeeze_is_idempotent_and_leaves_one_printable_line(text: str) -> None:
    once = normalize_whitespace(text)
    assert normalize_whitespace(once) == once
    assert len(once.splitlines()) <= 1
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in once)
