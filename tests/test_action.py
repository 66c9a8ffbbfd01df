"""The action and the workflows, their steps run in a clone as GitHub runs them (tests/actions.py says how far)."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from actions import BIN, ROOT, SHELL, Job, Runner, evaluate, filled, load

import tagger
from tagger.labels.dataset import read_labels
from tagger.model.storage import model_to_bytes
from tagger.reports import card as card_report
from tagger.training.settings import Settings
from tagger.workspace.promotion import promote_model
from tagger.workspace.retrain import train_from_labels
from tagger.workspace.scaffold import create_workspace
from tagger.workspace.workspace import Workspace

WORKFLOWS = ROOT / "examples" / "workflows"
USES = f"__OWNER__/tagger@v{tagger.__version__}"
ANN = {f"GIT_{who}_{what}": "ann@example.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
PLAIN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, **ANN, **PLAIN}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a repository, `origin`, that has a workspace with a model."""
    folder = tmp_path_factory.mktemp("started")
    create_workspace(folder / "ws", "github")
    topics = folder / "ws/labels/topics.toml"
    topics.write_text(topics.read_text().replace("definition =", "floor = 0.5\ndefinition ="))
    model = train_from_labels(read_labels(folder / "ws/labels"), Settings(), 1)
    promote_model(Workspace(folder / "ws"), model_to_bytes(model), card_report.model_card(model))
    git(folder / "ws", "init", "--quiet", "--initial-branch=main")
    git(folder / "ws", "add", ".")
    git(folder / "ws", "commit", "--quiet", "-m", "A workspace")
    git(folder, "clone", "--quiet", "--bare", "ws", "origin")
    return folder


