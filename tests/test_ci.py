"""`tagger ci`: what stops it, what it says and where, what it writes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PathDistribution
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tagger import LabelsError, __version__
from tagger.batch.plan import BatchSettings
from tagger.ci.check import Check
from tagger.ci.reports import (
    checks_text,
    detect_host,
    github_annotations,
    github_outputs,
    gitlab_code_quality,
    junit_xml,
    summary_markdown,
)
from tagger.ci.run import Run, run_checks
from tagger.errors import Problem
from tagger.evaluation.comparison import compare_models
from tagger.evaluation.figures import UNDEFINED
from tagger.labels.dataset import Labels, read_labels
from tagger.model.decision import UNCERTAIN_ODDS_RATIO
from tagger.model.model import Model
from tagger.model.storage import load, model_to_bytes
from tagger.reports import card as card_report
from tagger.source import Source
from tagger.training.settings import Settings as Training
from tagger.workspace import scaffold
from tagger.workspace.promotion import promote_model
from tagger.workspace.retrain import train_from_labels
from tagger.workspace.scaffold import GitOrigin, create_workspace, pipeline_files
from tagger.workspace.workspace import Workspace

RunCommand = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workspace with floors, its model, and a listing."""
    folder = tmp_path_factory.mktemp("trained") / "ws"
    create_workspace(folder)
    (folder / "lists").mkdir()
    shutil.copy(folder / "examples/new-listing.txt", folder / "lists/monday.txt")
    topics = folder / "labels/topics.toml"
    topics.write_text(
        topics.read_text().replace("definition =", "floor = 0.5\ndefinition =") + "[gate]\ncalibration_error = 0.3\n"
    )
    model = train_from_labels(read_labels(folder / "labels"), Training(), 1)
    promote_model(Workspace(folder), model_to_bytes(model), card_report.model_card(model))
    return folder


