from __future__ import annotations

import csv
import io
import json
import pickle
import re
import runpy
from dataclasses import FrozenInstanceError, fields, replace
from datetime import date
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger import Entry, Reason, Tag, Tagged, Topic
from tagger.cli.options import FormatName, choose_format
from tagger.errors import UsageError
from tagger.formats.csv_table import CSV
from tagger.formats.format import ListingFormat, WriteOptions
from tagger.formats.json_lines import JSON_LINES, entry_record
from tagger.formats.markdown import MARKDOWN
from tagger.formats.parquet import PARQUET, build_frame
from tagger.formats.pasted import PASTED
from tagger.formats.registry import (
    COMBINABLE_FORMATS,
    FORMATS,
    LISTING_ENDINGS,
    LISTING_FORMATS,
    RECOGNITION_ORDER,
    TEXT_FORMATS,
    append_entry,
    find_holding_format,
    read_entries,
    read_files,
    recognize_format,
    remove_entry,
)
from tagger.formats.table import TABLE
from tagger.labels.dataset import read_labels
from tagger.labels.entry_files import find_entry_files
from tagger.labels.store import LabelEdit, LabelStore
from tagger.labels.table import LabelRow
from tagger.source import Source
from tagger.tags import TopicReasons, TopicScores
from tagger.whitespace import UNPRINTABLE, normalize_whitespace

PLAIN = Entry("Clicks in Context", ("Ann Lee",), date=date(2023, 6, 9), category="IR", abstract="Clicks depend on context.")
KNOWN = replace(
    PLAIN,
    doi="10.1/x",
    arxiv="1706.06978",
    pmid="31452104",
    url="https://example.org/a?b=1",
    key="lee2023",
    venue="KDD",
    keywords=("clicks", "context"),
    extra={"citations": 5, "tldr": {"text": "Short."}},
)
CTR, LLM = Topic("ctr", "CTR"), Topic("llm", "LLM")

texts = st.text(max_size=20)
words = texts.map(normalize_whitespace).filter(bool)
titles = words.filter(lambda title: any(map(str.isalnum, title)))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
OWN_KEYS = {field.name for field in fields(Entry)} | {"topics", "unsure", "scores", "why", "note"}
any_entry = st.builds(
    Entry,
    title=titles,
    authors=st.lists(texts, max_size=3).map(tuple),
    et_al=st.booleans(),
    date=st.none() | st.dates(),
    category=st.none() | texts,
    code=st.booleans(),
    affiliation=st.none() | texts,
    abstract=texts,
    doi=st.none() | texts,
    arxiv=st.none() | texts,
    pmid=st.none() | texts,
    url=st.none() | texts,
    key=st.none() | texts,
    venue=st.none() | texts,
    keywords=st.lists(texts, max_size=3).map(tuple),
    extra=st.dictionaries(texts.filter(lambda key: key not in OWN_KEYS), values, max_size=3),
)


def tagged(entry: Entry, **more: Any) -> Tagged:
    return Tagged(entry, (Tag(CTR, 0.912345, "model"), Tag(LLM, None, "hand")), **more)


def test_names_and_endings_stand_for_one_format() -> None:
    for names in ([format.name for format in FORMATS], [ending for format in FORMATS for ending in format.endings]):
        assert len(names) == len(set(names))
    assert [format.name for format in TEXT_FORMATS] == ["table", "jsonl", "csv", "markdown", "listing"]
    assert [format.name for format in COMBINABLE_FORMATS] == ["csv", "jsonl", "parquet"]
    assert LISTING_ENDINGS == (".txt", ".jsonl")
    assert set(RECOGNITION_ORDER) == set(LISTING_FORMATS) == {format for format in FORMATS if isinstance(format, ListingFormat)}


def test_the_command_line_offers_the_formats_of_text() -> None:
    assert list(FormatName) == [format.name for format in TEXT_FORMATS]  # type: ignore[arg-type]
    for format in TEXT_FORMATS:
        assert choose_format(format.name, None) is format
        for ending in format.endings:
            assert choose_format(None, Path("out" + ending.upper())) is format
    assert choose_format(None, None) is TABLE
    with pytest.raises(UsageError, match=r"o\.xyz: no format is known by this ending; wanted \.jsonl, \.csv, \.md, \.txt, or"):
        choose_format(None, Path("o.xyz"))
    with pytest.raises(UsageError, match="--format listing: this command has table, csv"):
        choose_format("listing", None, allowed=(TABLE, CSV))


def test_hooks_and_the_table_of_the_documentation_know_the_formats(root: Path) -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())}
    endings = "|".join(ending[1:] for ending in LISTING_ENDINGS)
    assert hooks["tagger-tag"]["files"].endswith(rf".+\.({endings})$")
    assert runpy.run_path(str(root / "docs/generate.py"))["format_table"]() in (root / "docs/formats.md").read_text()


