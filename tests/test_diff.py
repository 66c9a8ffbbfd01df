"""Comparisons of runs and of models: whole outputs as literals."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger import load, read_listing
from tagger.batch.changes import find_entry_changes
from tagger.batch.manifest import TagRecord
from tagger.batch.plan import plan_batch
from tagger.batch.settings import BatchSettings
from tagger.formats.csv_table import CSV
from tagger.formats.format import WriteOptions
from tagger.formats.json_lines import JSON_LINES
from tagger.model.storage import save_model
from tagger.model.weights import compress_weights
from tagger.taxonomy import Taxonomy, Topic

Run = Callable[..., subprocess.CompletedProcess[str]]

LISTING = """\
IRJun 9, 2023Code
Click, Click | ClickAnn Lee, Bo Wu
The click of the click.

CLMay 2, 2023
Language in ClicksCy Ng
Language and a click.

LGMay 3, 2020
The Shape of WaterDi Pi
On water.
"""


@pytest.fixture
def here(tmp_path: Path, tiny: Path) -> Path:
    """A folder with a listing and two models: in `later` a click speaks for a new topic too, and less for ctr."""
    (tmp_path / "l.txt").write_text(LISTING)
    model = load(tiny)
    weights = model.sparse_weights.full.copy()
    click = model.terms.index("click")
    weights[click] = (2.0, 0, 5.0)
    later = replace(
        model,
        taxonomy=Taxonomy((*model.topics[:2], Topic("ads", "Advertising"))),
        **compress_weights(weights),
        bias=np.array([-2.0, -2.0, -2.0]),
        thresholds=np.array([0.5, 0.4, 0.5]),
    )
    save_model(later, tmp_path / "later.safetensors")
    return tmp_path


@pytest.fixture
def runs(here: Path, tiny: Path) -> Path:
    """Two runs in each form that can be compared."""
    entries = read_listing(here / "l.txt")
    for path, name in ((tiny, "a"), (here / "later.safetensors", "b")):
        plan_batch([str(here / "l.txt")], here / name, BatchSettings(model=path)).write()
        model = load(path)
        for format in (CSV, JSON_LINES):
            (here / f"{name}{format.ending}").write_text(format.write(model.tag(entries), WriteOptions()))
    return here


CHANGED = """\

topic  added  removed
ads        2        0
ctr        0        1

  j885z8ba  Click, Click | Click: + ads, - ctr
  cj1qyswd  Language in Clicks: + ads
"""


@pytest.mark.parametrize("old, new", [("a", "b"), ("a.csv", "b.csv"), ("a.jsonl", "b.jsonl"), ("a.csv", "b")])
def test_two_runs(run: Run, runs: Path, old: str, new: str) -> None:
    done = run("tagger", "diff", old, new)
    assert done.stdout == f"{old} (3) -> {new} (3 entries): 2 with other topics, 0 new, 0 gone\n{CHANGED}"
    assert (done.returncode, done.stderr) == (0, "")
    same = run("tagger", "diff", old, old)
    assert same.stdout == f"{old} (3) -> {old} (3 entries): 0 with other topics, 0 new, 0 gone\n"


def test_entries_that_come_and_go(run: Run, runs: Path, tiny: Path) -> None:
    lines = (runs / "a.csv").read_text().splitlines(keepends=True)
    (runs / "fewer.csv").write_text("".join(lines[:2]))
    done = run("tagger", "diff", "fewer.csv", "a.csv")
    assert (
        done.stdout
        == """\
fewer.csv (1) -> a.csv (3 entries): 0 with other topics, 2 new, 0 gone

topic  added  removed
llm        1        0

+ cj1qyswd  Language in Clicks: + llm
+ g08zjrht  The Shape of Water
"""
    )
    assert "- cj1qyswd  Language in Clicks: - llm\n" in run("tagger", "diff", "a.csv", "fewer.csv").stdout


def test_two_models_with_the_words_responsible(run: Run, here: Path, tiny: Path) -> None:
    done = run("tagger", "diff", "tiny.safetensors", "later.safetensors", "l.txt")
    assert (
        done.stdout
        == """\
tiny.safetensors (3) -> later.safetensors (3 entries): 2 with other topics, 0 new, 0 gone

topic  added  removed
ads        2        0
ctr        0        1

  j885z8ba  Click, Click | Click: + ads, - ctr
            ads 0.92, threshold 0.50: click +4.38
            ctr 0.82 -> 0.44, threshold 0.50: click +3.51 -> +1.75
  cj1qyswd  Language in Clicks: + ads
            ads 0.54, threshold 0.50: click +2.15
"""
    )


def test_runs_explained_by_a_model(run: Run, runs: Path, tiny: Path) -> None:
    done = run("tagger", "diff", "a", "b", "a.jsonl", "--model", tiny)
    assert "            ctr 0.82, threshold 0.50: click +3.51\n" in done.stdout
    assert "            ads" not in done.stdout, "a topic that the model does not have"


def test_markdown(run: Run, here: Path) -> None:
    done = run("tagger", "diff", "tiny.safetensors", "later.safetensors", "l.txt", "-o", "d.md")
    assert done.stdout == ""
    assert (
        (here / "d.md").read_text()
        == """\
