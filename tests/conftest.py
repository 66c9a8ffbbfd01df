"""What several tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.labels import Labels, read_labels

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def labels() -> Labels:
    """The labels of the repository."""
    return read_labels(ROOT / "labels")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `tag` or `tagger` as a user does, in an empty folder unless told."""

    def call(
        command: str, *arguments: object, cwd: Path = tmp_path, stdin: str | bytes = ""
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONWARNINGS": "error"}
        done = subprocess.run(
            [BIN / command, *map(str, arguments)],
            cwd=cwd,
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            env=environment,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A new workspace with the tiny example, not trained."""
    from tagger.workspace import create_workspace

    create_workspace(tmp_path / "ws")
    return tmp_path / "ws"
