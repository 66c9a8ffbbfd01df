"""`tag` and `tagger` for tests: run as a process, or, which gives the same and costs a tenth, in the process of the tests."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest import mock

__all__ = ["BIN", "run_as_process", "run_in_process"]

BIN = Path(sys.executable).parent
_ENVIRONMENT = {"COLUMNS": "100", "NO_COLOR": "1"}


def run_as_process(command: str, arguments: list[str], cwd: Path, stdin: bytes) -> subprocess.CompletedProcess[str]:
    """Run the console script as a user does."""
    done = subprocess.run(
        [BIN / command, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **_ENVIRONMENT, "PYTHONWARNINGS": "error"},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def run_in_process(command: str, arguments: list[str], cwd: Path, stdin: bytes) -> subprocess.CompletedProcess[str]:
    """Call what the console script calls; an exception that would be a traceback there is one here."""
    from tagger import cli

    arguments = [command, *arguments]
    status = 0
    patched = mock.patch.dict(os.environ, _ENVIRONMENT), mock.patch("sys.argv", arguments)
    with _streams(stdin) as (out, err), chdir(cwd), patched[0], patched[1]:
        try:
            {"tag": cli.tag_main, "tagger": cli.main}[command]()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        return subprocess.CompletedProcess(arguments, status, out.getvalue().decode(), err.getvalue().decode())


@contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """Standard streams that are no terminal."""
    out, err = io.BytesIO(), io.BytesIO()
    with (
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")),
        mock.patch("sys.stdout", io.TextIOWrapper(out, encoding="utf-8")),
        mock.patch("sys.stderr", io.TextIOWrapper(err, encoding="utf-8")),
    ):
        yield out, err
