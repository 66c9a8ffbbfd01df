"""A new workspace."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tagger.cli.output import emit, warn
from tagger.workspace import create_workspace


def init(directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make it in; made if need be.")]) -> None:
    """Make a workspace with a tiny working example."""
    made = create_workspace(directory)
    emit("".join(f"{path}\n" for path in made))
    warn([f"next: cd {shlex.quote(str(directory))} && tagger retrain && tag examples/new-listing.txt"])
