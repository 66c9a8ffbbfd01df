"""Whole outputs, compared as literals; the model is one made by hand (`tiny`), so that they depend on nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagger import load
from tagger.labels.dataset import Labels
from tagger.labels.table import read_rows, write_rows
from tagger.model.storage import save_model

Run = Callable[..., subprocess.CompletedProcess[str]]

LISTING = """\
IRJun 9, 2023Code
Click, Click | ClickAnn Lee, Bo Wu
The click of the click.

CLMay 2
Language in ClicksCy Ng
Language and a click.

LGMay 3, 2020
The Shape of WaterDi Pi
On water.

CVMay 4, 2020
Żółć gęśląJaźń Lis
Kształt.
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a listing."""
    (tmp_path / "l.txt").write_text(LISTING)
    return tmp_path


def test_tag_down_a_pipe(run: Run, here: Path, tiny: Path) -> None:
    done = run("tag", "l.txt", "--model", tiny, "--year", 2024)
    expected = """\
j885z8ba  Click, Click | Click
          CTR prediction 0.82
cj1qyswd  Language in Clicks
          Large language models 0.83
g08zjrht  The Shape of Water
          no topic: nearest is CTR prediction, 0.12 with the threshold at 0.50
cy6rwsaa  Żółć gęślą
          no topic: no word of it is known
"""
    assert done.stdout == expected
    assert done.stderr == "4 entries: 2 with topics, 2 without; 0 labelled by hand\n"
    assert done.returncode == 0


def test_explained_with_every_score(run: Run, here: Path, tiny: Path) -> None:
    done = run("tag", "l.txt", "--model", tiny, "--year", 2024, "--explain", "--all-scores", "--topics", "llm,ctr")
    expected = """\
j885z8ba  Click, Click | Click
          CTR prediction 0.82
          why CTR prediction: click +3.51
          all llm 0.12, ctr 0.82
cj1qyswd  Language in Clicks
          Large language models 0.83
          why Large language models: language +3.61
          all llm 0.83, ctr 0.23
g08zjrht  The Shape of Water
          no topic: nearest is Large language models, 0.12 with the threshold at 0.50
          why Large language models: no word for it
          all llm 0.12, ctr 0.12
cy6rwsaa  Żółć gęślą
          no topic: no word of it is known
          all llm 0.12, ctr 0.12
"""
    assert done.stdout == expected


def test_jsonl(run: Run, here: Path, tiny: Path) -> None:
    done = run("tag", "l.txt", "--model", tiny, "--year", 2024, "-f", "jsonl", "--explain", "--all-scores")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[1] == {
        "id": "cj1qyswd",
        "title": "Language in Clicks",
        "authors": ["Cy Ng"],
        "et_al": False,
        "date": "2024-05-02",
        "category": "CL",
        "code": False,
        "affiliation": None,
        "abstract": "Language and a click.",
        "source": "l.txt:5",
        "topics": [{"id": "llm", "score": 0.8336, "by": "model"}],
        "scores": {"ctr": 0.2347, "llm": 0.8336},
        "why": {"llm": [{"term": "language", "share": 3.611}]},
        "note": None,
    }
    assert records[3]["note"] == "no topic: no word of it is known"
    again = run("tag", "-", "--model", tiny, "-f", "jsonl", "--explain", "--all-scores", stdin=done.stdout)
    sources = [record.pop("source") for record in records]
    back = [json.loads(line) for line in again.stdout.splitlines()]
    assert [record.pop("source") for record in back] == [f"standard input:{n}" for n in (1, 2, 3, 4)]
    assert sources == ["l.txt:1", "l.txt:5", "l.txt:9", "l.txt:13"]
    assert back == records


def test_csv(run: Run, here: Path, tiny: Path) -> None:
    expected = """\
id,title,topics,scores,by,note,source
j885z8ba,"Click, Click | Click",ctr,0.8183,model,,l.txt:1
cj1qyswd,Language in Clicks,llm,0.8336,model,,l.txt:5
g08zjrht,The Shape of Water,,,model,"no topic: nearest is CTR prediction, 0.12 with the threshold at 0.50",l.txt:9
cy6rwsaa,Żółć gęślą,,,model,no topic: no word of it is known,l.txt:13
"""
    assert run("tag", "l.txt", "--model", tiny, "--year", 2024, "-f", "csv").stdout == expected
    run("tag", "l.txt", "--model", tiny, "--year", 2024, "-o", "out.csv", "--all-scores")
    assert (here / "out.csv").read_text().splitlines()[:2] == [
        "id,title,topics,scores,by,note,source,score ctr,score llm",
        'j885z8ba,"Click, Click | Click",ctr,0.8183,model,,l.txt:1,0.8183,0.1192',
    ]


def test_markdown(run: Run, here: Path, tiny: Path) -> None:
    expected = """\