# The format of a text is told by its beginning; the ending of its file does not matter.
BEGINNINGS = {
    "listing": (PASTED, PASTED.write_entries([PLAIN])),
    "JSON Lines": (JSON_LINES, JSON_LINES.write_entries([PLAIN])),
    "JSON Lines after blank lines": (JSON_LINES, "\n \n" + JSON_LINES.write_entries([PLAIN])),
    "a broken object": (JSON_LINES, '{"title": '),
    "a list": (JSON_LINES, "[1]"),
    "a string": (JSON_LINES, '"title"'),
    "a bracket that is no JSON": (PASTED, "[1\n"),
    "a quotation mark that is no JSON": (PASTED, '"Title\n'),
    "a number": (PASTED, "17"),
    "nothing": (PASTED, ""),
    "CSV": (PASTED, CSV.write([Tagged(PLAIN, ())], WriteOptions())),
    "Markdown": (PASTED, MARKDOWN.write([Tagged(PLAIN, ())], WriteOptions())),
    "a table": (PASTED, TABLE.write([Tagged(PLAIN, ())], WriteOptions())),
}


@pytest.mark.parametrize("ending", [".txt", ".jsonl", ".csv", ".md", ".parquet", ".TXT", ""])
@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_text_is_recognised_whatever_the_ending(tmp_path: Path, kind: str, ending: str) -> None:
    format, text = BEGINNINGS[kind]
    assert recognize_format(text) is format
    path = tmp_path / f"l{ending}"
    path.write_text(text)
    assert read_files([path], 2024) == format.read(text, str(path), 2024)


@settings(max_examples=200)
@given(st.lists(any_entry, max_size=3))
def test_what_a_format_writes_it_reads_back(entries: list[Entry]) -> None:
    for format in LISTING_FORMATS:
        held = [entry for entry in entries if format.can_hold(entry)]
        text = format.write_entries(held)
        assert read_entries(text, "f", None).require_entries() == tuple(held)
        assert not held or recognize_format(text) is format
        assert text.isprintable() or not set(map(ord, text)) & set(UNPRINTABLE) - {ord("\n"), ord("\t")}
    assert all(JSON_LINES.can_hold(entry) for entry in entries)


@given(st.lists(any_entry, max_size=3, unique_by=lambda entry: entry.id), any_entry)
def test_an_entry_is_put_at_the_end_and_taken_away_again(entries: list[Entry], entry: Entry) -> None:
    entries = [each for each in entries if each.id != entry.id]
    text = JSON_LINES.write_entries(entries)
    longer = append_entry(text, entry)
    assert read_entries(longer, "f", None).require_entries() == (*entries, entry)
    assert read_entries(remove_entry(longer, entry.id), "f", None).require_entries() == tuple(entries)
    assert recognize_format(append_entry("", entry)) is find_holding_format(entry)


def test_a_new_file_has_a_format_that_loses_nothing() -> None:
    assert find_holding_format(PLAIN) is PASTED
    for name in ("doi", "arxiv", "pmid", "url", "key", "venue", "keywords", "extra"):
        entry = replace(PLAIN, **{name: getattr(KNOWN, name)})
        assert find_holding_format(entry) is JSON_LINES, name
    assert find_holding_format(replace(PLAIN, date=None)) is JSON_LINES


def test_a_listing_is_written_without_what_it_has_no_place_for() -> None:
    assert PASTED.write_entries([KNOWN]) == PASTED.write_entries([PLAIN])
    assert PASTED.append_entry("", KNOWN) == PASTED.write_entries([PLAIN])
    assert PASTED.write([tagged(KNOWN)], WriteOptions()) == PASTED.write([tagged(PLAIN)], WriteOptions())


def test_json_lines_carry_identifiers_and_unknown_keys_through() -> None:
    (line,) = JSON_LINES.write([tagged(KNOWN)], WriteOptions()).splitlines()
    assert (
        list(json.loads(line))
        == (
            "id key doi arxiv pmid url title authors et_al date category venue keywords code affiliation abstract source "
            "citations tldr topics note"
        ).split()
    )
    (again,) = read_entries(line, "f", None).require_entries()
    assert (again, again.source) == (KNOWN, Source("f", 1))
    assert again.extra == {"citations": 5, "tldr": {"text": "Short."}}, "tags are made anew, and are no part of an entry"


def test_an_entry_without_them_is_written_as_before() -> None:
    assert list(entry_record(PLAIN)) == "id title authors et_al date category code affiliation abstract source".split()
    assert CSV.write([], WriteOptions()) == "id,title,topics,scores,by,note,source\n"


