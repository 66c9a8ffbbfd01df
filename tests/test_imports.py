"""Which packages of others each command imports: what a command does not need costs a person time at each start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# The last line on standard error names the packages that were imported, whatever the program does.
LISTING = """\
import sys
before = {*sys.modules}
try:
    %s
finally:
    new = {name.partition(".")[0] for name in {*sys.modules} - before}
    private = {"__mp_main__", "cython_runtime", *(name for name in new if name.startswith("_"))}
    print(*sorted(new - private - sys.stdlib_module_names), file=sys.stderr)
"""
TYPER = "import typer; app = typer.Typer(rich_markup_mode=None); app.command()(lambda: None); app()"
COMMAND = "sys.argv = sys.argv[1:]; from tagger import cli; {'tag': cli.tag_main, 'tagger': cli.main}[sys.argv[0]]()"


def packages(statement: str, *arguments: str, cwd: Path | None = None) -> set[str]:
    program = [sys.executable, "-c", LISTING % statement, *arguments]
    done = subprocess.run(program, cwd=cwd, capture_output=True, text=True)
    return {*done.stderr.splitlines()[-1].split()}


@pytest.fixture(scope="module")
def of_typer() -> set[str]:
    """What the least command imports that typer makes."""
    found = packages(TYPER)
    assert "typer" in found
    return found


@pytest.mark.parametrize("command", ["tagger --help", "tagger --version", "tagger init DIR"])
def test_typer_alone(of_typer: set[str], tmp_path: Path, command: str) -> None:
    assert packages(COMMAND, *command.split(), cwd=tmp_path) - of_typer == {"tagger"}


@pytest.mark.parametrize(
    "command",
    [
        "tag lists/new.txt",
        "tag lists/new.txt --explain --all-scores -f jsonl",
        "tag lists/new.txt -f csv -o /dev/null",
        "tagger batch lists -o tags --check",
        "tagger check",
        "tagger check --labels-only",
        "tagger ci lists",
        "tagger diff models/topics.safetensors models/topics.safetensors lists/new.txt",
        "tagger drift lists/new.txt",
        "tagger next lists/new.txt",
        "tagger retrain --check",
        "tagger topics",
        "tagger why lists/new.txt",
        *(
            pytest.param(f"{command} --help", marks=pytest.mark.slow)
            for command in ["tag", *(f"tagger {name}" for name in "audit export label report retrain review".split())]
        ),
    ],
)
def test_numpy_and_typer_alone(of_typer: set[str], learned: Path, command: str) -> None:
    assert packages(COMMAND, *command.split(), cwd=learned) - of_typer == {"numpy", "tagger"}


def test_the_front_imports_nothing_before_it_is_asked() -> None:
    assert packages("import tagger") == {"tagger"}
    assert packages("import tagger; tagger.Entry") == {"tagger"}
    assert packages("import tagger; tagger.load") == {"numpy", "tagger"}
