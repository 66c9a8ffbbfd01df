"""Batches: whole outputs as literals, and equivalences: incremental is from scratch, killed and resumed is uninterrupted."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.batch.changes import EntryChange
from tagger.batch.manifest import MANIFEST, Manifest, read_manifest
from tagger.batch.outputs import FileChange
from tagger.batch.plan import plan_batch
from tagger.batch.settings import BatchSettings
from tagger.entry import Entry
from tagger.errors import ListingError, OutputError, Problem, TaggerError, UsageError
from tagger.formats import pasted
from tagger.source import Source
from tagger.workspace.workspace import Workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

NEW = """\
IRJun 9, 2023Code
Click, Click | ClickAnn Lee, Bo Wu
The click of the click.

CLMay 2
Language in ClicksCy Ng
Language and a click.
"""
OLD = """\
LGMay 3, 2020
The Shape of WaterDi Pi
On water.
"""


@pytest.fixture
def here(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with listings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists/sub").mkdir(parents=True)
    (tmp_path / "lists/sub/new.txt").write_text(NEW)
    (tmp_path / "lists/old.txt").write_text(OLD)
    (tmp_path / "lists/.hidden.txt").write_text(OLD)
    (tmp_path / "lists/.git").mkdir()
    (tmp_path / "lists/.git/x.txt").write_text(OLD)
    (tmp_path / "lists/notes.md").write_text("not a listing")
    return tmp_path


@pytest.fixture
def tiny_settings(tiny: Path) -> BatchSettings:
    return BatchSettings(model=tiny, year=2024)


def tree(folder: Path) -> dict[str, str]:
    """Every file of a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_one_output_a_listing(run: Run, here: Path, tiny: Path) -> None:
    done = run("tagger", "batch", "lists", "-o", "tags", "--model", tiny, "--year", 2024)
    assert done.stdout == "tags/old.csv\ntags/sub/new.csv\n"
    assert done.stderr == "2 listings, 3 entries; outputs: 2 new, 0 changed, 0 removed\n"
    found = tree(here / "tags")
    assert found.pop(MANIFEST)
    assert found == {
        "old.csv": """\
id,title,topics,scores,by,note,source
g08zjrht,The Shape of Water,,,model,no topic: nearest is CTR prediction,lists/old.txt
""",
        "sub/new.csv": """\
id,title,topics,scores,by,note,source
j885z8ba,"Click, Click | Click",ctr,0.82,model,,lists/sub/new.txt
cj1qyswd,Language in Clicks,llm,0.83,model,,lists/sub/new.txt
""",
    }
    before = times(here / "tags")
    again = run("tagger", "batch", "lists", "-o", "tags", "--model", tiny)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "2 listings, 3 entries; outputs: 0 new, 0 changed, 0 removed\n"
    assert times(here / "tags") == before, "nothing is written"


def test_the_manifest(here: Path, tiny_settings: BatchSettings) -> None:
    plan_batch(["lists/old.txt"], Path("tags"), tiny_settings).write()
    text = (here / "tags" / MANIFEST).read_text()
    assert text.splitlines()[0] == '{"format": 1, "writing": {}, "outputs": {'
    assert text.splitlines()[4].endswith('[], "model", "no topic: nearest is CTR prediction"]')
    manifest = read_manifest(here / "tags" / MANIFEST)
    assert manifest.to_text() == text
    assert [given.source for given in manifest.outputs["lists/old.csv"].inputs] == ["lists/old.txt"]


@pytest.mark.parametrize(
    "form, ending, first",
    [
        ("jsonl", ".jsonl", '{"id": "g08zjrht", "title": "The Shape of Water", "authors": ["Di Pi"], "et_al": false, '),
        ("markdown", ".md", "| entry | date | topics |"),
        ("table", ".txt", "g08zjrht  The Shape of Water"),
        ("listing", ".txt", "LGMay 3, 2020"),
    ],
)
def test_every_form_of_tag(here: Path, tiny: Path, form: str, ending: str, first: str) -> None:
    plan_batch(["lists"], Path("tags"), BatchSettings(form, model=tiny)).write()
    assert (here / f"tags/old{ending}").read_text().startswith(first)
    assert plan_batch(["lists"], Path("tags"), BatchSettings(form, model=tiny)).contents == {}