@pytest.mark.parametrize(
    "record, field, value",
    [
        ({"pmid": 31452104}, "pmid", "31452104"),
        ({"key": 7}, "key", "7"),
        ({"doi": " 10.1/x\n"}, "doi", "10.1/x"),
        ({"doi": ""}, "doi", None),
        ({"doi": None}, "extra", {}),
        ({"doi": ["10.1/x"]}, "extra", {"doi": ["10.1/x"]}),
        ({"arxiv": 2301.1}, "extra", {"arxiv": 2301.1}),
        ({"pmid": True}, "extra", {"pmid": True}),
        ({"venue": {"name": "KDD"}}, "extra", {"venue": {"name": "KDD"}}),
        ({"keywords": ["a", " ", "b"]}, "keywords", ("a", "b")),
        ({"keywords": "a, b"}, "extra", {"keywords": "a, b"}),
        ({"keywords": ["a", 1]}, "extra", {"keywords": ["a", 1]}),
        ({"n": None}, "extra", {"n": None}),
        ({"topics": ["ctr"], "unsure": [], "scores": {}, "why": {}, "note": "x", "source": "s", "id": "i"}, "extra", {}),
    ],
)
def test_what_nobody_needs_is_never_an_error(record: dict[str, Any], field: str, value: object) -> None:
    (entry,) = read_entries(json.dumps({"title": "T"} | record), "f", None).require_entries()
    assert getattr(entry, field) == value
    (again,) = read_entries(JSON_LINES.write_entries([entry]), "f", None).require_entries()
    assert again == entry


def test_a_value_too_deep_to_be_written_again_is_left_out_with_a_warning() -> None:
    deep = "[" * 500 + "]" * 500
    listing = read_entries(f'{{"title": "T", "deep": {deep}, "n": 1}}', "f", None)
    assert [str(warning) for warning in listing.warnings] == ["f:1: left out, since it is nested more than 100 deep: 'deep'"]
    assert listing.require_entries()[0].extra == {"n": 1}


def test_control_characters_of_an_unknown_key_are_escaped() -> None:
    entry = Entry("T", extra={"a\x9bb": "c\u202ed\x1b\ud800"})
    text = JSON_LINES.write_entries([entry])
    assert "\\u009b" in text
    assert "\\u202e" in text
    assert "\\ud800" in text
    assert not set(map(ord, text)) & (set(UNPRINTABLE) - {10})
    assert read_entries(text, "f", None).require_entries() == (entry,)


def test_csv_has_a_column_for_each_identifier_that_an_entry_has() -> None:
    text = CSV.write([tagged(PLAIN), tagged(replace(KNOWN, venue=None, arxiv=None))], WriteOptions())
    first, second = csv.DictReader(io.StringIO(text))
    assert list(first) == "id title topics scores by note source doi pmid url key keywords".split()
    assert (first["doi"], first["keywords"]) == ("", "")
    assert (second["doi"], second["keywords"]) == ("10.1/x", "clicks;context")


def test_parquet_has_a_column_for_each_identifier_that_an_entry_has() -> None:
    frame = build_frame([tagged(PLAIN), tagged(replace(KNOWN, venue=None))])
    assert list(frame.columns) == "id title date topics scores by note source doi arxiv pmid url key keywords".split()
    assert frame["keywords"].tolist() == [[], ["clicks", "context"]]
    assert frame["doi"].isna().tolist() == [True, False]
    assert frame["doi"][1] == "10.1/x"


