"""Words with their shares and places, and precedents."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger import Entry, Model, Taxonomy, Topic, UsageError, load
from tagger.labels.dataset import Labels
from tagger.labels.table import read_rows
from tagger.model.explain import Explanation, explain_entries, explanation_to_json, split_by_share
from tagger.reports.why import format_explanations
from tagger.text.hashed_vocabulary import HashedVocabulary, build_vocabulary
from tagger.text.normalize import entry_text
from tagger.text.positions import Position, find_positions

Run = Callable[..., subprocess.CompletedProcess[str]]

LISTING = """\
IRJun 9, 2023
Click, Click | ClickAnn Lee, Bo Wu
The click of language *models*.
"""


def written(entry: Entry) -> dict[str, list[str]]:
    """For each term of an entry the text at its places."""
    terms, texts = build_vocabulary([entry_text(entry)], 1)
    there = find_positions(entry, terms).items()
    return {texts[term]: [getattr(entry, place.part)[place.start : place.end] for place in found] for term, found in there}


def test_places_are_those_of_the_text_before_case_folding() -> None:
    entry = Entry("Große ΣΊΣΥΦΟΣ: ﬁne ŞİŞLİ", abstract="Кликовая x МОДЕЛЬ, 点击模型 भाषा 𐐀𐐁 cafe\u0301s. العربية")
    assert written(entry) == {
        "grosse": ["Große"],
        "σίσυφοσ": ["ΣΊΣΥΦΟΣ"],
        "fine": ["ﬁne"],
        "şi": ["Şİ"],  # İ folds to i and a dot above, which is no letter and so ends the word
        "şli": ["ŞLİ"],
        "кликовая": ["Кликовая"],
        "модель": ["МОДЕЛЬ"],
        "点击模型": ["点击模型"],
        "𐐨𐐩": ["𐐀𐐁"],
        "cafe": ["cafe"],
        "العربية": ["العربية"],
        "grosse σίσυφοσ": ["Große ΣΊΣΥΦΟΣ"],
        "σίσυφοσ fine": ["ΣΊΣΥΦΟΣ: ﬁne"],
        "fine şi": ["ﬁne Şİ"],
        "şi şli": ["ŞİŞLİ"],
        "şli grosse": ["Große", "ŞLİ"],  # the title is read twice: the words of this pair stand at its end and start
        "şli кликовая": ["ŞLİ", "Кликовая"],
        "кликовая модель": ["Кликовая x МОДЕЛЬ"],  # a single letter is no word
        "модель 点击模型": ["МОДЕЛЬ, 点击模型"],
        "点击模型 𐐨𐐩": ["点击模型 भाषा 𐐀𐐁"],
        "𐐨𐐩 cafe": ["𐐀𐐁 cafe"],
        "cafe العربية": ["cafe\u0301s. العربية"],
    }


@given(st.text(min_size=1).filter(lambda text: bool(text.split())), st.text())
def test_the_text_at_a_place_folds_to_its_word(title: str, abstract: str) -> None:
    try:
        entry = Entry(title, abstract=abstract)
    except ValueError:
        return
    for term, found in written(entry).items():
        assert found
        if " " not in term:
            for text in found:
                # A letter that folds to a word's end and more, as İ does, belongs to the word.
                assert text.casefold().count(term) == 1
                assert term not in text[1:].casefold()
                assert term not in text[:-1].casefold()


def test_each_occurrence_has_its_place() -> None:
    terms, texts = build_vocabulary(["click model"], 1)
    found = find_positions(Entry("A click", abstract="Click models, click-model, CLICK\u200bmodel."), terms)
    assert {texts[term]: there for term, there in found.items()} == {
        "click": [
            Position("title", 2, 7),
            Position("abstract", 0, 5),
            Position("abstract", 14, 19),
            Position("abstract", 27, 32),
        ],
        "model": [Position("abstract", 20, 25), Position("abstract", 33, 38)],
        "click model": [Position("abstract", 14, 25), Position("abstract", 27, 38)],
    }
    assert find_positions(Entry("!"), terms) == find_positions(Entry("click"), HashedVocabulary(np.zeros(0, np.uint64))) == {}


def test_shares_and_intercept_add_up_to_the_score(model: Model, labels: Labels) -> None:
    ids = [topic.id for topic in model.topics]
    entries = [*labels.entries[:12], Entry("Ничего"), Entry("点击", abstract="क्लिक")]
    scores = model.scores(entries)
    for n, found in enumerate(explain_entries(model, entries, topics=ids)):
        assert {explained.topic.id for explained in found.topics} == set(ids)
        for explained in found.topics:
            assert explained.intercept is not None
            assert explained.log_odds is not None
            total = explained.intercept + sum(term.share for term in explained.terms)
            assert total == pytest.approx(explained.log_odds, abs=1e-3)
            score = 1 / (1 + np.exp(-explained.log_odds))
            assert score == pytest.approx(scores[n, model.column(explained.topic.id)], abs=1e-5)
            for term in explained.terms:
                for position in term.positions:
                    text = getattr(found.entry, position.part)[position.start : position.end].casefold()
                    assert set(re.findall(r"\w\w+", text)) & set(term.term.split())


def test_default_topics_are_those_tagged_and_the_two_nearest(model: Model, labels: Labels) -> None:
    for tagged, found in zip(model.tag(labels.entries[:30]), explain_entries(model, labels.entries[:30]), strict=True):
        assert {one.topic.id for one in found.topics if one.tagged} == {tag.topic.id for tag in tagged.tags}
        assert len(found.topics) == min(len(tagged.tags) + 2, len(model.topics))
        if tagged.nearest:
            assert tagged.nearest.id in {one.topic.id for one in found.topics}


def test_precedents_are_other_entries_with_their_labels(model: Model, labels: Labels) -> None:
    entry, row = labels.entries[3], labels.rows[3]
    (found,) = explain_entries(model, [entry], labels, n_similar=4)
    assert found.by_hand == row
    assert len(found.similar) == 4
    assert entry.id not in {similar.entry.id for similar in found.similar}
    similarities = [similar.similarity for similar in found.similar]
    assert similarities == sorted(similarities, reverse=True)
    by_id = {row.id: row for row in labels.rows}
    assert all(similar.labels == by_id[similar.entry.id] for similar in found.similar)
    (alike,) = explain_entries(model, [Entry(entry.title + " again", abstract=entry.abstract)], labels, n_similar=1)
    assert alike.similar[0].entry.id == entry.id
    (unlike,) = explain_entries(model, [Entry("Żółć gęślą")], labels)
    assert (unlike.by_hand, unlike.similar) == (None, ())


def test_a_score_that_another_topic_lends_is_said_to_be_lent(tiny: Path) -> None:
    model = load(tiny)
    model = replace(
        model, taxonomy=Taxonomy((model.topics[0], Topic("llm", "Large language models", parent="ctr"), model.topics[2]))
    )
    (found,) = explain_entries(model, [Entry("Language")])
    ctr = next(one for one in found.topics if one.topic.id == "ctr")
    assert (ctr.implied_by, ctr.tagged, ctr.score) == ("llm", True, found.topics[0].score)
    assert ctr.log_odds == -3.0
    assert "CTR prediction: tagged, score 0.88, that of llm, which implies it, threshold 0.50" in format_explanations(
        [found], "text"
    )
    assert "  -3.00  log-odds of its own score\n" in format_explanations([found], "text")


def test_a_topic_that_is_not_learned_and_one_that_is_not_there(tiny: Path) -> None:
    (found,) = explain_entries(load(tiny), [Entry("Click")], topics=["rag", "rag"])
    assert [(one.topic.id, one.score, one.log_odds, one.intercept) for one in found.topics] == [("rag", 0.0, None, None)]
    assert "RAG: not learned, for want of yes or of no entries\n" in format_explanations([found], "text")
    with pytest.raises(UsageError, match="unknown topic 'crt'; this model has ctr, llm, rag"):
        explain_entries(load(tiny), [Entry("Click")], topics=["crt"])
    assert explain_entries(load(tiny), []) == []


def test_segments_join_to_the_text() -> None:
    assert split_by_share("", [(1.0, [])]) == []
    text = "large language models"
    found = split_by_share(text, [(2.0, [(0, 14)]), (-3.0, [(6, 21)])])
    assert found == [("large ", 2.0), ("language", -1.0), (" models", -3.0)]
    assert "".join(piece for piece, _ in found) == text


def test_down_a_pipe(run: Run, tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "l.txt").write_text(LISTING)
    done = run("tagger", "why", "l.txt", "--model", tiny)
    assert (
        done.stdout
        == """\