| entry | date | topics |
| --- | --- | --- |
| Click, Click \\| Click | 2023-06-09 | CTR prediction 0.82 |
| Language in Clicks | 2024-05-02 | Large language models 0.83 |
| The Shape of Water | 2020-05-03 | *no topic: nearest is CTR prediction, 0.12 with the threshold at 0.50* |
| Żółć gęślą | 2020-05-04 | *no topic: no word of it is known* |
"""
    assert run("tag", "l.txt", "--model", tiny, "--year", 2024, "-f", "markdown").stdout == expected


def test_listing(run: Run, here: Path, tiny: Path) -> None:
    done = run("tag", "l.txt", "--model", tiny, "--year", 2024, "-f", "listing")
    expected = """\
IRJun 9, 2023Code
Click, Click | ClickAnn Lee, Bo Wu
The click of the click.
Topics: ctr 0.82

CLMay 2, 2024
Language in ClicksCy Ng
Language and a click.
Topics: llm 0.83

LGMay 3, 2020
The Shape of WaterDi Pi
On water.
Topics: none

CVMay 4, 2020
Żółć gęśląJaźń Lis
Kształt.
Topics: none
"""
    assert done.stdout == expected
    again = run("tag", "-", "--model", tiny, "-f", "listing", stdin=done.stdout)
    assert again.stdout == done.stdout


def test_on_a_terminal_there_is_a_table(here: Path, tiny: Path) -> None:
    from tagger import load, read_listing
    from tagger.formats.format import WriteOptions
    from tagger.formats.table import write_table
    from tagger.model.explain import add_reasons

    model = load(tiny)
    results = add_reasons(model, model.tag(read_listing(here / "l.txt", 2024)[:1]))
    text = write_table(results, WriteOptions(width=70))
    assert "\x1b[1mClick, Click | Click" in text
    assert "CTR prediction" in text
    assert max(len(line) for line in text.replace("\x1b[0m", "").splitlines()) < 200


def test_hand_labels_win_and_can_be_turned_off(run: Run, workspace: Path, tiny: Path) -> None:
    row = read_rows(workspace / "labels" / "labels.csv")[0]
    listing = (workspace / "labels/entries/example.txt").read_text()
    by_hand = run("tag", "-", "--model", tiny, cwd=workspace, stdin=listing)
    assert by_hand.stderr == "25 entries: 16 with topics, 9 without; 25 labelled by hand\n"
    name = {"llm": "Large language models", "recsys": "Recommender systems"}.get(
        row.topics[0] if row.topics else "", "labelled by hand"
    )
    assert f"{row.id}  {row.title}\n          {name}" in by_hand.stdout
    by_model = run("tag", "-", "--model", tiny, "--no-labels", cwd=workspace, stdin=listing)
    assert "by hand" not in by_model.stdout
    chosen = run("tag", "-", "--model", tiny, "--topics", "ctr", cwd=workspace, stdin=listing)
    assert "Large language models by hand" not in chosen.stdout


def test_lines_not_understood_cost_nothing(run: Run, here: Path, tiny: Path) -> None:
    (here / "bad.txt").write_text("Publications\n" + LISTING)
    done = run("tag", "bad.txt", "l.txt", "nofile.txt", "--model", tiny, "--year", 2024)
    assert done.returncode == 2
    assert done.stdout.count("Click, Click") == 2
    expected = """\
