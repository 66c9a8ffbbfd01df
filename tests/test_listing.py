from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger import Entry, ListingError, read_listing
from tagger.formats import json_lines as jsonl
from tagger.formats import pasted
from tagger.formats.registry import read_entries
from tagger.source import Source
from tagger.whitespace import normalize_whitespace

ONE = Entry(
    "Clicks in Context",
    ("Ann Lee", "Bo de Wit", "Cy Ng"),
    et_al=True,
    date=date(2023, 6, 9),
    category="IR",
    code=True,
    affiliation="uva",
    abstract="Clicks depend on context.",
)
TEXT = "IRJun 9, 2023Code\nClicks in ContextAnn Lee, Bo de Wit, Cy Ng et al. · uva\nClicks depend on context.\n"


def entries(text: str, year: int | None = 2024) -> list[Entry]:
    return list(read_entries(text, "f", year).require_entries())


def test_three_lines_an_entry() -> None:
    (entry,) = entries(TEXT)
    assert entry == ONE
    assert entry.source == Source("f", 1)
    assert pasted.write_pasted([ONE]) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "\n\n" + TEXT.replace("\n", "\n\n"),
        TEXT.rstrip("\n"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace("depend on", "depend\n  on"),
        TEXT.replace("depend on", "depend\n\non"),
        TEXT.replace("IRJun 9, 2023Code", "IR Jun 9, 2023 Code"),
        TEXT.replace("Jun 9", "June 9"),
        TEXT + "Topics: ctr 0.91; click-model by hand\n",
        TEXT.replace("ContextAnn", "Context\tAnn"),
        TEXT.replace("ContextAnn", "Context\tAnn").replace(" · ", "\t"),
    ],
    ids=["blank lines", "no newline", "CRLF", "CR", "wrapped", "paragraphs", "spaced", "long month", "tagged", "tab", "tabs"],
)
def test_other_ways_to_paste_it(text: str) -> None:
    assert entries(text) == [ONE]


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "l.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_listing(path) == [ONE]


def test_the_year_of_a_date_without_one() -> None:
    text = "LGFeb 29\nTrees\tAnn Lee\nOf trees.\n"
    assert entries(text, 2024)[0].date == date(2024, 2, 29)
    with pytest.raises(ListingError, match=r"f:1: no such day \(Feb 29 of 2023\) in 'LGFeb 29'"):
        entries(text, 2023)
    with pytest.raises(ListingError, match="f:1: expected a year .* found none in 'LGFeb 29'"):
        entries(text, None)


@pytest.mark.parametrize(
    "text, message",
    [
        ("Publications\nof 2023\n" + TEXT, "f:1: lines 1 to 2 were not understood: found 'Publications', expected a header"),
        (TEXT + "\nirjun 9 2023\nX\nY\n", "f:5: lines 5 to 7 were not understood: found 'irjun 9 2023', expected a header"),
        (TEXT + "IRJun 9th, 2023\n", "f:4: line 4 was not understood: found 'IRJun 9th, 2023', expected a header"),
        (
            "IRJun 31, 2023\nX\nY\n" + TEXT,
            "f:1: no such day (Jun 31 of 2023) in 'IRJun 31, 2023'; the entry under it is left out",
        ),
        ("IRJun 9, 2023\n" + TEXT, "f:1: a header with no entry under it: expected title and authors next"),
        ("IRJun 9, 2023\n\x01\tAnn Lee\nText.\n" + TEXT, "f:2: expected a title, found only authors"),
        (TEXT + "CLMay 2, 2020", "f:4: a header with no entry under it: expected title and authors next"),
    ],
)
def test_what_is_not_understood_is_named_and_the_rest_is_read(text: str, message: str) -> None:
    listing = read_entries(text, "f", 2024)
    assert listing.entries == (ONE,)
    assert len(listing.problems) == 1
    assert str(listing.problems[0]).startswith(message)
    with pytest.raises(ListingError, match="1 entry read, 1 place not understood; correct what is named above"):
        listing.require_entries()


def test_thin_evidence_and_a_missing_abstract_are_said() -> None:
    listing = read_entries("IRJun 9, 2023\nDeepSeekMingjia\n\nCLMay 2, 2020\nOn TreesAnn Lee\nTrees stand.\n", "f", None)
    assert [str(warning) for warning in listing.warnings] == [
        "f:2: title and authors are split on thin evidence (title 'DeepSeek', first author 'Mingjia'); "
        "put a tab between them if that is wrong",
        "f:2: no abstract follows the title 'DeepSeek'",
    ]


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_bytes(b"IRJun 9, 2023\n\xff")
    with pytest.raises(ListingError, match="l.txt:2: expected UTF-8 text, found the byte 0xff; save the file as UTF-8"):
        read_listing(tmp_path / "l.txt")