def test_parquet_is_read_back(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    (tmp_path / "t.parquet").write_bytes(PARQUET.write_bytes([tagged(KNOWN)], WriteOptions()))
    frame = pandas.read_parquet(tmp_path / "t.parquet")
    assert frame.loc[0, "arxiv"] == "1706.06978"
    assert list(frame.loc[0, "topics"]) == ["ctr", "llm"]


@pytest.mark.parametrize("format", [CSV, JSON_LINES], ids=attrgetter("name"))
def test_tags_are_read_back_with_their_lines(format: Any) -> None:
    text = format.write([tagged(PLAIN), Tagged(Entry("Other"), ())], WriteOptions())
    rows = [row for _, row in format.read_tags(text)]
    assert rows == [(PLAIN.id, PLAIN.title, ("ctr", "llm")), (Entry("Other").id, "Other", ())]


def test_all_scores_and_reasons_are_those_of_the_results() -> None:
    result = tagged(
        PLAIN,
        scores=TopicScores((CTR, LLM), (0.912345, 0.04)),
        why=(TopicReasons(CTR, (Reason("click", 1.23456),), (Reason("of", -0.3),)), TopicReasons(LLM, (), ())),
    )
    options = WriteOptions((CTR, LLM), digits=2)
    assert TABLE.write([result], options) == (
        f"{PLAIN.id}  Clicks in Context\n"
        "          CTR 0.91, LLM by hand\n"
        "          why CTR: click +1.23; against: of -0.30\n"
        "          why LLM: no word for it\n"
        "          all ctr 0.91, llm 0.04\n"
    )
    record = json.loads(JSON_LINES.write([result], options))
    assert record["topics"] == [{"id": "ctr", "score": 0.91, "by": "model"}, {"id": "llm", "score": None, "by": "hand"}]
    assert record["scores"] == {"ctr": 0.9123, "llm": 0.04}
    assert record["why"] == {"ctr": [{"term": "click", "share": 1.2346}, {"term": "of", "share": -0.3}], "llm": []}
    (row,) = csv.DictReader(io.StringIO(CSV.write([result], options)))
    assert (row["scores"], row["score ctr"], row["score llm"]) == ("0.91;", "0.9123", "0.0400")
    assert MARKDOWN.write([result], options).splitlines()[2] == (
        "| Clicks in Context | 2023-06-09 | CTR 0.91, LLM by hand<br>CTR: click +1.23; against: of -0.30"
        "<br>LLM: no word for it<br>ctr 0.91, llm 0.04 |"
    )


def test_scores_that_are_not_there_cannot_be_written() -> None:
    for format in (TABLE, JSON_LINES, CSV, MARKDOWN):
        with pytest.raises(ValueError, match="these results came without the scores of all topics; tag with all_scores=True"):
            format.write([tagged(PLAIN)], WriteOptions((CTR,)))


@settings(max_examples=50)
@given(any_entry)
def test_entries_are_values(entry: Entry) -> None:
    copy = pickle.loads(pickle.dumps(entry))
    assert copy == entry
    assert hash(copy) == hash(entry)
    assert len({entry, copy, replace(entry, source=Source("elsewhere", 3))}) == 1
    assert replace(entry, doi="another") != entry
    with pytest.raises(FrozenInstanceError):
        entry.title = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        entry.extra["x"] = 1  # type: ignore[index]


def test_tags_are_values() -> None:
    def result() -> Tagged:
        scores = TopicScores((Topic("ctr", "CTR"),), (0.5,))
        why = (TopicReasons(CTR, (Reason("a", 1.0),), ()),)
        return Tagged(replace(KNOWN), (Tag(Topic("ctr", "CTR"), 0.5, "model"),), scores, why)

    assert repr(KNOWN.extra) == repr(dict(KNOWN.extra))
    assert result() == result() == pickle.loads(pickle.dumps(result()))
    assert len({result(), result()}) == 1
    assert result() != replace(result(), by="hand")
    assert Tag(CTR, 0.5, "model") != Tag(CTR, 0.6, "model")


def test_ids_do_not_depend_on_identifiers() -> None:
    assert KNOWN.id == PLAIN.id
    assert KNOWN != PLAIN


def test_a_labelled_entry_keeps_its_identifiers(place: Path) -> None:
    labels = place / "labels"
    store = LabelStore(labels)
    for entry in (replace(KNOWN, title="Known", source=Source("new.txt", 1)), replace(PLAIN, source=Source("new.txt", 5))):
        store.save(LabelEdit(entry, None, LabelRow(entry.id, entry.title)))
    assert [path.name for path in find_entry_files(labels)] == ["e.txt", "new.jsonl.txt", "new.txt"]
    by_id = {entry.id: entry for entry in read_labels(labels).entries}
    assert by_id[Entry("Known").id] == replace(KNOWN, title="Known")


def test_a_terminal_shows_notes_reasons_and_scores() -> None:
    scores = TopicScores((CTR,), (0.04,))
    why = (TopicReasons(CTR, (), (Reason("of", -0.3),)),)
    untagged = Tagged(Entry("Bread"), (), scores=scores, why=why, note="no topic: nearest is CTR")
    text = TABLE.write([untagged], WriteOptions((CTR,), width=70))
    assert "\x1b[33mno topic: nearest is CTR" in text
    assert "no word for it; against: of -0.30" in text
    assert "ctr 0.04" in text
    assert max(map(len, re.sub(r"\x1b\[[\d;]*m", "", text).splitlines())) <= 70


def test_markdown_shows_a_note_beside_tags() -> None:
    row = MARKDOWN.write([tagged(PLAIN, note="a *note*")], WriteOptions()).splitlines()[2]
    assert row.endswith(r"| CTR 0.91, LLM by hand (*a \*note\**) |")
