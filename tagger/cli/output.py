"""Results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tagger.files import write_whole

__all__ = ["emit", "terminal_width", "warn"]


def emit(text: str, output: Path | None = None) -> None:
    """Write a result."""
    if output is None:
        sys.stdout.write(text)
    else:
        write_whole(output, text)


def warn(lines: Iterable[object]) -> None:
    """Say something that is not a result."""
    for line in lines:
        print(line, file=sys.stderr)


def terminal_width(output: Path | None) -> int | None:
    """The columns of the terminal that results go to; None if they go elsewhere."""
    return shutil.get_terminal_size().columns if output is None and sys.stdout.isatty() else None
