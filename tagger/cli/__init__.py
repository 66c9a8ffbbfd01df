"""The command line: `tag` tags; `tagger` holds the other verbs. A command parses, makes one call, prints.

A command is imported when it is run: `tag` and `tagger --help` load none of the others.

Errors pass through the commands and are printed here. `tagger.errors.ExitStatus` says what an exit status means.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
import typer.core
import typer.main

from tagger import __version__
from tagger.errors import ExitStatus, TaggerError

__all__ = ["COMMANDS", "app", "main", "tag_main"]

COMMANDS = {  # by name: its module in this package, and what the list of commands says of it
    "tag": ("tag", "Topics of each entry, best first, with scores."),
    "label": ("label", "Label entries one at a time, on a terminal."),
    "review": ("review", "Label in the browser, train, and review labels."),
    "retrain": ("retrain", "Train the model anew from the labels."),
    "rollback": ("rollback", "Put back the model that the last retraining replaced."),
    "why": ("why", "The words for and against each topic, and precedents."),
    "audit": ("audit", "Labels that are probably wrong, to accept or reject."),
    "evaluate": ("evaluate", "Figures of a model on other labelled entries."),
    "report": ("report", "A page of figures and pictures: how good the model is."),
    "topics": ("topics", "The topics, with counts and thresholds."),
    "batch": ("batch", "Tag many listings; only what changed is done again."),
    "diff": ("diff", "What changed between two runs or two models."),
    "check": ("check", "Whether labels are in order and the model is what they give."),
    "drift": ("drift", "How new entries differ; whether to label more."),
    "next": ("next_entries", "What to label next; whether more labels still help."),
    "ci": ("ci", "Check labels and model, tag new listings, report to the host."),
    "init": ("init", "Make a workspace with a tiny working example."),
    "export": ("export", "Write the equivalent scikit-learn Pipeline with joblib."),
}

_APP_OPTIONS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def _make_app(command: str, add_completion: bool) -> typer.Typer:
    """The program of one command; with the options that install completion for a shell."""
    module = COMMANDS[command][0]
    app = typer.Typer(name=command, add_completion=add_completion, **_APP_OPTIONS)
    app.command(command)(getattr(import_module(f"tagger.cli.{module}"), module))
    return app


class _LazyCommands(Mapping[str, Any]):
    """The commands of `COMMANDS` by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return typer.main.get_command(_make_app(name, add_completion=False))

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _CommandGroup(typer.core.TyperGroup):
    """The program `tagger`, of which one command is imported at a time."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": _LazyCommands()})

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as typer calls it
        """List the commands; typer itself would import each of them for that."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


app = typer.Typer(name="tagger", cls=_CommandGroup, no_args_is_help=True, **_APP_OPTIONS)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tagger {__version__}")
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@app.callback()
def root(version: _Version = False) -> None:
    """Topics for the entries of a paper listing."""


def main() -> None:
    """The command `tagger`."""
    _run(app)


def tag_main() -> None:
    """The command `tag`."""
    _run(_make_app("tag", add_completion=True))


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
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Python would write what is left once more while it ends, and fail with a status of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(ExitStatus.BAD_INPUT)
