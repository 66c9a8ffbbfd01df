"""New entries against the labelled ones."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger import Entry, Model, load
from tagger.curation.drift import measure_drift
from tagger.evaluation.figures import UNDEFINED
from tagger.evaluation.metrics import difference_interval
from tagger.labels.dataset import Labels
from tagger.model.decision import UNCERTAIN_ODDS_RATIO
from tagger.text.normalize import entry_text

Run = Callable[..., subprocess.CompletedProcess[str]]


def some(labels: Labels, which: slice) -> Labels:
    return replace(labels, entries=labels.entries[which], rows=labels.rows[which])


def backwards(entries: Sequence[Entry]) -> list[Entry]:
    """The same entries in another tongue: each text is written from its end."""
    return [Entry(entry.title[::-1], abstract=entry.abstract[::-1]) for entry in entries]


def test_entries_of_the_same_kind_are_not_new(model: Model, labels: Labels) -> None:
    found = measure_drift(model, some(labels, slice(0, None, 2)), labels.entries[1::2])
    assert found.label_more is False
    share = r"\d% \(\d%-\d+%\)"
    assert re.fullmatch(
        f"There is no need to label more: of {len(labels.entries[1::2])} new entries {share} have unusually many unknown words "
        f"and {share} are unlike every labelled one, where 5% is usual(; .* topics have other rates, which decides nothing)?.",
        found.sentence,
    )


def test_a_foreign_language_is_new(model: Model, labels: Labels) -> None:
    found = measure_drift(model, labels, backwards(labels.entries[:40]))
    assert found.label_more is True
    assert found.sentence == (
        "It is time to label more: of 40 new entries 100% (91%-100%) have unusually many unknown words and "
        "100% (91%-100%) are unlike every labelled one, where 5% is usual."
    )
    assert {suggestion.reason for suggestion in found.teach} == {"unlike"}
    assert found.unknown_words > 0.9


def test_too_little_to_tell(model: Model, labels: Labels) -> None:
    foreign = backwards(labels.entries[:40])
    few = measure_drift(model, labels, foreign[:19])
    assert (few.label_more, few.sentence) == (
        None,
        "Nothing can be told: there are 19 entries not labelled yet, and it takes at least 20.",
    )
    assert few.teach, "they are listed all the same"
    small = measure_drift(model, some(labels, slice(99)), foreign)
    assert (small.label_more, small.sentence) == (
        None,
        "Nothing can be told: there are 99 entries labelled, and it takes at least 100 to compare with.",
    )
    none = measure_drift(model, some(labels, slice(0)), foreign)
    assert none.label_more is None
    assert none.labelled_best_score is None
    open = measure_drift(model, some(labels, slice(25, None)), labels.entries[:25])
    assert open.label_more is None
    assert open.sentence.startswith("It cannot be told whether to label more: of 25 new entries 0% (0%-13%) have")
    assert "where 5% is usual and above 10% is too much" in open.sentence


def test_nothing_new(model: Model, labels: Labels) -> None:
    found = measure_drift(model, labels, labels.entries)
    assert (found.n_entries, found.n_left_out) == (0, len(labels.entries))
    assert found.sentence == "Nothing can be told: there are 0 entries not labelled yet, and it takes at least 20."
    assert found.best_score == found.words.share == UNDEFINED
    assert found.teach == ()
    assert {topic.moved for topic in found.topics.values()} == {None}


def test_order_and_repetition_do_not_matter(model: Model, labels: Labels) -> None:
    known, new = some(labels, slice(0, None, 2)), list(labels.entries[1:200:2])
    once, again = (measure_drift(model, known, entries) for entries in (new, [*new[::-1], *new[:7], *known.entries[:5]]))
    assert again.n_left_out - once.n_left_out == 12
    assert again.best_score.value == pytest.approx(once.best_score.value)
    # The interval of a mean draws entries by their place.
    assert replace(again, n_left_out=once.n_left_out, best_score=once.best_score) == once


def test_likeness_is_that_of_dense_vectors_with_unknown_words(model: Model, labels: Labels) -> None:
    """Against scikit-learn's counts of all words, the unknown ones set to the highest idf there is."""
    from sklearn.feature_extraction.text import CountVectorizer

    known = some(labels, slice(0, 300, 2))
    new = [*labels.entries[1:300:2], *backwards(labels.entries[:3])]
    how = {"preprocessor": str.casefold, "token_pattern": r"(?u)\b\w\w+\b"}
    terms = CountVectorizer(**how, ngram_range=(1, 2), vocabulary={term: n for n, term in enumerate(model.terms)})
    words = CountVectorizer(**how)

    def rows(entries: Sequence[Entry]) -> np.ndarray:
        texts = [entry_text(entry) for entry in entries]
        counts = terms.transform(texts).toarray().astype(float)
        single = [n for n, term in enumerate(model.terms) if " " not in term]
        unknown = np.asarray(words.fit_transform(texts).sum(axis=1)).ravel()
        unknown = unknown - counts[:, single].sum(axis=1)
        values = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * model.idf
        return values / np.sqrt((values**2).sum(axis=1) + unknown * float(model.idf.max()) ** 2)[:, None]

    among = rows(known.entries) @ rows(known.entries).T
    np.fill_diagonal(among, 0)
    cosines = rows(new) @ rows(known.entries).T
    bound = np.quantile(among.max(axis=1), 0.05)
    found = measure_drift(model, known, new, n_teach=1000)
    assert found.unlike.bound == pytest.approx(bound, abs=1e-4)
    assert found.unlike.n == (cosines.max(axis=1) < bound).sum()
    place = {entry.id: n for n, entry in enumerate(new)}
    assert len(found.teach) > 20
    for suggestion in found.teach:
        of_labelled = cosines[place[suggestion.entry.id]]
        assert suggestion.similarity == pytest.approx(of_labelled.max(), abs=1e-4)
        assert suggestion.nearest == (known.entries[of_labelled.argmax()] if of_labelled.any() else None)