@pytest.mark.parametrize("name", ["all.csv", "deep/all.jsonl"])
def test_one_output_for_all(here: Path, tiny: Path, name: str) -> None:
    settings_ = BatchSettings(model=tiny, combined=name, year=2024)
    assert plan_batch(["lists"], Path("tags"), settings_).write() == [Path("tags", name)]
    lines = (here / "tags" / name).read_text().splitlines()
    found = lines[1:] if name.endswith("csv") else [json.loads(line)["id"] for line in lines]
    assert [line[:8] for line in found] == ["g08zjrht", "j885z8ba", "cj1qyswd"], "path order, then that of the listing"
    assert plan_batch(["lists"], Path("tags"), settings_).write() == []
    (here / "lists/old.txt").unlink()
    assert [change.state for change in plan_batch(["lists"], Path("tags"), settings_).changes] == ["changed"]


def test_parquet(here: Path, tiny: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    settings_ = BatchSettings(model=tiny, combined="all.parquet", year=2024)
    plan_batch(["lists"], Path("tags"), settings_).write()
    frame = pandas.read_parquet("tags/all.parquet")
    assert list(frame["date"]) == ["2020-05-03", "2023-06-09", "2024-05-02"]
    assert [list(topics) for topics in frame["topics"]] == [[], ["ctr"], ["llm"]]
    assert [list(scores) for scores in frame["scores"]] == [[], [0.82], [0.83]]
    assert plan_batch(["lists"], Path("tags"), settings_).write() == []


def test_parquet_without_pyarrow(here: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError) as caught:
        plan_batch(["lists"], Path("tags"), BatchSettings(model=tiny, combined="all.parquet"))
    assert str(caught.value) == (
        "--combined all.parquet: needs pyarrow, which is not installed; pip install 'paper-tagger[parquet]'"
    )


def test_what_is_taken_in_and_what_its_output_is_called(here: Path, tiny_settings: BatchSettings) -> None:
    def outputs(*listings: str, out: str = "tags") -> list[str]:
        return list(plan_batch(listings, Path(out), tiny_settings).contents)

    assert outputs("lists") == ["old.csv", "sub/new.csv"], "a folder's: as they are called in it"
    assert outputs("lists/sub/new.txt") == ["lists/sub/new.csv"], "a file's: as it is given"
    assert outputs("lists/*.txt") == ["lists/old.csv"], "a pattern's: as a shell would give them"
    assert outputs("lists/**/*.txt") == ["lists/old.csv", "lists/sub/new.csv"]
    (here / "lists/notes.md").write_text(OLD)
    assert outputs("lists/**") == ["lists/notes.md.csv", "lists/old.csv", "lists/sub/new.csv"]
    assert outputs("lists/s*") == ["new.csv"]
    assert outputs(str(here / "lists/old.txt")) == ["lists/old.csv"]
    assert outputs("../" + here.name + "/lists/old.txt") == ["old.csv"]
    assert outputs("lists", "lists/old.txt", "./lists") == ["old.csv", "sub/new.csv"], "each file once"
    assert outputs("lists", out="lists/sub") == ["old.csv"], "the output folder is not read"


def test_a_name_that_cannot_be_written_down(here: Path, tiny_settings: BatchSettings) -> None:
    for name in (b"lists/\xff.txt", b"lists/two\nlines.txt"):
        Path(os.fsdecode(name)).write_text(NEW)
    with pytest.raises(ListingError) as caught:
        plan_batch(["lists"], Path("tags"), tiny_settings)
    assert str(caught.value).splitlines()[:2] == [
        r"'lists/two\nlines.txt': expected a name that can be printed; rename the file",
        r"'lists/\udcff.txt': expected a name that can be printed; rename the file",
    ]


def test_outputs_that_look_like_listings_are_not_read(here: Path, tiny: Path) -> None:
    settings_ = BatchSettings("jsonl", model=tiny)
    assert plan_batch(["lists"], Path("lists"), settings_).write() == [Path("lists/old.jsonl"), Path("lists/sub/new.jsonl")]
    assert plan_batch(["lists"], Path("lists"), settings_).n_listings == 2


@pytest.mark.parametrize(
    "listings, out, message",
    [
        (
            ["more"],
            "tags",
            "more/old.jsonl and more/old.txt would both be written to tags/old.jsonl; rename one",
        ),
        (
            ["lists", "more"],
            "tags",
            "lists/old.txt and more/old.jsonl would both be written to tags/old.jsonl; "
            "rename one, or give the folder that holds both",
        ),
        (["more/old.jsonl"], ".", "more/old.jsonl would be replaced by its own tags; give another output folder"),
    ],
)
def test_outputs_that_cannot_be(here: Path, tiny: Path, listings: list[str], out: str, message: str) -> None:
    (here / "more").mkdir()
    (here / "more/old.jsonl").write_text('{"title": "Click"}')
    if listings == ["more"]:
        (here / "more/old.txt").write_text(OLD)
    with pytest.raises(UsageError) as caught:
        plan_batch(listings, Path(out), BatchSettings("jsonl", model=tiny))
    assert str(caught.value) == message


def test_check_says_what_would_change(run: Run, here: Path, tiny: Path) -> None:
    batch = ("tagger", "batch", "lists", "-o", "tags", "--model", tiny, "--year", 2024)
    check = run(*batch, "--check")
    assert not (here / "tags").exists()
    assert (
        check.stdout
        == """\
tags/old.csv: new, 1 entry
+ g08zjrht  The Shape of Water
tags/sub/new.csv: new, 2 entries
+ j885z8ba  Click, Click | Click: + ctr
+ cj1qyswd  Language in Clicks: + llm
"""
    )
    assert check.returncode == 1
    run(*batch)
    assert (run(*batch, "--check").stdout, run(*batch, "--check").returncode) == ("", 0)
    (here / "lists/old.txt").unlink()
    entries = "IRJun 9, 2023\nA Click LessEd Oz\nA click.\n\nCLMay 2\nLanguage in ClicksCy Ng\nA click, a click.\n"
    (here / "lists/sub/new.txt").write_text(entries)
    before = tree(here / "tags")
    check = run(*batch, "--check")
    assert check.returncode == 1
    assert (
        check.stdout
        == """\
tags/old.csv: removed
- g08zjrht  The Shape of Water
tags/sub/new.csv: changed
+ 3jhfc9ab  A Click Less: + ctr
  cj1qyswd  Language in Clicks: + ctr
- j885z8ba  Click, Click | Click: - ctr
""".replace("3jhfc9ab", Entry("A Click Less").id)
    )
    assert tree(here / "tags") == before
    assert run(*batch).stdout == "tags/sub/new.csv\n"
    assert sorted(tree(here / "tags")) == [MANIFEST, "sub/new.csv"]


def test_a_new_model_or_label_changes_only_what_it_changes(here: Path, workspace: Path, tiny: Path) -> None:
    (workspace / "models/topics.safetensors").write_bytes(tiny.read_bytes())
    settings_ = BatchSettings("csv", year=2024, workspace=Workspace(workspace))
    plan_batch(["lists"], Path("tags"), settings_).write()
    with (workspace / "labels/labels.csv").open("a") as table:
        table.write("g08zjrht,The Shape of Water,recsys,\n")
    planned = plan_batch(["lists"], Path("tags"), settings_)
    assert planned.changes == (
        FileChange("old.csv", "changed", 1, (EntryChange("g08zjrht", "The Shape of Water", "changed", ("recsys",), ()),)),
    )
    assert planned.write() == [Path("tags/old.csv")]
    assert (here / "tags/old.csv").read_text().splitlines()[1] == "g08zjrht,The Shape of Water,recsys,,hand,,lists/old.txt"
    plan_batch(
        ["lists"], Path("tags"), BatchSettings("csv", year=2024, workspace=Workspace(workspace), use_labels=False)
    ).write()
    assert ",model,no topic" in (here / "tags/old.csv").read_text()


def test_entries_keep_their_tags_wherever_they_move(
    here: Path, tiny_settings: BatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagger.model.model import Model

    plan_batch(["lists"], Path("tags"), tiny_settings).write()
    asked: list[str] = []
    tag = Model.tag
    monkeypatch.setattr(
        Model, "tag", lambda self, entries, *more: asked.extend(e.title for e in entries) or tag(self, entries, *more)
    )
    (here / "lists/sub/more.txt").write_text("CLMay 2\nOne More ClickCy Ng\nA click.\n\n" + OLD)
    (here / "lists/old.txt").unlink()
    assert plan_batch(["lists"], Path("tags"), tiny_settings).write() == [Path("tags/sub/more.csv")]
    assert asked == ["One More Click"]


def test_the_year_of_a_date_without_one_is_that_of_the_first_run(
    here: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_ = BatchSettings("listing", model=tiny)
    plan_batch(["lists"], Path("tags"), BatchSettings("listing", model=tiny, year=1999)).write()
    (here / "lists/sub/new.txt").write_text(NEW + "\n" + OLD)
    plan_batch(["lists"], Path("tags"), settings_).write()
    assert "CLMay 2, 1999\n" in (here / "tags/sub/new.txt").read_text()
    assert plan_batch(["lists"], Path("tags"), BatchSettings("listing", model=tiny, year=2001)).changes[0].entries == ()
    shutil.rmtree(here / "tags")
    plan_batch(["lists"], Path("tags"), settings_).write()
    assert f"CLMay 2, {date.today().year}\n" in (here / "tags/sub/new.txt").read_text()


BAD = "Publications\n" + NEW
NOT_UNDERSTOOD = (
    "lists/bad.txt:1: line 1 was not understood: found 'Publications', expected a header such as 'IRJun 9, 2023Code' "
    "(category, month, day, year, perhaps Code); if it belongs to an abstract, put a tab before it\n"
)


def test_bad_listings(run: Run, here: Path, tiny: Path) -> None:
    (here / "lists/bad.txt").write_text(BAD)
    batch = ("tagger", "batch", "lists", "nofile", "no*.txt", "-o", "tags", "--model", tiny, "--year", 2024)
    done = run(*batch)
    assert (done.returncode, done.stdout) == (2, "")
    named = f"nofile: no such file or folder\nno*.txt: no file matches it\n{NOT_UNDERSTOOD}"
    assert done.stderr == (
        f"{named}3 files to look at, as named above; nothing was written, --keep-going leaves these alone and does the others\n"
    )
    assert not (here / "tags").exists()
    done = run(*batch, "--keep-going")
    assert (done.returncode, done.stdout) == (2, "tags/old.csv\ntags/sub/new.csv\n")
    assert done.stderr == (
        "3 listings, 3 entries; outputs: 2 new, 0 changed, 0 removed\n" + named + "3 files to look at, as named above\n"
    )
    again = run(*batch, "--keep-going")
    assert (again.returncode, again.stdout) == (2, ""), "bad until corrected"
    (here / "lists/bad.txt").write_text(NEW)
    assert run("tagger", "batch", "lists", "-o", "tags", "--model", tiny).stdout == "tags/bad.csv\n"
    (here / "lists/bad.txt").write_bytes(b"\xff")
    before = tree(here / "tags")
    done = run("tagger", "batch", "lists", "-o", "tags", "--model", tiny, "--keep-going")
    assert "lists/bad.txt:1: expected UTF-8 text, found the byte 0xff" in done.stderr
    assert tree(here / "tags") == before, "the output of a listing gone bad stays as it was"


def test_a_combined_output_without_its_bad_listings(here: Path, tiny: Path) -> None:
    (here / "lists/bad.txt").write_text(BAD)
    settings_ = BatchSettings(model=tiny, combined="all.csv")
    for _ in range(2):
        planned = plan_batch(["lists"], Path("tags"), settings_, keep_going=True)
        assert isinstance(planned.error, ListingError)
        planned.write()
    assert len((here / "tags/all.csv").read_text().splitlines()) == 4


def test_an_entry_that_a_listing_cannot_hold(here: Path, tiny: Path) -> None:
    (here / "lists/old.txt").write_text('{"title": "Click"}')
    with pytest.raises(ListingError, match=r"^lists/old.txt:1: 'Click' has no date, which a listing needs\n1 file to"):
        plan_batch(["lists"], Path("tags"), BatchSettings("listing", model=tiny))


def test_what_a_person_wrote_is_kept(run: Run, here: Path, tiny: Path) -> None:
    batch = ("tagger", "batch", "lists", "-o", "tags", "--model", tiny, "--year", 2024)
    (here / "tags").mkdir()
    (here / "tags/old.csv").write_text("mine")
    done = run(*batch)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tags/old.csv: not as tagger wrote it; --force replaces it\n"
        "1 file to look at, as named above; nothing was written, --keep-going leaves these alone and does the others\n"
    )
    assert tree(here / "tags") == {"old.csv": "mine"}
    assert run(*batch, "--keep-going").stdout == "tags/sub/new.csv\n"
    assert run(*batch, "--force").stdout == "tags/old.csv\n"
    (here / "tags/sub/new.csv").write_text("mine too")
    assert run(*batch).returncode == 2
    assert run(*batch, "--check").returncode == 2
    (here / "tags/sub/new.csv").unlink()
    assert run(*batch).stdout == "tags/sub/new.csv\n", "what is missing is made again"


def test_outputs_of_listings_that_are_gone(run: Run, here: Path, tiny: Path) -> None:
    batch = ("tagger", "batch", "lists", "-o", "tags", "--model", tiny, "--year", 2024)
    run(*batch)
    run("tagger", "batch", "lists/old.txt", "-o", "tags", "--model", tiny)
    assert sorted(tree(here / "tags")) == [MANIFEST, "lists/old.csv", "old.csv", "sub/new.csv"], "what is not given is kept"
    (here / "lists/old.txt").unlink()
    (here / "lists/sub/new.txt").unlink()
    (here / "tags/old.csv").write_text("mine")
    done = run(*batch)
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        done.stderr
        == """\
tags/lists/old.csv: kept, though lists/old.txt is gone: no folder given holds it; delete it if it is not wanted
tags/old.csv: kept, though lists/old.txt is gone: not as tagger wrote it; --force removes it
0 listings, 0 entries; outputs: 0 new, 0 changed, 1 removed
"""
    )
    assert sorted(tree(here / "tags")) == [MANIFEST, "lists/old.csv", "old.csv"]
    assert not (here / "tags/sub").exists(), "nor an empty folder"
    assert run(*batch, "--force").returncode == 0
    assert sorted(tree(here / "tags")) == [MANIFEST, "lists/old.csv"]
    (here / "tags/lists/old.csv").unlink()
    assert run(*batch).stderr == "0 listings, 0 entries; outputs: 0 new, 0 changed, 0 removed\n", "what is gone is forgotten"
    assert "old.csv" not in (here / "tags" / MANIFEST).read_text()


def test_a_folder_is_the_same_however_it_is_written(here: Path, tiny_settings: BatchSettings) -> None:
    plan_batch(["lists"], Path("tags"), tiny_settings).write()
    (here / "lists/old.txt").unlink()
    assert [change.state for change in plan_batch(["./lists/"], Path("tags"), tiny_settings).changes] == ["removed"]


def test_a_folder_that_cannot_be_read(here: Path, tiny_settings: BatchSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refused(path: str) -> object:
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    stat = Path.stat

    def closed(path: Path, **more: bool) -> os.stat_result:
        if path.parent.name == "sub":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    plan_batch(["lists"], Path("tags"), tiny_settings).write()
    (here / "lists/old.txt").unlink()
    monkeypatch.setattr(os, "scandir", refused)
    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(ListingError, match=r"^lists/sub: cannot be read: Permission denied\n1 file to look at, .*nothing was"):
        plan_batch(["lists"], Path("tags"), tiny_settings)
    planned = plan_batch(["lists"], Path("tags"), tiny_settings, keep_going=True)
    assert planned.error is not None
    assert planned.error.problems == (Problem(Source("lists/sub"), "cannot be read: Permission denied"),)
    assert [(change.output, change.state) for change in planned.changes] == [("old.csv", "removed")], "not what may be there"


def test_links(here: Path, tiny_settings: BatchSettings) -> None:
    (here / "lists/link.txt").symlink_to("old.txt")
    (here / "far").mkdir()
    (here / "far/far.txt").write_text(NEW)
    (here / "lists/farther.txt").symlink_to("../far/far.txt")
    (here / "lists/folder").symlink_to("../far")
    (here / "lists/round").symlink_to("..")
    assert list(plan_batch(["lists"], Path("tags"), tiny_settings).contents) == ["farther.csv", "link.csv", "sub/new.csv"]
    planned = plan_batch(["lists/**/*.txt"], Path("tags"), tiny_settings)
    assert planned.n_listings == 3, "each file once, however often a link leads round to it"
    (here / "lists/broken.txt").symlink_to("nowhere.txt")
    for listing in ("lists", "lists/*.txt", "lists/broken.txt"):
        with pytest.raises(ListingError) as caught:
            plan_batch([listing], Path("tags"), tiny_settings)
        assert [problem.source.path for problem in caught.value.problems] == ["lists/broken.txt"]


def test_without_its_manifest_a_folder_is_taken_up_again(here: Path, tiny_settings: BatchSettings) -> None:
    plan_batch(["lists"], Path("tags"), tiny_settings).write()
    before = tree(here / "tags")
    for text in ("<<<<<<< ours", '{"format": 1}', '{"format": 1, "writing": {}, "outputs": {"a": {"hash": []}}}', "[]"):
        (here / "tags" / MANIFEST).write_text(text)
        with pytest.raises(
            OutputError, match=f"tags/{MANIFEST}: not a manifest as tagger writes it; delete it, and a run takes"
        ):
            plan_batch(["lists"], Path("tags"), tiny_settings)
    (here / "tags" / MANIFEST).write_text('{"format": 2}')
    with pytest.raises(OutputError, match="this is manifest format 2, wanted 1; install a newer tagger"):
        plan_batch(["lists"], Path("tags"), tiny_settings)
    (here / "tags" / MANIFEST).unlink()
    assert plan_batch(["lists"], Path("tags"), tiny_settings).write() == []
    assert tree(here / "tags") == before


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--combined", "a.xls"], "--combined a.xls: expected a file's name in the output folder that ends in .csv, .jsonl"),
        (["--combined", "../a.csv"], "--combined ../a.csv: expected a file's name in the output folder that ends in "),
        (["--combined", "a.csv", "-f", "csv"], "--format csv: --combined a.csv has its format from its ending; give one of"),
        (["-o", "lists/old.txt"], "lists/old.txt/.tagger-batch.json: cannot be read: Not a directory"),
        (["-w", "no"], "no: not a workspace: no labels/topics.toml in it; 'tagger init no' makes one"),
        (["--model", "no"], "no: no model can be read: No such file or directory; 'tagger retrain' makes one"),
    ],
)
def test_what_a_user_can_get_wrong(run: Run, here: Path, arguments: list[str], message: str) -> None:
    done = run("tagger", "batch", "lists", "-o", "tags", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tagger: " + message)
    assert not (here / "tags").exists()


def test_a_format_that_is_none(tiny: Path) -> None:
    with pytest.raises(UsageError, match="unknown format 'xls'; known: table, jsonl, csv, markdown, listing"):
        plan_batch([], Path("tags"), BatchSettings("xls", model=tiny))


def test_any_number_of_processes_gives_the_same_bytes(run: Run, here: Path, tiny: Path) -> None:
    (here / "lists/bad.txt").write_text(BAD)
    trees = []
    for jobs in (1, 3):
        out = f"tags{jobs}"
        done = run("tagger", "batch", "lists", "-o", out, "--model", tiny, "-j", jobs, "--keep-going", "--year", 2024)
        assert NOT_UNDERSTOOD in done.stderr
        trees.append(tree(here / out))
    assert trees[0] == trees[1]


def test_processes_that_started_in_another_folder_read_the_right_listings(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tiny_settings: BatchSettings
) -> None:
    from joblib import Parallel, delayed

    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert Parallel(n_jobs=2)(delayed(abs)(n) for n in (1, -2)) == [1, 2]  # joblib keeps the two for the next call
    monkeypatch.chdir(here)
    alone, together = (plan_batch(["lists"], Path("tags"), tiny_settings, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert together.changes == alone.changes
    assert len(alone.changes) == 2


def test_the_way_of_an_unchanged_run_is_short(root: Path, here: Path, tiny_settings: BatchSettings, tiny: Path) -> None:
    """Neither the slow libraries are imported on it nor is a listing read or the model parsed."""
    plan_batch(["lists"], Path("tags"), tiny_settings).write()
    program = (
        "import sys; import tagger.cli, tagger.batch.plan, tagger.batch.reading, tagger.batch.tagging\n"
        "tagger.batch.reading.read_entries = tagger.batch.tagging.model_from_bytes = None\n"
        f"sys.argv = ['tagger', 'batch', 'lists', '-o', 'tags', '--model', {str(tiny)!r}]\n"
        "try: tagger.cli.main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == "2 listings, 3 entries; outputs: 0 new, 0 changed, 0 removed\n"
    assert not set(done.stdout.split()) & {"sklearn", "scipy", "pandas", "pyarrow", "joblib", "matplotlib", "rich"}


ENTRIES = [
    Entry(f"{word} {n}", ("Ann Lee",), date=date(2020, 1, 1 + n), category="IR", abstract=f"{word}, {word}.")
    for n, word in enumerate(["Click", "Language", "Water", "The language", "A click"])
]
TREES = st.dictionaries(st.sampled_from(["a", "b", "c/d"]), st.lists(st.sampled_from(ENTRIES), max_size=4), max_size=3)


@settings(max_examples=40)
@given(states=st.lists(st.tuples(TREES, st.booleans()), min_size=1, max_size=4), combined=st.sampled_from([None, "all.jsonl"]))
def test_step_by_step_is_from_scratch(
    tiny: Path, states: list[tuple[dict[str, list[Entry]], bool]], combined: str | None
) -> None:
    """Whatever becomes of listings, outputs and manifest are those of a first run."""
    settings_ = BatchSettings(model=tiny, combined=combined)
    with tempfile.TemporaryDirectory() as name:
        lists = Path(name, "lists")
        for files, written in states:
            shutil.rmtree(lists, ignore_errors=True)
            lists.mkdir()
            for stem, entries in files.items():
                (lists / f"{stem}.txt").parent.mkdir(exist_ok=True)
                (lists / f"{stem}.txt").write_text(pasted.write_pasted(entries))
            planned = plan_batch([str(lists)], Path(name, "tags"), settings_)
            if written:
                planned.write()
                plan_batch([str(lists)], Path(name, "new"), settings_).write()
                empty = {MANIFEST: Manifest().to_text()}  # a first run with nothing to write makes none
                assert tree(Path(name, "tags")) | empty == tree(Path(name, "new")) | empty
                assert read_manifest(Path(name, "tags", MANIFEST)) == read_manifest(Path(name, "new", MANIFEST))
                shutil.rmtree(Path(name, "new"), ignore_errors=True)


KILLED = """
import os, signal, sys
import tempfile  # here, so that no step of its import counts as a step of writing
from pathlib import Path
from tagger.batch.plan import plan_batch
from tagger.batch.settings import BatchSettings

STEPS = {"open", "write", "flush", "fsync", "close", "chmod", "replace", "unlink", "mkdir", "rmdir"}
model, *runs = sys.argv[1:]
moments = last = 0

def moment(frame, event, function):
    "Before and after each step of writing."
    global moments
    if event in ("c_call", "c_return") and function.__name__ in STEPS:
        moments += 1
        if moments == last:
            os.kill(os.getpid(), signal.SIGKILL)

for run in runs:
    out, _, number = run.partition(":")
    child = os.fork()
    if not child:
        planned = plan_batch(["lists"], Path(out), BatchSettings(model=Path(model), year=2024))
        last = int(number)
        sys.setprofile(moment)
        planned.write()
        sys.setprofile(None)
        print(moments, flush=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_killed_at_any_moment_the_next_run_finishes(here: Path, tiny: Path) -> None:
    """Twenty seeded moments, before or after a step of writing, of a run that makes, changes and removes outputs."""
    settings_ = BatchSettings(model=tiny, year=2024)
    for n in range(4):
        (here / f"lists/sub/{n}.txt").write_text(OLD)
    plan_batch(["lists"], Path("start"), settings_).write()
    for n in range(1, 4):
        (here / f"lists/sub/{n}.txt").write_text(OLD.replace("On water", "On click"))
    (here / "lists/old.txt").unlink()
    (here / "lists/late").mkdir()
    (here / "lists/late/new.txt").write_text(NEW)

    def runs(*moments: int) -> list[int]:
        """Runs killed at these moments, 0 for not at all; what they printed and their exit status."""
        for moment in moments:
            shutil.copytree("start", f"out{moment}")
        command = [sys.executable, "-c", KILLED, tiny, *(f"out{moment}:{moment}" for moment in moments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.stderr == ""
        return [int(line) for line in done.stdout.split()]

    n_moments, status = runs(0)
    old, new = tree(here / "start"), tree(here / "out0")
    assert status == 0
    assert (len(old), len(new)) == (7, 7)
    chosen = random.Random(4).sample(range(1, n_moments + 1), 20)
    assert runs(*chosen) == [-signal.SIGKILL] * 20
    for moment in chosen:
        out = Path(f"out{moment}")
        for name, text in tree(out).items():
            if not name.endswith(".tmp") and name != MANIFEST:
                assert text in (old.get(name), new.get(name)), f"{name} after {moment}"
        shutil.copytree(out, f"{out}-again")
        plan_batch(["lists"], out, settings_).write()
        assert tree(out) == new, f"after {moment}"
        assert plan_batch(["lists"], out, settings_).write() == []
    for n in range(1, 4):
        (here / f"lists/sub/{n}.txt").write_text(OLD.replace("On water", "On language"))
    plan_batch(["lists"], Path("start"), settings_).write()
    for moment in chosen:
        plan_batch(["lists"], Path(f"out{moment}-again"), settings_).write()
        assert tree(here / f"out{moment}-again") == tree(here / "start"), f"after {moment}, with other listings"


def test_after_a_kill_no_output_is_taken_for_a_persons_even_if_listings_change_again(
    here: Path, tiny_settings: BatchSettings
) -> None:
    plan_batch(["lists"], Path("tags"), tiny_settings).write()
    (here / "lists/old.txt").write_text(OLD.replace("On water", "On click"))
    planned = plan_batch(["lists"], Path("tags"), tiny_settings)
    for written in (False, True):  # killed before and after the output
        (here / "tags" / MANIFEST).write_text(Manifest(planned.new_manifest.outputs, planned.replaced_hashes).to_text())
        if written:
            (here / "tags/old.csv").write_bytes(planned.contents["old.csv"])
        (here / "lists/old.txt").write_text(OLD.replace("On water", f"On language {written}"))
        assert [change.output for change in plan_batch(["lists"], Path("tags"), tiny_settings).changes] == ["old.csv"]


def test_a_full_disk_leaves_the_old_outputs(here: Path, tiny_settings: BatchSettings) -> None:
    planned = plan_batch(["lists"], Path("tags"), tiny_settings)
    (here / "tags").write_text("a file where the folder should be")
    with pytest.raises(TaggerError, match="tags: cannot be made: File exists"):
        planned.write()


def test_a_progress_bar_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from tagger.cli import output

    monkeypatch.setattr(output, "_PATIENCE", -1)
    monkeypatch.delenv("CI", raising=False)
    with output.progress_bar("reading") as told:
        told(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with output.progress_bar("reading") as told:
        told(1, 2)
    assert "reading" in capsys.readouterr().err