tiny.safetensors (3) -\\> later.safetensors (3 entries): 2 with other topics, 0 new, 0 gone

| topic | added | removed |
| --- | --- | --- |
| ads | 2 | 0 |
| ctr | 0 | 1 |

| entry | topics | words |
| --- | --- | --- |
| changed: Click, Click \\| Click | + ads, - ctr | ads 0.92, threshold 0.50: click +4.38<br>ctr 0.82 -\\> 0.44, \
threshold 0.50: click +3.51 -\\> +1.75 |
| changed: Language in Clicks | + ads | ads 0.54, threshold 0.50: click +2.15 |
"""
    )


def test_json(run: Run, here: Path) -> None:
    done = run("tagger", "diff", "tiny.safetensors", "later.safetensors", "l.txt", "-f", "json")
    found = json.loads(done.stdout)
    entries = found.pop("entries")
    assert found == {
        "old": "tiny.safetensors",
        "new": "later.safetensors",
        "n_old": 3,
        "n_new": 3,
        "n_changed": 2,
        "topics": {"ads": {"added": 2, "removed": 0}, "ctr": {"added": 0, "removed": 1}},
    }
    assert entries[0] == {
        "id": "j885z8ba",
        "title": "Click, Click | Click",
        "state": "changed",
        "added": ["ads"],
        "removed": ["ctr"],
        "why": {
            "ads": {
                "score": [None, 0.9154],
                "threshold": [None, 0.5],
                "terms": [{"term": "click", "old": None, "new": 4.3814}],
            },
            "ctr": {
                "score": [0.8183, 0.4385],
                "threshold": [0.5, 0.5],
                "terms": [{"term": "click", "old": 3.5051, "new": 1.7526}],
            },
        },
    }


def test_models_are_compared_on_the_labelled_entries_of_a_workspace(run: Run, here: Path, workspace: Path, tiny: Path) -> None:
    done = run("tagger", "diff", tiny, here / "later.safetensors", "-w", workspace)
    assert f"{tiny} (25) -> {here / 'later.safetensors'} (25 entries): " in done.stdout
    done = run("tagger", "diff", tiny, tiny)
    assert done.returncode == 2
    assert "no workspace here: no labels/topics.toml in this folder or above it" in done.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["l.txt", "a.csv"],
            "tagger: l.txt: expected an output folder of 'tagger batch', or a file that ends in .csv, .jsonl\n",
        ),
        (["tiny.safetensors", "a.csv"], "tagger: tiny.safetensors: expected an output folder of 'tagger batch', or a file "),
        (
            [".", "a.csv"],
            "tagger: .: no .tagger-batch.json in it, which 'tagger batch' writes; give a CSV or JSON Lines file\n",
        ),
        (["no.csv", "a.csv"], "tagger: no.csv: no such file or folder\n"),
        (["no-folder", "a.csv"], "tagger: no-folder: no such file or folder\n"),
        (["labels.csv", "a.csv"], "labels.csv:2: expected an id, a title and topics, as 'tag' writes them\nnothing was "),
        (["bad.jsonl", "a.csv"], "bad.jsonl:1: expected an id, a title and topics, as 'tag' writes them\nnothing was "),
        (["wide.csv", "a.csv"], "wide.csv:1: expected an id, a title and topics, as 'tag' writes them\nnothing was "),
        (["a.csv", "a.csv", "-o", "d.xls"], "tagger: d.xls: no format is known by this ending; wanted .txt, .md, .json, or"),
    ],
)
def test_what_a_user_can_get_wrong(run: Run, runs: Path, arguments: list[str], message: str) -> None:
    (runs / "labels.csv").write_text("id,title,labels\nx,y,z\n")
    (runs / "bad.jsonl").write_text("[")
    (runs / "wide.csv").write_text(f"id,title,topics\nx,{'y' * 200_000},z\n")
    done = run("tagger", "diff", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


RECORDS = st.lists(
    st.builds(
        lambda name, topics: TagRecord(name, name.upper(), "", tuple((topic, None) for topic in topics), "", None),
        st.sampled_from("abcde"),
        st.lists(st.sampled_from(["ctr", "llm", "rag"]), unique=True),
    ),
    unique_by=lambda record: record.id,
)


@given(old=RECORDS, new=RECORDS)
def test_changes_lead_from_old_to_new(old: list[TagRecord], new: list[TagRecord]) -> None:
    topics = {record.id: {topic for topic, _ in record.topics} for record in old}
    for change in find_entry_changes(old, new):
        assert (change.state == "new") == (change.id not in topics)
        if change.state == "gone":
            assert topics.pop(change.id) == set(change.removed)
        else:
            topics[change.id] = topics.get(change.id, set()) - set(change.removed) | set(change.added)
    assert topics == {record.id: {topic for topic, _ in record.topics} for record in new}
    assert find_entry_changes(new, new) == []