bad.txt:1: line 1 was not understood: found 'Publications', expected a header such as 'IRJun 9, 2023Code' \
(category, month, day, year, perhaps Code); if it belongs to an abstract, put a tab before it
nofile.txt: cannot be read: No such file or directory
8 entries read, 2 places not understood; correct what is named above
"""
    assert done.stderr == expected
    (here / "out.csv").write_text("what was there")
    done = run("tag", "bad.txt", "--model", tiny, "-o", "out.csv")
    assert done.returncode == 2
    assert done.stderr.startswith("out.csv: not written, because of this:\nbad.txt:1: line 1 was not understood")
    assert (here / "out.csv").read_text() == "what was there"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["l.txt", "--topics", ","], "tagger: --topics: expected ids of topics, as in 'ctr,llm', found none\n"),
        (["l.txt", "--explain", "-f", "csv"], "tagger: --format csv has no place for words; choose another format\n"),
        (["l.txt", "--topics", "crt"], "tagger: unknown topic 'crt'; this model has ctr, llm, rag\n"),
        (
            ["l.txt", "-o", "out.xls"],
            "tagger: out.xls: no format is known by this ending; wanted .jsonl, .csv, .md, .txt, or --format\n",
        ),
        (["l.txt", "-o", "no/out.csv"], "tagger: no/out.csv: cannot be written: No such file or directory\n"),
        (["l.txt", "-w", "no"], "tagger: no: not a workspace: no labels/topics.toml in it; 'tagger init no' makes one\n"),
        (["."], ".: cannot be read: Is a directory\n0 entries read, 1 place not understood; correct what is named above\n"),
    ],
)
def test_what_a_user_can_get_wrong(run: Run, here: Path, tiny: Path, arguments: list[str], message: str) -> None:
    done = run("tag", *arguments, "--model", tiny)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(message)
    assert "Traceback" not in done.stderr


def test_a_model_that_is_none(run: Run, here: Path) -> None:
    done = run("tag", "l.txt", "--model", "l.txt")
    assert done.returncode == 2
    assert done.stderr == (
        "tagger: l.txt: not a tagger model: it does not begin like a safetensors file; 'tagger retrain' makes one\n"
    )


def test_usage_errors_exit_with_2(run: Run) -> None:
    done = run("tag")
    assert done.returncode == 2
    assert "Missing argument" in done.stderr
    assert run("tagger", "nonsense").returncode == 2


def test_a_reader_that_has_seen_enough_is_no_error(learned: Path) -> None:
    command = f"{Path(sys.executable).parent / 'tag'} {learned / 'labels/entries/made-up.txt'} --no-labels | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_a_link_is_followed_and_a_pipe_stays_one(run: Run, here: Path, tiny: Path) -> None:
    (here / "real.csv").write_text("old")
    (here / "link.csv").symlink_to("real.csv")
    assert run("tag", "l.txt", "--model", tiny, "-o", "link.csv").returncode == 0
    assert (here / "link.csv").is_symlink()
    assert (here / "real.csv").read_text().startswith("id,title,topics")
    (here / "null.csv").symlink_to("/dev/null")
    assert run("tag", "l.txt", "--model", tiny, "-o", "null.csv").returncode == 0
    assert not Path("/dev/null").is_file()


def test_half_a_surrogate_pair_costs_nothing(run: Run, here: Path, tiny: Path) -> None:
    (here / "o.jsonl").write_text('{"title": "lone \\ud800 click"}')
    assert run("tag", "o.jsonl", "--model", tiny, "-o", "out.csv").returncode == 0
    assert "lone ? click" in (here / "out.csv").read_text()


def test_an_unknown_topic_by_hand_is_named(run: Run, workspace: Path, tiny: Path) -> None:
    table = workspace / "labels/labels.csv"
    table.write_text(table.read_text().replace(",recsys,", ",recsis,", 1))
    done = run("tag", "examples/new-listing.txt", "--model", tiny, cwd=workspace)
    assert done.returncode == 2
    assert "unknown topic 'recsis'; known: llm, recsys\n" in done.stderr
    assert run("tag", "examples/new-listing.txt", "--model", tiny, "--no-labels", cwd=workspace).returncode == 0


@pytest.mark.parametrize("buffered", [True, False])
def test_closed_or_full_streams_give_no_traceback(root: Path, buffered: bool) -> None:
    tag = Path(sys.executable).parent / "tag"
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    for end, status in ((">&-", 0), ("> /dev/full", 2), ("2> /dev/full > /dev/null", 2)):
        command = ["bash", "-c", f"{tag} {root / 'examples/new-listing.txt'} {end}"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert "Traceback" not in done.stderr, end
        assert "Exception ignored" not in done.stderr, end
        assert done.returncode == status, end


def test_the_model_of_the_workspace_goes_before_the_shipped_one(run: Run, workspace: Path, tiny: Path) -> None:
    text = "IRJun 9, 2023\nLanguage in ClicksCy Ng\nLanguage and a click.\n"
    (workspace / "models" / "topics.safetensors").write_bytes(tiny.read_bytes())
    (workspace / "deep").mkdir()
    assert "Large language models 0.83" in run("tag", "-", cwd=workspace / "deep", stdin=text).stdout


def test_retrain_check_and_skip(run: Run, workspace: Path) -> None:
    check = run("tagger", "retrain", "--check", cwd=workspace)
    assert (check.returncode, check.stdout) == (1, "models/topics.safetensors is not what labels gives\n")
    first = run("tagger", "retrain", cwd=workspace)
    assert first.returncode == 0
    assert first.stdout.startswith(
        "topic                  yes         precision            recall                F1  threshold\n"
    )
    assert first.stderr == "written: models/topics.safetensors, models/topics.md\n", "no progress bar in a pipe"
    bytes_then = (workspace / "models/topics.safetensors").read_bytes()
    check = run("tagger", "retrain", "--check", cwd=workspace)
    assert (check.returncode, check.stdout) == (0, "models/topics.safetensors is up to date with labels\n")
    again = run("tagger", "retrain", cwd=workspace)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "models/topics.safetensors is up to date with labels; nothing to do\n"
    forced = run("tagger", "retrain", "--force", cwd=workspace)
    assert "micro-F1" in forced.stdout
    assert (workspace / "models/topics.safetensors").read_bytes() == bytes_then
    card = (workspace / "models/topics.md").read_text()
    assert "25 labelled entries" in card


def test_a_significantly_worse_model_is_refused(run: Run, tmp_path: Path, learned: Path, labels: Labels) -> None:
    """The model that is there was right on every entry that it had not seen; no new one is."""
    shutil.copytree(learned / "labels", tmp_path / "labels")
    path = tmp_path / "models/topics.safetensors"
    path.parent.mkdir()
    perfect = labels.arrays()[0].astype(np.uint8)
    save_model(replace(load(learned / "models/topics.safetensors"), out_of_fold_tags=perfect), path)
    before = path.read_bytes()
    rows = read_rows(tmp_path / "labels/labels.csv")
    write_rows(tmp_path / "labels/labels.csv", [replace(rows[0], topics=(), unsure=("wind",)), *rows[1:]])
    refused = run("tagger", "retrain")
    assert refused.returncode == 1
    assert "models/topics.safetensors is kept: the new model is significantly worse (p = 0.000)." in refused.stderr
    assert path.read_bytes() == before
    forced = run("tagger", "retrain", "--force")
    assert forced.returncode == 0
    assert path.read_bytes() != before


def test_retrain_with_labels_that_contradict_themselves(run: Run, workspace: Path) -> None:
    with (workspace / "labels/labels.csv").open("a") as file:
        file.write("zzzzzzzz,Nobody wrote this,recsis,\n")
    done = run("tagger", "retrain", cwd=workspace)
    assert done.returncode == 2
    assert "labels/labels.csv:27: unknown topic 'recsis'; did you mean 'recsys'?\n" in done.stderr
    assert done.stderr.endswith("labels: 3 problems; nothing was changed\n")
    assert not (workspace / "models/topics.safetensors").exists()


def test_a_torn_model_is_made_anew(run: Run, workspace: Path) -> None:
    (workspace / "models/topics.safetensors").write_bytes(b"\x10")
    done = run("tagger", "retrain", cwd=workspace)
    assert done.returncode == 0
    assert "does not begin like a safetensors file; 'tagger retrain' makes one (it is made anew)" in done.stderr


def test_too_few_labels(run: Run, workspace: Path) -> None:
    table = workspace / "labels/labels.csv"
    lines = table.read_text().splitlines()
    from dataclasses import replace

    write_rows(table, [replace(row, topics=row.topics if n < 4 else ()) for n, row in enumerate(read_rows(table))])
    assert len(lines) == 26
    done = run("tagger", "retrain", cwd=workspace)
    assert done.returncode == 2
    assert (
        "nothing can be learned from 25 labelled entries: no topic has 5 entries with a yes, and as many with a no"
        in done.stderr
    )


def test_evaluate_on_other_entries(run: Run, here: Path, tiny: Path) -> None:
    (here / "labels.csv").write_text(
        "id,title,topics,unsure\nj885z8ba,x,ctr,\ncj1qyswd,x,llm,ctr\ng08zjrht,x,,\ncy6rwsaa,x,llm,\n"
    )
    done = run("tagger", "evaluate", "l.txt", "--labels", "labels.csv", "--model", tiny, "--year", 2024)
    expected = """\
