"""What to label next, and whether to go on."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagger import Entry, Model, load
from tagger.curation.drift import measure_drift
from tagger.curation.query import Pick, build_pool, describe_picks, select_batch, suggest_entries
from tagger.curation.stopping import measure_tag_agreement, stopping_advice
from tagger.evaluation.figures import UNDEFINED, require_figures
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.storage import save_model
from tagger.model.training_record import TrainingRecord
from tagger.taxonomy import Taxonomy
from tagger.text.near_duplicates import are_near_duplicates

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def made(tiny: Path) -> Model:
    return load(tiny)


def some(labels: Labels, which: slice) -> Labels:
    return replace(labels, entries=labels.entries[which], rows=labels.rows[which])


def with_f1(model: Model, **f1: Any) -> Model:
    return replace(
        model,
        training=replace(model.training, figures={"topics": {topic: {"f1": side} for topic, side in f1.items()}}),
    )


def test_no_two_are_alike_and_none_is_labelled(model: Model, labels: Labels) -> None:
    known, new = some(labels, slice(0, None, 2)), list(labels.entries[1::2])
    twins = [replace(entry, title=entry.title + " again") for entry in (*new[:50], *known.entries[:50])]
    pool = build_pool(model, known.entries, [*new, *twins, *known.entries[:9], *new[:9]])
    assert len(pool.entries) == len(new) + len(twins)
    picks = select_batch(model, pool, 60)
    chosen = [pool.entries[pick.entry] for pick in picks]
    assert len(set(chosen)) == len(chosen) > 20
    assert not any(are_near_duplicates(one, other) for n, one in enumerate(chosen) for other in (*chosen[:n], *known.entries))
    for pick in picks:
        assert (pick.topic is None) == pool.unlike[pick.entry]


def test_fewer_wanted_are_the_first_of_more(model: Model, labels: Labels) -> None:
    pool = build_pool(model, labels.entries[::2], labels.entries[1::2])
    some, more = ([pick.entry for pick in select_batch(model, pool, n) if pick.topic is not None] for n in (5, 15))
    assert more[: len(some)] == some
    assert select_batch(model, pool, 0) == []


def test_a_topic_with_a_wide_interval_comes_first(made: Model) -> None:
    entries = [Entry("Click on", abstract="The river."), Entry("Language of", abstract="A mountain.")]
    labelled = [Entry("Click", abstract="Click."), Entry("Language", abstract="Language.")]
    for wide, narrow in (("ctr", "llm"), ("llm", "ctr")):
        model = with_f1(made, **{wide: [0.5, 0.2, 0.8], narrow: [0.9, 0.88, 0.92]})
        bias = np.array([-3.5, -3.5, -np.inf])  # so that both are near their thresholds
        pool = replace(build_pool(replace(model, bias=bias), labelled, entries), similarity_bound=0.0)
        first = select_batch(model, pool, 1)
        assert [model.topics[pick.topic].id for pick in first if pick.topic is not None] == [wide]


def test_one_of_many_stands_for_the_others(made: Model) -> None:
    """Of three on one subject, each in words that no labelled entry has, the one that has most in common with both."""
    entries = [
        Entry("Tides"),
        Entry("Rivers flood", abstract="Meadows, winter."),
        Entry("Rivers flood valleys", abstract="Spring, autumn."),
        Entry("Valleys in", abstract="Spring, summer."),
    ]
    pool = replace(build_pool(made, [Entry("Click")], entries), similarity_bound=0.1)
    assert pool.unlike.all()
    assert select_batch(made, pool, 1) == [Pick(2, None, 3)]


def test_no_topic_crowds_out_the_others(model: Model, labels: Labels) -> None:
    """Of twelve picks every topic has three, since each has many more uncertain entries."""
    known, new = some(labels, slice(0, None, 2)), labels.entries[1::2]
    uncertain = [topic.n_uncertain for topic in stopping_advice(model, known, new, 0).topics.values()]
    assert min(uncertain) == 34
    assert max(uncertain) == 48
    picks = select_batch(model, build_pool(model, known.entries, new), 12)
    assert np.bincount([pick.topic for pick in picks if pick.topic is not None]).tolist() == [3, 3, 3, 3]


def test_many_entries_on_one_subject_do_not_crowd_out_a_few_on_another(made: Model) -> None:
    """The many are as uncertain as the few, and no two of them are near-duplicates."""
    words = [a + b for a in "bdfgklmnprst" for b in ("ango", "elia", "ostra", "unik", "ivar")]
    many = [Entry(f"Click {words[n]} {words[n + 20]}", abstract="River valley flood plain.") for n in range(20)]
    few = [Entry(f"Click {words[n]} {words[n + 5]}", abstract="Mountain summit glacier snow.") for n in range(45, 48)]
    made = replace(made, bias=np.array([-3.5, -np.inf, -np.inf]))  # so that one click is near the threshold
    pool = replace(build_pool(made, [Entry("Language")], [*many, *few]), similarity_bound=0.0)
    chosen = [pick.entry for pick in select_batch(made, pool, 2)]
    assert len(set(np.round(pool.scores[:, 0], 6))) == 1
    assert [n >= len(many) for n in chosen] == [False, True]


def test_drift_lists_the_same(model: Model, labels: Labels) -> None:
    known, new = some(labels, slice(0, None, 2)), labels.entries[1::2]
    found = suggest_entries(model, known, new, 12)
    assert tuple(found) == measure_drift(model, known, new, 12).teach == stopping_advice(model, known, new, 12).entries
    pool = build_pool(model, known.entries, new)
    assert found == describe_picks(model, pool, select_batch(model, pool, 12))


def test_results_equal_their_copies_and_survive_pickling(model: Model, labels: Labels) -> None:
    known, new = some(labels, slice(0, None, 2)), labels.entries[1::2]
    for result in (
        suggest_entries(model, known, new, 5),
        measure_drift(model, known, new, 5),
        stopping_advice(model, known, new, 5, before=model),
    ):
        assert pickle.loads(pickle.dumps(result)) == result
    pool = build_pool(model, known.entries, new)
    copy = pickle.loads(pickle.dumps(pool))
    assert (copy.entries, copy.scores.tolist()) == (pool.entries, pool.scores.tolist())


def test_what_topics_need(model: Model, labels: Labels) -> None:
    figures = require_figures(model)
    for topic, need in stopping_advice(model, labels, labels.entries).topics.items():
        assert need.f1 == figures.topics[topic].f1
        assert (need.n_more == 0) == (need.f1.width <= 0.1)
        if need.n_more:  # an interval shrinks with the root of the number
            assert need.f1.width * (need.n_yes / (need.n_yes + need.n_more)) ** 0.5 == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("f1", [None, "x", [0.5], [0.5, None, 0.7], {"f1": 1}])
def test_a_model_that_does_not_know_its_f1(made: Model, f1: Any) -> None:
    labels = Labels(made.taxonomy, (), ())
    need = stopping_advice(with_f1(made, ctr=f1), labels, [Entry("Click")]).topics["ctr"]
    assert (need.f1, need.n_more) == (None, 20)
    made = replace(made, training=TrainingRecord(figures={"topics": 3}))
    assert stopping_advice(made, labels, []).topics["ctr"].f1 is None


def after(model: Model, n_entries: Any) -> Model:
    return replace(model, training=replace(model.training, n_entries=n_entries))


def test_whether_more_labels_help(made: Model) -> None:
    clicks = [Entry(f"Click number {n}", abstract="Click.") for n in range(200)]
    labels = Labels(made.taxonomy, (), ())
    other = replace(made, bias=np.array([-9.0, -2.0, -np.inf]))

    def told(before: Model | None, model: Model, entries: list[Entry]) -> tuple[bool | None, str]:
        found = stopping_advice(model, labels, entries, before=before)
        return found.label_more, found.sentence

    unknown = "It cannot be told whether more labels still help: "
    assert told(None, made, clicks) == (
        None,
        unknown + "there is no model of fewer labels to compare with.",
    )
    assert told(made, after(made, 100), clicks) == (
        None,
        unknown + "a model does not say how many entries it was trained on.",
    )
    assert told(after(made, 100), after(made, 109), clicks) == (
        None,
        unknown + "the model before was trained on 100 entries and this one on 109; it takes 10% more.",
    )
    assert told(after(made, 100), after(made, 110), [Entry("Nothing")]) == (
        None,
        unknown + "neither model tags anything in these entries.",
    )
    assert told(after(made, 100), after(made, 110), clicks) == (
        True,
        "More labels still help for ctr, llm, rag and hardly for other topics: models of 100 and of 110 "
        "labelled entries agree on 100.0% (99.1%-100.0%) of the tags of these entries, and 95% is enough.",
    )
    known = [Entry(f"Known {n}") for n in range(20)]
    labels = Labels(made.taxonomy, tuple(known), tuple(LabelRow(one.id, one.title, ("ctr", "llm", "rag")) for one in known))
    narrow = with_f1(made, **{topic.id: [0.9, 0.86, 0.94] for topic in made.topics})
    assert told(after(made, 100), after(narrow, 110), clicks) == (
        False,
        "More labels have stopped helping: models of 100 and of 110 labelled entries agree on 100.0% (99.1%-100.0%) of the "
        "tags of these entries, and 95% is enough.",
    )
    assert told(after(made, 100), after(made, 110), clicks[:20])[0] is None
    assert told(after(other, 100), after(made, 110), clicks) == (
        True,
        "More labels still help: models of 100 and of 110 labelled entries agree on 0.0% (0.0%-3.7%) of the tags of these "
        "entries, and 95% is enough.",
    )


def test_models_are_compared_in_the_topics_that_both_have(made: Model) -> None:
    less = replace(made, taxonomy=Taxonomy((replace(made.topics[0], id="other"), *made.topics[1:])))
    clicks = [Entry("Click click"), Entry("Language language")]
    assert measure_tag_agreement(made, made, clicks).value == measure_tag_agreement(less, made, clicks).value == 1.0
    assert measure_tag_agreement(less, made, clicks[:1]) == UNDEFINED


def test_on_the_command_line(run: Run, place: Path) -> None:
    done = run("tagger", "next", "new.txt")
    assert (
        done.stdout
        == """\
