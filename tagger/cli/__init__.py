"""The command line: `tag` tags; `tagger` holds the other verbs. A command parses, makes one call, prints.

Errors pass through the commands and are printed here. Exit status: 0 done, 1 a check said no, 2 bad usage or input, 130
interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tagger import __version__
from tagger.cli import evaluate, export, init, retrain, tag, topics
from tagger.errors import TaggerError

__all__ = ["app", "main", "tag_app", "tag_main"]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tagger {__version__}")
        raise typer.Exit


_Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")]

_LOOK = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}

app = typer.Typer(name="tagger", no_args_is_help=True, **_LOOK)  # type: ignore[arg-type]
app.command("tag")(tag.tag)
app.command("retrain")(retrain.retrain)
app.command("evaluate")(evaluate.evaluate)
app.command("topics")(topics.topics)
app.command("init")(init.init)
app.command("export")(export.export)

tag_app = typer.Typer(name="tag", **_LOOK)  # type: ignore[arg-type]
tag_app.command("tag")(tag.tag)


@app.callback()
def root(version: _Version = False) -> None:
    """Topics for the entries of a paper listing."""


def main() -> None:
    """The command `tagger`."""
    _run(app)


def tag_main() -> None:
    """The command `tag`."""
    _run(tag_app)


def _run(application: typer.Typer) -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        try:
            application()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except TaggerError as error:
        print(f"tagger: {error}" if not error.problems else str(error), file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"tagger: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    except MemoryError:
        print("tagger: not enough memory; give fewer entries at once", file=sys.stderr)
        sys.exit(2)
