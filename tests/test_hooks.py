"""The hooks of pre-commit, `tagger check` and `tag --since`, in git repositories made for it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., subprocess.CompletedProcess[str]]

NEW = "IRMay 3, 2024\nClicks, AgainAnn Lee\nThe click of the click.\n"


def git(place: Path, *arguments: str) -> str:
    """Run git as somebody, with no settings of the machine."""
    quiet = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *arguments], cwd=place, env={**os.environ, **quiet}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def hooks(root: Path) -> dict[str, dict[str, Any]]:
    """By id what pre-commit reads of each hook."""
    return {hook["id"]: hook for hook in yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())}


@pytest.fixture
def repository(workspace: Path, root: Path) -> Path:
    """The tiny workspace with its model, in the first commit of a repository."""
    from tagger.labels.dataset import read_labels
    from tagger.model.storage import save_model
    from tagger.training.settings import Settings
    from tagger.workspace.retrain import train_from_labels

    save_model(train_from_labels(read_labels(workspace / "labels"), Settings(), 1), workspace / "models/topics.safetensors")
    git(workspace, "init", "--quiet")
    git(workspace, "add", ".")
    git(workspace, "commit", "--quiet", "--message", "first")
    return workspace


def spoil(place: Path) -> None:
    """An unknown topic in the second line of the labels."""
    table = place / "labels/labels.csv"
    lines = table.read_text().splitlines(keepends=True)
    lines[1] = re.sub(r",[^,]*,([^,]*)\n$", r",recsis,\1\n", lines[1])
    table.write_text("".join(lines))


def hooked(run: Run, hook: dict[str, Any], place: Path) -> subprocess.CompletedProcess[str]:
    """A hook as pre-commit runs it: its entry, its arguments, the staged files that it is about."""
    staged = git(place, "diff", "--cached", "--name-only", "--diff-filter=ACMRTUXB").splitlines()
    files = [name for name in staged if re.search(hook["files"], name)] if hook.get("pass_filenames", True) else []
    command, *arguments = [*shlex.split(hook["entry"]), *hook.get("args", [])]
    return run(command, *arguments, *files, cwd=place)


def test_there_are_three(hooks: dict[str, dict[str, Any]]) -> None:
    assert list(hooks) == ["tagger-labels", "tagger-model", "tagger-tag"]


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("labels/labels.csv", {"tagger-labels", "tagger-model"}),
        ("labels/topics.toml", {"tagger-labels", "tagger-model"}),
        ("labels/confirmed.csv", {"tagger-labels", "tagger-model"}),
        ("sub/labels/entries/mine.txt", {"tagger-labels", "tagger-model"}),
        ("labels/README.md", set()),
        ("mylabels/labels.csv", set()),
        ("models/topics.safetensors", {"tagger-model"}),
        ("models/topics.md", set()),
        ("examples/new-listing.txt", {"tagger-tag"}),
        ("a/lists/b/c.jsonl", {"tagger-tag"}),
        ("requirements.txt", set()),
        ("src/examples.txt", set()),
    ],
)
def test_which_files_a_hook_is_about(hooks: dict[str, dict[str, Any]], name: str, wanted: set[str]) -> None:
    assert {id for id, hook in hooks.items() if re.search(hook["files"], name)} == wanted


def test_nothing_wrong(run: Run, hooks: dict[str, dict[str, Any]], repository: Path) -> None:
    for id in ("tagger-labels", "tagger-model"):
        done = hooked(run, hooks[id], repository)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_labels_that_contradict_themselves(run: Run, hooks: dict[str, dict[str, Any]], repository: Path) -> None:
    spoil(repository)
    for id in ("tagger-labels", "tagger-model"):
        done = hooked(run, hooks[id], repository)
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout == "labels/labels.csv:2: unknown topic 'recsis'; did you mean 'recsys'?\n"


def test_confirmed_labels_that_are_about_nothing(run: Run, hooks: dict[str, dict[str, Any]], repository: Path) -> None:
    id, title, _ = (repository / "labels/labels.csv").read_text().splitlines()[1].split(",", 2)
    row = f"{id},{title},recsys,yes\n"
    (repository / "labels/confirmed.csv").write_text(
        f'id,title,topic,label\n{row}none,"Two\nlines",recsis,no\n{row}{id},{title},recsys,perhaps\n'
    )
    for hook in ("tagger-labels", "tagger-model"):
        done = hooked(run, hooks[hook], repository)
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout == (
            "labels/confirmed.csv:3: no labelled entry has the id 'none' ('Two\\nlines'); delete the row\n"
            "labels/confirmed.csv:3: unknown topic 'recsis'; correct it or delete the row; known: recsys, llm\n"
            f"labels/confirmed.csv:5: a second row for 'recsys' of '{id}'; the first one is in line 2\n"
            "labels/confirmed.csv:6: expected id,title,topic,label with the label yes or no, found "
            f"'{id},{title},recsys,perhaps'\n"
        )
    (repository / "labels/confirmed.csv").write_text(f"id,title,topic,label\n{row}")
    assert hooked(run, hooks["tagger-labels"], repository).returncode == 0
    (repository / "labels/confirmed.csv").write_bytes(b"id,title,topic,label\n\xff")
    assert hooked(run, hooks["tagger-labels"], repository).stdout.startswith("labels/confirmed.csv:2: expected UTF-8 text")


def test_a_model_that_is_not_what_the_labels_give(run: Run, hooks: dict[str, dict[str, Any]], repository: Path) -> None:
    def problem() -> str:
        assert hooked(run, hooks["tagger-labels"], repository).returncode == 0, "the labels are in order"
        done = hooked(run, hooks["tagger-model"], repository)
        assert done.returncode == 1
        return done.stdout

    topics = repository / "labels/topics.toml"
    topics.write_text(topics.read_text().replace('definition = "', 'definition = "Now: ', 1))
    assert problem() == "models/topics.safetensors: not what labels gives; 'tagger retrain' makes it anew\n"
    (repository / "models/topics.safetensors").write_bytes(b"\x10")
    assert problem() == (
        "models/topics.safetensors: not a tagger model: it does not begin like a safetensors file; 'tagger retrain' makes one\n"
    )
    (repository / "models/topics.safetensors").unlink()
    assert problem() == "models/topics.safetensors: no model yet; 'tagger retrain' makes one\n"


def test_check_without_labels_to_check(run: Run, workspace: Path) -> None:
    assert "no workspace here" in run("tagger", "check").stderr
    (workspace / "labels/topics.toml").write_text("topic = 3")
    done = run("tagger", "check", cwd=workspace)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "tagger: labels/topics.toml: expected one [[topic]] table for each topic, perhaps one [gate] and one [entry], "
        "and nothing else\n"
    )


def test_only_new_entries_of_staged_listings_are_shown(run: Run, hooks: dict[str, dict[str, Any]], repository: Path) -> None:
    listing = repository / "examples/new-listing.txt"
    listing.write_text(listing.read_text() + "\n" + NEW)
    (repository / "requirements.txt").write_text("numpy\n")
    git(repository, "add", ".")
    done = hooked(run, hooks["tagger-tag"], repository)
    assert done.stdout.startswith("m90nxfrp  Clicks, Again\n")
    assert done.stdout.count("\n") == 2
    assert done.returncode == 0
    listing.write_text("Publications\n")
    git(repository, "add", ".")
    done = hooked(run, hooks["tagger-tag"], repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert "examples/new-listing.txt:1: line 1 was not understood" in done.stderr


def test_since(run: Run, repository: Path, tiny: Path) -> None:
    def titles(*arguments: object, cwd: Path = repository) -> list[str]:
        done = run("tag", *arguments, "--model", tiny, "--no-labels", "-f", "csv", cwd=cwd)
        assert done.returncode == 0, done.stderr
        return [line.split(",")[0] for line in done.stdout.splitlines()[1:]]

    listing = repository / "examples/new-listing.txt"
    old = titles(listing)
    assert titles("--since", "HEAD", listing) == []
    listing.write_text(NEW + "\n" + listing.read_text().replace("IR", "CL"))
    assert titles("--since", "HEAD", listing) == ["m90nxfrp"], "a category is no part of what makes an entry new"
    assert titles("--since", "HEAD", "examples/new-listing.txt") == ["m90nxfrp"]
    assert titles("--since", "HEAD", "new-listing.txt", cwd=repository / "examples") == ["m90nxfrp"]
    assert titles("--since", "HEAD", "../examples/new-listing.txt", cwd=repository / "labels") == ["m90nxfrp"]
    shutil.move(listing, repository / "examples/moved.txt")
    assert titles("--since", "HEAD", "examples/moved.txt") == ["m90nxfrp", *old], "another name is another listing"
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "second")
    assert titles("--since", "HEAD", "examples/moved.txt") == []
    assert titles("--since", "HEAD~1", "examples/moved.txt") == ["m90nxfrp", *old]


def test_since_before_the_first_commit_everything_is_new(run: Run, workspace: Path, tiny: Path) -> None:
    git(workspace, "init", "--quiet")
    every = run("tag", "examples/new-listing.txt", "--model", tiny, cwd=workspace)
    assert run("tag", "examples/new-listing.txt", "--since", "HEAD", "--model", tiny, cwd=workspace).stdout == every.stdout


def test_since_what_is_no_revision(run: Run, repository: Path, tmp_path: Path) -> None:
    done = run("tag", "examples/new-listing.txt", "--since", "HEAD~7", cwd=repository)
    assert (done.returncode, done.stderr) == (2, "tagger: --since HEAD~7: the git repository here has no such revision\n")
    shutil.rmtree(repository / ".git")
    done = run("tag", "examples/new-listing.txt", "--since", "HEAD", cwd=repository)
    assert done.returncode == 2
    assert done.stderr.startswith("tagger: --since HEAD: fatal: not a git repository")


@pytest.mark.slow
def test_run_by_pre_commit(root: Path, repository: Path, tmp_path: Path) -> None:
    """pre-commit installs this checkout for itself; .ci/run has it, and runs this."""
    pytest.importorskip("pre_commit")
    if not (root / ".git").exists():
        pytest.skip("pre-commit takes hooks from a git repository, and this is none")

    def tried() -> tuple[int, str]:
        git(repository, "add", ".")
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", root, "--verbose", "--color", "never"],
            cwd=repository,
            env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    (repository / "lists").mkdir()
    (repository / "lists/today.txt").write_text(NEW)
    status, shown = tried()
    assert status == 0, shown
    assert "m90nxfrp  Clicks, Again\n" in shown
    spoil(repository)
    status, shown = tried()
    assert status == 1, shown
    assert shown.count("labels/labels.csv:2: unknown topic 'recsis'; did you mean 'recsys'?\n") == 2
    assert re.search(r"^labels are in order\.+Failed$", shown, re.MULTILINE)
    assert re.search(r"^topics of new entries\.+Passed$", shown, re.MULTILINE)