topic                  yes         precision            recall                F1  average precision  threshold
CTR prediction           1  1.00 (0.21-1.00)  1.00 (0.21-1.00)  1.00 (0.34-1.00)   1.00 (1.00-1.00)  0.50
Large language models    2  1.00 (0.21-1.00)  0.50 (0.09-0.91)  0.67 (0.17-0.95)   0.75 (0.25-1.00)  0.50
RAG                      0                 -                 -                 -                  -  too few

micro-F1 0.80 (0.00-1.00)
macro-F1 0.83 (0.00-1.00)
calibration error 0.07 (0.03-0.20)
first tag right 1.00 (1.00-1.00)
"""
    assert done.stdout == expected
    records = [json.loads(line) for line in run("tag", "l.txt", "-f", "jsonl", "--model", tiny).stdout.splitlines()]
    tags = run("tagger", "evaluate", "-", "--model", tiny, stdin="\n".join(map(json.dumps, records)))
    assert tags.returncode == 2
    assert "standard input:1: expected ids of topics under 'topics', as a person gave them, found tags" in tags.stderr
    for record in records:
        record["topics"] = [tag["id"] for tag in record["topics"]]
    same = run("tagger", "evaluate", "-", "--model", tiny, stdin="\n".join(map(json.dumps, records)))
    assert "micro-F1 1.00" in same.stdout
    for form in ("csv", "jsonl", "markdown"):
        assert "ctr" in run("tagger", "evaluate", "l.txt", "--labels", "labels.csv", "--model", tiny, "-f", form).stdout.lower()


@pytest.mark.parametrize(
    "rows, message",
    [
        ("j885z8ba,x,crt,\n", "labels.csv:2: unknown topic 'crt'; the model has ctr, llm, rag\n"),
        ("", "l.txt:1: expected a row for j885z8ba in labels.csv, found none\n"),
    ],
)
def test_evaluate_names_what_is_missing(run: Run, here: Path, tiny: Path, rows: str, message: str) -> None:
    (here / "labels.csv").write_text("id,title,topics,unsure\n" + rows)
    done = run("tagger", "evaluate", "l.txt", "--labels", "labels.csv", "--model", tiny)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_evaluate_leaves_out_what_the_model_was_trained_on(run: Run, learned: Path, here: Path) -> None:
    labels = learned / "labels"
    done = run("tagger", "evaluate", labels / "entries/made-up.txt", "--labels", labels / "labels.csv", cwd=learned)
    assert done.returncode == 2
    assert "the model was trained on all of these entries; figures need entries that it has not seen" in done.stderr
    done = run("tagger", "evaluate", "l.txt")
    assert "l.txt: a listing has no topics in it; give --labels with a table of them" in done.stderr


def test_topics(run: Run, workspace: Path, tiny: Path) -> None:
    expected = """\
