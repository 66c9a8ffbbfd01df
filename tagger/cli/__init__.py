"""The command line: `tag` tags; `tagger` holds the other verbs. A command parses, makes one call, prints.

Errors pass through the commands and are printed here. Exit status: 0 done, 1 a check said no, 2 bad usage or input, 130
interrupted.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from tagger import __version__
from tagger.cli import (
    audit,
    batch,
    check,
    ci,
    diff,
    drift,
    evaluate,
    export,
    init,
    label,
    next_entries,
    report,
    retrain,
    review,
    rollback,
    tag,
    topics,
    why,
)
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
app.command("label")(label.label)
app.command("review")(review.review)
app.command("retrain")(retrain.retrain)
app.command("rollback")(rollback.rollback)
app.command("why")(why.why)
app.command("audit")(audit.audit)
app.command("evaluate")(evaluate.evaluate)
app.command("report")(report.report)
app.command("topics")(topics.topics)
app.command("batch")(batch.batch)
app.command("diff")(diff.diff)
app.command("check")(check.check)
app.command("drift")(drift.drift)
app.command("next")(next_entries.next_entries)
app.command("ci")(ci.ci)
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
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(encoding="utf-8", errors="replace")
    try:
        application()
    except TaggerError as error:
        _fail(str(error) if error.problems else f"tagger: {error}")
    except OSError as error:
        _fail(f"tagger: {error.filename or 'output'}: {error.strerror}")
    except MemoryError:
        _fail("tagger: not enough memory; give fewer entries at once")


def _fail(message: str) -> NoReturn:
    with suppress(OSError):
        print(message, file=sys.stderr)
    sys.exit(2)
