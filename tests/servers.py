"""A running `tagger review` for tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Server", "served"]


@dataclass(frozen=True)
class Server:
    """Where a server is to be reached, and its process."""

    address: str
    process: subprocess.Popen[str]


@contextmanager
def served(folder: Path, *arguments: object, program: Sequence[object] = (), **environment: str) -> Iterator[Server]:
    """`tagger review` in a folder, at a free port, from when it is ready until the end of the block."""
    command = [*(program or [Path(sys.executable).parent / "tagger"]), "review", *arguments, "--port", 0, "--no-browser"]
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
    )
    assert process.stderr is not None
    said = ""
    try:
        while not (found := re.search(r"^(http\S+) \(Ctrl-C", said, re.MULTILINE)):
            line = process.stderr.readline()
            assert line, f"the server ended with {process.wait()}: {said}"
            said += line
        yield Server(found[1], process)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