class Host:
    """A repository, its clones, and what pushes to it set off."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.n = folder, 0
        git(folder, "clone", "--quiet", "origin", "ann")
        self.ann = folder / "ann"
        (folder / "bin").mkdir()
        gh = folder / "bin" / "gh"
        gh.write_text(f'#!/bin/sh\nprintf "%s " "$@" >> {folder}/gh.log; echo >> {folder}/gh.log\n[ "$2" != list ] || echo 0\n')
        gh.chmod(gh.stat().st_mode | stat.S_IXUSR)

    def push(self) -> dict[str, Any]:
        """What Ann changed, pushed; the event that it is."""
        before = git(self.ann, "rev-parse", "HEAD")
        git(self.ann, "add", ".")
        git(self.ann, "commit", "--quiet", "-m", "Ann's work")
        git(self.ann, "push", "--quiet")
        return {"before": before, "after": git(self.ann, "rev-parse", "HEAD")}

    def runner(self, event: dict[str, Any]) -> Runner:
        """A runner with a clone of its own."""
        self.n += 1
        git(self.folder, "clone", "--quiet", "origin", f"clone{self.n}")
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return Runner(self.folder / f"clone{self.n}", self.folder / f"temp{self.n}", event, PATH=path, **PLAIN)

    def run(self, workflow: str, event: dict[str, Any]) -> Job:
        """A workflow, run in a new clone."""
        return self.runner(event).workflow(WORKFLOWS / f"{workflow}.yml")

    def last(self, branch: str = "main") -> tuple[str, list[str]]:
        """The last commit of a branch: its message and the files in it."""
        shown = git(self.folder / "origin", "show", "--format=%an: %s", "--name-only", branch).splitlines()
        return shown[0], sorted(shown[2:])


@pytest.fixture
def hosted(started: Path, tmp_path: Path) -> Host:
    shutil.copytree(started / "origin", tmp_path / "origin")
    return Host(tmp_path)


def a_listing(host: Host) -> None:
    shutil.copy(host.ann / "examples/new-listing.txt", host.ann / "lists/monday.txt")


def edit_labels(host: Host, old: str, new: str, n: int) -> list[int]:
    """An edit of n rows; their lines."""
    table = host.ann / "labels/labels.csv"
    lines = table.read_text().splitlines()
    chosen = [at for at, line in enumerate(lines) if line.endswith(old)][:n]
    for at in chosen:
        lines[at] = lines[at].removesuffix(old) + new
    table.write_text("\n".join(lines) + "\n")
    return [at + 1 for at in chosen]


@pytest.mark.slow
def test_a_pushed_listing_is_tagged_and_committed_back(hosted: Host) -> None:
    a_listing(hosted)
    job = hosted.run("commit", hosted.push())
    assert job.ok, job.log
    outputs = job.steps["tagger"]["outputs"]
    assert outputs.keys() == load(ROOT / "action.yml")["outputs"].keys()
    assert (outputs["changed"], outputs["n_tagged"]) == ("true", "3")
    assert 0 < float(outputs["macro_f1"]) <= 1
    assert int(outputs["needs_review"]) == len(job.annotations)
    for annotation in job.annotations:
        assert re.match(r"::warning file=lists/monday.txt,line=\d+,title=tagger%3A needs a person::", annotation)
        line = int(re.findall(r"line=(\d+)", annotation)[0])
        header, title = (hosted.ann / "lists/monday.txt").read_text().splitlines()[line - 1 : line + 1]
        assert re.match(r"[A-Z]{2}\w{3} \d", header), "the entry's first line"
        assert title.startswith(annotation.rsplit("::", 1)[1].split(": ")[0])
    assert "Mitigating Popularity Bias in Collaborative Filtering" in job.summary
    assert "| Large language models |" in job.summary
    message = f"tagger: Tag 3 entries, {outputs['needs_review']} of them for a person to look at"
    assert hosted.last() == (message, ["tags/.tagger-batch.json", "tags/monday.csv"])

    again = hosted.run("commit", {"before": "0" * 40})  # as on the first push of a branch
    assert again.ok, again.log
    assert again.steps["tagger"]["outputs"]["changed"] == "false"
    assert "Commit" not in again.ran
    assert hosted.last()[0] == message

    git(hosted.ann, "pull", "--quiet")
    base = git(hosted.ann, "rev-parse", "HEAD")
    (hosted.ann / "lists/tuesday.txt").write_text("CLMay 4, 2020\nLanguage Models\tAnn Lee\nA language model.\n")
    hosted.push()
    event = {"pull_request": {"base": {"sha": base}}}
    job = hosted.run("check", event)
    assert job.ok, job.log
    assert job.steps[""]["outputs"]["n_tagged"] == "1", "a pull request is about what it adds"
    assert "Mitigating Popularity Bias" not in job.summary
    with (hosted.ann / "tags/monday.csv").open("a") as tags:
        tags.write("mine\n")
    hosted.push()
    job = hosted.run("check", event)
    assert not job.ok
    assert "::error file=tags/monday.csv,title=tagger%3A listings::not as tagger wrote it; --force replaces it" in job.log


@pytest.mark.slow
def test_corrected_labels_make_a_new_model_and_bad_ones_do_not(hosted: Host) -> None:
    a_listing(hosted)
    edit_labels(hosted, ",recsys,", ",,recsys", 1)
    job = hosted.run("commit", hosted.push())
    assert job.ok, job.log
    files = ["models/topics.md", "models/topics.previous.md", "models/topics.previous.safetensors", "models/topics.safetensors"]
    assert hosted.last()[1] == [*files, "tags/.tagger-batch.json", "tags/monday.csv"]

    git(hosted.ann, "pull", "--quiet")
    chosen = edit_labels(hosted, ",recsys,", ",,", 4)
    bad = hosted.push()
    (hosted.ann / "NOTES").write_text("Another push, to which the bad labels are what was there before.")
    for workflow, event in (("commit", bad), ("commit", hosted.push()), ("retrain", {})):
        job = hosted.run(workflow, event)
        assert not job.ok
        assert "Commit" not in job.ran
        assert hosted.last()[0] == "ann@example.invalid: Ann's work", "nothing was pushed"
        rows = [line for line in job.annotations if line.startswith("::error file=labels/labels.csv,")]
        assert [int(re.findall(r"line=(\d+)", row)[0]) for row in rows] == chosen
        assert any(line.startswith("::error title=tagger%3A floors::recsys F1 ") for line in job.annotations)
        assert "## tagger: The gate said no" in job.summary
        assert job.steps["tagger"]["outputs"]["changed"] == "false"


@pytest.mark.slow
def test_labels_may_be_pushed_before_there_is_a_listing(hosted: Host) -> None:
    edit_labels(hosted, ",recsys,", ",,recsys", 1)
    job = hosted.run("commit", hosted.push())
    assert job.ok, job.log
    assert hosted.last()[0].startswith("tagger: Tag 0 entries, 0 of them")


@pytest.mark.slow
def test_a_nightly_retraining_commits_models_alone(hosted: Host) -> None:
    edit_labels(hosted, ",recsys,", ",,recsys", 1)
    hosted.push()
    job = hosted.run("retrain", {})
    assert job.ok, job.log
    message, files = hosted.last()
    assert re.fullmatch(r"tagger: Retrain: macro-F1 [01]\.\d{4}", message)
    assert all(file.startswith("models/topics.") for file in files)
    again = hosted.run("retrain", {})
    assert (again.ok, "Commit" in again.ran) == (True, False)


def test_tags_are_proposed_on_a_branch(hosted: Host) -> None:
    a_listing(hosted)
    job = hosted.run("propose", hosted.push())
    assert job.ok, job.log
    message, files = hosted.last("tagger/tags")
    assert message.startswith("tagger: Tag 3 entries, ")
    assert files == ["tags/.tagger-batch.json", "tags/monday.csv"]
    assert hosted.last()[0] == "ann@example.invalid: Ann's work"
    asked, created = (hosted.folder / "gh.log").read_text().splitlines()
    assert asked.startswith("pr list --head tagger/tags --base main --state open ")
    assert created.startswith("pr create --head tagger/tags --base main --title Tag 3 entries, ")


@pytest.mark.slow
def test_a_pull_request_is_compared_with_its_base(hosted: Host) -> None:
    base = git(hosted.ann, "rev-parse", "HEAD")
    (hosted.ann / "lists/bad.txt").write_text("Publications\n")
    edit_labels(hosted, ",recsys,", ",recsis,", 1)
    hosted.push()
    event = {"pull_request": {"base": {"sha": base}}}
    job = hosted.run("check", event)
    assert not job.ok
    assert any("unknown topic 'recsis'; did you mean 'recsys'?" in line for line in job.annotations)
    assert job.artifacts == {}
    assert "Link to the report" not in job.ran
    git(hosted.ann, "checkout", "--quiet", base, "--", "labels")
    hosted.push()
    job = hosted.run("check", event)
    assert not job.ok
    assert ["lists/bad.txt,line=1," in line for line in job.annotations] == [True]
    assert re.search(r"base +ok +none of 2 topics significantly worse \(least p = 1.00\)", job.log)
    (hosted.ann / "lists/bad.txt").unlink()
    edit_labels(hosted, ",recsys,", ",,recsys", 1)
    hosted.push()
    job = hosted.run("check", event)
    assert job.ok, job.log
    assert re.search(r"model +ok +made anew from labels", job.log), "labels may come without their model"
    assert job.summary.endswith("\n[The report with pictures](https://host.invalid/artifacts/1)\n")
    assert job.artifacts.keys() == {"tagger-report"}
    assert "<h1>How good the model is</h1>" in job.artifacts["tagger-report"]
    chosen = edit_labels(hosted, ",recsys,", ",,", 3)
    hosted.push()
    job = hosted.run("check", event)
    assert not job.ok
    assert all(f"::error file=labels/labels.csv,line={line}," in job.log for line in chosen)
    assert "is not what these labels give" in job.artifacts["tagger-report"], "a report is worth most where the gate says no"
    assert git(hosted.folder / f"clone{hosted.n}", "status", "--short") == "", "nothing is written then"
    job = hosted.run("check", {"pull_request": {"base": {"sha": "1" * 40}}})
    assert not job.ok, "a base that is not there is no reason to compare with nothing"
    assert job.log == f"the base {'1' * 40} is no commit here; check out with fetch-depth 0, or correct it\n"


def test_no_input_or_title_is_taken_for_a_command(hosted: Host) -> None:
    a_listing(hosted)
    name = "lists/$(touch pwned);`touch pwned`.txt"
    title = "::add-mask::x ::error::pwned"
    (hosted.ann / name).write_text(f"CVMay 4, 2020\n{title}\tAnn Lee\nLanguage models.\n")
    event = hosted.push()
    bad = '"; touch pwned; "\n$(touch pwned)\n--retrain\n'
    for inputs in (
        {"listings": name},
        {"listings": bad},
        {"listings": "lists", "retrain": "$(touch pwned)", "output": "tags/$(touch pwned)"},
        {"base": "--output=pwned"},
        {"base": "$(touch pwned)"},
    ):
        runner = hosted.runner(event)
        job = runner.action(inputs)
        assert job.ok == (inputs.get("listings") not in (bad, None)), job.log
        assert not list(runner.temp.rglob("pwned")) + list(runner.clone.rglob("pwned"))
        for line in job.annotations:
            assert re.match(r"::(warning|error) (file=[^:,]+,(line=\d+,)?)?title=tagger%3A [\w ]+::", line), line
        assert (title in job.summary) == job.ok


def test_a_workspace_in_a_folder_is_named_by_paths_of_the_repository(hosted: Host, tmp_path: Path) -> None:
    git(hosted.ann, "config", "core.quotepath", "off")
    (hosted.ann / "deep").mkdir()
    for part in ("labels", "models", "lists"):
        git(hosted.ann, "mv", part, f"deep/{part}")
    shutil.copy(hosted.ann / "examples/new-listing.txt", hosted.ann / "deep/lists/monday.txt")
    hosted.push()
    event = {"before": git(hosted.ann, "rev-parse", "HEAD")}
    runner = hosted.runner(event)
    job = runner.action({"workspace": "deep", "listings": "lists\n\nlists/*.txt\n", "junit": "ci.xml"})
    assert job.ok, job.log
    assert (runner.clone / "deep/tags/monday.csv").exists()
    assert (runner.clone / "deep/ci.xml").read_text().count("<testcase") == 7
    assert all("file=deep/lists/monday.txt," in line for line in job.annotations)
    assert re.search(r"base +ok", job.log)


def test_scripts_take_no_expressions_and_jobs_ask_for_little() -> None:
    action = load(ROOT / "action.yml")
    steps = [*action["runs"]["steps"]]
    assert all(step["shell"] == "bash" for step in steps if "run" in step)
    for path in sorted(WORKFLOWS.glob("[!g]*.yml")):
        workflow = load(path)
        assert workflow["permissions"] == {"contents": "read"}, path.name
        for job in workflow["jobs"].values():
            steps += job["steps"]
            wanted = {"check": {}, "propose": {"contents": "write", "pull-requests": "write"}}
            assert job.get("permissions", {}) == wanted.get(path.stem, {"contents": "write"})
    for step in steps:
        assert "${{" not in step.get("run", "")
        assert step.get("uses", USES).startswith((USES, "actions/checkout@", "actions/upload-artifact@"))


def test_the_page_names_every_input_and_output() -> None:
    page, action = (ROOT / "docs/ci.md").read_text(), load(ROOT / "action.yml")
    rows = set(re.findall(r"^\| `(\w+)` \|", page.split("## The action")[1], re.MULTILINE))
    assert rows == {*action["inputs"], *action["outputs"]}


@pytest.mark.slow
def test_the_job_of_gitlab(hosted: Host) -> None:
    a_listing(hosted)
    event = hosted.push()
    runner = hosted.runner(event)
    job = load(WORKFLOWS / "gitlab-ci.yml")["tagger"]
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "GITLAB_CI": "true",
        "CI": "true",
        "CI_PROJECT_DIR": str(runner.clone),
        "CI_COMMIT_BEFORE_SHA": event["before"],
    }
    (install,) = job["before_script"]  # not run with a value: tests have no network
    done = subprocess.run([*SHELL, "-c", install], env={**environment, "TAGGER": ""}, capture_output=True, text=True)
    assert done.returncode
    assert "TAGGER: has no value; .gitlab-ci.yml says which it should have" in done.stderr
    (script,) = job["script"]
    done = subprocess.run([*SHELL, "-c", script], cwd=runner.clone, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"base +ok", done.stdout)
    assert "::" not in done.stdout
    for name in (*job["artifacts"]["reports"].values(), *job["artifacts"]["paths"]):
        assert (runner.clone / name).exists()


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("a.b == 'x'", True),
        ("a.b != 'x'", False),
        ("a.c || a.b", "x"),
        ("a.c && a.b", None),
        ("a.b.c", None),
        ("'text'", "text"),
        ("always() && a.b", "x"),
    ],
)
def test_the_runner_knows_expressions(expression: str, expected: object) -> None:
    assert evaluate(expression, {"a": {"b": "x"}, "always()": True}) == expected
    assert filled("<${{ a.b }}${{ a.c }}>", {"a": {"b": "x"}}) == "<x>"


def test_the_hosts_schemas_take_the_action_and_the_pipelines() -> None:
    if not (BIN / "check-jsonschema").exists():
        pytest.skip("check-jsonschema is in the extra 'dev'; .ci/run checks the same files with it")
    transform = ["--data-transform", "gitlab-ci"]
    for schema, files, more in (
        ("github-actions", [ROOT / "action.yml"], []),
        ("github-workflows", sorted(WORKFLOWS.glob("[!g]*.yml")), []),
        ("gitlab-ci", [WORKFLOWS / "gitlab-ci.yml"], transform),
    ):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *more, *files]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
