"""A new workspace."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from tagger.cli.output import emit, warn
from tagger.workspace import create_workspace


class Host(StrEnum):
    """Hosts that there are pipelines for."""

    github = "github"
    gitlab = "gitlab"


_TO_SET = {
    Host.github: "set OWNER in .github/workflows/ to the account that has tagger's repository",
    Host.gitlab: "set the CI/CD variable TAGGER, as .gitlab-ci.yml says",
}


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make it in; made if need be.")],
    ci: Annotated[
        Optional[Host],  # noqa: UP045
        typer.Option("--ci", help="Add pipelines for this host; in a workspace that is there, they alone."),
    ] = None,
) -> None:
    """Make a workspace with a tiny working example."""
    made = create_workspace(directory, ci)
    emit("".join(f"{path}\n" for path in made))
    if ci is not None:
        warn([_TO_SET[ci]])
    if directory / "labels" / "topics.toml" in made:
        warn([f"next: cd {shlex.quote(str(directory))} && tagger retrain && tag examples/new-listing.txt"])