It cannot be told whether more labels still help: there is no model of fewer labels to compare with.

3 entries to choose from, 3 labelled; 1 left out: labelled already, or given twice

topic                  yes  F1  about more  uncertain here
CTR prediction           1   -          19               1
Large language models    1   -          19               0
RAG                      0   -          20               0
about more: yes entries until there are 20, and the interval of F1 is 0.10 wide

to label next:
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
    run("tagger", "next", "new.txt", "-o", "n.json", "-n", 1)
    told = json.loads((place / "n.json").read_text())
    assert [entry["id"] for entry in told["entries"]] == ["8ds336cd"]
    assert run("tagger", "next", "new.txt", "-f", "json", "-n", 1).stdout == (place / "n.json").read_text()
    done = run("tagger", "next", "new.txt", "-f", "markdown", "-n", 1)
    assert (
        done.stdout
        == """\
**It cannot be told whether more labels still help: there is no model of fewer labels to compare with.**

3 entries to choose from, 3 labelled; 1 left out: labelled already, or given twice

| topic | yes | F1 | about more | uncertain here |
| --- | --- | --- | --- | --- |
| CTR prediction | 1 | - | 19 | 1 |
| Large language models | 1 | - | 19 | 0 |
| RAG | 0 | - | 20 | 0 |

about more: yes entries until there are 20, and the interval of F1 is 0.10 wide

| id | to label next | reason | where |
| --- | --- | --- | --- |
| 8ds336cd | Language | unlike: nearest labelled is 'The Language', likeness 0.63 | new.txt:5 |
"""
    )


def test_the_model_before(run: Run, place: Path) -> None:
    before = place / "models/topics.previous.safetensors"
    model = load(place / "models/topics.safetensors")
    save_model(after(model, 10), before)
    save_model(after(model, 12), place / "models/topics.safetensors")
    assert json.loads(run("tagger", "next", "new.txt", "-f", "json").stdout)["n_before"] == 10
    save_model(after(model, 5), place / "older.safetensors")
    done = run("tagger", "next", "new.txt", "-f", "json", "--before", "older.safetensors")
    assert json.loads(done.stdout)["n_before"] == 5
    done = run("tagger", "next", "new.txt", "--before", "no.safetensors")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no.safetensors: no model can be read: No such file or directory" in done.stderr


def test_bad_input(run: Run) -> None:
    done = run("tagger", "next", "new.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no workspace here" in done.stderr