@pytest.fixture
def ws(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder; beside it, the base."""
    shutil.copytree(trained, tmp_path / "ws")
    (tmp_path / "base").mkdir()
    shutil.copy(trained / "models/topics.safetensors", tmp_path / "base")
    shutil.copy(trained / "labels/labels.csv", tmp_path / "base")
    monkeypatch.chdir(tmp_path / "ws")
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "ws"


def checked(*listings: str, out: str | None = None, **options: object) -> Run:
    return run_checks(Workspace(Path()), listings, out and Path(out), BatchSettings(), **options)  # type: ignore[arg-type]


def states(run: Run) -> dict[str, str]:
    return {each.name: each.state for each in run.checks}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def take_recommenders_off(n: int) -> list[int]:
    """A bad edit of n rows; their lines."""
    table = Path("labels/labels.csv")
    lines = table.read_text().splitlines()
    chosen = [at for at, line in enumerate(lines) if line.endswith(",recsys,")][:n]
    for at in chosen:
        lines[at] = lines[at].replace(",recsys,", ",,")
    table.write_text("\n".join(lines) + "\n")
    return [at + 1 for at in chosen]


def test_all_is_well_and_a_second_run_writes_nothing(ws: Path) -> None:
    run = checked("lists", out="tags")
    assert states(run) == {
        "labels": "ok",
        "model": "ok",
        "base": "skipped",
        "floors": "ok",
        "calibration": "ok",
        "listings": "ok",
        "drift": "ok",
    }
    assert (run.status, run.changes, len(run.tagged)) == (0, True, 3)
    assert run.write() == [Path("tags/monday.csv")]
    again = checked("lists", out="tags")
    assert (again.status, again.changes, again.tagged, again.review) == (0, False, (), ())
    before = tree(ws)
    assert again.write() == []
    assert tree(ws) == before
    assert github_outputs(again).startswith("changed=false\nn_tagged=0\nneeds_review=0\nmacro_f1=0.")


def test_without_an_output_nothing_is_written(ws: Path) -> None:
    before = tree(ws)
    run = checked("lists")
    assert (run.changes, len(run.tagged)) == (False, 3)
    assert run.write() == []
    assert tree(ws) == before


def test_entries_of_another_kind_warn_and_fail_if_asked(learned: Path, tmp_path: Path) -> None:
    lines = [
        f"Soup {n} of the Alps\nMarta Rossi\nSimmer barley {n}, leeks, smoked ham and gruyere; ladle over toasted rye."
        for n in range(30)
    ]
    (tmp_path / "soups.txt").write_text("\n\n".join(f"OTMay {n % 28 + 1}, 2026\n{line}" for n, line in enumerate(lines)))
    place = Workspace(learned)
    for fail, state, status in ((False, "ok", 0), (True, "failed", 1)):
        run = run_checks(place, [str(tmp_path / "soups.txt")], None, BatchSettings(), fail_on_drift=fail)
        assert (states(run)["drift"], run.status) == (state, status)
        drift = run.checks[-1]
        assert drift.message.startswith("It is time to label more: of 30 new entries ")
        assert [str(warning) for warning in drift.warnings] == (
            [] if fail else [f"{learned}/labels/labels.csv: {drift.message}"]
        )


def test_every_problem_of_labels_is_named_where_it_stands(ws: Path, run: RunCommand) -> None:
    table = ws / "labels/labels.csv"
    table.write_text(table.read_text().replace(",recsys,", ",recsis,", 1) + "one,two,three\n")
    lines = table.read_text().splitlines()
    typo, short = next(n for n, line in enumerate(lines, 1) if ",recsis," in line), len(lines)
    before = tree(ws)
    done = run("tagger", "ci", "lists", "-o", "tags", "--retrain", "-f", "github", cwd=ws)
    assert done.returncode == 2
    assert f"::error file=labels/labels.csv,line={typo},title=tagger%3A labels::unknown topic 'recsis'; did you" in done.stdout
    assert f"::error file=labels/labels.csv,line={short},title=tagger%3A labels::expected 4 cells, found 3\n" in done.stdout
    assert tree(ws) == before
    assert "Traceback" not in done.stderr


def test_topics_that_cannot_be_read_are_named_too(ws: Path) -> None:
    topics = ws / "labels/topics.toml"
    n = len(topics.read_text().splitlines()) + 1
    topics.write_text(topics.read_text() + "[[x\n")
    annotations = github_annotations(checked(), ws)
    assert f"::error file=labels/topics.toml,line={n},title=tagger%3A labels::expected TOML: " in annotations
    topics.write_text("")
    run = checked()
    assert (run.status, run.checks[0].problems) == (2, ())
    assert "labels/topics.toml: expected one [[topic]] table for each topic" in checks_text(run)
    assert "::error title=tagger%3A labels::labels/topics.toml: expected one [[topic]] table" in github_annotations(run, ws)


def test_confirmed_labels_are_labels_too(ws: Path) -> None:
    (ws / "labels/confirmed.csv").write_text("id,title,topic,label\nnone,Nothing,recsys,yes\n")
    run = checked("lists", retrain=True)
    assert (run.status, states(run)["labels"], states(run)["model"]) == (2, "error", "skipped")
    assert (
        "::error file=labels/confirmed.csv,line=2,title=tagger%3A labels::no labelled entry has the id 'none'"
        in github_annotations(run, ws)
    )


def test_a_model_that_labels_do_not_give_fails_or_is_made_anew(ws: Path) -> None:
    table = ws / "labels/labels.csv"
    old = (ws / "models/topics.safetensors").read_bytes()
    table.write_text(table.read_text().replace(",recsys,\n", ",,recsys\n", 1))
    stale = checked("lists", out="tags")
    assert (stale.status, states(stale)["model"], states(stale)["floors"]) == (1, "failed", "skipped")
    assert stale.write() == []
    assert "models/topics.safetensors is not what labels gives; run 'tagger retrain' and commit models" in checks_text(stale)
    run = checked("lists", out="tags", retrain=True)
    assert (run.status, run.promotes) == (0, True)
    assert (ws / "models/topics.safetensors").read_bytes() == old, "nothing is written before write"
    run.write()
    assert (ws / "models/topics.previous.safetensors").read_bytes() == old
    assert (ws / "models/topics.md").read_text() == card_report.model_card(load(ws / "models/topics.safetensors"))
    assert checked("lists", out="tags").changes is False, "the tags are those of the new model"
    (ws / "models/topics.safetensors").unlink()
    none = checked("lists")
    assert states(none)["model"] == "failed"
    assert states(none)["listings"] == "skipped"
    assert "no model can be read: No such file or directory; run 'tagger retrain'" in checks_text(none)


def test_the_gate_stops_a_bad_edit_and_names_its_rows(ws: Path, run: RunCommand) -> None:
    chosen = take_recommenders_off(4)
    before = tree(ws)
    options = ["--retrain", "--base", "../base/topics.safetensors", "--base-labels", "../base"]
    done = run("tagger", "ci", "lists", "-o", "tags", *options, cwd=ws)
    assert done.returncode == 1
    assert tree(ws) == before, "neither model nor tags"
    assert "recsys F1 0.000 is below its floor 0.5; look at the rows of labels.csv that changed\n" in done.stdout
    named = [line for line in done.stdout.splitlines() if line.startswith("labels/labels.csv:")]
    assert [int(line.split(":")[1]) for line in named] == chosen, "each once"
    assert all("recsys yes -> no" in line for line in named)
    plain = checked(retrain=True)
    assert "--base-labels names the rows of labels.csv that changed" in checks_text(plain)


def test_a_cell_that_was_edited_counts_for_neither_side(ws: Path) -> None:
    """By labels that all changed, every cell of a topic, there is nothing left to lose."""
    labels = read_labels(Path("labels"))
    model = load(Path("models/topics.safetensors"))
    none = {entry.id: ("recsys", "llm") for entry in labels.entries}
    same = compare_models(model, model, labels, none)
    assert same is not None
    assert (same.p_worse, same.p_topics, same.new.micro_f1) == (1.0, {"recsys": 1.0, "llm": 1.0}, UNDEFINED)


def test_one_topic_may_be_worse_and_is_named(labels: Labels, model: Model) -> None:
    """A model against itself with one topic's tags lost."""
    worse = model.out_of_fold_tags.copy()
    column = model.column("wind")
    worse[:, column] = 0
    comparison = compare_models(model, replace(model, out_of_fold_tags=worse), labels)
    assert comparison is not None
    assert comparison.worse_topics == ["wind"]
    backwards = compare_models(replace(model, out_of_fold_tags=worse), model, labels)
    assert backwards is not None
    assert (backwards.worse, backwards.worse_topics) == (False, [])


def test_a_topic_that_is_gone_is_said_to_be(ws: Path, learned: Path) -> None:
    run = checked(base=learned / "models/topics.safetensors")
    gone = {problem.message for problem in run.warnings}
    assert "the base's topic 'wind' is gone; it is not compared" in gone


def test_rows_that_come_and_go_are_named_too(ws: Path) -> None:
    base, topics = Path("../base/labels.csv"), Path("labels/topics.toml")
    lines = base.read_text().splitlines()
    new = next(line for line in lines if line.endswith(",recsys,"))
    base.write_text("\n".join([*(line for line in lines if line != new), "zzzzzzzz,Gone,recsys,"]) + "\n")
    topics.write_text(topics.read_text().replace("floor = 0.5", "floor = 1"))
    run = checked(base=Path("../base/topics.safetensors"), base_labels=Path("../base"))
    (floors,) = [each for each in run.checks if each.name == "floors"]
    id, title, _, _ = new.split(",")
    assert floors.problems == (
        Problem(Source("labels/labels.csv", lines.index(new) + 1), f"a new row: recsys no -> yes ({id} {title})"),
        Problem(Source("labels/labels.csv"), "a row that is gone: recsys yes -> no (zzzzzzzz Gone)"),
    )


@pytest.mark.parametrize("limit, state", [("0.0", "failed"), ("1", "ok")])
def test_the_calibration_has_a_limit(ws: Path, limit: str, state: str) -> None:
    topics = ws / "labels/topics.toml"
    topics.write_text(topics.read_text().replace("calibration_error = 0.3", f"calibration_error = {limit}"))
    assert states(checked())["calibration"] == state


def test_too_few_labels_are_bad_input(ws: Path) -> None:
    table = ws / "labels/labels.csv"
    table.write_text(table.read_text().replace(",recsys,\n", ",,\n").replace(",llm,\n", ",,\n"))
    run = checked(retrain=True)
    assert (run.status, states(run)["model"]) == (2, "error")
    assert "nothing can be learned from 25 labelled entries" in checks_text(run)


def test_a_bad_listing_is_bad_input_and_stops_all_writing(ws: Path) -> None:
    (ws / "lists/bad.txt").write_text("Publications\n")
    before = tree(ws)
    run = checked("lists", out="tags")
    assert (run.status, run.write()) == (2, [])
    assert tree(ws) == before
    assert "::error file=lists/bad.txt,line=1,title=tagger%3A listings::line 1 was not understood" in github_annotations(
        run, ws
    )


def test_who_needs_a_person(ws: Path) -> None:
    (ws / "lists/odd.txt").write_text("CVMay 4, 2020\nŻółć gęśląJaźń Lis\nKształt.\n")
    run = checked("lists")
    assert [(problem.source.path, problem.source.line) for problem in run.review][-1] == ("lists/odd.txt", 1)
    assert run.review[-1].message == "Żółć gęślą: no topic: no word of it is known"
    assert len(run.review) < len(run.tagged), "what is clear is not asked about"
    model = load(Path("models/topics.safetensors"))
    scores = model.scores([result.entry for result in run.tagged])
    factors = scores / (1 - scores) / (model.thresholds / (1 - model.thresholds))
    near = ((factors <= UNCERTAIN_ODDS_RATIO) & (factors >= 1 / UNCERTAIN_ODDS_RATIO)).any(axis=1)
    uncertain = [str(result.entry.source) for result, is_near in zip(run.tagged, near, strict=True) if is_near]
    assert [str(each.source) for each in run.review if "with the threshold at" in each.message] == uncertain
    unlike = [str(result.entry.source) for result in run.tagged if (result.note or "").startswith("unlike") and not result.tags]
    assert [str(each.source) for each in run.review if "unlike the labelled entries" in each.message] == unlike
    assert len(run.review) == len(uncertain) + len(unlike) + 1
    shutil.copy("lists/monday.txt", "labels/entries/monday.txt")
    for tagged in run.tagged[:3]:
        with Path("labels/labels.csv").open("a") as table:
            table.write(f'{tagged.entry.id},"{tagged.entry.title}",,\n')
    assert model.training.labels_hash != read_labels(Path("labels")).hash()
    assert [problem.source.path for problem in checked("lists").review] == ["lists/odd.txt"], "nor is what a person labelled"


def made(*checks: Check, review: tuple[Problem, ...] = ()) -> Run:
    return Run(Workspace(Path()), checks, review=review)


def test_github_is_told_nothing_but_what_is_meant() -> None:
    run = made(
        Check("labels", "error", "1 to correct", (Problem(Source("a,b:c%.csv", 3), "50%\r\n::add-mask::x"),)),
        Check("floors", "failed", "too low"),
        review=(Problem(Source("/elsewhere/l.txt"), "look"),),
    )
    assert github_annotations(run, Path("/root")) == (
        "::error file=a%2Cb%3Ac%25.csv,line=3,title=tagger%3A labels::50%25%0D%0A::add-mask::x\n"
        "::error title=tagger%3A floors::too low\n"
        "::warning file=/elsewhere/l.txt,title=tagger%3A needs a person::look\n"
    )


def test_paths_are_those_of_the_repository(ws: Path) -> None:
    run = made(Check("labels", "error", "1", (Problem(Source("labels/labels.csv", 2), "x"),)))
    assert "file=ws/labels/labels.csv,line=2," in github_annotations(run, ws.parent)
    assert json.loads(gitlab_code_quality(run, ws.parent))[0]["location"] == {
        "path": "ws/labels/labels.csv",
        "lines": {"begin": 2},
    }


def test_junit_is_xml_whatever_a_title_holds() -> None:
    nasty = "a\x00b\x1b[31m<&]]>\ud800\ufffe c"
    run = made(
        Check("labels", "ok", "fine"),
        Check("base", "failed", nasty, (Problem(Source("l.csv", 2), nasty),)),
        Check("listings", "error", "bad"),
        Check("floors", "skipped", "none"),
    )
    suite = ElementTree.fromstring(junit_xml(run).encode())
    assert dict(suite.attrib) == {"name": "tagger ci", "tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    (failure,) = suite.iter("failure")
    assert (failure.get("message"), failure.text) == ("ab[31m<&]]> c", "l.csv:2: ab[31m<&]]> c")


def test_code_quality_names_each_finding_once_by_a_lasting_name() -> None:
    twice = Problem(Source("labels/labels.csv"), "a row that is gone")
    run = made(Check("base", "failed", "worse", (twice,)), Check("floors", "failed", "low", (twice,)))
    (only,) = json.loads(gitlab_code_quality(run, None))
    assert (only["severity"], only["location"]["lines"]["begin"], only["check_name"]) == ("major", 1, "tagger: base")
    assert json.loads(gitlab_code_quality(run, None)) == [only]


def test_the_summary_shows_titles_as_text(ws: Path) -> None:
    (ws / "lists/odd.txt").write_text("CVMay 4, 2020\n<img src=x> | **Language** @ann\tAnn Lee\nLanguage models.\n")
    found = summary_markdown(checked("lists"))
    assert found.startswith("## tagger: All is well\n\n| check |  |  |\n| --- | --- | --- |\n| labels | ok | 25 labelled")
    assert "\\<img src=x\\> \\| \\*\\*Language\\*\\* @ann" in found
    assert re.search(r"^\| Large language models \| `█*▒+░*` \| \d+ \|", found, re.MULTILINE)
    assert "(<a%20page.html>)" not in found
    assert summary_markdown(checked("lists"), "a page.html").endswith("\n[The report with pictures](<a%20page.html>)\n")
    for heading in ("### Entries that need a person", "### New entries, and those with other topics", "### Topics, by cross-"):
        assert heading in found


def test_a_report_with_pictures_beside_the_summary(ws: Path, run: RunCommand) -> None:
    options = ["--report", "out/report.html", "--summary", "summary.md"]
    (ws / "out").mkdir()
    done = run("tagger", "ci", *options, cwd=ws)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is what these labels give" in (ws / "out/report.html").read_text()
    assert (ws / "summary.md").read_text().endswith("[The report with pictures](<out/report.html>)\n")
    table = ws / "labels/labels.csv"
    table.write_text(table.read_text().replace(",recsys,\n", ",,recsys\n", 1))
    (ws / "out/report.html").unlink()
    stale = run("tagger", "ci", *options, cwd=ws)
    assert stale.returncode == 1
    assert not (ws / "out/report.html").exists(), "there are no out-of-fold scores of these labels"
    assert "pictures" not in (ws / "summary.md").read_text()
    made = run("tagger", "ci", "--retrain", *options, cwd=ws)
    assert made.returncode == 0, made.stdout
    assert "Against the model before" in (ws / "out/report.html").read_text()


@pytest.mark.parametrize(
    "environment, expected", [({}, "plain"), ({"GITHUB_ACTIONS": "true"}, "github"), ({"GITLAB_CI": "true"}, "gitlab")]
)
def test_the_host_is_known_by_the_environment(environment: dict[str, str], expected: str) -> None:
    assert detect_host(environment) == expected


def test_a_base_that_cannot_be_used_is_an_error(ws: Path, run: RunCommand) -> None:
    done = run("tagger", "ci", "--base", "none.safetensors", cwd=ws)
    assert done.returncode == 2
    assert done.stderr.startswith("tagger: none.safetensors: no model can be read: No such file or directory")
    with pytest.raises(LabelsError):
        checked(base_labels=Path("none"))


def test_rollback_as_a_command(ws: Path, run: RunCommand) -> None:
    done = run("tagger", "rollback", cwd=ws)
    assert done.returncode == 2
    assert done.stderr == (
        "tagger: models/topics.previous.safetensors: not there, so there is no model to go back to; "
        "the next retraining keeps the one that it replaces\n"
    )


def test_pipelines_are_added_to_a_workspace_and_overwrite_nothing(ws: Path, run: RunCommand) -> None:
    done = run("tagger", "init", ".", "--ci", "github", cwd=ws)
    assert done.stdout.split() == [f".github/workflows/tagger-{name}.yml" for name in ("check", "commit", "retrain")]
    assert done.stderr == "".join(
        f".github/workflows/tagger-{name}.yml: put the account that has tagger's repository in place of __OWNER__\n"
        for name in ("check", "commit", "retrain")
    )
    (ws / ".gitlab-ci.yml").write_text("mine")
    before = tree(ws)
    for name in ("github", "gitlab"):
        again = run("tagger", "init", ".", "--ci", name, cwd=ws)
        assert again.returncode == 2
        assert "already there; nothing was written" in again.stderr
    assert tree(ws) == before
    new = run("tagger", "init", "new", "--ci", "gitlab", cwd=ws)
    assert new.stdout.splitlines()[-2:] == ["new/lists/README.md", "new/.gitlab-ci.yml"]
    assert new.stderr.splitlines()[0] == (
        "new/.gitlab-ci.yml: set TAGGER to what pip is to install, there or as a CI/CD variable"
    )
    for options, message in (
        (("--propose",), "tagger: --propose is about the pipelines; it goes with --ci\n"),
        (("--source", "x"), "tagger: --source is about the pipelines; it goes with --ci\n"),
        (("--ci", "gitlab", "--propose"), "tagger: --propose: only GitHub has such a pipeline; for GitLab the tags are an"),
        (("--ci", "github", "--source", "tagger"), "tagger: --source tagger: expected an action such as ann/tagger@v0.1.0, "),
    ):
        done = run("tagger", "init", "other", *options, cwd=ws)
        assert (done.returncode, done.stderr[: len(message)]) == (2, message)
        assert not (ws / "other").exists()


def test_pipelines_where_no_host_reads_them(run: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "repository/.git").mkdir(parents=True)
    for folder, told in (("repository/papers", True), ("repository", False), ("elsewhere", False)):
        done = run("tagger", "init", folder, "--ci", "github", "--source", "./tools/tagger")
        assert (f"{folder}: hosts read pipelines at the root of a repository alone, which is " in done.stderr) == told
    assert "hosts read" not in run("tagger", "init", "repository/more").stderr, "there are no pipelines in it"


@pytest.mark.parametrize("source", ["ann/tagger@v0.1.0", "ann/tools/tagger@main", "./tools/tagger"])
def test_pipelines_that_propose_from_an_action_that_is_named(run: RunCommand, tmp_path: Path, source: str) -> None:
    done = run("tagger", "init", "new", "--ci", "github", "--propose", "--source", source)
    assert done.stderr == "next: cd new && tagger retrain && tag examples/new-listing.txt\n", "there is nothing to fill in"
    for name in ("check", "propose", "retrain"):
        text = (tmp_path / f"new/.github/workflows/tagger-{name}.yml").read_text()
        assert f"uses: {source}\n" in text
        assert "__OWNER__" not in text
    assert not (tmp_path / "new/.github/workflows/tagger-commit.yml").exists()


@pytest.mark.parametrize(
    "url, action",
    [
        ("https://github.com/ann/tagger", "ann/tagger@c0ffee"),
        ("https://github.com/ann/tagger.git", "ann/tagger@c0ffee"),
        ("ssh://git@github.com/ann/tagger.git", "ann/tagger@c0ffee"),
        ("https://github.example.org/lab/tagger/", "lab/tagger@c0ffee"),
        ("https://git.example.org/lab/tagger", None),
    ],
)
def test_where_tagger_was_installed_from_is_where_pipelines_get_it(
    monkeypatch: pytest.MonkeyPatch, url: str, action: str | None
) -> None:
    monkeypatch.setattr(scaffold, "find_git_origin", lambda: GitOrigin(url, "c0ffee"))
    for workflow in pipeline_files("github").values():
        assert f"uses: {action or f'__OWNER__/tagger@v{__version__}'}\n" in workflow
    (pipeline,) = pipeline_files("gitlab").values()
    assert f'    TAGGER: "paper-tagger[review] @ git+{url}@c0ffee"\n' in pipeline


@pytest.mark.parametrize(
    "record, origin",
    [
        (None, None),
        ('{"url": "file:///home/ann/tagger", "dir_info": {"editable": true}}', None),
        ('{"url": "https://example.org/tagger.whl", "archive_info": {}}', None),
        ('{"url": "file:///srv/tagger", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}', None),
        (
            '{"url": "https://example.org/tagger", "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "c0"}}',
            GitOrigin("https://example.org/tagger", "c0"),
        ),
    ],
)
def test_what_pip_keeps_of_an_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, record: str | None, origin: GitOrigin | None
) -> None:
    (tmp_path / "METADATA").write_text("Metadata-Version: 2.1\nName: tagger\n")
    if record is not None:
        (tmp_path / "direct_url.json").write_text(record)
    monkeypatch.setattr(scaffold, "distribution", lambda name: PathDistribution(tmp_path))
    assert scaffold.find_git_origin() == origin