names = st.one_of(st.text(max_size=20), st.sampled_from(["Jun Li", "Rianne van den Berg", "Ann et al.", "O. K.", "a · b"]))
titles = st.one_of(
    st.text(max_size=40), st.sampled_from(["IRJun 9, 2023", "Deep Nets, Wide Nets", "A · B", "OneRec · pku", "AAJul0,0000"])
)
abstracts = st.one_of(
    st.text(max_size=60), st.sampled_from(["IRJun 9, 2023Code", "Topics: none", "Topics: ctr 0.9", "IRJun 99th", "{"])
)
any_entry = st.builds(
    Entry,
    title=titles.filter(lambda title: bool(normalize_whitespace(title))),
    authors=st.lists(names, max_size=5).map(tuple),
    et_al=st.booleans(),
    date=st.dates(),
    category=st.sampled_from(["IR", "CL", "MAR", "JAN", "SEMAY", "eess.IV", "quant-ph", "q-fin.ST"]),
    code=st.booleans(),
    affiliation=st.one_of(st.none(), st.text(max_size=20), st.just("pku")),
    abstract=abstracts,
)


@settings(max_examples=300)
@given(st.lists(any_entry, max_size=4))
def test_writing_and_reading_give_the_same_entries(some: list[Entry]) -> None:
    assert list(pasted.read_pasted(pasted.write_pasted(some), "f", None).require_entries()) == some
    lines = {entry.id: "Topics: ctr 0.91; llm by hand" for entry in some}
    assert list(pasted.read_pasted(pasted.write_pasted(some, lines), "f", None).require_entries()) == some
    assert list(jsonl.read_json_lines(jsonl.write_json_lines(some), "f").require_entries()) == some


@settings(max_examples=200)
@given(st.text())
def test_any_text_is_read_without_a_crash(text: str) -> None:
    listing = read_entries(text, "f", 2024)
    assert listing.entries or listing.problems or not text.strip()


@pytest.mark.parametrize(
    "entry, message",
    [
        (Entry("T", category="IR"), "'T' has no date, which a listing needs"),
        (
            Entry("T", date=date(2020, 1, 1)),
            "'T' has no category, which a listing needs\na listing cannot hold all of these; --format jsonl can",
        ),
        (Entry("T", date=date(2020, 1, 1), category="I R"), "a listing wants a category of capitals, or one such as eess.IV"),
    ],
)
def test_what_a_listing_cannot_hold(entry: Entry, message: str) -> None:
    with pytest.raises(ListingError, match=message):
        pasted.write_pasted([entry])


@pytest.mark.parametrize(
    "line, message",
    [
        ("[1]", "f:2: expected a JSON object with a title, found list"),
        ('{"title": "X"', "f:2: expected one JSON object a line, found something else"),
        ("{}", "f:2: an entry needs a title; this one is empty"),
        ('{"title": 3}', "f:2: expected text under 'title', found 3"),
        ('{"title": "X", "authors": "A, B"}', "f:2: expected a list of names under 'authors', found 'A, B'"),
        ('{"title": "X", "authors": [3]}', "f:2: expected a list of names under 'authors', found something else in it"),
        ('{"title": "X", "date": "9 June"}', "f:2: expected a date such as 2023-06-09 under 'date', found '9 June'"),
    ],
)
def test_json_lines_name_what_is_wrong(line: str, message: str) -> None:
    listing = read_entries('{"title": "Good", "unknown": 1}\n' + line, "f", None)
    assert [entry.title for entry in listing.entries] == ["Good"]
    assert [str(problem)[: len(message)] for problem in listing.problems] == [message]


hostile: dict[str, Callable[[int], str]] = {
    "glued": lambda n: "IRJun 9, 2023\n" + "aA" * n + "\nx\n",
    "commas": lambda n: "IRJun 9, 2023\n" + "aA, " * n + "\nx\n",
    "words": lambda n: "IRJun 9, 2023\n" + "abcdefgh " * n + "\nx\n",
    "one letter": lambda n: "IRJun 9, 2023\n" + "a" * n + "\nx\n",
    "headers": lambda n: "IRJun 9, 2023\n" * n,
    "entries": lambda n: "IRJun 9, 2023\nTitlewordann, lee\nabstract\n" * (n // 10),
    "et al": lambda n: "IRJun 9, 2023\nT" + " et al." * n + "\nx\n",
    "topics": lambda n: TEXT + "Topics: " + "a 0.1; " * n + "\n",
    "dots": lambda n: "IRJun 9, 2023\nT" + " · A" * n + "\nx\n",
}


@pytest.mark.parametrize("kind", hostile)
def test_hostile_input_is_read(kind: str) -> None:
    """Each of these is some 500 kB; anything worse than linear would not come to an end."""
    text = hostile[kind](100_000)
    listing = read_entries(text, "f", None)
    assert listing.entries or listing.problems