def test_what_would_teach(model: Model, labels: Labels) -> None:
    known, new = some(labels, slice(0, None, 2)), [*labels.entries[1::2], *backwards(labels.entries[:20])]
    twin = replace(new[1], title=new[1].title + " again")
    copy = replace(known.entries[0], title=known.entries[0].title + " again")
    found = measure_drift(model, known, [*new, twin, copy], n_teach=400)
    ids = [suggestion.entry.id for suggestion in found.teach]
    assert len(set(ids)) == len(ids)
    assert len({twin.id, new[1].id} & set(ids)) <= 1, "no near-duplicates"
    assert copy.id not in ids, "nor what is nearly labelled"
    given = [*new, twin, copy]
    scores = dict(zip((entry.id for entry in given), model.scores(given), strict=True))
    for suggestion in found.teach:
        if suggestion.reason == "uncertain":
            score = scores[suggestion.entry.id][model.column(suggestion.topic)]
            assert suggestion.score == pytest.approx(score, abs=1e-4)
            odds = score / (1 - score) / (suggestion.threshold / (1 - suggestion.threshold))
            assert 1 / (1.01 * UNCERTAIN_ODDS_RATIO) < odds < 1.01 * UNCERTAIN_ODDS_RATIO
        else:
            assert suggestion.similarity <= found.unlike.bound
            assert suggestion.topic is suggestion.score is suggestion.threshold is None
    short = measure_drift(model, known, [*new, twin, copy], n_teach=5).teach
    topics = [suggestion.topic for suggestion in short if suggestion.topic]
    assert len(short) == 5
    assert len(set(topics)) == len(topics), "spread over topics"
    assert {suggestion.reason for suggestion in short} == {"uncertain", "unlike"}
    assert measure_drift(model, known, new, n_teach=0).teach == ()


def test_rates_that_moved(model: Model, labels: Labels) -> None:
    yes, _ = labels.arrays()
    column = [topic.id for topic in labels.topics].index("solar")
    with_it = [n for n in range(len(labels.entries)) if yes[n, column]]
    rest = [n for n in range(len(labels.entries)) if not yes[n, column] or n in with_it[::2]]
    known = replace(labels, entries=tuple(labels.entries[n] for n in rest), rows=tuple(labels.rows[n] for n in rest))
    found = measure_drift(model, known, [labels.entries[n] for n in with_it]).topics["solar"]
    assert found.moved == "more"
    assert found.difference[0] > 0.5


def test_the_interval_of_a_difference() -> None:
    a, b, c, d = (np.array(value) for value in (3.0, 40.0, 5.0, 900.0))
    low, high = difference_interval(a, b, c, d)
    back_low, back_high = difference_interval(c, d, a, b)
    assert (low, high) == (pytest.approx(-back_high), pytest.approx(-back_low))
    wide_low, wide_high = difference_interval(a, b, c, d, n_comparisons=13)
    assert wide_low < low < 3 / 40 - 5 / 900 < high < wide_high


