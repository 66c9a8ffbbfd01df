"""Results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import typer

from tagger.files import write_whole

__all__ = ["emit", "terminal_width", "warn"]


def emit(text: str, output: Path | None = None) -> None:
    """Write a result."""
    if output is None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None
    else:
        write_whole(output, text)


def warn(lines: Iterable[object]) -> None:
    """Say something that is not a result."""
    for line in lines:
        print(line, file=sys.stderr)


def terminal_width(output: Path | None) -> int | None:
    """The columns of the terminal that results go to; None if they go elsewhere."""
    return shutil.get_terminal_size().columns if output is None and sys.stdout.isatty() else None