id   name                   threshold  definition
ctr  CTR prediction              0.50
llm  Large language models       0.50
rag  RAG                            -
"""
    assert run("tagger", "topics", "--model", tiny).stdout == expected
    assert "recsys  Recommender systems" in run("tagger", "topics", "--model", tiny, cwd=workspace).stdout


def test_init_makes_a_workspace_that_works_and_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    done = run("tagger", "init", "new")
    expected = """\
new/labels/topics.toml
new/labels/labels.csv
new/labels/entries/example.txt
new/examples/new-listing.txt
"""
    assert done.stdout == expected
    assert done.stderr == "next: cd new && tagger retrain && tag examples/new-listing.txt\n"
    (tmp_path / "new/labels/topics.toml").write_text("mine")
    again = run("tagger", "init", "new")
    assert again.returncode == 2
    assert "already there; nothing was written. Name a new folder" in again.stderr
    assert (tmp_path / "new/labels/topics.toml").read_text() == "mine"


def test_export(run: Run, here: Path, tiny: Path) -> None:
    import joblib

    done = run("tagger", "export", "p.joblib", "--model", tiny)
    assert done.stderr == "written: p.joblib; it reads texts as tagger.entry_text makes them\n"
    assert joblib.load(here / "p.joblib").predict(["click", "language", "water"]).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_version(run: Run) -> None:
    from tagger import __version__

    assert run("tagger", "--version").stdout == f"tagger {__version__}\n"


def test_a_mistyped_command_is_told_the_nearest_one(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("tagger", "retrian")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: No such command 'retrian'. Did you mean 'retrain'?"