def test_on_the_command_line(run: Run, place: Path) -> None:
    done = run("tagger", "drift", "new.txt")
    assert (
        done.stdout
        == """\
Nothing can be told: there are 3 entries not labelled yet, and it takes at least 20.

3 new entries against 3 labelled; 1 left out: labelled already, or given twice
unknown words: 27.8%
mean of the best scores: 0.55 (0.12-0.88); of the labelled entries, which the model was fitted to: 0.48

entries                            new             share  usual  too many
with unusually many unknown words    1  0.33 (0.06-0.79)   0.05      0.10
unlike every labelled one            2  0.67 (0.21-0.94)   0.05      0.10

topic                  new              rate          labelled  moved
CTR prediction           1  0.33 (0.06-0.79)  0.50 (0.09-0.91)
Large language models    1  0.33 (0.06-0.79)  0.33 (0.06-0.79)
moved: by more than chance explains, over 2 topics at once; it decides nothing

to label first:
tpwkrtk2  The Click Click
          uncertain: ctr 0.64, threshold 0.50
          new.txt:1
8ds336cd  Language
          unlike: nearest labelled is 'The Language', likeness 0.63
          new.txt:5
cvek85xz  Zażółć gęślą
          unlike: shares no word with any labelled entry
          new.txt:9
"""
    )
    assert done.stderr == "the model is not what labels gives; 'tagger retrain' makes it anew\n"
    assert done.returncode == 0


def test_forms(run: Run, place: Path) -> None:
    run("tagger", "drift", "new.txt", "-o", "d.json")
    from tagger import read_listing
    from tagger.labels.dataset import read_labels

    found = measure_drift(
        load(place / "models/topics.safetensors"), read_labels(place / "labels"), read_listing(place / "new.txt")
    )
    told = json.loads((place / "d.json").read_text())
    assert [suggestion.pop("source") for suggestion in told["teach"]] == ["new.txt:1", "new.txt:5", "new.txt:9"]
    expected = found.to_json()
    for suggestion in expected["teach"]:
        suggestion.pop("source")
    assert told == expected
    done = run("tagger", "drift", "new.txt", "-f", "markdown", "--top", 1)
    assert (
        done.stdout
        == """\
**Nothing can be told: there are 3 entries not labelled yet, and it takes at least 20.**

- 3 new entries against 3 labelled; 1 left out: labelled already, or given twice
- unknown words: 27.8%
- mean of the best scores: 0.55 (0.12-0.88); of the labelled entries, which the model was fitted to: 0.48

| entries | new | share | usual | too many |
| --- | --- | --- | --- | --- |
| with unusually many unknown words | 1 | 0.33 (0.06-0.79) | 0.05 | 0.10 |
| unlike every labelled one | 2 | 0.67 (0.21-0.94) | 0.05 | 0.10 |

| topic | new | rate | labelled | moved |
| --- | --- | --- | --- | --- |
| CTR prediction | 1 | 0.33 (0.06-0.79) | 0.50 (0.09-0.91) |  |
| Large language models | 1 | 0.33 (0.06-0.79) | 0.33 (0.06-0.79) |  |

moved: by more than chance explains, over 2 topics at once; it decides nothing

| id | to label first | reason | where |
| --- | --- | --- | --- |
| 8ds336cd | Language | unlike: nearest labelled is 'The Language', likeness 0.63 | new.txt:5 |
"""
    )
    wrong = run("tagger", "drift", "new.txt", "-o", "d.xls")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "tagger: d.xls: no format is known by this ending; wanted .txt, .md, .json, or --format\n",
    )


def test_check_says_no_only_when_it_is_time(run: Run, learned: Path, tmp_path: Path, labels: Labels) -> None:
    (tmp_path / "new.jsonl").write_text(
        "".join(
            json.dumps({"title": entry.title, "abstract": entry.abstract}) + "\n" for entry in backwards(labels.entries[:40])
        )
    )
    for arguments, status in (([], 0), (["--check"], 1)):
        done = run("tagger", "drift", tmp_path / "new.jsonl", *arguments, cwd=learned)
        assert done.stdout.startswith("It is time to label more: of 40 new entries ")
        assert (done.returncode, done.stderr) == (status, "")
    assert run("tagger", "drift", "lists/new.txt", "--check", cwd=learned).returncode == 0


def test_bad_input(run: Run, learned: Path, tmp_path: Path) -> None:
    assert "no workspace here" in run("tagger", "drift", "new.txt").stderr
    done = run("tagger", "drift", tmp_path / "no.txt", cwd=learned)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no.txt: cannot be read: No such file or directory" in done.stderr
