"""Results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import typer

from tagger.atomic import write_whole

__all__ = ["append_to_file", "print_to_stderr", "progress_bar", "terminal_width", "write_result"]

_PATIENCE = 0.5  # seconds before a progress bar is worth importing what draws it


def write_result(text: str, output: Path | None = None) -> None:
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


def append_to_file(file: str | None, text: str) -> None:
    """Add to a file that a host reads after the step; nothing where the host names none."""
    if file:
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(text)


def print_to_stderr(lines: Iterable[object]) -> None:
    """Say something that is not a result."""
    for line in lines:
        print(line, file=sys.stderr)


def terminal_width(output: Path | None) -> int | None:
    """The columns of the terminal that results go to; None if they go elsewhere."""
    return shutil.get_terminal_size().columns if output is None and sys.stdout.isatty() else None


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal for work that takes its time, nothing elsewhere."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda done, total: None
        return
    start = time.monotonic()
    with ExitStack() as stack:
        show: Callable[[int, int], None] | None = None

        def report(done: int, total: int) -> None:
            nonlocal show
            if show is None and time.monotonic() - start > _PATIENCE:
                show = _bar(what, stack)
            if show is not None:
                show(done, total)

        yield report


def _bar(what: str, stack: ExitStack) -> Callable[[int, int], None]:
    from rich.console import Console
    from rich.progress import Progress

    bar = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
    task = bar.add_task(what, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)
