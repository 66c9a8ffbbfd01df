"""What the documentation says is what the programs do."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_generated_parts_are_up_to_date(root: Path) -> None:
    done = subprocess.run([sys.executable, root / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0), "run: python docs/generate.py"


def test_every_command_and_option_is_documented(root: Path) -> None:
    from typer.main import get_command

    from tagger.cli import COMMANDS, app

    page = (root / "docs/cli.md").read_text()
    group: Any = get_command(app)
    assert group.list_commands(None) == list(COMMANDS)
    for name, (_, summary) in COMMANDS.items():
        command = group.get_command(None, name)
        assert command.help.startswith(summary.rstrip(".")), "the list of commands says what the command says"
        heading = "## tag\n" if name == "tag" else f"## tagger {name}\n"
        section = page.split(heading)[1].split("\n## ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name} {parameter.name}"
                assert all(option in section for option in parameter.opts)


def test_the_python_of_the_readme_runs(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(root)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("Time Matters: ")


def test_the_python_of_the_page_on_batches_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(root / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/batch.md").read_text(), re.DOTALL)
    exec(compile(block, "batch.md", "exec"), {})
    assert capsys.readouterr().out == "[('new-listing.jsonl', 'new')]\n"
    assert (tmp_path / "tags/new-listing.jsonl").exists()


def test_the_python_of_the_page_on_drift_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/drift.md").read_text(), re.DOTALL)
    exec(compile(block, "drift.md", "exec"), {})
    assert capsys.readouterr().out.startswith("None ['uncertain'")


def test_the_python_of_the_page_on_what_to_label_next_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/next.md").read_text(), re.DOTALL)
    exec(compile(block, "next.md", "exec"), {})
    assert re.fullmatch(r"(\w{8} (uncertain [\w-]+|unlike None)\n){2}", capsys.readouterr().out)


def test_the_python_of_the_page_on_reasons_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/why.md").read_text(), re.DOTALL)
    exec(compile(block, "why.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines
    for line in lines:
        term, _, text = re.split(r" ([\d.]+) ", line)
        assert term == text.casefold().replace("-", " ")


def test_the_python_of_the_page_on_pipelines_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("examples", "labels", "models"):
        shutil.copytree(root / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/ci.md").read_text(), re.DOTALL)
    exec(compile(block, "ci.md", "exec"), {})
    assert capsys.readouterr().out.startswith("[('labels', 'ok'), ")
    assert (tmp_path / "tags/new-listing.csv").exists()


def test_the_python_of_the_page_on_reports_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert run("tagger", "init", "ws").returncode == 0
    monkeypatch.chdir(tmp_path / "ws")
    (block,) = re.findall(r"```python\n(.*?)```", (root / "docs/report.md").read_text(), re.DOTALL)
    exec(compile(block, "report.md", "exec"), {})
    assert {path.name for path in Path().glob("*.svg")} == {"precision-recall.svg", "reliability.svg", "label-counts.svg"}


def test_the_shell_of_the_readme_runs(root: Path, tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    text = (root / "README.md").read_text()
    assert "pip install . && tag examples/new-listing.txt\npip install '.[test]' && pytest\n" in text
    assert "tagger init my-papers && cd my-papers" in text
    assert run("tagger", "init", "my-papers").returncode == 0
    assert "tagger label examples/new-listing.txt" in text
    assert run("tagger", "retrain", cwd=tmp_path / "my-papers").returncode == 0
    assert run("tag", "examples/new-listing.txt", cwd=tmp_path / "my-papers").returncode == 0


def test_links_lead_somewhere(root: Path) -> None:
    for page in [root / "README.md", root / "CONTRIBUTING.md", *root.glob("docs/*.md"), root / "labels/README.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    "script",
    "settings startup throughput reader coverage quality batch drift audit active service precision".split(),
)
def test_every_script_of_bench_says_what_it_does(
    root: Path, script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    monkeypatch.syspath_prepend(root / "bench")  # where Python looks first when it runs a script of it
    if "argparse" in (root / f"bench/{script}.py").read_text():
        with pytest.raises(SystemExit, match="0"):
            runpy.run_path(str(root / f"bench/{script}.py"), run_name="__main__")
        assert "usage" in capsys.readouterr().out
    else:
        runpy.run_path(str(root / f"bench/{script}.py"), run_name="imported")
    assert (
        f"bench/{script}.py"
        in (root / "docs/benchmarks.md").read_text()
        + (root / "docs/model.md").read_text()
        + (root / "labels/README.md").read_text()
        + (root / "docs/drift.md").read_text()
    )