j885z8ba  Click, Click | Click

CTR prediction: tagged, score 0.79, threshold 0.50
   +3.61  click
   -0.31  language
   -2.00  intercept
   +1.30  log-odds of the score
  title: {+Click+}, {+Click+} | {+Click+}
  abstract: The {+click+} of {-language-} *models*.

Large language models: not tagged, score 0.32, threshold 0.50
   +1.22  language
   -2.00  intercept
   -0.78  log-odds of the score
  abstract: The click of {+language+} *models*.
"""
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_markdown_and_json(run: Run, tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "l.txt").write_text(LISTING)
    done = run("tagger", "why", "l.txt", "--model", tiny, "--topic", "llm", "-f", "markdown")
    assert (
        done.stdout
        == """\
### Click, Click \\| Click (j885z8ba)

**Large language models: not tagged, score 0.32, threshold 0.50**

| share | term |
| --- | --- |
| +1.22 | language |
| -2.00 | intercept |
| -0.78 | log-odds of the score |

> Click, Click \\| Click

> The click of <b>language</b> \\*models\\*.
"""
    )
    assert run("tagger", "why", "l.txt", "--model", tiny, "-o", "why.json").stdout == ""
    (found,) = json.loads((tmp_path / "why.json").read_text())
    (language,) = found["topics"][1]["terms"]
    assert language["places"] == [{"part": "abstract", "start": 13, "end": 21}]
    entry = Entry("Click, Click | Click", abstract="The click of language *models*.")
    (explanation,) = explain_entries(load(tiny), [entry])
    assert found == explanation_to_json(explanation) | {"source": "l.txt:1"}


def test_an_explanation_can_be_compared_pickled_and_hashed(model: Model, labels: Labels) -> None:
    first, again, other = (explain_entries(model, [entry], labels)[0] for entry in (*labels.entries[:1] * 2, labels.entries[1]))
    assert first == again == pickle.loads(pickle.dumps(first))
    assert first != other
    assert len({first, again, other}) == 2
    assert isinstance(first, Explanation)


def test_on_a_terminal_words_are_coloured(tiny: Path) -> None:
    found = explain_entries(load(tiny), [Entry("Click [red]", abstract="The language.")])
    text = format_explanations(found, "text", width=60)
    assert "\x1b[1;32mClick\x1b[0m [red]" in text
    assert "\x1b[1;31mlanguage\x1b[0m" in text


def test_a_labelled_entry_by_its_id(run: Run, workspace: Path, tiny: Path) -> None:
    row = read_rows(workspace / "labels/labels.csv")[0]
    done = run("tagger", "why", row.id, "--model", tiny, cwd=workspace)
    said = ", ".join([*row.topics, *(f"{id}?" for id in row.unsure)]) or "none"
    assert done.stdout.startswith(f"{row.id}  {row.title}\n          by hand: {said}\n")
    assert done.returncode == 0


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_precedents_are_shown(run: Run, workspace: Path, tiny: Path, format: str) -> None:
    listing = "IRJun 9, 2023\nThe language of clicksAnn Lee\nLanguage language click.\n"
    done = run("tagger", "why", "-", "--model", tiny, "--similar", 1, "-f", format, cwd=workspace, stdin=listing)
    assert "most similar labelled entries" in done.stdout


def test_what_is_neither_an_entry_nor_a_file(run: Run, workspace: Path, tiny: Path) -> None:
    done = run("tagger", "why", "nothing", "--model", tiny, cwd=workspace)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tagger: nothing: neither the id of an entry of labels nor a file that is there\n"
    done = run("tagger", "why", "l.txt", "--model", tiny)
    assert done.stderr == "tagger: l.txt: neither a labelled entry (there is no workspace here) nor a file that is there\n"


def test_names_of_letters_fold_alone() -> None:
    """Places rest on this: the folded text is that of its letters, one after the other."""
    letters = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x20000)]))
    assert letters.casefold() == "".join(letter.casefold() for letter in letters)
